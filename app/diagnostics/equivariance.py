"""EQ-T, EQ-T_frac and EQ-R: the picture of a moved input against the moved picture (Karras et al. 2021, appendix E)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from app.diagnostics import Point
from app.diagnostics.jackknife import jackknife
from app.diagnostics.moving import by_fraction, by_pixels, phase_shift, pseudo_rotated, rotated
from app.diagnostics.variations import Variations
from app.errors import InputError
from app.request import IDENTITY, Latent, Matrix, Transform
from app.studies import Update
from app.studies.equivariance import METRICS, Equivariance, EquivarianceAnswer, Metric, MetricAnswer
from app.studies.estimate import Estimate
from networks.plan import Intervention, LayerInfo
from networks.taps import Hook, Taps

if TYPE_CHECKING:
    from app.renderer import Renderer

I_MAX = 2.0  # from black -1 to white 1


class FollowingTaps(Taps):
    """Taps that shift noise maps with the content: by so many px of a picture that is `width` px wide.

    Maps are shifted by phases, and go round: what leaves on one side comes in on the other.
    """

    def __init__(
        self,
        dx: float,
        dy: float,
        width: int,
        *,
        behind: int = -1,
        edits: tuple[Intervention, ...] = (),
        hooks: Mapping[Point, Hook] | None = None,
    ) -> None:
        """behind: only noise of layers behind this index."""
        super().__init__(edits=edits, hooks=hooks)
        self.moved_by, self.width, self.behind = (dx, dy), width, behind

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        if noise is None or info.index <= self.behind or self.moved_by == (0.0, 0.0):
            return noise
        pitch = info.sampling_rate / self.width
        return phase_shift(noise, self.moved_by[0] * pitch, self.moved_by[1] * pitch)


@dataclass(frozen=True)
class Move:
    """How one sample is moved: shift in px or angle in degrees, and the user's matrix that does it."""

    x: float
    y: float
    matrix: Matrix


def draw_move(metric: Metric, question: Equivariance, number: int, width: int) -> Move:
    """The move of a sample, uniform within the question's limits; the same for the same seed."""
    stream = np.random.default_rng([question.seed, number, METRICS.index(metric)])
    if metric == "eqr":
        angle = float(stream.uniform(-1, 1)) * question.rotate_max_deg
        return Move(angle, 0.0, Transform(angle_deg=angle).as_matrix())
    x, y = (stream.uniform(-1, 1, 2) * question.translate_max * width).tolist()
    if metric == "eqt":
        x, y = float(round(x)), float(round(y))
    return Move(x, y, Transform(x / width, y / width).as_matrix())


def compare(metric: Metric, move: Move, still: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures [C, H, W] before the move and of the moved input -> (expected, found) as compared, and the mask."""
    if metric == "eqt":
        expected, mask = by_pixels(still, int(move.x), int(move.y))
    elif metric == "eqt_frac":
        expected, mask = by_fraction(still, move.x, move.y)
    else:
        expected, mask = rotated(still, move.x)
        found, valid = pseudo_rotated(found, move.x)
        mask = mask & valid
    return expected, found, mask


def decibels(squares: float, count: float) -> float:
    """10 log10(I_max^2 / (squares / count)); inf where nothing differs, NaN where nothing was compared."""
    if count == 0:
        return math.nan
    return math.inf if squares == 0 else 10 * math.log10(I_MAX**2 * count / squares)


@dataclass
class Pool:
    """Squared errors and numbers of compared values, sample by sample."""

    squares: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, difference: Tensor, mask: Tensor) -> None:
        """Take a sample's difference [C, H, W] where the mask [H, W] holds."""
        self.squares.append(float((difference.double().square() * mask).sum()))
        self.counts.append(int(mask.sum()) * difference.shape[0])

    def db(self) -> Estimate:
        """Pooled over all compared values, with its interval over samples."""
        squares, counts = np.array(self.squares), np.array(self.counts)
        without = [decibels(squares.sum() - s, counts.sum() - c) for s, c in zip(squares, counts, strict=True)]
        return jackknife(decibels(float(squares.sum()), int(counts.sum())), without)


def check(question: Equivariance, variations: Variations) -> None:
    """Raise InputError for what cannot be measured."""
    info = variations.opened.info
    if not info.has_transform:
        raise InputError(
            f"{info.name}: a {info.title} starts from a constant and cannot be moved by its input, as StyleGAN3, XL "
            "and T can; the layer probe (layers) measures it instead"
        )
    if question.samples < 1 or not question.metrics:
        raise InputError("nothing to measure: give at least one metric and one sample")
    if question.noise_follows and "eqr" in question.metrics:
        raise InputError("noise maps can follow a shift, not a rotation: leave out eqr, or let the noise stay")


def error_map(difference: Tensor, mask: Tensor) -> np.ndarray:
    """[C, H, W] -> the mean magnitude over colours, [H, W]; NaN where the mask does not hold."""
    return torch.where(mask, difference.abs().mean(dim=0), torch.nan).cpu().numpy()


def run(question: Equivariance, renderer: Renderer) -> Iterator[Update]:
    """One picture a step, the answer so far with each."""
    variations = Variations(renderer, question.request)
    check(question, variations)
    width = variations.generator.resolution[1]
    pools: dict[Metric, Pool] = {metric: Pool() for metric in question.metrics}
    parts: dict[Metric, MetricAnswer] = {}
    for number in range(question.samples):
        ws, noise = variations.ws(Latent(((question.seed + number, 1.0),))), variations.noise(number)
        still = variations.draw(ws, noise, transform=IDENTITY)
        for metric in question.metrics:
            move = draw_move(metric, question, number, width)
            taps = FollowingTaps(move.x, move.y, width, edits=variations.request.edits)
            follows = taps if question.noise_follows else None
            expected, found, mask = compare(metric, move, still, variations.draw(ws, noise, follows, move.matrix))
            pools[metric].add(expected - found, mask)
            parts[metric] = MetricAnswer(
                metric=metric,
                samples=number + 1,
                db=pools[metric].db(),
                moved_by=(move.x, move.y),
                expected=variations.pixels(expected),
                found=variations.pixels(found),
                error=error_map(expected - found, mask),
            )
            done = number + (question.metrics.index(metric) + 1) / len(question.metrics)
            answer = EquivarianceAnswer(
                samples=math.floor(done),
                total=question.samples,
                picture=variations.pixels(still),
                metrics=tuple(parts[name] for name in question.metrics if name in parts),
            )
            yield Update(done / question.samples, f"{answer.samples} of {question.samples} samples", answer)
