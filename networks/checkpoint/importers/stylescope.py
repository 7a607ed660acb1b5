"""Our own format: safetensors with one JSON text that says the family and its whole configuration."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import Any

from networks import registry
from networks.base import Spec
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import Checkpoint, Source
from networks.checkpoint.safetensors_format import FORMAT_NAME, FORMAT_VERSION, METADATA_KEY


def stylescope(source: Source) -> Checkpoint | None:
    """A file written by `save_checkpoint`; None for any other. Raises CheckpointError where its header is wrong."""
    if source.kind != "safetensors" or METADATA_KEY not in source.header:
        return None
    header = _header(source)
    origin = header.get("source")
    return Checkpoint(
        path=source.path,
        format=FORMAT_NAME,
        family=str(header.get("family")),
        spec=_spec(source, header),
        state=source.root,
        notes=_notes(header, origin if isinstance(origin, dict) else {}),
        w_avg_known=header.get("w_avg_known") is not False,
        sha256=source.sha256,
    )


def _header(source: Source) -> dict[str, Any]:
    broken = f"{source.path.name}: its StyleScope header is not understood; convert the original again"
    try:
        header = json.loads(source.header[METADATA_KEY])
    except (ValueError, RecursionError) as error:
        raise CheckpointError(broken) from error
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise CheckpointError(broken)
    if header.get("version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{source.path.name}: its StyleScope format is version {str(header.get('version'))[:20]},"
            f" this program reads version {FORMAT_VERSION}; update StyleScope or convert the original again"
        )
    return header


def _spec(source: Source, header: dict[str, Any]) -> Spec:
    family, values = str(header.get("family")), header.get("spec")
    try:
        known = registry.get(family)
        if missing := _missing(known.spec_type, values := values if isinstance(values, dict) else {}):
            raise TypeError(f"without {', '.join(missing)}")
        return known.spec(values)
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{source.path.name}: its configuration does not fit family {family[:40]!r} ({error.args[0]});"
            " convert the original again"
        ) from error


def _missing(spec_type: type[Spec], values: dict[str, Any]) -> list[str]:
    """Settings that a specification needs and the header lacks."""
    return [
        field.name
        for field in fields(spec_type)
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING
    ]


def _notes(header: dict[str, Any], origin: dict[str, Any]) -> tuple[str, ...]:
    notes = header.get("notes")
    lines = [str(note) for note in notes] if isinstance(notes, list) else []
    if not origin:
        return tuple(lines)
    if not origin.get("sha256"):  # written by a training run: it comes from no file
        return (*lines, f"From the training run {origin.get('name')}.")
    came = f"Converted from {origin.get('name')} ({origin.get('format')}), SHA-256 {str(origin.get('sha256'))[:12]}."
    return (*lines, came)
