"""The state behind one layer is shifted by a part of a sample: does the picture come out shifted?

The measure of EQ-T (Karras et al. 2021, Eq. 3) taken in the middle of a network, for every family. The state behind a
layer is its map, the picture so far where to-RGBs are summed, and the short cut of a 'resnet' block. Each is continued
by its mirror image and shifted by phases in the Fourier domain: what an ideal, band-limited network would follow
exactly. What is lost behind the layer is lost by aliasing, borders, and noise that stays in place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.diagnostics.equivariance import FollowingTaps, Pool
from app.diagnostics.jackknife import jackknife
from app.diagnostics.moving import phase_shift, rectangle
from app.diagnostics.variations import Variations
from app.errors import InputError
from app.request import Latent
from app.studies import Update
from app.studies.estimate import Estimate
from app.studies.layer_probe import LayerProbe, ProbeAnswer, ProbedLayer
from networks.base import Generator
from networks.plan import OUTPUT, SKIP, LayerInfo
from networks.taps import Hook

if TYPE_CHECKING:
    from app.diagnostics import Point
    from app.renderer import Renderer

MARGIN = 1 / 8  # of the picture's sides, and the shift itself, are left out at each border
MAP_PX = 256  # error maps are averaged down to at most this height


class PictureSoFar:
    """Follows the sum of to-RGBs through a pass, so that at the last one before the cut the whole sum is shifted."""

    def __init__(self, generator: Generator, samples: float) -> None:
        """samples: how far, on the grid of that last to-RGB."""
        self.generator, self.samples = generator, samples
        self.sum: Tensor | None = None

    def add(self, y: Tensor) -> Tensor:
        """A to-RGB's output, unchanged."""
        self.sum = y.float() + self.before(y)
        return y

    def shift(self, y: Tensor) -> Tensor:
        """A to-RGB's output, changed such that the sum with it is the shifted sum."""
        before = self.before(y)
        return phase_shift(before + y.float(), self.samples, self.samples, mirror=True) - before

    def before(self, y: Tensor) -> Tensor:
        """The sum that y is going to be added to."""
        return torch.zeros_like(y.float()) if self.sum is None else self.generator.double_picture(self.sum)


def probed(generator: Generator) -> list[LayerInfo]:
    """Layers that can be probed: all but to-RGBs, which have the state of the layer before them."""
    return [layer for layer in generator.layers if layer.kind != "torgb"]


def hooks_at(generator: Generator, cut: LayerInfo, moved_px: float) -> Mapping[Point, Hook]:
    """Hooks that shift the state behind a layer by `moved_px` px of the picture along both axes."""
    width = generator.resolution[1]

    def shift(info: LayerInfo) -> Hook:
        samples = moved_px * info.sampling_rate / width
        return lambda x: phase_shift(x, samples, samples, mirror=True)

    hooks: dict[Point, Hook] = {(cut.name, OUTPUT): shift(cut)}
    for layer in generator.layers:  # the short cut of a 'resnet' block leaves before its first layer
        if layer.kind == "up" and layer.size == cut.size and layer.index <= cut.index:
            hooks[(layer.name, SKIP)] = shift(layer)
    before = [layer for layer in generator.layers if layer.kind == "torgb" and layer.index < cut.index]
    if generator.torgb_use == "summed" and before:
        picture = PictureSoFar(generator, moved_px * before[-1].sampling_rate / width)
        hooks.update({(layer.name, OUTPUT): picture.add for layer in before[:-1]})
        hooks[(before[-1].name, OUTPUT)] = picture.shift
    return hooks


@dataclass
class Errors:
    """What was found at one layer: squared errors of the moved picture, and of one that does not move."""

    moved: Pool = field(default_factory=Pool)
    still: Pool = field(default_factory=Pool)

    def stuck(self) -> Estimate:
        """Mean squared error over that of a picture that does not move."""
        moved, still = np.array(self.moved.squares), np.array(self.still.squares)
        without = [_ratio(moved.sum() - m, still.sum() - s) for m, s in zip(moved, still, strict=True)]
        return jackknife(_ratio(moved.sum(), still.sum()), without)


def _ratio(a: float, b: float) -> float:
    return float(a / b) if b > 0 else math.nan


def inner(size: tuple[int, int], moved_px: float, device: torch.device) -> Tensor:
    """The mask [H, W] of what is compared."""
    H, W = size
    low = math.ceil(MARGIN * min(H, W) + abs(moved_px))
    return rectangle(size, (low, H - low), (low, W - low), device)


def small_map(difference: Tensor, mask: Tensor) -> np.ndarray:
    """[C, H, W] -> the mean magnitude over colours, averaged down to at most 256 px; NaN outside of the mask."""
    magnitude = difference.abs().mean(dim=0)
    factor = -(-magnitude.shape[0] // MAP_PX)
    if factor > 1:
        magnitude = F.avg_pool2d(magnitude[None, None], factor)[0, 0]
        mask = F.avg_pool2d(mask[None, None].float(), factor)[0, 0] == 1
    return torch.where(mask, magnitude, torch.nan).cpu().numpy()


def chosen(question: LayerProbe, generator: Generator) -> list[LayerInfo]:
    """The layers of a question; raises InputError for those that are not there, and for shifts that say nothing."""
    if not math.isfinite(question.shift) or question.shift == round(question.shift):
        raise InputError(
            f"a shift by {question.shift} samples is trivially exact in convolutions; give a part of a sample, as 0.5"
        )
    if not question.seeds:
        raise InputError("no seed is given; name at least one")
    known = probed(generator)
    names = {layer.name for layer in known}
    if missing := [name for name in question.layers if name not in names]:
        raise InputError(f"no layer {missing[0]!r} can be probed; there are {', '.join(layer.name for layer in known)}")
    return [layer for layer in known if not question.layers or layer.name in question.layers]


def run(question: LayerProbe, renderer: Renderer) -> Iterator[Update]:
    """One picture a step, the answer so far with each."""
    variations = Variations(renderer, question.request)
    generator = variations.generator
    layers = chosen(question, generator)
    found = {layer.name: Errors() for layer in layers}
    answers: dict[str, ProbedLayer] = {}
    for number, seed in enumerate(question.seeds):
        ws, noise = variations.ws(Latent(((seed, 1.0),))), variations.noise(number)
        still = variations.draw(ws, noise)
        for place, layer in enumerate(layers):
            moved_px = question.shift * generator.resolution[1] / layer.sampling_rate
            noise_px = moved_px if question.noise_follows else 0.0
            taps = FollowingTaps(
                noise_px,
                noise_px,
                generator.resolution[1],
                behind=layer.index,
                edits=variations.request.edits,
                hooks=hooks_at(generator, layer, moved_px),
            )
            moved = variations.draw(ws, noise, taps)
            expected = phase_shift(still, moved_px, moved_px, mirror=True)
            mask = inner(generator.resolution, moved_px, still.device)
            errors = found[layer.name]
            errors.moved.add(moved - expected, mask)
            errors.still.add(still - expected, mask)
            error = small_map(moved - expected, mask)
            answers[layer.name] = ProbedLayer(
                layer.name, layer.size, moved_px, errors.moved.db(), errors.stuck(), error
            )
            done = (number + (place + 1) / len(layers)) / len(question.seeds)
            pictures = number + (place == len(layers) - 1)
            answer = ProbeAnswer(pictures, len(question.seeds), variations.pixels(still), tuple(answers.values()))
            yield Update(done, f"{layer.name}, picture {number + 1} of {len(question.seeds)}", answer)
