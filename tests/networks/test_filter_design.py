"""Filters against scipy, against the formulas, and against those that the official code stored."""

import numpy as np
import pytest
import scipy.signal
import scipy.special
import torch

from networks.alias_free import design_filters
from networks.checkpoint.load import load
from networks.filter_design import kaiser_beta, lowpass, radial_lowpass
from tests.networks.small import REFERENCE

CASES = [(12, 2.0, 12.0, 32.0), (24, 4.0, 8.0, 64.0), (12, 10.6, 10.9, 64.0), (13, 5.0, 3.0, 48.0), (1, 2.0, 3.0, 16.0)]


def response(f: torch.Tensor, frequency: float, rate: float) -> float:
    """Amplitude of a symmetric 1-D filter at one frequency."""
    n = np.arange(len(f)) - (len(f) - 1) / 2
    return float(np.sum(f.double().numpy() * np.cos(2 * np.pi * frequency / rate * n)))


@pytest.mark.parametrize("attenuation", [10.0, 30.0, 49.0, 51.0, 90.0])
def test_beta_is_kaisers(attenuation: float) -> None:
    taps = 12
    width = (attenuation - 7.95) / (2.285 * np.pi * (taps - 1))  # as a share of the Nyquist frequency
    assert kaiser_beta(taps, width, 2.0) == pytest.approx(scipy.signal.kaiser_beta(attenuation))


@pytest.mark.parametrize(("taps", "cutoff", "width", "rate"), CASES)
def test_lowpass_is_firwin(taps: int, cutoff: float, width: float, rate: float) -> None:
    expected = scipy.signal.firwin(taps, cutoff, width=width, fs=rate) if taps > 1 else np.ones(1)
    np.testing.assert_allclose(lowpass(taps, cutoff, width, rate).numpy(), expected, atol=3e-8)


def test_amplitude_is_one_at_rest_half_at_the_cutoff_and_gone_beyond_the_transition() -> None:
    f = lowpass(24, 8.0, 8.0, 64.0)
    assert response(f, 0.0, 64.0) == pytest.approx(1.0, abs=1e-6)
    assert response(f, 8.0, 64.0) == pytest.approx(0.5, abs=0.01)
    assert abs(response(f, 14.0, 64.0)) < 0.005


@pytest.mark.parametrize("taps", [12, 13])
def test_radial_lowpass_is_the_windowed_jinc(taps: int) -> None:
    cutoff, width, rate = 5.0, 11.0, 64.0
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    beta = scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2)))
    expected = np.empty((taps, taps))
    for i in range(taps):
        for j in range(taps):
            r = np.hypot(x[i], x[j])
            expected[i, j] = scipy.special.j1(2 * np.pi * cutoff * r) / (np.pi * r) if r > 0 else cutoff
    expected *= np.outer(np.kaiser(taps, beta), np.kaiser(taps, beta))
    np.testing.assert_allclose(radial_lowpass(taps, cutoff, width, rate).numpy(), expected / expected.sum(), atol=3e-8)


def test_a_radial_filter_cuts_alike_in_every_direction_and_a_separable_one_does_not() -> None:
    cutoff, width, rate, taps = 8.0, 8.0, 64.0, 24
    x = (np.arange(taps) - (taps - 1) / 2) / rate

    def spread(f: np.ndarray) -> float:
        amplitudes = []
        for angle in np.deg2rad([0, 15, 30, 45]):
            fx, fy = cutoff * np.cos(angle), cutoff * np.sin(angle)
            amplitudes.append(np.sum(f * np.cos(2 * np.pi * (fx * x[None, :] + fy * x[:, None]))))
        return float(np.ptp(amplitudes))

    line = lowpass(taps, cutoff, width, rate).numpy()
    assert spread(radial_lowpass(taps, cutoff, width, rate).numpy()) < 0.01
    assert spread(np.outer(line, line)) > 0.1


@pytest.mark.parametrize("name", ["stylegan3-t", "stylegan3-r", "stylegan-xl-stem", "stylegan-xl-superres"])
def test_designed_filters_are_those_of_the_official_code(name: str) -> None:
    generator, _ = load(REFERENCE / f"{name}.pkl")
    rows = [row for row in generator.spec.layers if not row.torgb]
    assert any(row.radial for row in rows) is (name == "stylegan3-r")
    for row in rows:
        stored = generator.synthesis.get_submodule(row.name)
        for ours, official in zip(design_filters(row), (stored.up_filter, stored.down_filter), strict=True):
            torch.testing.assert_close(ours, official, rtol=0, atol=1e-7, msg=f"{name} {row.name}")
