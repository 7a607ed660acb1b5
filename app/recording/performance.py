"""A performance: every change of what was asked for, with its time; drawn again at any exact rate, in full.

While it is recorded it grows as a journal, one line of JSON for each change, so that a crash loses nothing; the end
turns it into one JSON file. Both are read. No picture is kept, so nothing can be dropped.
"""

from __future__ import annotations

import contextlib
import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from app.errors import InputError, WriteError
from app.frame import ModelInfo
from app.request import Diagnostic, Latent, RenderRequest, View, from_json, to_json
from app.timeline.points import space_of, weighted

FORMAT, VERSION = "stylescope-performance", 1
SUFFIX, JOURNAL = ".performance.json", ".performance.jsonl"
LARGEST_FILE = 256 << 20  # bytes
MOST_FRAMES = 1_000_000
GAP_S = 0.25  # changes of a drag that lie further apart are not joined
DAMAGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Change:
    """From `seconds` on, this was asked for. held: while a control or the picture was in the user's hand."""

    seconds: float
    request: RenderRequest
    held: bool = False


@dataclass(frozen=True)
class Performance:
    """Changes in order of time, the first at 0 s; `seconds` is its length.

    models: path, name and SHA-256 of each. complete: False where the program ended before the performance did.
    """

    changes: tuple[Change, ...]
    seconds: float
    models: tuple[dict[str, str], ...] = ()
    complete: bool = True

    @cached_property
    def _times(self) -> list[float]:
        return [change.seconds for change in self.changes]

    def at(self, seconds: float, between: bool = False) -> RenderRequest:
        """What was asked for at a time: the last change at or before it.

        between: while something was dragged, the way of the latent from one change to the next, at constant speed.
        """
        place = max(0, bisect_right(self._times, seconds) - 1)
        now = self.changes[place]
        if not between or place + 1 == len(self.changes):
            return now.request
        after = self.changes[place + 1]
        step = after.seconds - now.seconds
        if not (after.held and 0 < step <= GAP_S):
            return now.request
        mixed = mix(now.request.latent, after.request.latent, max(0.0, (seconds - now.seconds) / step))
        return now.request if mixed is None else replace(now.request, latent=mixed)

    def changed(self, change: Callable[[RenderRequest], RenderRequest]) -> Performance:
        """The same of changed requests."""
        return replace(self, changes=tuple(replace(each, request=change(each.request)) for each in self.changes))


def mix(a: Latent, b: Latent, share: float) -> Latent | None:
    """The point at a share of the straight way from a to b, in W, or in Z where both lie there; None else."""
    spaces = {space_of(a), space_of(b)} - {"any"}
    if a == b or len(spaces) > 1:
        return None
    return weighted((a, b), (1 - share, share), "z" if spaces == {"z"} else "w")


@dataclass(frozen=True)
class Take:
    """A performance at an exact rate: a request for every frame (a `Film`, app/recording/film.py)."""

    performance: Performance
    fps: Fraction = Fraction(30)
    between: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 240:
            raise InputError(f"{self.fps} frames a second: give 1 to 240")
        if self.count > MOST_FRAMES:
            raise InputError(
                f"{self.performance.seconds:.0f} s at {self.fps} frames a second are {self.count} frames; give fewer"
            )

    @property
    def count(self) -> int:
        """Number of frames."""
        return max(1, round(Fraction(self.performance.seconds) * self.fps))

    @property
    def request(self) -> RenderRequest:
        """What it begins with."""
        return self.performance.changes[0].request

    @property
    def requests(self) -> tuple[RenderRequest, ...]:
        """What its frames are made of."""
        return tuple(change.request for change in self.performance.changes)

    def at(self, frame: int) -> RenderRequest:
        """The request of a frame: the full picture."""
        return self.performance.at(self.seconds_at(frame), self.between)

    def seconds_at(self, frame: int) -> float:
        """When a frame is shown."""
        return float(frame / self.fps)

    def changed(self, change: Callable[[RenderRequest], RenderRequest]) -> Take:
        """The same made of changed requests."""
        return replace(self, performance=self.performance.changed(change))


def take_to_dict(take: Take) -> dict[str, Any]:
    """Take -> plain JSON values."""
    return to_dict(take.performance) | {"fps": str(take.fps), "between": take.between}


def take_from_dict(values: dict[str, Any]) -> Take:
    """The inverse of `take_to_dict`; raises InputError."""
    try:
        return Take(from_dict(values), Fraction(str(values["fps"])), bool(values["between"]))
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"the performance is damaged ({error})") from error


def performed(request: RenderRequest) -> RenderRequest:
    """What of a request decides the picture: nothing that only looks at it, the file by its absolute path."""
    path = str(Path(request.model.path).absolute()) if request.model.path else ""
    model = replace(request.model, path=path, attempt=0)
    return replace(request, model=model, view=View(), diagnostic=Diagnostic(), max_height=None, measures=())


# -- recording -------------------------------------------------------------------------------------------------------


