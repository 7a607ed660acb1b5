"""Contributions of the to-RGBs; app/studies/contributions.py says what is computed, and its source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app import view
from app.diagnostics import Point, Seen, drawing
from app.errors import InputError
from app.frame import Pixels
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.contributions import (
    ONE_TORGB,
    ContributionShares,
    ResolutionAnswer,
    ResolutionPictures,
    SharesAnswer,
)
from networks.base import Generator
from networks.plan import OUTPUT, LayerInfo

TILE_PX = 128  # no tile is larger; smaller to-RGBs are enlarged to it


@dataclass(frozen=True)
class Part:
    """One to-RGB of one picture, each [1, C, h, w] at its own resolution: what it adds, and the picture up to it."""

    info: LayerInfo
    added: Tensor
    so_far: Tensor


def torgb_points(layers: Sequence[LayerInfo]) -> list[Point]:
    """The to-RGBs to capture; none where there is only one."""
    found = [(info.name, OUTPUT) for info in layers if info.kind == "torgb"]
    return found if len(found) > 1 else []


def parts(generator: Generator, maps: Mapping[Point, Tensor]) -> list[Part]:
    """Captured to-RGBs -> contributions, coarsest first. The last `so_far` is the picture, bit for bit."""
    made: list[Part] = []
    for info in generator.layers:
        if info.kind != "torgb" or (info.name, OUTPUT) not in maps:
            continue
        output = maps[info.name, OUTPUT].float()
        before = enlarged(generator, made[-1].so_far, output.shape[2]) if made else None
        if generator.torgb_use == "summed":
            made.append(Part(info, output, output if before is None else before + output))
        else:
            made.append(Part(info, output if before is None else output - before, output))
    return made


def enlarged(generator: Generator, img: Tensor, height: int) -> Tensor:
    """img [1, C, h, w] doubled, as the generator doubles its pictures, until it is `height` pixels high."""
    while img.shape[2] < height:
        img = generator.double_picture(img)
    return img


def points(question: ResolutionPictures, layers: Sequence[LayerInfo]) -> list[Point]:
    """The (layer, stage) pairs to capture."""
    return torgb_points(layers)


def measure(question: ResolutionPictures, seen: Seen) -> ResolutionAnswer:
    """Answer for the picture on the screen, from the to-RGBs that its own pass left."""
    generator = seen.opened.generator
    made = parts(generator, seen.maps)
    if generator.torgb_use == "single" or not made:
        return ResolutionAnswer(generator.torgb_use, complete=seen.complete)
    sizes = tuple((part.info.size[0], part.info.size[1]) for part in made)
    widths = [width for _, width in sizes]
    chosen = widths.index(question.chosen) if question.chosen in widths else len(widths) - 1
    wanted = [part.added if question.alone else part.so_far for part in made]
    std = [part_moments(generator, part.added).std for part in made]
    height, bgr = generator.resolution[0], seen.request.bgr
    return ResolutionAnswer(
        generator.torgb_use,
        sizes,
        tuple(100 * value for value in std),
        shares(std),
        tuple(pixels(generator, tile(generator, img), question, bgr) for img in wanted),
        pixels(generator, enlarged(generator, wanted[chosen], height), question, bgr),
        chosen,
        seen.complete,
    )


def tile(generator: Generator, img: Tensor) -> Tensor:
    """img [1, C, h, w] -> about TILE_PX high: doubled as the generator does, or averaged down by a whole factor."""
    img = enlarged(generator, img, min(TILE_PX, generator.resolution[0]))
    factor = max(1, -(-img.shape[2] // TILE_PX))
    return img if factor == 1 else F.avg_pool2d(img, factor, ceil_mode=True)


def pixels(generator: Generator, img: Tensor, question: ResolutionPictures, bgr: bool) -> Pixels:
    """img [1, C, h, w] -> RGBA as any picture; what is added alone: 0 is mid-grey, opaque."""
    low, high = generator.spec.pixel_range
    if question.alone:
        img = img[:, : 1 if img.shape[1] <= 2 else 3] * question.gain + (low + high) / 2
    return view.picture(img, (low, high), bgr)


def part_moments(generator: Generator, added: Tensor) -> Moments:
    """added [1, C, h, w] -> moments over pixels and colour channels, in shares of the range."""
    return Moments.of(drawing.colours(added, generator.spec.pixel_range))


def shares(std: Sequence[float]) -> tuple[float, ...]:
    """Standard deviations -> in % of their sum; all 0 where nothing varies."""
    total = sum(std)
    return tuple(100 * value / total if total > 0 else 0.0 for value in std)


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations of some values; two of them join as in Chan et al. (1983). Sums of raw
    squares would lose digits where the mean is large."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @staticmethod
    def of(values: Tensor) -> Moments:
        """Of a tensor of any shape, in float64."""
        wide = values.cpu().double()
        mean = wide.mean()
        return Moments(wide.numel(), float(mean), float((wide - mean).square().sum()))

    def __add__(self, other: Moments) -> Moments:
        count, step = self.count + other.count, other.mean - self.mean
        if count == 0:
            return self
        squares = self.squares + other.squares + step * step * self.count * other.count / count
        return Moments(count, self.mean + step * other.count / count, squares)

    @property
    def std(self) -> float:
        """Square root of the mean squared deviation."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0


def run(question: ContributionShares, renderer: Renderer) -> Iterator[Update]:
    """One latent per step."""
    if question.count < 1:
        raise InputError(f"shares over {question.count} latents: give at least 1")
    generator = renderer.open(question.request).generator
    if generator.torgb_use == "single":
        raise InputError(ONE_TORGB)
    sizes = tuple((info.size[0], info.size[1]) for info in generator.layers if info.kind == "torgb")
    joint = [Moments()] * len(sizes)
    each: list[tuple[float, ...]] = []
    for number in range(question.count):
        drawn = _moments(renderer, drawing.of_seed(question.request, (question.first + number) % 2**32))
        joint = [before + now for before, now in zip(joint, drawn, strict=True)]
        each.append(shares([part.std for part in drawn]))
        std = [part.std for part in joint]
        answer = SharesAnswer(
            generator.torgb_use,
            sizes,
            tuple(100 * value for value in std),
            shares(std),
            np.array(each),
            number + 1,
            question.count,
        )
        yield Update(answer.count / question.count, f"{answer.count} of {question.count} latents", answer)


@torch.inference_mode()
def _moments(renderer: Renderer, request: RenderRequest) -> list[Moments]:
    """Draw one picture -> the moments of what each resolution adds to it."""
    generator = renderer.open(request).generator
    _, maps = drawing.capture(renderer, request, torgb_points(generator.layers))
    return [part_moments(generator, part.added) for part in parts(generator, maps)]
