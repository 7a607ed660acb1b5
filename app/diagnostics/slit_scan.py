"""One column of pixels along a walk, and how much slower its fine bands move than its coarse content.

Karras et al. 2021, Fig. 1 right, with a number by frequency band. Along y and t a moving pattern obeys
g_t = -v g_y, so that the least-squares velocity of a band is v = -sum(g_y g_t) / sum(g_y^2). A band of which the
energy share s is glued moves with (1 - s) v_coarse in this sense. The coarse velocity changes along the walk and the
segment, so the band is fitted with g_t = -beta v_coarse(y, t) g_y, and streak = 1 - beta; where v_coarse is the same
everywhere this is 1 - v_band / v_coarse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from app.diagnostics.bands import sigma_of, smooth
from app.diagnostics.jackknife import jackknife
from app.diagnostics.variations import Variations
from app.errors import InputError
from app.recording.walk import Walk
from app.studies import Update
from app.studies.slit_scan import SLOWEST, BandStreak, SlitAnswer, SlitScan

if TYPE_CHECKING:
    from app.renderer import Renderer

COARSE_PX = 16.0  # periods above this are coarse content
EDGES_PX = (2.0, 4.0, 8.0, 16.0)  # of the fine bands
FASTEST = 1 / 4  # of a band's geometric mean period, px per frame: beyond, differences in time mean nothing
WINDOW_T, WINDOW_Y = 2.0, 8.0  # sigma of the window of the coarse velocity, frames and px
STRETCHES = 8  # of time, for the intervals
EXPLAINED = 0.25  # share of the coarse change that must be motion, or there is none that detail could follow
JUDGE_EVERY = 8  # frames
FPS = Fraction(30)  # of no consequence: a walk is told by seconds, we want a number of frames


@dataclass(frozen=True)
class Gradients:
    """Along y (exact for band-limited columns), and from frame to frame `stride` apart, [C, H, T-stride]."""

    y: Tensor
    t: Tensor

    def rows(self, y0: int, y1: int) -> Gradients:
        """Some rows of them."""
        return Gradients(self.y[:, y0:y1], self.t[:, y0:y1])


def gradients(x: Tensor, stride: int) -> Gradients:
    """x [C, H, T] -> its gradients, in 1/px and 1/stride."""
    later, earlier = x[..., stride:], x[..., :-stride]
    return Gradients(derivative((later + earlier) / 2), later - earlier)


def derivative(x: Tensor) -> Tensor:
    """x [C, H, T] -> d/dy of the band-limited signal through its samples, mirrored at its ends (by FFT)."""
    H = x.shape[1]
    spectrum = torch.fft.rfft(torch.cat([x, x.flip(1)], dim=1), dim=1)
    k = 2 * np.pi * torch.fft.rfftfreq(2 * H, device=x.device)
    k[-1] = 0  # the slope of the highest frequency is not known from samples
    return torch.fft.irfft(spectrum * (1j * k)[:, None], n=2 * H, dim=1)[:, :H]


def velocity(g: Gradients) -> Tensor:
    """Gradients [C, H, T'] of the coarse content -> v [H, T'], px per stride, by least squares in Gaussian windows."""
    across, along = (g.y * g.t).sum(dim=0), (g.y * g.y).sum(dim=0)
    across, along = (smooth(smooth(part, WINDOW_Y, (-2,)), WINDOW_T, (-1,)) for part in (across, along))
    return -across / (along + 1e-3 * along.mean()).clamp(min=torch.finfo(along.dtype).tiny)


def low_passes(picture: Tensor, x: int) -> Tensor:
    """picture [C, H, W] -> [4, C, H]: one column of it, and of its low-passes at 4, 8 and 16 px.

    They are low-passed in both directions: detail that runs along the column is no coarse content.
    """
    W = picture.shape[2]
    reach = math.ceil(4 * sigma_of(COARSE_PX)) + 1
    left, right = max(x - reach, 0), min(x + reach + 1, W)
    strip = picture[:, :, left:right]
    low = [strip, *(smooth(strip, sigma_of(edge)) for edge in EDGES_PX[1:])]
    return torch.stack([part[:, :, x - left] for part in low])


def streak(g: Gradients, v: Tensor) -> tuple[float, list[float]]:
    """1 - beta of a band whose gradients [C, L, T'] are given, over all of time and without each stretch of it.

    v [L, T']: the coarse velocity. NaN where the band is flat or nothing moves.
    """
    across = -(g.y * g.t * v).sum(dim=(0, 1)).double()
    along = (g.y * v).square().sum(dim=(0, 1)).double()
    parts = np.array_split(np.arange(len(across)), min(STRETCHES, len(across)))
    sums = np.array([[float(across[part].sum()), float(along[part].sum())] for part in parts])
    total = sums.sum(axis=0)
    return _streak(total), [_streak(total - left) for left in sums]


def _streak(sums: np.ndarray) -> float:
    return float(1 - sums[0] / sums[1]) if sums[1] > 0 else float("nan")


@dataclass(frozen=True)
class Motion:
    """The coarse content's: v [L, T-stride] within the segment, its root mean square in px per stride, and which
    share of the coarse content's change it explains (the rest is change of shape and colour).

    The mean square is weighted by g_y^2: where nothing has an edge, no motion is seen.
    """

    v: Tensor
    speed: float
    explained: float
    stride: int


def coarse_motion(low: Tensor, y0: int, y1: int) -> Motion:
    """The motion between frames so far apart (1, 2, 4, ...) that it can be told: at least 0.3 px, RMS.

    low [C, H, T]: coarse columns. Where the walk is too slow, the widest stride that leaves most of it to look at.
    """
    stride = 1
    while True:
        g = gradients(low, stride)
        v, g = velocity(g)[y0:y1], g.rows(y0, y1)
        slope, change = mean_square(g.y), mean_square(g.t)
        speed = (mean_square(v * g.y) / slope) ** 0.5 if slope > 0 else 0.0
        if speed >= SLOWEST or 2 * stride > low.shape[-1] / 4:
            return Motion(v, speed, 1 - mean_square(g.t + v * g.y) / change if change > 0 else 0.0, stride)
        stride *= 2


def mean_square(x: Tensor) -> float:
    return float(x.double().square().mean())


def judge(columns: Sequence[Tensor], y0: int, y1: int) -> tuple[Motion, tuple[BandStreak, ...]]:
    """Columns [4, C, H] (`low_passes`) of 3 frames or more -> how the coarse content moves, and the bands' streaks."""
    low = torch.stack(list(columns), dim=-1)
    motion = coarse_motion(low[-1], y0, y1)
    bands = zip(EDGES_PX[:-1], EDGES_PX[1:], low[:-1] - low[1:], strict=True)
    return motion, tuple(_judge_band(*band, motion, y0, y1) for band in bands)


def _judge_band(shortest: float, longest: float, band: Tensor, motion: Motion, y0: int, y1: int) -> BandStreak:
    fastest = FASTEST * (shortest * longest) ** 0.5
    if motion.speed < SLOWEST:
        slow = f"the coarse content moves by {motion.speed:.2f} px in {motion.stride} frames, {SLOWEST} are needed"
        return BandStreak(shortest, longest, None, slow)
    if motion.speed > fastest:
        fast = f"the coarse content moves by {motion.speed:.2f} px a frame, above {fastest:.2f}; take more frames"
        return BandStreak(shortest, longest, None, fast)
    if motion.explained < EXPLAINED:
        still = f"motion explains {motion.explained:.0%} of the coarse change, {EXPLAINED:.0%} are needed"
        return BandStreak(shortest, longest, None, still)
    value, without = streak(gradients(band, motion.stride).rows(y0, y1), motion.v)
    if not np.isfinite(value):
        return BandStreak(shortest, longest, None, "the band is flat")
    return BandStreak(shortest, longest, jackknife(value, without))


def segment(question: SlitScan, size: tuple[int, int]) -> tuple[int, int, int]:
    """The segment in pixels of a picture of `size` (H, W): x, first row, row behind the last."""
    H, W = size
    if not (0 <= question.x <= 1 and 0 <= question.y0 < question.y1 <= 1):
        raise InputError(
            f"the segment x {question.x}, y {question.y0} to {question.y1} is not within the picture; "
            "give shares of its width and height, 0 to 1, the upper end first"
        )
    y0, y1 = round(question.y0 * H), round(question.y1 * H)
    if y1 - y0 < 2:
        raise InputError(f"the segment from y {question.y0} to {question.y1} is less than 2 px of {H}; make it longer")
    return min(int(question.x * W), W - 1), y0, y1


def run(question: SlitScan, renderer: Renderer) -> Iterator[Update]:
    """One frame a step, the answer so far with each."""
    if question.frames < 3:
        raise InputError(f"{question.frames} frames are no walk; give at least 3")
    seconds = float(question.frames / FPS)
    walk = Walk(question.request, question.seeds, seconds, FPS, question.loop, question.way)
    variations = Variations(renderer, question.request)
    place = x, y0, y1 = segment(question, variations.generator.resolution)
    columns: list[Tensor] = []
    motion: Motion | None = None
    streaks: tuple[BandStreak, ...] = ()
    for number in range(1, question.frames + 1):
        picture = variations.draw(variations.ws(walk.at(number - 1).latent), variations.noise(number))
        columns.append(low_passes(picture, x))
        if number >= 3 and (number % JUDGE_EVERY == 0 or number == question.frames):
            motion, streaks = judge(columns, y0, y1)
        answer = SlitAnswer(
            count=number,
            total=question.frames,
            scan=variations.pixels(torch.stack([column[0, :, y0:y1] for column in columns], dim=-1)),
            picture=variations.pixels(picture),
            segment_px=place,
            v_coarse=None if motion is None else motion.speed / motion.stride,
            explained=None if motion is None else motion.explained,
            stride=1 if motion is None else motion.stride,
            bands=streaks,
            model=variations.opened.info,
        )
        yield Update(number / question.frames, f"{number} of {question.frames} frames", answer)
