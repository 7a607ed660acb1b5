"""Gamepads and joysticks: sticks with a dead zone and buttons, polled once per turn of the loop, as events on change.

    pad/0/axis/1       -1..1, 0 within the dead zone
    pad/0/button/3     0 or 1

Where the system knows the layout of a pad, numbers are those of an Xbox pad: axes 0 and 1 the left stick, 2 and 3 the
right one, 4 and 5 the triggers (0..1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.control.events import Event

DEAD_ZONE = 0.12
SMALLEST = 1e-3  # a change of an axis that counts


@dataclass(frozen=True)
class Pad:
    """A device as it stands now: axes -1..1, buttons pressed or not."""

    name: str
    axes: tuple[float, ...]
    buttons: tuple[bool, ...]


Read = Callable[[], Mapping[int, Pad]]  # number of the device -> how it stands


def without_dead_zone(value: float, dead: float) -> float:
    """An axis: 0 within the dead zone, from its edge on evenly up to -1 and 1."""
    size = min(1.0, abs(value))
    if size <= dead:
        return 0.0
    return (size - dead) / (1 - dead) * (1 if value > 0 else -1)


class GamepadSource:
    """Asks `read` for all devices and tells what changed."""

    def __init__(self, read: Read, dead_zone: float = DEAD_ZONE) -> None:
        self._read = read
        self.dead_zone = dead_zone
        self._last: dict[str, float] = {}
        self.pads: Mapping[int, Pad] = {}

    @property
    def state(self) -> str:
        """In words: which devices there are."""
        if not self.pads:
            return "no gamepad is connected"
        return ", ".join(
            f"{number}: {pad.name}, {len(pad.axes)} axes, {len(pad.buttons)} buttons"
            for number, pad in self.pads.items()
        )

    def poll(self) -> list[Event]:
        """What changed since the last call; all of a device that is gone returns to 0."""
        self.pads = self._read()
        now = dict.fromkeys(self._last, 0.0)
        for number, pad in self.pads.items():
            for place, value in enumerate(pad.axes):
                now[f"pad/{number}/axis/{place}"] = without_dead_zone(value, self.dead_zone)
            for place, pressed in enumerate(pad.buttons):
                now[f"pad/{number}/button/{place}"] = float(pressed)
        return changes(self._last, now)

    def close(self) -> None:
        """Nothing is held open."""


def changes(last: dict[str, float], now: Mapping[str, float]) -> list[Event]:
    """Events of what differs; `last` becomes `now`. A return to 0 always counts."""
    found = []
    for address, value in now.items():
        before = last.get(address, 0.0)
        if abs(value - before) > SMALLEST or (value == 0.0) != (before == 0.0):
            found.append(Event(address, value))
            last[address] = value
        else:
            last.setdefault(address, 0.0)
    return found
