"""How far the picture moves per step in W: ||J_w^T y||_2 of Karras et al. 2020, section 3.2, Eq. 4.

J_w is the Jacobian of the picture g(w), in the range -1..1, by w; y are pixels drawn from N(0, 1) / sqrt(H W). Two
readings of "by w" are measured, for the ws of a generator have many rows:

- `rows`, the length that the official code regularizes and `train` logs: each row of ws counts as a w of its own, the
  squares are averaged over rows: sqrt(mean over rows l of ||J_l^T y||^2).
- `joint`, the paper's formula for one w that enters all rows, as a walk moves it: ||sum over rows of J_l^T y||.
  E joint^2 = ||J||_F^2 / (H W), so a unit step in a random direction of W changes the picture by an RMS of
  sqrt(E joint^2 / (C w_dim)) per pixel and channel: `random_step`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from app.request import Diagnostic, Latent, RenderRequest, View, to_json
from app.studies import Study

HALF_RANGE = 50.0  # % of the range from black to white that 1 is in -1..1


@dataclass(frozen=True)
class PathLengths(Study):
    """`draws` lengths for each of `count` seeds first, first + 1, ...; first None: for the request's own latent.

    Everything else is as in the request. A study that was stopped goes on with `first` moved on: the y of a seed
    depend on the seed and the draw alone.
    """

    answered_by: ClassVar[str] = "app.diagnostics.path_length"
    request: RenderRequest = field(default_factory=RenderRequest)
    first: int | None = 0
    count: int = 256
    draws: int = 4


@dataclass(frozen=True, eq=False)
class Lengths:
    """float64: rows, joint [points, draws] as above, without unit (picture of -1..1 per unit of w); by_row [points,
    num_ws]: the root of the mean over draws of ||J_l^T y||^2. Whole points only."""

    rows: np.ndarray
    joint: np.ndarray
    by_row: np.ndarray
    channels: int
    w_dim: int

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: Lengths) -> Lengths:
        """These points and then those."""
        return replace(
            self,
            rows=np.concatenate([self.rows, other.rows]),
            joint=np.concatenate([self.joint, other.joint]),
            by_row=np.concatenate([self.by_row, other.by_row]),
        )

    def first(self, count: int) -> Lengths:
        """At most so many points from the beginning."""
        return replace(self, rows=self.rows[:count], joint=self.joint[:count], by_row=self.by_row[:count])

    def points(self, joint: bool = False) -> np.ndarray:
        """The mean length of each point over its draws [points]."""
        return (self.joint if joint else self.rows).mean(axis=1)

    @property
    def random_step(self) -> float:
        """RMS change of the picture in % of its range for a unit step of w in a random direction."""
        return HALF_RANGE * math.sqrt(float(np.square(self.joint).mean()) / (self.channels * self.w_dim))


@dataclass(frozen=True)
class Summary:
    """mean: a = E||J^T y|| over all draws; error: its standard error. penalty: E(||J^T y|| - a)^2, what Eq. 4 punishes
    (without its weight); of it `within` comes from the draws of y alone, `between` from the points.

    NaN where there are too few numbers: error and between need 2 points (one point: error needs 2 draws), within 2
    draws.
    """

    mean: float
    error: float
    penalty: float
    within: float
    between: float


def summary(lengths: np.ndarray) -> Summary:
    """lengths [points, draws] -> what is said of them; one-way analysis of variance with random points."""
    points, draws = lengths.shape
    mean = float(lengths.mean())
    means = lengths.mean(axis=1)
    within = float(lengths.var(axis=1, ddof=1).mean()) if draws > 1 else math.nan
    spread = float(means.var(ddof=1)) if points > 1 else math.nan
    error = math.sqrt(spread / points) if points > 1 else math.sqrt(within / draws)
    between = spread - within / draws
    between = between if math.isnan(between) else max(0.0, between)
    return Summary(mean, error, float(np.square(lengths - mean).mean()), within, between)


def quantile(value: float, among: np.ndarray) -> float:
    """Share of the numbers that are smaller than a value, ties counted half: 0..1."""
    return float(((among < value).mean() + (among <= value).mean()) / 2)


def everything_but_latent(request: RenderRequest) -> RenderRequest:
    """What the distribution over seeds depends on."""
    return replace(of_latent(request), latent=Latent())


def of_latent(request: RenderRequest) -> RenderRequest:
    """What the lengths of one point depend on: nothing that only looks at the picture."""
    model = replace(request.model, precision="fp32")
    return replace(request, model=model, view=View(), diagnostic=Diagnostic(), measures=(), max_height=None)


def as_json(lengths: Lengths, question: PathLengths) -> dict[str, Any]:
    """The numbers with their units."""
    told = {
        name: {
            "mean": found.mean,
            "standard_error": _plain(found.error),
            "mean_squared_deviation": found.penalty,
            "variance_within_points": _plain(found.within),
            "variance_between_points": _plain(found.between),
            "each": values.tolist(),
        }
        for name, values in (("rows", lengths.rows), ("joint", lengths.joint))
        for found in (summary(values),)
    }
    return {
        "what": "||J^T y||, picture of -1..1 per unit of w, y ~ N(0, 1) / sqrt(H W); Karras et al. 2020, Eq. 4. "
        "rows: root of the mean over rows of ws of the squares, as the official code; joint: one w for all rows",
        "points": len(lengths),
        "draws_of_y": lengths.rows.shape[1],
        "first_seed": question.first,
        "by_row_root_mean_square": np.sqrt(np.square(lengths.by_row).mean(axis=0)).tolist(),
        "random_unit_step_rms_percent_of_range": lengths.random_step,
        **told,
        "request": to_json(question.request),
    }


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
