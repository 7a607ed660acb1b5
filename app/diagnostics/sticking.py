"""The mean over a neighbourhood of one latent: detail that stays sharp in it is glued to its place.

Karras et al. 2021, Fig. 1 left, with a number: if each picture's detail is g + f_i with a fixed g and independent f_i,
the mean of N pictures has the energy A = |g|^2 + |f|^2 / N, one picture B = |g|^2 + |f|^2, so that
S = (N A - B) / ((N - 1) B) = |g|^2 / (|g|^2 + |f|^2) without bias by N.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from app import latents
from app.bounded import Bounded
from app.diagnostics.bands import details, sigma_of, smooth
from app.diagnostics.jackknife import jackknife
from app.diagnostics.variations import Variations
from app.errors import InputError
from app.models import Key
from app.request import Condition
from app.studies import Update
from app.studies.estimate import Estimate
from app.studies.sticking import NeighbourhoodAnswer, NeighbourhoodMean

if TYPE_CHECKING:
    from app.models import Opened
    from app.renderer import Renderer

STD_SAMPLES = 1024
GROUPS = 16
FAINT = 0.02  # share of the mean detail energy; where a window holds less, there is nothing to judge

_spreads: Bounded[tuple[Key, Condition], Tensor] = Bounded(16)


@torch.inference_mode()
def spread(opened: Opened, condition: Condition) -> Tensor:
    """Standard deviation of each coordinate of w over seeds 0 to 1023, [w_dim]; kept for each generator.

    The seeds' z are those that NVIDIA's tools draw; a class or prompt that is given is the same for all of them.
    """
    kept = _spreads.get((opened.key, condition))
    if kept is None:
        g = opened.generator
        end, _ = latents.ends(g, condition, opened.workspace)
        drawn = [latents.draw_z(seed, g.z_dim) for seed in range(STD_SAMPLES)]
        z = torch.from_numpy(np.concatenate([z for z, _ in drawn])).float().to(opened.device)
        labels = [latents.draw_c(stream, g.c_dim, g.condition, end) for _, stream in drawn]
        given = [label for label in labels if label is not None]
        c = torch.from_numpy(np.concatenate(given)).to(opened.device) if given else None
        kept = g.mapping(z, c).std(dim=0)
        _spreads.put((opened.key, condition), kept)
    return kept


class Groups:
    """Sums over pictures, kept in groups, so that the score is also known without each group."""

    def __init__(self, total: int) -> None:
        self.groups = min(total, GROUPS)
        self.counts = np.zeros(self.groups, dtype=int)
        self.energies = np.zeros(self.groups)
        self.sums: list[Tensor | None] = [None] * self.groups

    def add(self, x: Tensor) -> None:
        """Take the next picture x [C, H, W]; pictures go to the groups in turn."""
        k = int(self.counts.sum()) % self.groups
        self.counts[k] += 1
        self.energies[k] += mean_square(x)
        held = self.sums[k]
        self.sums[k] = x.clone() if held is None else held + x

    def sum(self) -> Tensor:
        """The sum of all pictures [C, H, W]."""
        return sum_of([held for held in self.sums if held is not None])

    def score(self) -> Estimate | None:
        """S with its interval; None with fewer than 2 pictures, and where all pictures are flat."""
        total = self.sum()
        N = int(self.counts.sum())
        value = share(mean_square(total), float(self.energies.sum()), N)
        if value is None:
            return None
        without = []
        for count, energy, held in zip(self.counts, self.energies, self.sums, strict=True):
            if held is not None:
                part = share(mean_square(total - held), float(self.energies.sum() - energy), N - int(count))
                without.append(float("nan") if part is None else part)
        return jackknife(value, without)


def share(sum_square: float, energy: float, count: int) -> float | None:
    """S from <|sum of pictures|^2>, the sum of their <|picture|^2>, and their number."""
    if count < 2 or energy <= 0:
        return None
    return (sum_square - energy) / ((count - 1) * energy)  # N A = sum_square / N, B = energy / N


def mean_square(x: Tensor) -> float:
    return float(x.double().square().mean())


def sum_of(parts: list[Tensor]) -> Tensor:
    return torch.stack(parts).sum(dim=0)


def sharpness_map(total: Tensor, squares: Tensor, count: int, sigma_px: float) -> np.ndarray:
    """S(p) in a Gaussian window around each pixel.

    total [C, H, W]: the sum of the details, squares [H, W]: of their squares' mean over colours. NaN where a window
    holds less than 2 % of the mean energy.
    """
    square = smooth(total.square().mean(dim=0), sigma_px)
    energy = smooth(squares, sigma_px)
    S = (square - energy) / ((count - 1) * energy).clamp(min=torch.finfo(energy.dtype).tiny)
    return torch.where(energy > FAINT * energy.mean(), S, torch.nan).cpu().numpy()


def check(question: NeighbourhoodMean) -> None:
    """Raise InputError for values that have no meaning."""
    if question.count < 2:
        raise InputError(f"a neighbourhood of {question.count} pictures has no mean to compare with; give at least 2")
    if not question.sigma > 0:
        raise InputError(f"a neighbourhood of sigma {question.sigma} holds one picture alone; give a sigma above 0")
    if not question.period_px > 2:
        raise InputError(f"no detail has a period below {question.period_px} px; give more than 2")


def run(question: NeighbourhoodMean, renderer: Renderer) -> Iterator[Update]:
    """One picture a step, the answer so far with each."""
    check(question)
    variations = Variations(renderer, question.request)
    yield Update(0.0, "How w varies")
    ws0, std = variations.ws(), spread(variations.opened, question.request.condition)
    centre = variations.draw(ws0, variations.noise(0))
    yield Update(0.0, f"0 of {question.count} pictures")
    fine, coarse = Groups(question.count), Groups(question.count)
    pictures = torch.zeros_like(centre)
    squares = torch.zeros_like(centre[0])
    stream = np.random.RandomState(question.seed)
    sigma_px = max(question.window * centre.shape[1], sigma_of(question.period_px))
    for number in range(1, question.count + 1):
        eps = torch.from_numpy(stream.randn(1, 1, len(std))).float().to(std)
        picture = variations.draw(ws0 + question.sigma * std * eps, variations.noise(number))
        detail = details(picture, question.period_px)
        rest = picture - detail
        fine.add(detail)
        coarse.add(rest - rest.mean(dim=(1, 2), keepdim=True))
        pictures = pictures + picture
        squares = squares + detail.square().mean(dim=0)
        flat = np.full(centre.shape[1:], np.nan, dtype=np.float32)
        answer = NeighbourhoodAnswer(
            count=number,
            total=question.count,
            centre=variations.pixels(centre),
            mean=variations.pixels(pictures / number),
            sharpness=flat if number < 2 else sharpness_map(fine.sum(), squares, number, sigma_px),
            score=fine.score(),
            coarse=coarse.score(),
            sigma=question.sigma,
            period_px=question.period_px,
            model=variations.opened.info,
        )
        yield Update(number / question.count, f"{number} of {question.count} pictures", answer)
