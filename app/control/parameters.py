"""What can be moved from outside: a name, two ends, how to read and set it. The window makes them of its controls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "whole", "switch", "trigger"]
UNBOUNDED = 1e6  # ends farther apart than this do not matter: such a control goes on for ever
REACH = 1000  # steps that an unbounded control is moved over, where nothing else is said


def _always() -> bool:
    return True


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Parameter:
    """A control as seen from outside, for example 'Truncation/psi' from -1 to 2.

    Everything runs on the main thread; `set` does what the user's hand would do. ends: its lowest and highest value at
    this moment. kind: a number, a whole number, a switch (0 off, 1 on) or a trigger (set is called with 1 when it
    fires). step: a small change. enabled: whether it takes input now. held: whether the user holds it. steer: told True
    while values stream in and False afterwards.
    """

    name: str
    get: Callable[[], float]
    set: Callable[[float], None]
    ends: Callable[[], tuple[float, float]] = lambda: (0.0, 1.0)
    kind: Kind = "number"
    step: float = 0.01
    enabled: Callable[[], bool] = _always
    held: Callable[[], bool] = _never
    steer: Callable[[bool], None] = lambda on: None

    @property
    def low(self) -> float:
        return self.ends()[0]

    @property
    def high(self) -> float:
        return self.ends()[1]

    @property
    def bounded(self) -> bool:
        """Whether its ends mean something."""
        return self.high - self.low < UNBOUNDED

    def reach(self) -> tuple[float, float]:
        """The ends for a fader: its own, or some steps around the present value where it goes on for ever."""
        if self.bounded:
            return self.low, self.high
        middle, half = round(self.get()), REACH * self.step
        return max(self.low, middle - half), min(self.high, middle + half)

    def clamp(self, value: float) -> float:
        """The nearest value that it can have."""
        value = min(self.high, max(self.low, value))
        return float(round(value)) if self.kind in ("whole", "switch") else value
