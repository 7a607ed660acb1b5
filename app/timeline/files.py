"""Timelines as JSON: in files of their own, in sidecars, and in a session. What is read is checked value by value."""

from __future__ import annotations

import contextlib
import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from app.errors import InputError, WriteError
from app.request import from_json, to_json
from app.timeline import Easing, Keyframe, Timeline, Way

FORMAT, VERSION = "stylescope-timeline", 1
SUFFIX = ".timeline.json"
MOST_KEYFRAMES, LARGEST = 10_000, 256 << 20  # keyframes, bytes
MOST_TURNS, LONGEST_Z = 1000, 1 << 20


def to_dict(timeline: Timeline) -> dict[str, Any]:
    """Timeline -> plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "seconds": timeline.seconds,
        "fps": str(timeline.fps),
        "way": timeline.way,
        "loop": timeline.loop,
        "noise_turns": timeline.noise_turns,
        "z_dim": timeline.z_dim,
        "retime": None if timeline.retime is None else [list(pair) for pair in timeline.retime],
        "keyframes": [
            {
                "seconds": keyframe.seconds,
                "easing": keyframe.easing,
                "turns": keyframe.turns,
                "request": to_json(keyframe.request),
            }
            for keyframe in timeline.keyframes
        ],
    }


def from_dict(values: Any, name: str = "timeline") -> Timeline:
    """The inverse of `to_dict`. name: of the file, for the sentence of the InputError when something is wrong."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise InputError(f"{name}: not a timeline")
    if values.get("version") != VERSION:
        raise InputError(f"{name}: timeline version {values.get('version')}, this program reads {VERSION}")
    try:
        kept = values["keyframes"]
        if not isinstance(kept, list) or len(kept) > MOST_KEYFRAMES:
            raise ValueError(f"keyframes must be a list of at most {MOST_KEYFRAMES}")
        return Timeline(
            tuple(_keyframe(each) for each in kept),
            _number(values["seconds"]),
            Fraction(str(values["fps"])),
            _one_of(values["way"], get_args(Way)),
            _truth(values["loop"]),
            _whole(values.get("noise_turns", 0), MOST_TURNS),
            _whole(values.get("z_dim", 0), LONGEST_Z),
            _retime(values.get("retime")),
        )
    except InputError as error:
        raise error if str(error).startswith(f"{name}:") else InputError(f"{name}: {error}") from error
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InputError(f"{name}: the timeline is damaged ({type(error).__name__}: {error})") from error


def read(path: Path) -> Timeline:
    """Open a timeline's file; raises InputError with one sentence."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path.name}: {path.stat().st_size:,} bytes, no timeline is that large")
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read, {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name}: not a timeline, it holds no JSON") from error
    return from_dict(values, path.name)


def write(timeline: Timeline, path: Path) -> None:
    """Save in one step; raises WriteError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(to_dict(timeline), indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise WriteError(f"{path}: the timeline was not written, {error.strerror or error}") from error


def _keyframe(kept: Any) -> Keyframe:
    return Keyframe(
        _number(kept["seconds"]),
        from_json(kept["request"]),
        _one_of(kept.get("easing", "flow"), get_args(Easing)),
        _whole(kept.get("turns", 0), MOST_TURNS),
    )


def _retime(kept: Any) -> tuple[tuple[float, float], ...] | None:
    if kept is None:
        return None
    if len(kept) > LARGEST >> 8:
        raise ValueError("the re-timing has too many pairs")
    return tuple((_number(seconds), _number(position)) for seconds, position in kept)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _whole(value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > most:
        raise TypeError(f"{value!r} is no whole number from {-most} to {most}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _one_of(value: Any, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value
