"""Spectra: known waves stand where they must and as high as they must; numpy and the official recipe agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.diagnostics import drawing, spectrum
from app.errors import InputError
from app.renderer import Renderer
from app.request import Model, RenderRequest
from app.studies.spectrum import AverageSpectrum, PictureSpectrum
from tests.networks.small import REFERENCE

RANGE = (-1.0, 1.0)


def picture(values: np.ndarray) -> torch.Tensor:
    """[H, W] in -1..1 -> a grey picture of three equal channels [1, 3, H, W]."""
    return torch.from_numpy(np.repeat(values[None, None], 3, axis=1)).float()


def wave(size: tuple[int, int], fx: float, fy: float, amplitude: float) -> np.ndarray:
    """A cosine of fx cycles per picture width and fy cycles per picture height."""
    y, x = np.mgrid[: size[0], : size[1]]
    return amplitude * np.cos(2 * np.pi * (fx * x / size[1] + fy * y / size[0]))


def described(values: np.ndarray, beta: float = 8.0, interp: int = 1, pixel_range=RANGE):
    power = spectrum.picture_power(picture(values), pixel_range, beta, interp)
    return spectrum.described(power, values.shape, beta, 1, 1)


@pytest.mark.parametrize("interp", [1, 4])
@pytest.mark.parametrize("beta", [0.0, 8.0])
def test_a_wave_peaks_at_its_frequency_with_its_power(beta, interp):
    """Amplitude a and a window w of unit energy give |FFT|^2 = (a/2 sum(w))^2 for each of both axes' windows."""
    got = described(wave((64, 64), 12, 0, 0.5), beta, interp)
    window = np.kaiser(64, beta)
    window /= np.sqrt((window**2).sum())
    want = 20 * np.log10(0.25 * window.sum() ** 2)
    peak = np.unravel_index(got.power_db.argmax(), got.power_db.shape)
    centre = 32 * interp
    assert peak[0] == centre
    assert abs(peak[1] - centre) == 12 * interp
    assert got.power_db.max() == pytest.approx(want, abs=0.02)  # 0.02: the mirror image's side lobes
    assert got.across.frequency[got.across.power_db.argmax()] == 12.0
    assert got.across.power_db.max() == pytest.approx(want, abs=0.02)


def test_the_mean_colour_is_gone_and_a_wave_at_half_the_pixels_is_seen():
    values = wave((32, 32), 16, 0, 0.3) + 0.5
    got = described(values)
    assert got.across.frequency[-1] == 16.0
    assert got.across.power_db.argmax() == 16
    assert got.across.power_db[0] < got.across.power_db[-1] - 60


def test_the_diagonal_slice_counts_along_the_diagonal():
    got = described(wave((64, 64), 10, 10, 0.5))
    assert got.diagonal.frequency[got.diagonal.power_db.argmax()] == pytest.approx(10 * np.sqrt(2))
    assert got.diagonal.frequency[-1] == pytest.approx(64 / np.sqrt(2))
    mirror = described(wave((64, 64), 10, -10, 0.5))  # the other diagonal
    assert mirror.diagonal.power_db.max() < got.diagonal.power_db.max() - 60


def test_the_radial_mean_is_that_of_numpy():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((48, 48)) * 0.2
    got = described(values, interp=2)
    power = 10 ** (got.power_db.astype(float) / 10)
    f = np.fft.fftshift(np.fft.fftfreq(96)) * 48
    radius = np.hypot(f[:, None], f[None])
    for k in (0, 1, 7, 20, 33):
        ring = (radius >= k - 0.5) & (radius < k + 0.5)
        assert got.radial.power_db[k] == pytest.approx(10 * np.log10(power[ring].mean()), abs=2e-3)
    assert got.radial.frequency[-1] == np.rint(24 * np.sqrt(2))


@pytest.mark.parametrize("shape", [(64, 64), (32, 48), (33, 21)])
def test_white_noise_lies_at_its_variance(shape):
    """0 dB is white noise of standard deviation 1; here 0.1, so -20 dB, whatever window and interpolation."""
    rng = np.random.default_rng(1)
    for beta, interp in ((0.0, 1), (8.0, 1), (8.0, 3)):
        total = 0.0
        for _ in range(40):
            total = total + spectrum.picture_power(picture(rng.standard_normal(shape) * 0.1), RANGE, beta, interp)
        level = 10 * np.log10((total / 40).mean())
        assert level == pytest.approx(-20, abs=0.3)


