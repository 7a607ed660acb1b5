"""The operations that a picture's time goes into, behind one dispatch.

- `reference`: the textbook formulation (any device, differentiable): the yardstick and the judge.
- `plain`: the same values from fewer passes in torch alone: training, fp16, CUDA, MPS.
- `fused`: CUDA without gradients: cuDNN's convolutions, then one Triton kernel over the map.
- `cpu`: fp32 on a CPU without gradients: strips that stay in the cache, and compiled epilogues where numba is there.

Layers call the functions of this module; what computes them depends on the tensors and on `using`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch
from torch import Tensor

from networks.ops import compiled, cpu, filtered, fused, plain, proven, reference, strips
from networks.ops.resampling import Resampling as Resampling

Backend = Literal["reference", "plain", "cpu", "fused"]
BACKENDS: tuple[Backend, ...] = ("reference", "plain", "cpu")  # those that every machine has
_forced: ContextVar[Backend | None] = ContextVar("networks.ops.backend", default=None)


@contextmanager
def using(backend: Backend | None) -> Iterator[None]:
    """Compute by one backend within this block (benchmarks, parity tests); None: let the tensors decide.

    A forced 'cpu' counts for fp32 on a CPU without gradients only, a forced 'fused' where Triton runs and there are no
    gradients; all else falls to 'plain'.
    """
    token = _forced.set(backend)
    try:
        yield
    finally:
        _forced.reset(token)


def forced() -> Backend | None:
    """The backend that `using` asks for here; None: the tensors decide."""
    return _forced.get()


def chosen(x: Tensor, *learnt: Tensor) -> Backend:
    """Which backend computes on a tensor, with weights and styles that may be learnt."""
    forced = _forced.get()
    if forced in ("reference", "plain"):
        return forced
    differentiable = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *learnt))
    if forced == "fused" or (forced is None and x.is_cuda):
        return "plain" if differentiable or fused.why_not(x.device) else "fused"
    fits = x.device.type == "cpu" and x.dtype == torch.float32 and not differentiable
    return "cpu" if fits and not torch.is_autocast_enabled("cpu") else "plain"


def describe(device: torch.device) -> str:
    """What computes pictures on a device, in words for the user: the fast way, or why not."""
    if (asked := forced()) is not None:
        return f"{asked}, as asked"
    if device.type == "cuda":
        if missing := fused.why_not(device):
            return f"torch alone: {missing}"
        setbacks = proven.setbacks(device)
        return f"cuDNN, then Triton kernels; {setbacks}" if setbacks else "cuDNN, then Triton kernels"
    if device.type != "cpu":
        return "torch alone"
    if compiled.kernels() is not None:
        return "oneDNN, then compiled kernels"
    return f"torch alone: {compiled.why_not}" if compiled.why_not else "torch alone; kernels are loading"


def styled_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    noise: Tensor | None = None,
    fir: Tensor | None = None,
    gain: float = 1.0,
    clamp: float | None = None,
) -> Tensor:
    """A layer of StyleGAN2 (Karras et al. 2020, Fig. 2): clamp(gain lrelu(conv(x; demodulated weight) + noise + bias)).

    x [N, I, H, W], weight [O, I, k, k], style [N, I], bias [O], noise broadcastable to the output or None. fir None:
    the size stays. fir [n, n]: twice as high and wide, by a transposed convolution of stride 2 low-passed with fir.
    """
    backend = chosen(x)
    if backend == "cpu":
        return cpu.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
    if backend == "fused":
        return fused.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
    if backend == "plain":
        return plain.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)
    return reference.styled_conv2d(x, weight, style, bias, noise, fir, gain, clamp)


def modulated_conv2d_full(
    x: Tensor, weight: Tensor, style: Tensor, bias: Tensor, input_gain: Tensor | float = 1.0, *, demodulate: bool = True
) -> Tensor:
    """Modulated convolution over the whole plane (StyleGAN3): [N, I, H, W] -> [N, O, H+k-1, W+k-1], bias added.

    weight [O, I, k, k], style [N, I], bias [O]; input_gain brings x to unit variance (Karras et al. 2021, appendix B).
    """
    if chosen(x) == "reference":
        return reference.modulated_conv2d_full(x, weight, style, bias, input_gain, demodulate)
    return plain.modulated_conv2d_full(x, weight, style, bias, input_gain, demodulate)


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """Up-sample, low-pass, activate, low-pass, decimate (Karras et al. 2021, section 3.2, Fig. 4b).

    x [N, C, H, W] (bias included) -> [N, C, H', W']. up_filter [n], down_filter [m] (separable) or [m, m] (radial),
    both of unit sum.
    """
    backend = chosen(x)
    if backend == "cpu":
        return strips.filtered_lrelu(x, up_filter, down_filter, how)
    if backend == "fused":
        return fused.filtered_lrelu(x, up_filter, down_filter, how)
    if backend == "plain":
        return plain.filtered_lrelu(x, up_filter, down_filter, how)
    return reference.filtered_lrelu(x, up_filter, down_filter, how)


def filtered_conv2d(
    x: Tensor,
    weight: Tensor,
    style: Tensor,
    bias: Tensor,
    input_gain: Tensor | float,
    up_filter: Tensor,
    down_filter: Tensor,
    how: Resampling,
    measured: Tensor | None = None,
) -> Tensor:
    """A layer of StyleGAN3 (Karras et al. 2021, Fig. 4b): `filtered_lrelu` of `modulated_conv2d_full`, demodulated.

    measured [O, I, k, k]: the weight that demodulation measures instead of the one that is used (None: that one).
    """
    backend = chosen(x, weight, style, bias)
    if backend == "cpu":
        return filtered.filtered_conv2d(x, weight, style, bias, input_gain, up_filter, down_filter, how, measured)
    formulation = reference if backend == "reference" else plain
    if measured is None:
        y = formulation.modulated_conv2d_full(x, weight, style, bias, input_gain, True)
    else:
        y = plain.demodulated_as(measured, x, weight, style, bias, input_gain)
    if backend == "fused":
        return fused.filtered_lrelu(y, up_filter, down_filter, how)
    return formulation.filtered_lrelu(y, up_filter, down_filter, how)
