"""One patch followed along a walk at every resolution, and how much its path keeps to the places of a coarse grid.

Karras et al. 2020, section 4: progressive growing makes each resolution the output for a while, so that it learns
detail as fine as its grid allows, and teeth and eyes stay at places of that grid while the head moves. Where a network
has to-RGBs, the pictures of its resolutions are followed (StyleGAN: the ones that growing trained; StyleGAN2: the sums
so far), else the picture averaged down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.diagnostics.variations import Variations
from app.errors import InputError
from app.recording.walk import Walk
from app.studies import Update
from app.studies.patch_track import PatchTrack, Path, Snap, TrackAnswer
from networks.plan import OUTPUT, Noise
from networks.taps import Taps

if TYPE_CHECKING:
    from app.renderer import Renderer

Source = Literal["to-RGB", "pyramid", "coarse"]

FPS = Fraction(30)  # of no consequence: a walk is told by seconds, we want a number of frames
SMALLEST_PX = 8  # a patch of fewer px a side is not followed
DETAIL = 0.2  # cycles per px: sigma of the Gaussian that weights frequencies, so that the peak is smooth
COARSE = 1.5  # the same in cycles per side of the patch, for the path of the coarse content
FINER = 32  # places per px among which the peak is searched
PASSES = 6  # at most; each one looks at where the last one said the patch has gone
CONVERGED_PX = 0.01
ALIKE = 0.5  # confidence below which a new key frame is taken
LOST = 0.05  # confidence below which a patch is no longer the same


def pictures(variations: Variations, ws: Tensor, noise: Noise) -> tuple[list[Tensor], Source]:
    """The picture at each resolution, [C, h, w] each, coarse to fine, and where they are from."""
    generator = variations.generator
    use = generator.torgb_use
    names = [layer.name for layer in generator.layers if layer.kind == "torgb"]
    if use == "single":
        return pyramid(variations.draw(ws, noise)), "pyramid"
    taps = Taps(capture=[(name, OUTPUT) for name in names], edits=variations.request.edits)
    variations.draw(ws, noise, taps)
    made = [taps.captured[(name, OUTPUT)].float() for name in names]
    if use == "summed":
        with torch.inference_mode():
            for i in range(1, len(made)):
                made[i] = generator.double_picture(made[i - 1]) + made[i]
    return [variations.centred(picture) for picture in made], "to-RGB"


def pyramid(picture: Tensor) -> list[Tensor]:
    """picture [C, H, W] averaged down by 2 again and again, coarse to fine."""
    levels = [picture]
    while all(side % 2 == 0 and side > SMALLEST_PX for side in levels[0].shape[1:]):
        levels.insert(0, F.avg_pool2d(levels[0][None], 2)[0])
    return levels


def cut_out(grey: Tensor, x: float, y: float, side: int) -> Tensor:
    """The patch [side, side] around (x, y), px of the picture [H, W] from its upper left corner; bicubic."""
    H, W = grey.shape
    steps = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    across, down = 2 * (x + steps) / W - 1, 2 * (y + steps) / H - 1
    where = torch.stack([across.expand(side, side), down[:, None].expand(side, side)], dim=-1)[None]
    return F.grid_sample(grey[None, None], where.to(grey), "bicubic", "reflection", align_corners=False)[0, 0]


def displacement(before: Tensor, after: Tensor, bandwidth: float = DETAIL) -> tuple[float, float, float]:
    """Patches [n, n] -> how far the content went, (x, y) in px, and the height of the peak (1: a perfect match).

    Phase correlation (Kuglin and Hines 1975) under a Hann window, frequencies weighted by a Gaussian of sigma
    `bandwidth`, cycles per px; the peak is searched on whole px, then on a finer grid around it by sums of sines
    (Guizar-Sicairos et al. 2008).
    """
    n = before.shape[0]
    window = torch.hann_window(n + 1, periodic=True, dtype=torch.float64)[1:]
    window = (window[:, None] * window).to(before.device)
    a, b = (torch.fft.fft2((patch.double() - patch.double().mean()) * window) for patch in (before, after))
    cross = b * a.conj()
    k = torch.fft.fftfreq(n, dtype=torch.float64, device=before.device)
    weight = torch.exp(-(k[:, None] ** 2 + k**2) / (2 * bandwidth**2))
    weight[0, 0] = 0
    phases = weight * cross / cross.abs().clamp(min=1e-12 * float(cross.abs().max()) + 1e-300)
    place = int(torch.fft.ifft2(phases).real.argmax())
    y, x = ((i + n // 2) % n - n // 2 for i in divmod(place, n))
    steps = torch.arange(-FINER, FINER + 1, dtype=torch.float64, device=before.device) / FINER
    rows = torch.exp(2j * math.pi * (y + steps)[:, None] * k)
    columns = torch.exp(2j * math.pi * k[:, None] * (x + steps))
    peaks = (rows @ phases @ columns).real / weight.sum()
    i, j = divmod(int(peaks.argmax()), len(steps))
    return x + _top(peaks[i], j) / FINER - 1, y + _top(peaks[:, j], i) / FINER - 1, float(peaks[i, j])


def _top(values: Tensor, i: int) -> float:
    """Where the parabola through a largest value and its neighbours is highest."""
    if not 0 < i < len(values) - 1:
        return float(i)
    left, top, right = values[i - 1 : i + 2].tolist()
    curve = left - 2 * top + right
    return i + (0.5 * (left - right) / curve if curve < 0 else 0.0)


@dataclass
class Follower:
    """A patch at one resolution: where it is, frame by frame. Ends when the patch leaves the picture or is lost.

    Each frame is compared with a key frame, so that errors add up only where a new key is taken: where the patch has
    gone far from it, or looks unlike it.
    """

    side: int
    scale: float  # px of the picture per px here
    places: list[tuple[float, float]]  # px here, from the upper left corner
    bandwidth: float = DETAIL
    confidence: list[float] = field(default_factory=lambda: [1.0])
    key: tuple[Tensor, tuple[float, float]] | None = None  # a patch and where it was
    ended: str = ""

    def follow(self, picture: Tensor) -> None:
        """Look at the next frame, [C, h, w]."""
        grey = picture.mean(dim=0)
        if self.key is None:
            self._take(grey)
        elif not self.ended:
            self._step(grey, *self.key)

    def _take(self, grey: Tensor) -> None:
        place = self.places[-1]
        self.key = cut_out(grey, *place, self.side), place

    def _step(self, grey: Tensor, key: Tensor, origin: tuple[float, float]) -> None:
        (x, y), peak = self.places[-1], 0.0
        for _ in range(PASSES):
            dx, dy, peak = displacement(key, cut_out(grey, x, y, self.side), self.bandwidth)
            x, y = x + dx, y + dy
            if max(abs(dx), abs(dy)) < CONVERGED_PX or self._too_far(x, y):
                break
        half = self.side / 2
        h, w = grey.shape
        number = len(self.places) + 1
        if self._too_far(x, y) or peak < LOST:
            self.ended = f"lost at {h} px in frame {number}"
        elif not (half <= x <= w - half and half <= y <= h - half):
            self.ended = f"leaves the picture at {h} px in frame {number}"
        else:
            self.places.append((x, y))
            self.confidence.append(peak)
            if peak < ALIKE or max(abs(x - origin[0]), abs(y - origin[1])) > self.side / 4:
                self._take(grey)

    def _too_far(self, x: float, y: float) -> bool:
        return max(abs(x - self.places[-1][0]), abs(y - self.places[-1][1])) > self.side / 4

    def positions(self, frames: int) -> np.ndarray:
        """[frames, 2] in px of the picture, NaN behind the end."""
        known = np.array(self.places) * self.scale
        return np.concatenate([known, np.full((frames - len(known), 2), np.nan)])


def resultant(positions: np.ndarray, grid: float) -> float:
    """rho = |mean of exp(2 pi i p / grid)| over positions [n]: 1 where all have the same place in the grid's cells."""
    return float(np.abs(np.exp(2j * np.pi * positions / grid).mean()))


