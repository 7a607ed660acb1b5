"""The spread that noise makes; app/studies/noise_study.py says what is computed, and its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from app import view
from app.diagnostics import drawing
from app.errors import InputError
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.noise_study import ALL, NO_NOISE, LayerSpread, NoiseAnswer, NoiseSpread
from networks.plan import LayerInfo, Noise
from networks.taps import Taps


class StoredNoise(Taps):
    """Taps that remember the scaled noise which each layer adds."""

    def __init__(self, request: RenderRequest) -> None:
        super().__init__(edits=request.edits)
        self.kept: dict[str, Tensor | None] = {}

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        self.kept[info.name] = noise
        return noise


class OneLayerNoise(Taps):
    """Taps that let only one layer have its own noise; the others get what is stored."""

    def __init__(self, request: RenderRequest, layer: str, stored: dict[str, Tensor | None]) -> None:
        super().__init__(edits=request.edits)
        self.layer, self.stored = layer, stored

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        return noise if info.name == self.layer else self.stored[info.name]


class Spread:
    """Mean and sum of squared deviations of pictures, one after the other (Welford 1962), float64 [C, H, W]."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = self.squares = np.zeros(())

    def add(self, picture: np.ndarray) -> None:
        """Take one more picture [C, H, W]."""
        self.count += 1
        step = picture - self.mean
        self.mean = self.mean + step / self.count
        self.squares = self.squares + step * (picture - self.mean)

    def row(self, layer: str, size: tuple[int, int]) -> LayerSpread:
        """What is known after two pictures or more."""
        variance = (self.squares / (self.count - 1)).mean(axis=0)
        spread = (100 * np.sqrt(variance)).astype(np.float32)
        return LayerSpread(layer, size, self.count, float(spread.mean()), float(spread.max()), spread)


def run(question: NoiseSpread, renderer: Renderer) -> Iterator[Update]:
    """One picture per step: the stored noise, then the draws of the whole, then those of each layer."""
    if question.draws < 2:
        raise InputError(f"the spread over {question.draws} draws: give at least 2")
    generator = renderer.open(question.request).generator
    layers = [info for info in generator.layers if info.has_noise]
    if not layers:
        raise InputError(NO_NOISE)
    request = drawing.bare(question.request)
    stored = StoredNoise(request)
    with torch.inference_mode():
        picture = view.picture(
            drawing.draw(renderer, _with(request, Noise("const", 0, request.noise.layers)), stored),
            generator.spec.pixel_range,
            request.bgr,
        )
    subjects = [(ALL, generator.resolution)]
    if question.by_layer:
        subjects += [(info.name, info.size) for info in layers]
    total = 1 + question.draws * len(subjects)
    done: tuple[LayerSpread, ...] = ()
    yield Update(1 / total, "Stored noise", NoiseAnswer(picture, done, question.draws))
    for place, (layer, size) in enumerate(subjects):
        spread, rows = Spread(), done
        for draw in range(question.draws):
            drawn = _with(request, Noise("random", (question.first + draw) % 2**31, request.noise.layers))
            taps = None if layer == ALL else OneLayerNoise(drawn, layer, stored.kept)
            spread.add(_picture(renderer, drawn, taps))
            if spread.count > 1:
                rows = (*done, spread.row(layer, size))
            share = (1 + place * question.draws + draw + 1) / total
            words = f"{layer or 'all layers'}: draw {draw + 1} of {question.draws}"
            yield Update(share, words, NoiseAnswer(picture, rows, question.draws))
        done = rows


def _with(request: RenderRequest, noise: Noise) -> RenderRequest:
    return replace(request, noise=noise)


@torch.inference_mode()
def _picture(renderer: Renderer, request: RenderRequest, taps: Taps | None) -> np.ndarray:
    """Draw one picture -> its colours in shares of the range, float64 [C, H, W]."""
    image = drawing.draw(renderer, request, taps)
    pixel_range = renderer.open(request).generator.spec.pixel_range
    return drawing.colours(image, pixel_range)[0].cpu().numpy().astype(np.float64)
