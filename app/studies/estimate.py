"""A measured number with its interval: what several studies answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval (the answer's docstring says over what it was taken). Where one draw alone is
    known, nothing is known of the interval: low and high are -inf and inf."""

    value: float
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def half_width(self) -> float:
        """Half of the interval's length, in the number's unit."""
        return (self.high - self.low) / 2
