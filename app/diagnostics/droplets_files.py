"""Droplet measures as files, one row per seed, written as they come and continued where they stopped. No torch.

JSON lines: the first line says of what (`Heading`), each further line is a seed. CSV: the same row without its layers,
with the file's hash and the settings' hash in every row.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from app.errors import InputError, WriteError
from app.request import RenderRequest, to_json
from app.studies.droplets import DropletReport, DropletRule, LayerDroplet, SeedDroplet

FORMAT, VERSION = "stylescope-droplets", 1
COLUMNS = (
    "seed", "flag", "strength", "ratio", "agreement", "energy", "median_rho", "layer", "x", "y", "resolutions",
    "file_sha256", "settings",
)  # fmt: skip
DIGITS = 6  # significant ones


@dataclass(frozen=True)
class Heading:
    """What was measured and how: rows of two files may stand together only where all of this is the same."""

    name: str
    file_sha256: str
    request: dict[str, Any]
    rule: dict[str, Any]

    @property
    def settings(self) -> str:
        """A short hash of the request and the rule."""
        text = json.dumps([self.request, self.rule], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def heading(request: RenderRequest, rule: DropletRule, name: str, file_sha256: str) -> Heading:
    """Of a request without its seed; where the file lies and the device it runs on do not count."""
    values = to_json(request)
    for part in ("model", "latent", "view", "diagnostic", "max_height"):
        values.pop(part, None)
    precision = request.model.precision
    return Heading(name, file_sha256, json.loads(json.dumps({**values, "precision": precision})), asdict(rule))


@dataclass(frozen=True)
class Row:
    """A seed, and its layers as far as they are written."""

    seed: SeedDroplet
    layers: tuple[LayerDroplet, ...] = ()


def row_of(seed: SeedDroplet, report: DropletReport) -> Row:
    """A seed with all its layers."""
    return Row(seed, report.layers)


class Table(Protocol):
    """A file of rows. `seeds`: what it holds."""

    path: Path
    seeds: dict[int, SeedDroplet]

    def add(self, row: Row) -> None: ...
    def close(self) -> None: ...


class Lines:
    """A text file that is read, cut after its last whole line, and continued. Each line is on the disk at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "a+b")  # noqa: SIM115 - stays open while rows come
        except OSError as error:
            raise WriteError(f"{path}: cannot be written, {error.strerror or error}") from error
        self._file.seek(0)
        whole = self._file.read().rpartition(b"\n")
        self.kept = (whole[0] + whole[1]).decode("utf-8", "replace")
        self.half = whole[2].decode("utf-8", "replace")

    def keep(self, first: str) -> None:
        """Cut off the half line that a stopped run left; start an empty file with its first line."""
        if self.half:
            self._file.truncate(len(self.kept.encode()))
        if not self.kept:
            self.write(first)

    def may_start_with(self, first: str) -> bool:
        """False for a file of something else that has no whole line."""
        return bool(self.kept) or first.startswith(self.half)

    def write(self, text: str) -> None:
        """Add text; raises WriteError."""
        try:
            self._file.write(text.encode())
            self._file.flush()
        except OSError as error:
            raise WriteError(f"{self.path}: writing failed, {error.strerror or error}") from error

    def close(self) -> None:
        self._file.close()


class JsonLines:
    """One JSON object a line; `--json`."""

    def __init__(self, path: Path, head: Heading) -> None:
        """Raises InputError where the file holds something else than the same measures of the same model."""
        self.path, self.seeds = path, {}
        self._lines = Lines(path)
        start = json.dumps({"format": FORMAT, "version": VERSION, **asdict(head)}) + "\n"
        try:
            if not self._lines.may_start_with(start):
                raise _foreign(path)
            first, *rest = [json.loads(line) for line in self._lines.kept.splitlines()] or [None]
            if first is not None:
                _check(path, head, Heading(**{key: first[key] for key in ("name", "file_sha256", "request", "rule")}))
                self.seeds = {found.seed: found for found in map(_seed, rest)}
        except (ValueError, KeyError, TypeError) as error:
            self._lines.close()
            if isinstance(error, InputError):
                raise
            raise _foreign(path) from error
        self._lines.keep(start)

    def add(self, row: Row) -> None:
        layers = [_layer(layer) for layer in row.layers]
        self._lines.write(json.dumps({**_values(row.seed), "layers": layers}) + "\n")
        self.seeds[row.seed.seed] = row.seed

    def close(self) -> None:
        self._lines.close()


