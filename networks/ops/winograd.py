"""3x3 convolutions by Winograd's F(4x4, 3x3) (Lavin and Gray 2016): 36 products per 16 outputs instead of 144.

Style in, demodulation, noise, bias and activation out are part of the transforms, so a layer of StyleGAN2 is: one pass
that reads the map, 36 products of matrices, one pass that writes the next map. Exact but for rounding (5e-6 of the
range). The transformed weights take four times the room of the weights, so only large layers go this way.
"""

from __future__ import annotations

from functools import partial
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from networks.ops import packed
from networks.ops.threads import share_rows
from networks.ops.workspace import workspace

# 1-D transform of the 3 taps for outputs 4 and points 0, +-1, +-2, infinity.
G = torch.tensor(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
     [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]], dtype=torch.float64,
)  # fmt: skip
POINTS = 36
TILE = 4  # outputs per tile and axis
LEAST_CHANNELS, LEAST_SIZE = 64, 32  # below, oneDNN's direct convolution is faster, or the room is not worth it
STRIP_FLOATS = 6 << 20  # transformed values in and out of one strip of tiles: they stay in the last cache


def pays(weight: Tensor, height: int, width: int) -> bool:
    """Whether a convolution of this weight [O, I, k, k] over height x width outputs is faster this way."""
    large = min(weight.shape[:2]) >= LEAST_CHANNELS and min(height, width) >= LEAST_SIZE
    return large and weight.shape[2:] == (3, 3) and height % TILE == 0 and width % TILE == 0 and packed.available()


def transformed(weight: Tensor, rows: int) -> tuple[Tensor, ...]:
    """G g G^T of weight [O, I, 3, 3]: 36 matrices I -> O, packed for products with `rows` rows; kept beside it.

    Plain matrix products run at half the speed of oneDNN's convolutions on some processors, so a product is a 1x1
    convolution.
    """
    c_out, c_in = weight.shape[:2]

    def pack(weight: Tensor) -> tuple[Tensor, ...]:
        points = (G @ weight.double() @ G.t()).float().permute(2, 3, 0, 1).reshape(POINTS, c_out, c_in, 1, 1)
        return tuple(
            torch.ops.mkldnn._reorder_convolution_weight(
                point.contiguous(memory_format=torch.channels_last), [0, 0], [1, 1], [1, 1], 1, [1, c_in, rows, 1]
            )
            for point in points
        )

    matrices: tuple[Tensor, ...] = packed.kept(weight, ("winograd", rows), pack)
    return matrices


def convolve(
    compiled: ModuleType,
    x: np.ndarray,
    out: np.ndarray,
    weight: Tensor,
    style: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    noise: np.ndarray,
    clamp: np.float32,
) -> None:
    """out [H, W*O] <- activated convolution of x [H, W*I] * style [I]; see `kernels.activate` for the rest."""
    c_out, c_in = weight.shape[:2]
    height, width = x.shape[0], x.shape[1] // c_in
    down, across = height // TILE, width // TILE
    strip = max(1, min(down, STRIP_FLOATS // (POINTS * across * (c_in + c_out))))
    while down % strip:  # equal strips: the weights are packed for one number of rows
        strip -= 1
    rows = strip * across
    matrices = transformed(weight, rows)
    padded = workspace.take("padded", height + 2, (width + 2) * c_in).numpy()
    share_rows(partial(compiled.pad_and_scale, x, padded, style), height + 2)
    before = workspace.take("before", POINTS, rows, c_in)
    after = workspace.take("after", POINTS, rows, c_out)
    source, target = before.numpy(), after.numpy()
    for top in range(0, down, strip):
        share_rows(partial(compiled.tiles_in, padded, source, c_in, across, top), strip)
        for point, matrix in enumerate(matrices):
            product = torch.ops.mkldnn._convolution_pointwise(
                before[point].t()[None, :, :, None], matrix, None, [0, 0], [1, 1], [1, 1], 1, *packed.LINEAR
            )
            after[point].copy_(product[0, :, :, 0].t())
        share_rows(partial(compiled.tiles_out, target, out, scale, bias, noise, clamp, across, top), strip)
