"""Low-pass filters of alias-free networks: Kaiser-windowed sinc and its rotationally symmetric twin (jinc).

Karras et al. 2021, "Alias-Free Generative Adversarial Networks", section 3.2 and appendix C. Taps are computed in
double precision once and kept as float32 buffers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def kaiser_beta(taps: int, width: float, rate: float) -> float:
    """Shape of the Kaiser window whose transition band is `width` Hz wide at a sampling rate, with so many taps.

    Kaiser 1974: attenuation A = 2.285 (n - 1) pi width / (rate / 2) + 7.95 dB; beta is his fit of it.
    """
    attenuation = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return 0.0


def _window(taps: int, width: float, rate: float) -> Tensor:
    beta = kaiser_beta(taps, width, rate)
    return torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)


def _positions(taps: int, rate: float) -> Tensor:
    """Sample times in seconds around the centre of the filter, [taps]."""
    return (torch.arange(taps, dtype=torch.float64) - (taps - 1) / 2) / rate


def lowpass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """Windowed sinc [taps], unit sum: half amplitude at `cutoff`, transition band `width`, sampled at `rate`."""
    f = torch.sinc(2 * cutoff * _positions(taps, rate)) * _window(taps, width, rate)
    return (f / f.sum()).float()


def radial_lowpass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """Windowed jinc [taps, taps], unit sum: J1(2 pi fc r) / (pi r), one cut-off for every direction (appendix C)."""
    x = _positions(taps, rate)
    r = torch.hypot(x[:, None], x[None, :])
    limit = torch.full_like(r, cutoff)  # J1(a r) / (pi r) -> fc at the centre
    f = torch.where(r > 0, torch.special.bessel_j1(2 * math.pi * cutoff * r) / (math.pi * r.clamp(min=1e-300)), limit)
    window = _window(taps, width, rate)
    f = f * torch.outer(window, window)
    return (f / f.sum()).float()
