"""Bindings: which address moves which parameter, and how. Frozen values, JSON there and back, plain arithmetic."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from app.control.events import LONGEST, ControlError
from app.control.parameters import Parameter

Mode = Literal["absolute", "relative", "rate", "toggle", "momentary"]
MODES: tuple[Mode, ...] = get_args(Mode)
FORMAT, VERSION = "stylescope-control", 1
MOST = 1000  # bindings in a file; more is a mistake
KNOWN_RANGES: tuple[tuple[str, str, tuple[float, float]], ...] = (  # (begins with, contains, ends of its values)
    ("midi/", "/pitch", (-8192.0, 8191.0)),
    ("midi/", "", (0.0, 127.0)),
    ("pad/", "/axis/", (-1.0, 1.0)),
)


@dataclass(frozen=True)
class Binding:
    """An address moves a parameter.

    absolute: the input range is mapped on the output range, linearly; input beyond its range counts as its end.
    relative: each message adds what its value is mapped on (for endless encoders; see `ticks`).
    rate: the value is mapped on a speed, in units per second, that lasts until the next message (sticks, held keys).
    toggle: a press changes between the two ends of the output range. momentary: the upper end while held, else the
    lower. A press is an input beyond the middle of the input range.
    """

    source: str
    parameter: str
    mode: Mode = "absolute"
    in_low: float = 0.0
    in_high: float = 1.0
    out_low: float = 0.0
    out_high: float = 1.0

    def mapped(self, value: float, bounded: bool = True) -> float:
        """An input value on the output scale; not bounded: beyond the ends, too."""
        share = (value - self.in_low) / (self.in_high - self.in_low)
        share = min(1.0, max(0.0, share)) if bounded else share
        return self.out_low + share * (self.out_high - self.out_low)

    def pressed(self, value: float) -> bool:
        """Whether an input counts as a press."""
        return (value - self.in_low) / (self.in_high - self.in_low) > 0.5


def check(binding: Binding) -> None:
    """Raise ControlError where a binding cannot work."""
    numbers = (binding.in_low, binding.in_high, binding.out_low, binding.out_high)
    where = f"{binding.source} -> {binding.parameter}"
    if not binding.source or not binding.parameter:
        raise ControlError("a binding needs a source and a parameter")
    if max(len(binding.source), len(binding.parameter)) > LONGEST:
        raise ControlError(f"a binding's names may have {LONGEST} characters; one has more: {where[:60]} ...")
    if binding.mode not in MODES:
        raise ControlError(f"{where}: there is no mode {binding.mode!r}; choose one of {', '.join(MODES)}")
    if not all(math.isfinite(number) for number in numbers):
        raise ControlError(f"{where}: the ends of its ranges must be finite numbers")
    if binding.in_low == binding.in_high:
        raise ControlError(f"{where}: the input range goes from {binding.in_low:g} to itself; give two different ends")


def source_range(address: str) -> tuple[float, float]:
    """The values that an address usually sends: 0 to 1, but for MIDI and the sticks of a pad."""
    for begins, contains, ends in KNOWN_RANGES:
        if address.startswith(begins) and contains in address:
            return ends
    return 0.0, 1.0


def is_encoder(address: str) -> bool:
    """Whether an address may be an endless encoder: a MIDI controller."""
    return address.startswith("midi/") and "/cc/" in address


def ticks(address: str, value: float) -> float:
    """What a relative message counts: a MIDI encoder sends 1, 2, ... to the right and 127, 126, ... to the left."""
    return value - 128 if is_encoder(address) and value >= 64 else value


def suggested(address: str, parameter: Parameter, mode: Mode | None = None) -> Binding:
    """A binding with ranges that fit: a stick moves what has no ends at a rate, a button switches, a fader sets."""
    low, high = source_range(address)
    if mode is None:
        mode = _fitting_mode(address, parameter)
    if mode == "relative":
        step = max(parameter.step, 0.0 if not parameter.bounded else (parameter.high - parameter.low) / 100)
        return Binding(address, parameter.name, mode, -1.0, 1.0, -step, step)
    if mode == "rate":
        speed = (parameter.high - parameter.low) / 2 if parameter.bounded else 100 * parameter.step
        return Binding(address, parameter.name, mode, low, high, -speed if low < 0 else 0.0, speed)
    return Binding(address, parameter.name, mode, low, high, *parameter.reach())


def _fitting_mode(address: str, parameter: Parameter) -> Mode:
    if parameter.kind == "trigger":
        return "momentary"
    if parameter.kind == "switch":
        return "toggle"
    button = address.startswith("key/") or "/button/" in address or "/note/" in address
    if button and not parameter.bounded:
        return "rate"
    if button:
        return "momentary"
    return "rate" if "/axis/" in address and not parameter.bounded else "absolute"


def to_json(bindings: Iterable[Binding]) -> dict[str, Any]:
    """Bindings -> plain dicts and lists."""
    return {"format": FORMAT, "version": VERSION, "bindings": [asdict(binding) for binding in bindings]}


def from_json(values: Any) -> tuple[Binding, ...]:
    """The inverse of `to_json`; ControlError says what is wrong, and in which binding."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ControlError(f"this is no file of bindings (its format is not {FORMAT!r})")
    if values.get("version") != VERSION:
        raise ControlError(
            f"version {values.get('version')!r} of the format is not known; this program reads {VERSION}"
        )
    rows = values.get("bindings")
    if not isinstance(rows, list) or len(rows) > MOST:
        raise ControlError(f"'bindings' must be a list of at most {MOST}")
    return tuple(_binding(number, row) for number, row in enumerate(rows, 1))


def _binding(number: int, row: Any) -> Binding:
    kinds = {item.name: float if item.type == "float" else str for item in fields(Binding)}
    if not isinstance(row, dict):
        raise ControlError(f"binding {number} is no object with names and values")
    if unknown := sorted(set(row) - set(kinds)):
        raise ControlError(f"binding {number} has no setting {', '.join(map(str, unknown))}")
    for name, value in row.items():
        wanted: Any = (int, float) if kinds[name] is float else str
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ControlError(f"binding {number}: {name} is {value!r}, expected a {kinds[name].__name__}")
    try:
        given: dict[str, Any] = {name: kinds[name](value) for name, value in row.items()}
        binding = Binding(**given)
        check(binding)
    except TypeError as error:
        raise ControlError(f"binding {number} lacks its source or its parameter") from error
    except (ControlError, OverflowError) as error:
        raise ControlError(f"binding {number}: {error}") from error
    return binding


def read(path: Path) -> tuple[Binding, ...]:
    """Bindings from a file; ControlError."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ControlError(f"{path}: reading failed, {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ControlError):
            raise ControlError(f"{path}: {error}") from error
        raise ControlError(f"{path} is no JSON: {error}") from error


def write(path: Path, values: dict[str, Any]) -> None:
    """Write JSON whole or not at all; ControlError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise ControlError(f"{path}: writing failed, {error.strerror or error}") from error