class CsvTable:
    """Comma-separated; `--csv`."""

    def __init__(self, path: Path, head: Heading) -> None:
        """Raises InputError where the file holds something else than the same measures of the same model."""
        self.path, self.seeds, self._head = path, {}, head
        self._lines = Lines(path)
        start = ",".join(COLUMNS) + "\n"
        try:
            rows = list(csv.DictReader(io.StringIO(self._lines.kept)))
            if not (self._lines.kept or start).startswith(start) or not self._lines.may_start_with(start):
                raise _foreign(path)
            for row in rows:
                if row["file_sha256"] != head.file_sha256:
                    raise _other_file(path, row["file_sha256"], head)
                if row["settings"] != head.settings:
                    raise InputError(f"{path}: was made with other options; take the same, or another file")
                found = _seed({**row, "flag": row["flag"] == "1", "spot": (row["x"], row["y"])})
                self.seeds[found.seed] = found
        except (ValueError, KeyError, TypeError) as error:
            self._lines.close()
            if isinstance(error, InputError):
                raise
            raise _foreign(path) from error
        self._lines.keep(start)

    def add(self, row: Row) -> None:
        values = _values(row.seed)
        x, y = values.pop("spot")
        values.update(
            flag=int(values["flag"]), x=x, y=y, resolutions=" ".join(map(str, values["resolutions"])),
            file_sha256=self._head.file_sha256, settings=self._head.settings,
        )  # fmt: skip
        text = io.StringIO()
        csv.DictWriter(text, COLUMNS, lineterminator="\n").writerow(values)
        self._lines.write(text.getvalue())
        self.seeds[row.seed.seed] = row.seed

    def close(self) -> None:
        self._lines.close()


def _check(path: Path, mine: Heading, found: Heading) -> None:
    if found.file_sha256 != mine.file_sha256:
        raise _other_file(path, found.file_sha256, mine)
    for part, now, then in (("", mine.request, found.request), ("rule ", mine.rule, found.rule)):
        for key in sorted({*now, *then}):
            if now.get(key) != then.get(key):
                raise InputError(
                    f"{path}: was made with {part}{key} {_short(then.get(key))}, now it is {_short(now.get(key))};"
                    " take the same options, or another file"
                )


def _short(value: Any) -> str:
    """Part of a request, without what is not set."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items() if part not in (None, "")) or "none"
    return str(value)


def _other_file(path: Path, found: str, mine: Heading) -> InputError:
    return InputError(
        f"{path}: holds another model (SHA-256 {found[:12]}, {mine.name} has {mine.file_sha256[:12]});"
        " give a file of its own"
    )


def _foreign(path: Path) -> InputError:
    return InputError(f"{path}: is no file of droplet measures; give a new name, so that it is not overwritten")


def _values(found: SeedDroplet) -> dict[str, Any]:
    names = ("seed", "flag", "strength", "ratio", "agreement", "energy", "median_rho", "layer", "spot", "resolutions")
    return {name: _rounded(getattr(found, name)) for name in names}


def _layer(found: LayerDroplet) -> dict[str, Any]:
    names = ("layer", "stage", "size", "ratio", "agreement", "prominence", "energy", "median_rho", "mean_kurtosis",
             "spot", "radius", "hot", "in_run")  # fmt: skip
    return {name: _rounded(getattr(found, name)) for name in names}


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_rounded(part) for part in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _seed(values: Mapping[str, Any]) -> SeedDroplet:
    sizes = values["resolutions"]
    return SeedDroplet(
        seed=int(values["seed"]),
        flag=bool(values["flag"]),
        strength=float(values["strength"]),
        ratio=float(values["ratio"]),
        agreement=float(values["agreement"]),
        energy=float(values["energy"]),
        median_rho=float(values["median_rho"]),
        layer=str(values["layer"]),
        spot=(float(values["spot"][0]), float(values["spot"][1])),
        resolutions=tuple(int(size) for size in (sizes.split() if isinstance(sizes, str) else sizes)),
    )
