"""Weights in the order that oneDNN's convolutions want, kept beside the weights: plain calls re-order them each time.

Re-ordering costs as much as the convolution itself where the maps are small and the weights large (4x4 to 32x32 pixels
of 512 channels: half the time). Same bits as without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_kept = WeakTensorKeyDictionary()  # weight -> what it was packed as -> (its version, for which shape, packed)
LINEAR: tuple[Any, ...] = ("none", [], "")  # no activation


def available() -> bool:
    """Whether this torch convolves with weights that were packed before."""
    return hasattr(torch.ops.mkldnn, "_convolution_pointwise") and bool(torch.backends.mkldnn.enabled)


def kept(weight: Tensor, name: str, purpose: tuple[Any, ...], make: Callable[[Tensor], Any]) -> Any:
    """make(weight), remembered as long as the weight lives and is not changed in place; one purpose of each name."""
    version = 0 if weight.is_inference() else weight._version
    entries: dict[str, tuple[int, tuple[Any, ...], Any]] | None = _kept.get(weight)  # type: ignore[no-untyped-call]
    if entries is None:
        entries = _kept[weight] = {}
    found = entries.get(name)
    if found is None or found[:2] != (version, purpose):
        found = entries[name] = version, purpose, make(weight.detach())
    return found[2]


def convolve(x: Tensor, weight: Tensor, pad: int | None = None, channels: int | None = None) -> Tensor:
    """F.conv2d(x, weight, padding=pad) for x [1, I, H, W], weight [O, I, k, k]; pad None: k // 2.

    channels: how many there shall be in the end, at least O; the others are 0. Multiples of 16 are fast.
    """
    pads, shape = [weight.shape[-1] // 2 if pad is None else pad] * 2, list(x.shape)
    more = 0 if channels is None else channels - weight.shape[0]

    def pack(weight: Tensor) -> Tensor:
        weight = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, more)) if more else weight
        return torch.ops.mkldnn._reorder_convolution_weight(weight, pads, [1, 1], [1, 1], 1, shape)

    ready = kept(weight, "convolution", (*shape, *pads, more), pack)
    return torch.ops.mkldnn._convolution_pointwise(x, ready, None, pads, [1, 1], [1, 1], 1, *LINEAR)


def convolve_transposed(x: Tensor, weight: Tensor) -> Tensor:
    """F.conv_transpose2d(x, weight.transpose(0, 1), stride=2) for x [1, I, H, W], weight [O, I, k, k]."""
    shape = list(x.shape)

    def pack(weight: Tensor) -> Tensor:
        turned = weight.transpose(0, 1).contiguous()
        return torch.ops.mkldnn._reorder_convolution_transpose_weight(turned, [0, 0], [0, 0], [2, 2], [1, 1], 1, shape)

    ready = kept(weight, "transposed", tuple(shape), pack)
    return torch.ops.mkldnn._convolution_transpose_pointwise(x, ready, None, [0, 0], [0, 0], [2, 2], [1, 1], 1, *LINEAR)
