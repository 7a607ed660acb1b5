"""FIR filters on feature maps: zero insertion, padding, filtering, decimation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def separable_filter(taps: Sequence[float]) -> Tensor:
    """1-D taps [n] -> the normalized outer product [n, n], sum 1 (Karras et al. 2020, appendix B: [1,3,3,1])."""
    f = torch.tensor(taps, dtype=torch.float32)
    f = torch.outer(f, f)
    return f / f.sum()


def upfirdn2d(
    x: Tensor, f: Tensor, up: int = 1, down: int = 1, pad: tuple[int, int, int, int] = (0, 0, 0, 0), gain: float = 1
) -> Tensor:
    """Insert zeros, pad (left, right, top, bottom; negative crops), convolve with f, keep each down-th sample.

    x [N, C, H, W], f [h, w] or [n] (separable) -> [N, C, (H*up + pads - h) // down + 1, ...].
    """
    N, C, H, W = x.shape
    if up > 1:
        x = F.pad(x[:, :, :, None, :, None], (0, up - 1, 0, 0, 0, up - 1)).reshape(N, C, H * up, W * up)
    x = F.pad(x, pad)
    kernel = (f * (gain ** (f.ndim / 2))).flip(tuple(range(f.ndim))).to(x.dtype)
    x = x.reshape(N * C, 1, *x.shape[2:])
    if kernel.ndim == 2:
        x = F.conv2d(x, kernel[None, None], stride=down)
    else:
        x = F.conv2d(x, kernel[None, None, None, :], stride=(1, down))
        x = F.conv2d(x, kernel[None, None, :, None], stride=(down, 1))
    return x.reshape(N, C, *x.shape[2:])


def upsample2d(x: Tensor, f: Tensor) -> Tensor:
    """x [N, C, H, W] -> [N, C, 2H, 2W], interpolated with the low-pass f."""
    n = f.shape[-1]
    before, after = (n + 1) // 2, (n - 2) // 2
    return upfirdn2d(x, f, up=2, pad=(before, after, before, after), gain=4)
