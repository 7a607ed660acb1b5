"""Transposed 3x3 convolutions of stride 2 by Winograd's F(5, 2): 121 products for each 5x5 inputs instead of 225.

Along one axis an even output is a convolution of two taps, which F(5, 2) makes of six products for five outputs
instead of ten; an odd one is one tap, as it was. So of the four kinds of outputs (even or odd row, even or odd column)
one takes 36 products for 25 outputs, two take 30, the last 25. Exact but for rounding, as `winograd`; the transformed
weights take 5.4 times the room of the weights, so only large layers go this way.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from networks.ops import packed
from networks.ops.threads import share_rows
from networks.ops.winograd import LEAST_CHANNELS, STRIP_FLOATS, taps_transform
from networks.ops.workspace import workspace

G = taps_transform(2)
TILE = 5  # inputs per tile and axis
LEAST_SIZE, LARGE_SIZE = 32, 128  # below the first, oneDNN's is faster; from the second on, with few channels as well
LEAST_PRODUCTS = 256 * 128  # channels in times channels out, below LARGE_SIZE
FLOATS = 36 + 12 * TILE  # transformed values of a tile and channel, but for the pixels themselves


class Matrices(NamedTuple):
    """The transformed weights, packed: 36 for even rows and columns, 6 + 6 for even and odd ones, 1 for odd and odd."""

    even: Tensor
    mixed: Tensor
    odd: Tensor


def pays(weight: Tensor, height: int, width: int) -> bool:
    """Whether this is faster for a weight [O, I, k, k] and height x width inputs."""
    size, channels = min(height, width), weight.shape[:2]
    enough = min(channels) >= LEAST_CHANNELS and (size >= LARGE_SIZE or channels[0] * channels[1] >= LEAST_PRODUCTS)
    return enough and size >= LEAST_SIZE and weight.shape[2:] == (3, 3) and packed.available()


def transformed(weight: Tensor, strip: int, across: int) -> Matrices:
    """The matrices of weight [O, I, 3, 3], packed for strips of so many tile rows and columns; kept beside it."""
    c_in, tiles = weight.shape[1], strip * across

    def pack(weight: Tensor) -> Matrices:
        taps = weight.double().permute(2, 3, 0, 1)  # [3 3 O I]
        outer = torch.tensor([2, 0])  # an even output 2q sees the inputs q-1 and q through these taps
        even = torch.einsum("ai,bj,ijoc->aboc", G, G, taps[outer][:, outer])
        mixed = torch.cat([torch.einsum("ai,ioc->aoc", G, part) for part in (taps[outer, 1], taps[1, outer])])
        return Matrices(
            _pack(even.flatten(0, 1), (1, 36 * c_in, strip, across)),
            _pack(mixed, (1, 12 * c_in, tiles, TILE)),
            _pack(taps[1, 1][None], (1, c_in, TILE * strip, TILE * across + 1)),
        )

    matrices: Matrices = packed.kept(weight, "winograd-up", (strip, across), pack)
    return matrices


def _pack(matrices: Tensor, inputs: tuple[int, ...]) -> Tensor:
    """matrices [G, O, I] -> a 1x1 convolution with a group for each."""
    weight = matrices.float().flatten(0, 1)[:, :, None, None].contiguous()
    return torch.ops.mkldnn._reorder_convolution_weight(weight, [0, 0], [1, 1], [1, 1], len(matrices), list(inputs))


def convolve_transposed(
    compiled: ModuleType, up: ModuleType, x: np.ndarray, weight: Tensor, style: np.ndarray
) -> np.ndarray:
    """x [H, W*I] * style [I], F.conv_transpose2d of stride 2 with weight [O, I, 3, 3] -> the first 2H+1 rows and
    (2W+1)*O columns of the result, which is a buffer of this thread: it lasts until the next call."""
    c_out, c_in = weight.shape[:2]
    down, across = -(-(len(x) + 1) // TILE), -(-(x.shape[1] // c_in + 1) // TILE)
    strip = max(1, min(down, STRIP_FLOATS // (FLOATS * across * (c_in + c_out))))
    strip = -(-down // -(-down // strip))
    matrices = transformed(weight, strip, across)
    padded = workspace.take("padded", TILE * down + 1, (TILE * across + 1) * c_in)
    share_rows(partial(compiled.pad_and_scale, x, padded.numpy(), style, 1), len(padded))
    out = workspace.take("transposed", 2 * TILE * down, 2 * TILE * across * c_out).numpy()
    even, mixed = (
        workspace.take(name, strip * across * pixels, groups * c_in)
        for name, pixels, groups in (("even", 1, 36), ("mixed", TILE, 12))
    )
    for start in range(0, down, strip):
        top = min(start, down - strip)  # the last strip may overlap: the weights are packed for one height
        share_rows(partial(up.tiles_in, padded.numpy(), even.numpy(), mixed.numpy(), c_in, across, top), strip)
        pixels = padded[TILE * top + 1 : TILE * (top + strip) + 1].view(TILE * strip, -1, c_in)
        sums = (
            _product(even.view(strip, across, -1), matrices.even, 36),
            _product(mixed.view(strip * across, TILE, -1), matrices.mixed, 12),
            _product(pixels, matrices.odd, 1),
        )
        views = (
            y.view(rows, -1).numpy() for y, rows in zip(sums, (strip * across, len(mixed), len(pixels)), strict=True)
        )
        share_rows(partial(up.tiles_out, *views, out, c_out, across, top), strip)
    return out


def _product(x: Tensor, matrices: Tensor, groups: int) -> Tensor:
    """x [h, w, G*I] -> [h, w, G*O]."""
    images = x[None].permute(0, 3, 1, 2)
    y = torch.ops.mkldnn._convolution_pointwise(images, matrices, None, [0, 0], [1, 1], [1, 1], groups, *packed.LINEAR)
    return y.permute(0, 2, 3, 1)[0]
