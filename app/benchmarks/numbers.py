"""Spread of repeated measurements, and how the tables write numbers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


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
