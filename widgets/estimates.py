"""Measured numbers with their 95 % intervals: for people, for JSON, and as colours."""

from __future__ import annotations

import math

import numpy as np

from app.colormaps import colourize
from app.frame import Pixels
from app.studies.estimate import Estimate

NOTHING = (40, 43, 50)  # where a map has no number


def said(estimate: Estimate | None, digits: int = 2, unit: str = "") -> str:
    """'0.52 ± 0.03'; without what is not known; '–' where there is no number."""
    if estimate is None or math.isnan(estimate.value):
        return "–"
    words = f"{estimate.value:.{digits}f}"
    if math.isfinite(estimate.half_width):
        words += f" ± {estimate.half_width:.{digits}f}"
    return f"{words} {unit}".strip()


def plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    """For JSON, which has no infinity: null for what is infinite or not known."""
    if estimate is None:
        return None
    parts = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: number if math.isfinite(number) else None for name, number in parts.items()}


def heat(values: np.ndarray, high: float, name: str) -> Pixels:
    """values [H, W] from 0 to `high` in colours; dark grey where there is no number (NaN)."""
    rgba = colourize(values, 0.0, high, name)
    rgba[np.isnan(values), :3] = NOTHING
    return rgba


def percent_of_range(error: np.ndarray) -> np.ndarray:
    """Differences of pictures in -1..1 -> % of the range from black to white."""
    return error * 50.0


def brightest(values: np.ndarray) -> float:
    """The value that gets the brightest colour: the largest one; 1 where there is none."""
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size and known.max() > 0 else 1.0
