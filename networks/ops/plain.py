"""The operations in torch alone, in as few passes as it allows; differentiable, any device, any precision."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from networks.filters import upfirdn2d
from networks.ops.resampling import Resampling

SQRT2 = math.sqrt(2.0)


def style_scales(weight: Tensor, style: Tensor, eps: float = 1e-8) -> Tensor:
    """Demodulation, Eq. 3 of Karras et al. 2020, without building the modulated weights.

    weight [O, I, k, k], style [N, I] -> 1 / sqrt(sum over I,k of (w s)^2 + eps), [N, O].
    """
    energy = weight.square().sum(dim=(2, 3))  # [O, I]
    return (style.square() @ energy.t() + eps).rsqrt()


def innermost(device: str, dtype: torch.dtype) -> bool:
    """Whether convolutions without gradients want channels innermost: on a CPU (10 to 20 % faster), and in fp16 on
    CUDA, where tensor cores read them so and cuDNN would turn planes for every call."""
    return device == "cpu" or (device == "cuda" and dtype == torch.float16)


def convolve(
    x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True, up: int = 1
) -> tuple[Tensor, Tensor | None]:
    """Modulated convolution but for its last step: (y [N, O, H', W'], scales [N, O, 1, 1] that y is still to take).

    Arguments as `modulated_conv2d`. Filters of channels and biases can be put between, or merged with the scaling.
    """
    if x.dtype == torch.float16 and demodulate:
        fan_in = weight[0].numel()
        weight = weight / (math.sqrt(fan_in) * weight.abs().amax(dim=(1, 2, 3), keepdim=True))
        style = style / style.abs().amax(dim=1, keepdim=True)
    scales = style_scales(weight, style)[:, :, None, None].to(x.dtype) if demodulate else None
    x = x * style[:, :, None, None].to(x.dtype)
    learning = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    if not learning and innermost(x.device.type, x.dtype):
        x = x.contiguous(memory_format=torch.channels_last)  # outputs inherit it, so it copies once
    weight = weight.to(x.dtype)
    if up == 2:
        return F.conv_transpose2d(x, weight.transpose(0, 1), stride=2), scales
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2), scales


def modulated_conv2d(x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True, up: int = 1) -> Tensor:
    """Modulated convolution (Karras et al. 2020, section 2.2), as scaling of activations: weights stay constant.

    x [N, I, H, W], weight [O, I, k, k], style [N, I] -> [N, O, H', W']. With up=2 the transposed convolution of
    stride 2 is returned, 2H+1 wide for k=3, which the caller low-passes. In half precision weight and style are
    normalized first, so that products stay in range; demodulation cancels it (appendix B of StyleGAN2-ADA).
    """
    y, scales = convolve(x, weight, style, demodulate=demodulate, up=up)
    return y if scales is None else y * scales


def activate(
    y: Tensor, scales: Tensor, bias: Tensor, noise: Tensor | None, gain: float = SQRT2, clamp: float | None = None
) -> Tensor:
    """gain * lrelu(y * scales + bias + noise), clamped to +-clamp; y itself is used up where gradients are off.

    y [N, C, H, W], scales [N, C, 1, 1], bias [C], noise broadcastable to y. The positive gain passes through the leaky
    ReLU, so it is multiplied into the small factors: four passes over the map instead of seven.
    """
    bias = (bias * gain).to(y.dtype)[:, None, None]
    noise = None if noise is None else (noise * gain).to(y.dtype)
    if torch.is_grad_enabled():
        y = torch.addcmul(bias, y, scales * gain)
        y = F.leaky_relu(y if noise is None else y + noise, 0.2)
        return y if clamp is None else y.clamp(-clamp, clamp)
    torch.addcmul(bias, y, scales * gain, out=y)
    if noise is not None:
        y.add_(noise)
    F.leaky_relu_(y, 0.2)
    return y if clamp is None else y.clamp_(-clamp, clamp)


def modulated_conv2d_full(
    x: Tensor, weight: Tensor, style: Tensor, bias: Tensor, input_gain: Tensor | float, demodulate: bool
) -> Tensor:
    """Modulated convolution over the whole plane: x [N, I, H, W] -> [N, O, H+k-1, W+k-1], bias added.

    weight [O, I, k, k], style [N, I], bias [O]; input_gain brings x to unit variance (Karras et al. 2021, appendix B).
    Weights and styles are normalized first, so that products stay in the range of fp16; demodulation cancels it.
    What is smaller gets scaled: the weights of each sample, or its activations before and after.
    """
    pad = weight.shape[-1] - 1
    style = style * style.square().mean(dim=1, keepdim=True).rsqrt() if demodulate else style
    if x.device.type == "cpu" and x.dtype == torch.float32 and weight.numel() > x[0].numel():
        y = F.conv2d(x * (style * input_gain)[:, :, None, None], weight, padding=pad)
        if not demodulate:
            return y + bias[:, None, None]
        energy = weight.square().sum(dim=(2, 3))  # [O I]
        unit = energy.sum(dim=1) / weight[0].numel()  # [O], what the weights' normalization would divide by
        scale = (style.square() @ energy.t() + 1e-8 * unit).rsqrt()  # [N O]
        return torch.addcmul(bias[:, None, None], y, scale[:, :, None, None])
    if demodulate:
        weight = weight * weight.square().mean(dim=(1, 2, 3), keepdim=True).rsqrt()
    w = weight[None] * style[:, None, :, None, None]  # [N O I k k]
    if demodulate:
        w = w * (w.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    w, bias = (w * input_gain).to(x.dtype), bias.to(x.dtype)
    if len(x) == 1:
        return F.conv2d(x, w[0], bias, padding=pad)
    return torch.cat([F.conv2d(x[n : n + 1], w[n], bias, padding=pad) for n in range(len(x))])


def demodulated_as(
    measured: Tensor, x: Tensor, weight: Tensor, style: Tensor, bias: Tensor, input_gain: Tensor | float
) -> Tensor:
    """`modulated_conv2d_full` in fp32, with the demodulation of another weight, `measured` [O, I, k, k]."""
    style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
    y = F.conv2d(x * (style * input_gain)[:, :, None, None], weight, padding=weight.shape[-1] - 1)
    return torch.addcmul(bias[:, None, None], y, style_scales(measured, style)[:, :, None, None])


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
    """See `networks.ops.styled_conv2d`."""
    y, scales = convolve(x, weight, style, up=1 if fir is None else 2)
    assert scales is not None
    if fir is not None:
        y = upfirdn2d(y, fir, pad=fir_padding(fir), gain=4)
    return activate(y, scales, bias, noise, gain, clamp)


def fir_padding(fir: Tensor) -> tuple[int, int, int, int]:
    """Padding that takes the 2H+1 samples of a transposed convolution to 2H."""
    before, after = (fir.shape[0] - 1) // 2, (fir.shape[0] - 2) // 2
    return before, after, before, after


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """See `networks.ops.filtered_lrelu`."""
    x = upfirdn2d(x, up_filter, up=how.up, pad=how.padding, gain=how.up**2)
    x = F.leaky_relu(x, how.slope) * how.gain
    if how.clamp is not None:
        x = x.clamp(-how.clamp, how.clamp)
    return upfirdn2d(x, down_filter, down=how.down)
