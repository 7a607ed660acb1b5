"""FIR filters on feature maps: zero insertion, padding, filtering, decimation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

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
    on_cpu = x.device.type == "cpu"
    if on_cpu and x.requires_grad and torch.is_grad_enabled():
        taps = separated(tuple(map(tuple, f.tolist())) if f.ndim == 2 else tuple(f.tolist()))
        if taps is not None:
            return _by_matrices(x, taps, up, down, pad, gain)
    if up > 1:
        x = F.pad(x[:, :, :, None, :, None], (0, up - 1, 0, 0, 0, up - 1)).reshape(N, C, H * up, W * up)
    x = F.pad(x, pad)
    kernel = (f * (gain ** (f.ndim / 2))).flip(tuple(range(f.ndim))).to(x.dtype)
    if kernel.ndim == 2 and on_cpu:  # one-channel convolutions take 5 to 30 times as long: 1500 ms at 1024x1024
        return F.conv2d(x, kernel.expand(C, 1, -1, -1), stride=down, groups=C)
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


@lru_cache(maxsize=64)
def separated(
    taps: tuple[float, ...] | tuple[tuple[float, ...], ...],
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The taps down and across whose outer product a filter is; None where there are none (radial filters)."""
    f = torch.tensor(taps)
    if f.ndim == 1:
        row = tuple(f.tolist())
        return row, row
    down, across = f.sum(dim=1) / f.sum(), f.sum(dim=0)
    if not torch.allclose(torch.outer(down, across), f, rtol=1e-5, atol=1e-7):
        return None
    return tuple(down.tolist()), tuple(across.tolist())


@lru_cache(maxsize=256)
def fir_matrix(taps: tuple[float, ...], size: int, up: int, down: int, before: int, after: int) -> Tensor:
    """One axis of `upfirdn2d` as a matrix [out, size]."""
    n = len(taps)
    count = (size * up + before + after - n) // down + 1
    k = torch.arange(size) * up + before - torch.arange(count)[:, None] * down
    weights = torch.tensor(taps).flip(0)[k.clamp(0, n - 1)]
    return torch.where((k >= 0) & (k < n), weights, torch.zeros(()))


def _by_matrices(
    x: Tensor,
    taps: tuple[tuple[float, ...], tuple[float, ...]],
    up: int,
    down: int,
    pad: tuple[int, int, int, int],
    gain: float,
) -> Tensor:
    """`upfirdn2d` for training on a CPU: the backward pass of one-channel convolutions is 5 to 10 times slower."""
    rows = fir_matrix(taps[0], x.shape[2], up, down, *pad[2:]) * gain
    columns = fir_matrix(taps[1], x.shape[3], up, down, *pad[:2])
    return rows.to(x.dtype) @ (x @ columns.to(x.dtype).t())
