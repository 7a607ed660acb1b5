"""Gaussian low-passes and the bands between them, on pictures and on columns of pixels."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def sigma_of(period_px: float) -> float:
    """Sigma in px of the Gaussian whose gain is 1/2 at a period: exp(-2 pi^2 sigma^2 / period^2) = 1/2."""
    return period_px * math.sqrt(math.log(2) / 2) / math.pi


def gaussian(sigma: float) -> Tensor:
    """Taps [2r + 1] of a Gaussian of sum 1, r = 4 sigma rounded up; float32."""
    reach = max(1, math.ceil(4 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    taps = torch.exp(-0.5 * (x / sigma) ** 2)
    return (taps / taps.sum()).float()


def smooth(x: Tensor, sigma: float, axes: tuple[int, ...] = (-2, -1)) -> Tensor:
    """x [..., H, W] low-passed by a Gaussian along the axes (of the last two); mirrored at the borders.

    The mirror repeats the border sample, as often as the Gaussian needs it.
    """
    shape = x.shape
    y = x.reshape(-1, 1, *shape[-2:])
    taps = gaussian(sigma).to(x)
    for axis in axes:
        n, reach = y.shape[axis], len(taps) // 2
        index = torch.arange(-reach, n + reach, device=x.device) % (2 * n)
        index = torch.where(index < n, index, 2 * n - 1 - index)
        kernel = taps.view(1, 1, -1, 1) if axis == -2 else taps.view(1, 1, 1, -1)
        y = F.conv2d(y.index_select(y.ndim + axis, index), kernel)
    return y.reshape(shape)


def details(x: Tensor, period_px: float) -> Tensor:
    """x [..., H, W] without its Gaussian low-pass: what has shorter periods (gain 1/2 at `period_px`)."""
    return x - smooth(x, sigma_of(period_px))