def snap(path: np.ndarray, coarse: np.ndarray, grid: float) -> float | None:
    """How much more a path [frames, 2] keeps to a grid's places than the coarse one; see `Snap.value`."""
    both = ~np.isnan(path).any(axis=1) & ~np.isnan(coarse).any(axis=1)
    values = []
    for axis in range(2):
        p, q = path[both, axis], coarse[both, axis]
        if len(q) > 1 and np.ptp(q) >= grid:
            rho = resultant(q, grid)
            values.append((resultant(p, grid) - rho) / (1 - rho))
    return max(values, default=None)


def path_of(follower: Follower, height: int, source: Source, count: int, snaps: tuple[Snap, ...] = ()) -> Path:
    """A follower's path over `count` frames."""
    confidence = np.array(follower.confidence + [np.nan] * (count - len(follower.confidence)))
    return Path(height, source, follower.positions(count), confidence, snaps)


def grids(height: int) -> list[float]:
    """Pitches in px of the grids of all resolutions below the picture's own, from 4 up."""
    return [height / (4 << i) for i in range(int(math.log2(height / 4)))]


def check(question: PatchTrack, size: tuple[int, int]) -> None:
    """Raise InputError for patches that are not within the picture, or too small to be followed anywhere."""
    H, W = size
    side = question.size * W
    if side < SMALLEST_PX:
        raise InputError(f"a patch of {side:.0f} px is too small to be followed; give at least {SMALLEST_PX} of {W} px")
    inside = all(side / 2 <= at * full <= full - side / 2 for at, full in ((question.x, W), (question.y, H)))
    if not inside:
        raise InputError(f"a patch of {side:.0f} px around x {question.x}, y {question.y} reaches out of the picture")
    if question.frames < 2:
        raise InputError(f"{question.frames} frame is no walk; give at least 2")


def run(question: PatchTrack, renderer: Renderer) -> Iterator[Update]:
    """One frame a step, the answer so far with each."""
    variations = Variations(renderer, question.request)
    H, W = variations.generator.resolution
    check(question, (H, W))
    walk = Walk(question.request, question.seeds, float(question.frames / FPS), FPS, question.loop, question.way)
    followers: dict[int, Follower] = {}
    coarse = Follower(round(question.size * W), 1.0, [(question.x * W, question.y * H)])
    coarse.bandwidth = COARSE / coarse.side
    for number in range(1, question.frames + 1):
        levels, source = pictures(variations, variations.ws(walk.at(number - 1).latent), variations.noise(number))
        coarse.follow(levels[-1])
        for level in levels:
            h, w = level.shape[1:]
            side = round(question.size * w)
            if side >= SMALLEST_PX:
                start = [(question.x * w, question.y * h)]
                followers.setdefault(h, Follower(side, H / h, start)).follow(level)
        main = coarse.positions(number)
        paths = (
            path_of(
                follower, h, source, number,
                tuple(Snap(grid, snap(follower.positions(number), main, grid)) for grid in grids(H)),
            )
            for h, follower in followers.items()
        )  # fmt: skip
        answer = TrackAnswer(
            count=number,
            total=question.frames,
            picture=variations.pixels(levels[-1]),
            paths=tuple(paths),
            coarse=path_of(coarse, H, "coarse", number),
            left="; ".join(one.ended for one in (*followers.values(), coarse) if one.ended),
        )
        yield Update(number / question.frames, f"{number} of {question.frames} frames", answer)
