"""Curves between keyframes, as plain functions of numbers. Positions count keyframes: 1.5 is halfway from 1 to 2."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

Easing = Literal["flow", "linear", "smooth", "in", "out", "hold"]
Point = tuple[float, float]  # (where, value)
PARALLEL = 1e-6  # sine of an angle below which two directions count as one line


def eased(share: float, easing: Easing) -> float:
    """Share of the time of a stretch -> share of its way ('flow' depends on its neighbours: see `monotone`).

    'smooth', 'in', 'out': the cubics of Penner, Programming Macromedia Flash MX, 2002, chapter 7.
    """
    if easing == "smooth":
        return 4 * share**3 if share < 0.5 else 1 - (2 - 2 * share) ** 3 / 2
    if easing == "in":
        return float(share**3)
    if easing == "out":
        return float(1 - (1 - share) ** 3)
    if easing == "hold":
        return 0.0 if share < 1 else 1.0
    return share


def monotone(x: float, before: Point | None, a: Point, b: Point, after: Point | None) -> float:
    """The value at x, between a and b, of a cubic that never leaves the range of two neighbouring points.

    Slopes are the weighted harmonic means of Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984), the ends'
    are three-point estimates: scipy's PchipInterpolator. With neither neighbour it is the straight line.
    """
    h, secant = b[0] - a[0], (b[1] - a[1]) / (b[0] - a[0])
    left = None if before is None else (a[0] - before[0], (a[1] - before[1]) / (a[0] - before[0]))
    right = None if after is None else (after[0] - b[0], (after[1] - b[1]) / (after[0] - b[0]))
    begin = _end_slope(h, secant, right) if left is None else _slope(*left, h, secant)
    end = _end_slope(h, secant, left) if right is None else _slope(h, secant, *right)
    t = (x - a[0]) / h
    if begin == end == secant:
        return a[1] + t * (b[1] - a[1])
    return (
        (1 + 2 * t) * (1 - t) ** 2 * a[1]
        + t * (1 - t) ** 2 * h * begin
        + t**2 * (3 - 2 * t) * b[1]
        + t**2 * (t - 1) * h * end
    )


def _slope(h0: float, m0: float, h1: float, m1: float) -> float:
    """At a point between two stretches of lengths h0, h1 and secants m0, m1."""
    if m0 * m1 <= 0:
        return 0.0
    if m0 == m1:
        return m0
    w0, w1 = 2 * h1 + h0, h1 + 2 * h0
    return (w0 + w1) / (w0 / m0 + w1 / m1)


def _end_slope(h0: float, m0: float, beyond: tuple[float, float] | None) -> float:
    """At an end: of the three-point parabola, kept from overshooting."""
    if beyond is None or beyond[1] == m0:
        return m0
    h1, m1 = beyond
    slope = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    if slope * m0 <= 0:
        return 0.0
    return 3 * m0 if m0 * m1 <= 0 and abs(slope) > 3 * abs(m0) else slope


End = Literal["natural", "rest"]


def spline_bends(count: int, ends: tuple[End, End] | Literal["loop"]) -> np.ndarray:
    """Second derivatives [count, count] at `count` knots, 1 apart, of the cubic splines through the unit vectors.

    ends: 'natural' no bend there, 'rest' no speed there; 'loop': the first knot follows the last one. The tridiagonal
    system of Press et al., Numerical Recipes, 3rd ed., Eq. 3.3.7.
    """
    system, right = np.zeros((count, count)), np.zeros((count, count))
    rows = range(count) if ends == "loop" else range(1, count - 1)
    for row in rows:
        for step, bend, value in ((-1, 1.0, 6.0), (0, 4.0, -12.0), (1, 1.0, 6.0)):
            system[row, (row + step) % count] += bend
            right[row, (row + step) % count] += value
    if ends != "loop":
        for row, inner, end in ((0, 1, ends[0]), (count - 1, count - 2, ends[1])):
            system[row, row] = 2.0 if end == "rest" else 1.0
            if end == "rest":
                system[row, inner] = 1.0
                right[row, inner], right[row, row] = 6.0, -6.0
    return np.asarray(np.linalg.solve(system, right))


def spline_weights(bends: np.ndarray, stretch: int, share: float) -> np.ndarray:
    """Weights [count] of the knots at a place; they sum to 1. Press et al., Eq. 3.3.3."""
    count = len(bends)
    a, b, left = stretch, (stretch + 1) % count, 1 - share
    weights = ((left**3 - left) * bends[a] + (share**3 - share) * bends[b]) / 6
    weights[a] += left
    weights[b] += share
    return np.asarray(weights)


def slerp_weights(angle: float, share: float) -> tuple[float, float]:
    """Weights of two vectors `angle` radians apart: sin((1-t) O) / sin O and sin(t O) / sin O (Shoemake 1985).

    Vectors on one line have no such way; between them it is straight.
    """
    if abs(math.sin(angle)) < PARALLEL:
        return 1 - share, share
    return math.sin((1 - share) * angle) / math.sin(angle), math.sin(share * angle) / math.sin(angle)


def short_turn(a: float, b: float) -> float:
    """Degrees from one direction to another the short way, -180 to 180."""
    return (b - a + 180.0) % 360.0 - 180.0


def wrapped(angle: float) -> float:
    """An angle in degrees, -180 to 180."""
    return angle if -180.0 <= angle <= 180.0 else (angle + 180.0) % 360.0 - 180.0
