"""Whole matrices between keyframes: turned, stretched and shifted apart. A 2x2 part A = R S, R a rotation, S symmetric.

The polar decomposition after Shoemake and Duff, Matrix Animation and Polar Decomposition, 1992: halfway, nothing is
squeezed that is squeezed at neither end.
"""

from __future__ import annotations

import math

from app.request import Matrix, Transform


def upright(transform: Transform) -> bool:
    """Whether the transform neither mirrors nor flattens, and has no perspective."""
    (a, b, _), (c, d, _), last = transform.as_matrix()
    return a * d - b * c > 0 and last == (0.0, 0.0, 1.0)


def angle(transform: Transform) -> float | None:
    """Degrees of R, as `Transform.angle_deg` counts them; None for what is not upright."""
    if not upright(transform):
        return None
    (a, b, _), (c, d, _), _ = transform.as_matrix()
    return math.degrees(math.atan2(b - c, a + d))


def part(transform: Transform, which: int) -> float | None:
    """0 to 2: the entries 00, 01 and 11 of S = R^T A; 3 and 4: the shifts x and y. None for what is not upright."""
    turned = angle(transform)
    if turned is None:
        return None
    (a, b, x), (c, d, y), _ = transform.as_matrix()
    sin, cos = math.sin(math.radians(turned)), math.cos(math.radians(turned))
    return (cos * a - sin * c, cos * b - sin * d, sin * b + cos * d, x, y)[which]


def composed(turned: float, s00: float, s01: float, s11: float, x: float, y: float) -> Matrix:
    """The matrix R S with its shifts; the inverse of `angle` and `part`."""
    sin, cos = math.sin(math.radians(turned)), math.cos(math.radians(turned))
    return (
        (cos * s00 + sin * s01, cos * s01 + sin * s11, x),
        (-sin * s00 + cos * s01, -sin * s01 + cos * s11, y),
        (0.0, 0.0, 1.0),
    )
