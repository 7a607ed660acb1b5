"""A session as one JSON file: what is shown, and what each panel remembers beyond it. No pickle, no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.errors import InputError
from app.request import RenderRequest, from_json, to_json

FORMAT, VERSION = "stylescope-session", 1
SUFFIX = ".session.json"
LARGEST = 256 << 20  # bytes: thumbnails are small, so more is no session

Kept = Mapping[str, Mapping[str, Any]]  # panel title -> what it remembers (`Panel.keep`)


@dataclass(frozen=True)
class Session:
    """saved: when, as local time 'YYYY-MM-DD hh:mm:ss'."""

    request: RenderRequest = field(default_factory=RenderRequest)
    panels: Kept = field(default_factory=dict)
    saved: str = ""


def to_text(session: Session) -> str:
    """Session -> JSON. Raises ValueError where a panel remembers what JSON has no word for."""
    values = {
        "format": FORMAT,
        "version": VERSION,
        "saved": session.saved,
        "request": to_json(session.request),
        "panels": {title: dict(kept) for title, kept in session.panels.items()},
    }
    return json.dumps(values, indent=1, allow_nan=False)


def from_text(text: str, name: str) -> Session:
    """The inverse of `to_text`; raises InputError with one sentence that begins with the file's name."""
    try:
        values = json.loads(text, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: not a session, it holds no JSON ({error})") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"{name}: not a session of StyleScope")
    if values.get("version") != VERSION:
        raise InputError(f"{name}: session version {values.get('version')}, this program reads {VERSION}")
    panels = values.get("panels", {})
    if not isinstance(panels, dict) or not all(isinstance(kept, dict) for kept in panels.values()):
        raise InputError(f"{name}: the session is damaged, 'panels' are no objects")
    try:
        request = from_json(values.get("request", {}))
    except ValueError as error:
        raise InputError(f"{name}: the session is damaged ({error})") from error
    return Session(request, panels, str(values.get("saved", "")))


def read(path: Path) -> Session:
    """Open a session; raises InputError with one sentence, and OSError."""
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path.name}: no session, they have at most {LARGEST >> 20} MB")
    try:
        return from_text(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name}: not a session, it is no text") from error


def is_session(path: Path) -> bool:
    """Whether a file calls itself a session: by its name, or in its first lines."""
    if path.name.endswith(SUFFIX):
        return True
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(200)


def _not_finite(word: str) -> float:
    raise ValueError(f"{word} is no finite number")
