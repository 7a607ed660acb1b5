"""Spread of repeated measurements, and how the tables write numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of some measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{short(self.median)} ({short(self.low)} to {short(self.high)})"


@dataclass(frozen=True)
class Trend:
    """A least-squares line y = a + slope x. error: the slope's standard error, sqrt(SSE / (n - 2) / Sxx), for samples
    that scatter independently. correlated: the same with n (1 - r) / (1 + r) samples, r the correlation of
    neighbouring residuals (Santer et al. 2000, Eqs. 3 to 6); infinite where no more than two of them are left."""

    slope: float
    error: float
    correlated: float

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float]) -> Trend:
        """Fit at least three points; x and y of equal length."""
        a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        count, centred = len(a), a - a.mean()
        spread = float(centred @ centred)
        slope = float(centred @ b) / spread
        rest = b - b.mean() - slope * centred
        squares = float(rest @ rest)
        r = max(0.0, float(rest[1:] @ rest[:-1]) / squares) if squares > 0 else 0.0
        independent = count * (1 - r) / (1 + r)
        error = math.sqrt(squares / (count - 2) / spread)
        return cls(slope, error, math.sqrt(squares / (independent - 2) / spread) if independent > 2 else math.inf)


def short(value: float) -> str:
    """Three significant digits, as plain decimals: 0.012, 1.23, 45.6, 789, 12345."""
    size = abs(value)
    return f"{value:.{0 if size >= 99.95 else 1 if size >= 9.995 else 2 if size >= 0.9995 else 3}f}"


def percentile_95(values: Sequence[float]) -> float:
    """The value that 95 % stay below."""
    return statistics.quantiles(values, n=20)[-1]


def slope(values: Sequence[float]) -> float:
    """Least-squares growth per step."""
    return statistics.linear_regression(range(len(values)), values).slope


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; the first column is left aligned, numbers are right aligned."""
    rule = [":--", *("--:" for _ in head[1:])]
    return [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
