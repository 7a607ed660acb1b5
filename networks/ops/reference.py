"""The textbook formulation of the operations, as the papers write them: the yardstick for speed, a judge for values.

Weights are modulated for each picture and convolved in groups; FIR filters insert zeros and convolve in two
dimensions, one channel per group; every step writes its result to memory. Differentiable, any device, any precision.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from networks.ops.resampling import Padding, Resampling


def upfirdn2d(
    x: Tensor, f: Tensor, up: int = 1, down: int = 1, pad: Padding = (0, 0, 0, 0), gain: float = 1.0
) -> Tensor:
    """x [N, C, H, W], f [h, w] or [n] (separable) -> [N, C, H', W']; see `networks.filters.upfirdn2d`."""
    N, C, H, W = x.shape
    x = x.reshape(N, C, H, 1, W, 1)
    x = F.pad(x, (0, up - 1, 0, 0, 0, up - 1)).reshape(N, C, H * up, W * up)
    x = F.pad(x, pad)
    f = (f * gain ** (f.ndim / 2)).to(x.dtype).flip(list(range(f.ndim)))
    if f.ndim == 2:
        x = F.conv2d(x, f.expand(C, 1, -1, -1), groups=C)
    else:
        x = F.conv2d(x, f[None, :].expand(C, 1, -1, -1), groups=C)
        x = F.conv2d(x, f[:, None].expand(C, 1, -1, -1), groups=C)
    return x[:, :, ::down, ::down]


def styled_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None,
    fir: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    """See `networks.ops.styled_conv2d`: modulate, demodulate (Karras et al. 2020, Eq. 1 and 3), convolve, activate."""
    N, c_in, H, W = x.shape
    c_out, k = weight.shape[0], weight.shape[2]
    if x.dtype == torch.float16:
        weight = weight / (math.sqrt(c_in * k * k) * weight.abs().amax(dim=(1, 2, 3), keepdim=True))
        style = style / style.abs().amax(dim=1, keepdim=True)
    w = weight[None] * style[:, None, :, None, None]  # [N O I k k]
    w = w * (w.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    w = w.to(x.dtype)
    x = x.reshape(1, N * c_in, H, W)
    if fir is None:
        x = F.conv2d(x, w.reshape(N * c_out, c_in, k, k), padding=k // 2, groups=N)
    else:
        x = F.conv_transpose2d(x, w.transpose(1, 2).reshape(N * c_in, c_out, k, k), stride=2, groups=N)
        before, after = (len(fir) - 1) // 2, (len(fir) - 2) // 2
        x = upfirdn2d(x, fir, pad=(before, after, before, after), gain=4)
    x = x.reshape(N, c_out, *x.shape[2:])
    if noise is not None:
        x = x + noise.to(x.dtype)
    x = F.leaky_relu(x + bias[None, :, None, None].to(x.dtype), 0.2) * gain
    return x if clamp is None else x.clamp(-clamp, clamp)


def modulated_conv2d_full(
    x: Tensor, weight: Tensor, style: Tensor, bias: Tensor, input_gain: Tensor | float, demodulate: bool
) -> Tensor:
    """See `networks.ops.modulated_conv2d_full`."""
    N, c_in, H, W = x.shape
    c_out, k = weight.shape[0], weight.shape[2]
    if demodulate:
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
    w = weight[None] * style[:, None, :, None, None]
    if demodulate:
        w = w * (w.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    w = (w * input_gain).to(x.dtype)
    x = F.conv2d(x.reshape(1, N * c_in, H, W), w.reshape(N * c_out, c_in, k, k), padding=k - 1, groups=N)
    return x.reshape(N, c_out, *x.shape[2:]) + bias[None, :, None, None].to(x.dtype)


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """See `networks.ops.filtered_lrelu` (Karras et al. 2021, section 3.2): every stage stored at full size."""
    x = upfirdn2d(x, up_filter, up=how.up, pad=how.padding, gain=how.up**2)
    x = F.leaky_relu(x, how.slope) * how.gain
    if how.clamp is not None:
        x = x.clamp(-how.clamp, how.clamp)
    return upfirdn2d(x, down_filter, down=how.down)
