"""How much the picture changes from one frame of a walk to the next: mean absolute and RMS change, not perceptual.

A frame brings a sample of its picture (every n-th pixel, before rounding to 8 bits) and the ws that it was made from;
the changes are taken between the samples, here and without torch. The distance between two ws is the root of the mean
over rows of the squared Euclidean distance: for ws of equal rows the distance in W.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from app.studies import Measure

SPAN_S = 10.0  # what the meter remembers
REST_S = 1.0  # and 3 times the time of a picture: frames farther apart are no walk
SAME = 1e-6  # a distance in W below which w has not moved (rounding)
JUMP = 4.0  # times the median of the span: a step that is told as a jump


@dataclass(frozen=True)
class WalkSample(Measure):
    """side: at most so many pixels of a row and of a column are looked at."""

    answered_by: ClassVar[str] = "app.diagnostics.step_size"
    side: int = 96


@dataclass(frozen=True, eq=False)
class WalkPoint:
    """picture: float32 [C, h, w] as shares of the range (0 black, 1 white), every n-th pixel. ws: float32 [num_ws,
    w_dim]. size: (H, W) of the picture; an early one is smaller."""

    picture: np.ndarray
    ws: np.ndarray
    size: tuple[int, int]


@dataclass(frozen=True)
class Step:
    """From one frame to the next: at (seconds, the later one), seconds between them, mean absolute and RMS change in %
    of the range from black to white, distance in W."""

    at: float
    seconds: float
    mean_abs: float
    rms: float
    distance: float

    @property
    def moved(self) -> bool:
        """Whether w moved, so that the change can be divided by its distance."""
        return self.distance > SAME

    @property
    def per_second(self) -> float:
        """RMS change in % per second."""
        return self.rms / self.seconds

    @property
    def per_w(self) -> float:
        """RMS change in % per unit of w: ||delta g|| / ||delta w|| up to the number of pixels; NaN where w stood."""
        return self.rms / self.distance if self.moved else math.nan


def step(before: WalkPoint, after: WalkPoint, at: float, seconds: float) -> Step:
    """Two samples of pictures of one size -> the step between them."""
    change = after.picture - before.picture
    moved = after.ws - before.ws
    return Step(
        at,
        seconds,
        100 * float(np.abs(change).mean()),
        100 * math.sqrt(float(np.square(change).mean())),
        math.sqrt(float(np.square(moved).sum(axis=1).mean())),
    )


class StepMeter:
    """The steps of the last SPAN_S seconds. Feed it each new frame's sample with the time it was shown."""

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self._last: tuple[WalkPoint, float] | None = None

    def clear(self) -> None:
        """Another model: no step leads from its pictures to those before."""
        self.steps.clear()
        self._last = None

    def add(self, point: WalkPoint, at: float, picture_s: float = 0.0) -> Step | None:
        """The step that led to a frame shown at `at` seconds, whose picture took picture_s; None where there is none:
        the first frame, after a rest, and between an early and a full picture."""
        before, self._last = self._last, (point, at)
        self.forget(at)
        if before is None or before[0].size != point.size or before[0].ws.shape != point.ws.shape:
            return None
        seconds = at - before[1]
        if not 0 < seconds <= REST_S + 3 * picture_s:
            return None
        made = step(before[0], point, at, seconds)
        if made.rms == 0 and not made.moved:
            return None  # the same picture again, for another reason
        self.steps.append(made)
        return made

    def forget(self, now: float) -> None:
        """Let go of what is older than the span."""
        while self.steps and self.steps[0].at < now - SPAN_S:
            self.steps.popleft()

    def jumps(self) -> list[Step]:
        """The steps whose change per unit of w is more than JUMP times the median of all; at least 8 are needed."""
        moved = [each for each in self.steps if each.moved]
        if len(moved) < 8:
            return []
        limit = JUMP * float(np.median([each.per_w for each in moved]))
        return [each for each in moved if each.per_w > limit]

    def totals(self) -> dict[str, float]:
        """Of all steps so far, weighted by time and by distance: mean_abs, rms (% per second), per_w (% per unit),
        speed (units of w per second); NaN where nothing moved."""
        seconds = sum(each.seconds for each in self.steps)
        moved = [each for each in self.steps if each.moved]
        distance = sum(each.distance for each in moved)
        return {
            "mean_abs": sum(each.mean_abs for each in self.steps) / seconds if seconds else math.nan,
            "rms": sum(each.rms for each in self.steps) / seconds if seconds else math.nan,
            "per_w": sum(each.rms for each in moved) / distance if distance else math.nan,
            "speed": distance / seconds if seconds else math.nan,
        }


def as_json(meter: StepMeter) -> dict[str, Any]:
    """The steps with their units."""
    return {
        "what": "change of the picture from frame to frame: mean absolute and RMS, percent of the range",
        "steps": [
            {
                "at_s": each.at,
                "seconds": each.seconds,
                "mean_abs_percent": each.mean_abs,
                "rms_percent": each.rms,
                "distance_w": each.distance,
            }
            for each in meter.steps
        ],
    }
