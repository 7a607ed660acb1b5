"""Power spectra; app/studies/spectrum.py says what is computed, and its source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from app.diagnostics import Point, Seen, drawing
from app.errors import InputError
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.spectrum import (
    INTERPOLATION,
    LIVE_PX,
    STUDY_PX,
    AverageSpectrum,
    Curve,
    PictureSpectrum,
    Spectrum,
)
from networks.plan import LayerInfo

SMALLEST = 1e-20  # of power: nothing lies below -200 dB


def points(question: PictureSpectrum, layers: Sequence[LayerInfo]) -> tuple[Point, ...]:
    """The picture alone is looked at."""
    return ()


def measure(question: PictureSpectrum, seen: Seen) -> Spectrum | None:
    """Answer for the picture on the screen; None for an early one, whose spectrum ends sooner."""
    if not seen.complete:
        return None
    pixel_range = seen.opened.generator.spec.pixel_range
    size = (seen.image.shape[2], seen.image.shape[3])
    power = picture_power(seen.image, pixel_range, question.beta, interpolation(size, LIVE_PX))
    return described(power, size, question.beta, 1, 1)


def run(question: AverageSpectrum, renderer: Renderer) -> Iterator[Update]:
    """One latent per step."""
    if question.count < 1:
        raise InputError(f"a spectrum over {question.count} pictures: give at least 1")
    if not (math.isfinite(question.beta) and question.beta >= 0):
        raise InputError(f"a Kaiser window of beta {question.beta}: give 0 or more")
    total: np.ndarray | None = None
    for number in range(question.count):
        request = drawing.of_seed(question.request, (question.first + number) % 2**32)
        power, size = _drawn(renderer, request, question.beta)
        total = power if total is None else total + power
        count = number + 1
        answer = described(total / count, size, question.beta, count, question.count)
        yield Update(count / question.count, f"{count} of {question.count} pictures", answer)


@torch.inference_mode()
def _drawn(renderer: Renderer, request: RenderRequest, beta: float) -> tuple[np.ndarray, tuple[int, int]]:
    """Draw one picture -> its power and (H, W)."""
    image = drawing.draw(renderer, request)
    size = (image.shape[2], image.shape[3])
    pixel_range = renderer.open(request).generator.spec.pixel_range
    return picture_power(image, pixel_range, beta, interpolation(size, STUDY_PX)), size


def interpolation(size: tuple[int, int], limit: int) -> int:
    """How many samples a spectrum gets per cycle per picture width: up to 4, as long as its side stays in a limit."""
    return max(1, min(INTERPOLATION, limit // max(size)))


def picture_power(image: Tensor, pixel_range: tuple[float, float], beta: float, interp: int = 1) -> np.ndarray:
    """image [1, C, H, W] in pixel_range -> mean over colours of |FFT|^2, float64 [H interp, W interp], frequency 0
    first. White noise of variance 1 in -1..1 has power 1 on average, whatever the window and the interpolation."""
    x = drawing.colours(image, pixel_range)[0] * 2 - 1
    x = (x - x.mean(dim=(1, 2), keepdim=True)).cpu().double()
    H, W = x.shape[1:]
    window = kaiser(H, beta)[:, None] * kaiser(W, beta)[None]
    half = torch.fft.rfft2(x * window, s=(H * interp, W * interp)).abs().square_().mean(dim=0).numpy()
    return mirrored(half, W * interp)


@lru_cache(maxsize=8)
def kaiser(size: int, beta: float) -> Tensor:
    """The symmetric Kaiser window [size], float64, with squares that sum to 1 (symmetric as in the official code)."""
    window = torch.kaiser_window(size, periodic=False, beta=beta, dtype=torch.float64)
    return window * window.square().sum().rsqrt()


def mirrored(half: np.ndarray, width: int) -> np.ndarray:
    """The half [H, width // 2 + 1] that rfft2 gives of a real picture's power -> the whole [H, width]."""
    turned = np.roll(half[::-1], 1, axis=0)  # row y becomes row -y
    return np.concatenate([half, turned[:, 1 : (width + 1) // 2][:, ::-1]], axis=1)


def described(power: np.ndarray, size: tuple[int, int], beta: float, count: int, total: int) -> Spectrum:
    """power [H', W'], frequency 0 first -> the picture of it and the lines through it, in dB."""
    db = np.fft.fftshift(to_db(power)).astype(np.float32)
    return Spectrum(
        db, across(power, size), diagonal(power, size), radial(power, size), size, beta, count, total
    )  # fmt: skip


def to_db(power: np.ndarray) -> np.ndarray:
    """10 log10 of the power."""
    decibels: np.ndarray = 10 * np.log10(np.maximum(power, SMALLEST))
    return decibels


def across(power: np.ndarray, size: tuple[int, int]) -> Curve:
    """The slice at 0 degrees, from 0 to W / 2 cycles per picture width."""
    width = power.shape[1]
    places = np.arange(width // 2 + 1)
    return Curve(places * (size[1] / width), to_db(power[0, places % width]))


def diagonal(power: np.ndarray, size: tuple[int, int]) -> Curve:
    """The slice at 45 degrees, from 0 to W / sqrt(2) cycles per picture width.

    Pixels are square, so equal steps in cycles per pixel lead along it; where the picture is not square, that is
    between the samples of one axis, and the nearest one is taken.
    """
    steps = min(power.shape) // 2
    cycles_per_px = np.arange(steps + 1) / (2 * steps)
    rows, columns = (np.rint(cycles_per_px * side).astype(int) % side for side in power.shape)
    return Curve(cycles_per_px * (math.sqrt(2) * size[1]), to_db(power[rows, columns]))


def radial(power: np.ndarray, size: tuple[int, int]) -> Curve:
    """The mean power of the rings k - 1/2 .. k + 1/2 cycles per picture width, to the corners of the spectrum."""
    rings, counts = _rings(power.shape[0], power.shape[1], size[1])
    mean = np.bincount(rings.ravel(), power.ravel(), len(counts)) / np.maximum(counts, 1)
    there = counts > 0
    return Curve(np.arange(len(counts), dtype=float)[there], to_db(mean[there]))


@lru_cache(maxsize=4)
def _rings(height: int, width: int, picture_width: int) -> tuple[np.ndarray, np.ndarray]:
    """Which ring each sample of the spectrum lies in, int32 [height, width], and how many lie in each."""
    down, along = np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None]  # cycles per pixel
    rings = np.floor(np.hypot(down, along) * picture_width + 0.5).astype(np.int32)
    return rings, np.bincount(rings.ravel())
