"""A walk through W: seeds as stations, a smooth or straight way between them, a request for every frame.

A curve through the stations' w is a weighted sum of them, so each frame is a plain request that names seeds and
weights, and is drawn like any other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np

from app.errors import InputError
from app.request import Latent, RenderRequest, from_json, to_json

NEGLIGIBLE = 1e-6  # weights below this are left out, the rest scaled to sum 1


@dataclass(frozen=True)
class Walk:
    """Seeds to visit, in order; `loop` returns to the first. `request` says everything but the latent.

    way 'smooth': a cubic spline through the stations (closed and periodic with `loop`, natural ends without), so
    that speed and curvature do not jump; 'linear': straight lines.
    """

    request: RenderRequest
    seeds: tuple[int, ...]
    seconds: float
    fps: Fraction
    loop: bool = False
    way: Literal["smooth", "linear"] = "smooth"

    def __post_init__(self) -> None:
        if not self.seeds:
            raise InputError("a walk needs at least one seed")
        if not 0 < self.fps <= 240:
            raise InputError(f"{self.fps} frames a second: give 1 to 240")
        if not math.isfinite(self.seconds) or self.seconds <= 0:
            raise InputError(f"a walk of {self.seconds} s: give a length above 0")
        if self.count > 1_000_000:
            raise InputError(f"{self.seconds} s at {self.fps} frames a second are {self.count} frames; give fewer")

    @property
    def requests(self) -> tuple[RenderRequest, ...]:
        """What its frames are made of, apart from their latents."""
        return (self.request,)

    def changed(self, change: Callable[[RenderRequest], RenderRequest]) -> Walk:
        """The same walk for a changed request."""
        return replace(self, request=change(self.request))

    @property
    def count(self) -> int:
        """Number of frames."""
        return max(1, round(Fraction(self.seconds) * self.fps))

    def position(self, frame: int) -> float:
        """Where a frame stands, in stations: 0 is the first seed, 1 the second. A loop ends just before 0."""
        n = len(self.seeds)
        if self.loop:
            return n * frame / self.count
        return (n - 1) * frame / max(self.count - 1, 1)

    def weights(self, frame: int) -> tuple[tuple[int, float], ...]:
        """(seed, weight) pairs of a frame; they sum to 1."""
        row = self._spline(self.position(frame)) if self.way == "smooth" else self._lines(self.position(frame))
        row = np.where(np.abs(row) < NEGLIGIBLE, 0.0, row)
        row = row / row.sum()
        total: dict[int, float] = {}
        for seed, weight in zip(self.seeds, row.tolist(), strict=True):
            if weight != 0.0:
                total[seed] = total.get(seed, 0.0) + weight
        return tuple(total.items())

    def at(self, frame: int) -> RenderRequest:
        """The request of a frame: the full picture."""
        return replace(self.request, latent=Latent(self.weights(frame)), max_height=None)

    def __iter__(self) -> Iterator[RenderRequest]:
        return (self.at(frame) for frame in range(self.count))

    def seconds_at(self, frame: int) -> float:
        """When a frame is shown."""
        return float(frame / self.fps)

    @cached_property
    def _basis(self) -> Any:
        """The spline through the unit vectors: its value at a position is the row of weights, float64."""
        from scipy.interpolate import CubicSpline

        stations = np.eye(len(self.seeds))
        if self.loop:
            stations = np.vstack([stations, stations[:1]])
        ends = "periodic" if self.loop else "natural"
        return CubicSpline(np.arange(len(stations)), stations, bc_type=ends)  # type: ignore[no-untyped-call]

    def _spline(self, position: float) -> np.ndarray:
        return np.ones(1) if len(self.seeds) == 1 else np.asarray(self._basis(position))

    def _lines(self, position: float) -> np.ndarray:
        n = len(self.seeds)
        row = np.zeros(n)
        before = math.floor(position)
        share = position - before
        row[before % n] += 1 - share
        row[(before + 1) % n] += share
        return row


def walk_to_dict(walk: Walk) -> dict[str, Any]:
    """Walk -> plain JSON values."""
    return {
        "request": to_json(walk.request),
        "seeds": list(walk.seeds),
        "seconds": walk.seconds,
        "fps": str(walk.fps),
        "loop": walk.loop,
        "way": walk.way,
    }


def walk_from_dict(kept: dict[str, Any]) -> Walk:
    """The inverse of `walk_to_dict`."""
    return Walk(
        from_json(kept["request"]),
        tuple(int(seed) for seed in kept["seeds"]),
        float(kept["seconds"]),
        Fraction(kept["fps"]),
        bool(kept["loop"]),
        kept["way"],
    )
