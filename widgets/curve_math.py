"""Long noisy curves as a few points each; no GUI."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Binned:
    """A curve in bins of equally many points: x and mean are the bins' means, low and high their extremes, [bins]."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, x: float) -> float | None:
        """The mean of the bin whose middle is nearest to x; None for an empty curve."""
        return float(self.mean[np.abs(self.x - x).argmin()]) if len(self.x) else None


def binned(x: np.ndarray, y: np.ndarray, most: int) -> Binned:
    """x, y [n] -> at most `most` bins; points whose y is NaN are left out."""
    known = np.isfinite(y)
    x, y = x[known], y[known]
    count = min(most, len(x))
    if not count:
        empty = np.empty(0)
        return Binned(empty, empty, empty, empty)
    starts = np.arange(count) * len(x) // count
    sizes = np.diff(np.append(starts, len(x)))
    return Binned(
        np.add.reduceat(x, starts) / sizes,
        np.add.reduceat(y, starts) / sizes,
        np.minimum.reduceat(y, starts),
        np.maximum.reduceat(y, starts),
    )
