"""How a filtered leaky ReLU changes the sampling: plain values."""

from __future__ import annotations

from dataclasses import dataclass

Padding = tuple[int, int, int, int]  # left, right, top, bottom, in up-sampled pixels; negative crops


@dataclass(frozen=True)
class Resampling:
    """Up and down factors, padding before the up-filter, the slope of the leaky ReLU.

    `gain` multiplies the activation, `clamp` bounds it to +-clamp afterwards (None: unbounded).
    """

    up: int
    down: int
    padding: Padding
    gain: float
    slope: float
    clamp: float | None