def test_other_ranges_and_alpha_do_not_matter():
    values = wave((32, 32), 5, 3, 0.4)
    plain = spectrum.picture_power(picture(values), RANGE, 8.0)
    unit = spectrum.picture_power(picture((values + 1) / 2), (0.0, 1.0), 8.0)
    np.testing.assert_allclose(unit, plain, rtol=1e-4, atol=1e-9)
    alpha = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with_alpha = torch.cat([picture(values), alpha], dim=1)
    np.testing.assert_allclose(spectrum.picture_power(with_alpha, RANGE, 8.0), plain)


@pytest.mark.parametrize("shape", [(16, 16), (16, 12), (9, 7)])
def test_the_power_is_that_of_numpys_whole_transform(shape):
    rng = np.random.default_rng(2)
    colours = rng.uniform(-1, 1, (3, *shape))
    got = spectrum.picture_power(torch.from_numpy(colours[None]), RANGE, 3.0, 2)
    window = np.kaiser(shape[0], 3.0)[:, None] * np.kaiser(shape[1], 3.0)[None]
    window /= np.sqrt((window**2).sum())
    colours = colours - colours.mean(axis=(1, 2), keepdims=True)
    full = np.fft.fft2(colours * window, s=(2 * shape[0], 2 * shape[1]))
    np.testing.assert_allclose(got, (np.abs(full) ** 2).mean(axis=0), rtol=1e-4, atol=1e-9)


def test_a_picture_that_is_not_square_counts_in_cycles_per_width():
    got = described(wave((32, 64), 6, 3, 0.5))  # both 6 / 64 and 3 / 32 cycles per pixel: 45 degrees
    assert got.diagonal.frequency[got.diagonal.power_db.argmax()] == pytest.approx(6 * np.sqrt(2))
    upright = described(wave((32, 64), 0, 8, 0.5))  # 8 / 32 cycles per pixel are 16 per width
    assert upright.radial.frequency[upright.radial.power_db.argmax()] == 16
    assert upright.across.power_db[16] < upright.radial.power_db.max() - 60


def official(images: np.ndarray, beta: float, interp: int) -> np.ndarray:
    """What avg_spectra.py of the StyleGAN3 repository computes (its window is numpy's), of float pictures."""
    N, _, H, W = images.shape
    window = np.kaiser(W, beta)
    window /= np.sqrt((window**2).sum())
    window = np.outer(window, window)
    total = np.zeros((H * interp, W * interp))
    for image in images:
        padded = np.pad(image * window, ((0, 0), (0, H * (interp - 1)), (0, W * (interp - 1))))
        total += (np.abs(np.fft.fft2(padded)) ** 2).mean(axis=0)
    return np.fft.fftshift(10 * np.log10(total / N))


def test_the_average_over_latents_is_the_official_recipes():
    renderer = Renderer()
    asked = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"))
    updates = list(spectrum.run(AverageSpectrum(asked, count=3, first=4), renderer))
    answer = updates[-1].answer
    drawn = np.stack([renderer.image(drawing.of_seed(asked, seed))[0] for seed in (4, 5, 6)]).astype(float)
    want = official(drawn - drawn.mean(axis=(2, 3), keepdims=True), 8.0, 4)
    assert answer.power_db.shape == want.shape == (128, 128)
    np.testing.assert_allclose(answer.power_db, want, atol=2e-3)
    assert (answer.count, answer.total, answer.size) == (3, 3, (32, 32))
    assert [update.share for update in updates] == pytest.approx([1 / 3, 2 / 3, 1])


def test_the_picture_on_the_screen_is_measured_whole():
    renderer = Renderer()
    asked = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"), measures=(PictureSpectrum(),))
    answer = renderer.render(asked).answer(PictureSpectrum)
    image = renderer.image(asked)[0].astype(float)
    want = official((image - image.mean(axis=(1, 2), keepdims=True))[None], 8.0, 4)
    np.testing.assert_allclose(answer.power_db, want, atol=5e-3)
    assert renderer.render(replace(asked, max_height=16)).answer(PictureSpectrum) is None


def test_interpolation_stays_small():
    assert [spectrum.interpolation((side, side), 512) for side in (32, 128, 256, 512, 1024)] == [4, 4, 2, 1, 1]


def test_bad_questions_are_answered_in_words():
    with pytest.raises(InputError, match="at least 1"):
        next(spectrum.run(AverageSpectrum(count=0), Renderer()))
    with pytest.raises(InputError, match="beta nan"):
        next(spectrum.run(AverageSpectrum(beta=float("nan")), Renderer()))
