"""Weights in the order that oneDNN's convolutions want, kept beside the weights: plain calls re-order them each time.

Re-ordering costs as much as the convolution itself where the maps are small and the weights large (4x4 to 32x32 pixels
of 512 channels: half the time). Same bits as without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_kept = WeakTensorKeyDictionary()  # weight -> (its version, what it was packed for, packed)
LINEAR: tuple[Any, ...] = ("none", [], "")  # no activation


def available() -> bool:
    """Whether this torch convolves with weights that were packed before."""
    return hasattr(torch.ops.mkldnn, "_convolution_pointwise") and bool(torch.backends.mkldnn.enabled)


def kept(weight: Tensor, purpose: tuple[Any, ...], make: Callable[[Tensor], Any]) -> Any:
    """make(weight), remembered as long as the weight lives, is not changed in place, and serves the same purpose."""
    version = 0 if weight.is_inference() else weight._version
    found: tuple[int, tuple[Any, ...], Any] | None = _kept.get(weight)  # type: ignore[no-untyped-call]
    if found is None or found[:2] != (version, purpose):
        found = version, purpose, make(weight.detach())
        _kept[weight] = found
    return found[2]


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """F.conv2d(x, weight, padding=k // 2) for x [1, I, H, W], weight [O, I, k, k]."""
    pad, shape = [weight.shape[-1] // 2] * 2, list(x.shape)

    def pack(weight: Tensor) -> Tensor:
        return torch.ops.mkldnn._reorder_convolution_weight(weight, pad, [1, 1], [1, 1], 1, shape)

    ready = kept(weight, ("conv", *shape), pack)
    return torch.ops.mkldnn._convolution_pointwise(x, ready, None, pad, [1, 1], [1, 1], 1, *LINEAR)


def convolve_transposed(x: Tensor, weight: Tensor) -> Tensor:
    """F.conv_transpose2d(x, weight.transpose(0, 1), stride=2) for x [1, I, H, W], weight [O, I, k, k]."""
    shape = list(x.shape)

    def pack(weight: Tensor) -> Tensor:
        turned = weight.transpose(0, 1).contiguous()
        return torch.ops.mkldnn._reorder_convolution_transpose_weight(turned, [0, 0], [0, 0], [2, 2], [1, 1], 1, shape)

    ready = kept(weight, ("transposed", *shape), pack)
    return torch.ops.mkldnn._convolution_transpose_pointwise(x, ready, None, [0, 0], [0, 0], [2, 2], [1, 1], 1, *LINEAR)
