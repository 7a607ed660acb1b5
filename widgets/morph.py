"""Between two, three or four requests: which mixture a place on the pad stands for. No GUI in here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from app.request import RenderRequest
from app.timeline import Keyframe, Timeline

MOST = 4  # corners


def blend(corners: Sequence[RenderRequest], x: float, y: float, z_dim: int) -> RenderRequest:
    """The request at (x, y), shares of the pad from its upper left corner.

    Two requests: the left and the right edge, y plays no part. Three: the upper two corners and the lower edge. Four:
    upper left, upper right, lower left, lower right. Every part goes its straight way, as on a timeline; what cannot
    be shown halfway is that of the nearer one to the left and top.
    """
    if not 2 <= len(corners) <= MOST:
        raise ValueError(f"{len(corners)} requests; between 2 and {MOST} can be mixed")
    above = between(corners[0], corners[1], x, z_dim)
    if len(corners) == 2:
        return above
    below = corners[2] if len(corners) == 3 else between(corners[2], corners[3], x, z_dim)
    return between(above, below, y, z_dim)


def between(a: RenderRequest, b: RenderRequest, share: float, z_dim: int) -> RenderRequest:
    """a at share 0, b at 1, and every number on its straight way between them."""
    if share <= 0.0 or a == b:
        return a
    return b if share >= 1.0 else _line(a, b, z_dim).between(0, share)


def remarks(corners: Sequence[RenderRequest], z_dim: int) -> tuple[str, ...]:
    """What cannot be shown halfway between some of them, in words."""
    found = [words for a, b in pairwise(corners) for _, words in _line(a, b, z_dim).remarks]
    return tuple(dict.fromkeys(found))


def corner_places(count: int) -> tuple[tuple[float, float], ...]:
    """Where on the pad so many requests lie; of three the third is the whole lower edge, and stands in its middle."""
    return {
        2: ((0.0, 0.5), (1.0, 0.5)),
        3: ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),
        4: ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)),
    }.get(count, ())


def _line(a: RenderRequest, b: RenderRequest, z_dim: int) -> Timeline:
    return Timeline((Keyframe(0.0, a, "linear"), Keyframe(1.0, b)), 1.0, way="linear", z_dim=z_dim)