class PerformanceRecorder:
    """Appends to a journal as things change; `stop` turns it into one file. Belongs to one thread."""

    def __init__(self, path: Path, info: ModelInfo, seconds: float) -> None:
        """path: of the file in the end, `....performance.json`. seconds: now, on any clock. Raises WriteError."""
        self.path, self.changes, self.began = path, 0, seconds
        self.journal = path.with_suffix(".jsonl")
        self._last: RenderRequest | None = None
        self._known: set[str] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.journal.open("x", encoding="utf-8")
        except OSError as error:
            raise WriteError(f"{self.journal}: the journal cannot be begun, {error.strerror or error}") from error
        self._write({"format": FORMAT, "version": VERSION})
        self.meet(info)

    def meet(self, info: ModelInfo) -> None:
        """A model is open: keep what tells it from others."""
        if info.path not in self._known:
            self._known.add(info.path)
            path = str(Path(info.path).absolute())
            self._write({"model": {"path": path, "name": info.name, "sha256": info.sha256}})

    def push(self, request: RenderRequest, seconds: float) -> None:
        """What is asked for at a time; nothing is written where it did not change. Raises WriteError."""
        held = request.max_height is not None
        request = performed(request)
        if request == self._last:
            return
        at = 0.0 if self._last is None else seconds - self.began
        if self._last is None:
            self.began = seconds
        self._write({"seconds": at, "change": changed(self._last, request), "held": held})
        self._last = request
        self.changes += 1

    def stop(self, seconds: float) -> Performance:
        """End it, write the one file and let go of the journal. Raises WriteError; the journal then stays."""
        self._write({"end": seconds - self.began})
        try:
            self._file.close()
        except OSError as error:
            raise self._refused(error) from error
        from app.recording.sidecar import write_text

        made = read(self.journal)
        write_text(json.dumps(to_dict(made), indent=1), self.path)
        self.journal.unlink()
        return made

    def _write(self, values: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()  # a crash of this program loses nothing; one of the system may lose the last lines
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> WriteError:
        reason = (error.strerror or str(error)).lower()
        return WriteError(f"{self.journal}: writing failed, {reason}; the first {self.changes} changes are kept")


def changed(before: RenderRequest | None, now: RenderRequest) -> dict[str, Any]:
    """The parts of a request that differ from the one before, as plain JSON values; all where there is none."""
    names = [item.name for item in fields(RenderRequest) if item.name != "measures"]
    if before is not None:
        names = [name for name in names if getattr(before, name) != getattr(now, name)]
    values = to_json(now)
    return {name: values[name] for name in names}


# -- files -----------------------------------------------------------------------------------------------------------


def to_dict(performance: Performance) -> dict[str, Any]:
    """Performance -> plain JSON values."""
    before: RenderRequest | None = None
    changes: list[dict[str, Any]] = []
    for change in performance.changes:
        parts = changed(before, change.request)
        changes.append({"seconds": change.seconds, "change": parts, "held": change.held})
        before = change.request
    return {
        "format": FORMAT,
        "version": VERSION,
        "seconds": performance.seconds,
        "complete": performance.complete,
        "models": list(performance.models),
        "changes": changes,
    }


def is_performance(path: Path) -> bool:
    """Whether a file begins as a performance does."""
    if path.suffix.lower() not in (".json", ".jsonl") or not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            return f'"{FORMAT}"' in file.read(200)
    except (OSError, ValueError):
        return False


def read(path: Path) -> Performance:
    """Open a performance or the journal of one that was cut short; raises InputError with one sentence."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path.name}: {path.stat().st_size >> 20} MB are more than any performance has")
        text = path.read_text(encoding="utf-8")
        values = _journal(text) if path.suffix.lower() == ".jsonl" else json.loads(text)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise InputError(f"{path.name}: not a performance")
        if values.get("version") != VERSION:
            raise InputError(f"{path.name}: performance version {values.get('version')}, this program reads {VERSION}")
        return from_dict(values)
    except InputError:
        raise
    except (OSError, *DAMAGE) as error:
        raise InputError(f"{path.name}: the performance is damaged ({error})") from error


def _journal(text: str) -> dict[str, Any]:
    """The lines of a journal as one performance; a last line that was cut off is left out."""
    *lines, rest = text.split("\n")  # a whole line ends with a newline
    entries = [json.loads(line) for line in lines]
    values: dict[str, Any] = dict(entries[0]) if entries and isinstance(entries[0], dict) else {}
    values["models"] = [entry["model"] for entry in entries[1:] if "model" in entry]
    values["changes"] = [entry for entry in entries[1:] if "change" in entry]
    ends = [entry["end"] for entry in entries[1:] if "end" in entry]
    last = values["changes"][-1]["seconds"] if values["changes"] else 0.0
    return values | {"seconds": ends[-1] if ends else last, "complete": bool(ends) and not rest}


def from_dict(values: dict[str, Any]) -> Performance:
    """The inverse of `to_dict`; raises what is in DAMAGE."""
    changes = tuple(_changes(values["changes"]))
    seconds = float(values["seconds"])
    if not changes:
        raise ValueError("it holds no change")
    if not math.isfinite(seconds) or seconds < changes[-1].seconds:
        raise ValueError(f"it lasts {seconds} s, but its last change is at {changes[-1].seconds} s")
    models = tuple({key: str(model[key]) for key in ("path", "name", "sha256")} for model in values["models"])
    return Performance(changes, seconds, models, bool(values["complete"]))


def _changes(kept: Iterable[dict[str, Any]]) -> Iterator[Change]:
    now, last = RenderRequest(), 0.0
    for entry in kept:
        parts = from_json(entry["change"])
        now = replace(now, **{name: getattr(parts, name) for name in entry["change"]})
        seconds = float(entry["seconds"])
        if not last <= seconds < math.inf:
            raise ValueError(f"a change at {seconds} s follows one at {last} s")
        last = seconds
        yield Change(seconds, performed(now), bool(entry["held"]))
