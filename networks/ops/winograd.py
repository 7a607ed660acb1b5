"""3x3 convolutions by Winograd's F(4x4, 3x3) (Lavin and Gray 2016): 36 products per 16 outputs instead of 144.

Style in, demodulation, noise, bias and activation out are part of the transforms, so a layer of StyleGAN2 is: one pass
that reads the map, 36 products of matrices, one pass that writes the next map. Exact but for rounding (2e-6 of the
range). The transformed weights take four times the room of the weights, so only large layers go this way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from networks.ops import packed
from networks.ops.threads import share_rows
from networks.ops.workspace import workspace

P, Q = 3 / 4, 3 / 2  # the points of the transforms are 0, +-P, +-Q and infinity: see `kernels`


def taps_transform(taps: int) -> Tensor:
    """G [6, taps] of F(7 - taps, taps), float64: row p is (1, p, p^2) / M'(p) with M = x (x^2 - P^2) (x^2 - Q^2)."""
    rows = [[point**k / slope for k in range(taps)] for point, slope in SLOPES]
    return torch.tensor([*rows, [0.0] * (taps - 1) + [1.0]], dtype=torch.float64)


SLOPES = [
    (0.0, P**2 * Q**2), *((sign * P, 2 * P**2 * (P**2 - Q**2)) for sign in (1, -1)),
    *((sign * Q, 2 * Q**2 * (Q**2 - P**2)) for sign in (1, -1)),
]  # fmt: skip
G = taps_transform(3)
POINTS = 36
TILE = 4  # outputs per tile and axis
LEAST_CHANNELS, LEAST_SIZE = 64, 32  # below, oneDNN's direct convolution is faster, or the room is not worth it
STRIP_FLOATS = 6 << 20  # transformed values in and out of one strip of tiles: they stay in the last cache


@dataclass(frozen=True)
class Finish:
    """What becomes of a sum v in channel c: clamp(lrelu(v * scale + bias + noise)); see `kernels.activate`."""

    scale: np.ndarray
    bias: np.ndarray
    noise: np.ndarray
    slope: np.float32
    clamp: np.float32


def unchanged(channels: int) -> Finish:
    """The sums as they are."""
    ones, none = np.ones(channels, np.float32), np.empty((0, 0), np.float32)
    return Finish(ones, np.zeros_like(ones), none, np.float32(1), np.float32(math.inf))


def large(weight: Tensor, height: int, width: int) -> bool:
    """Whether a convolution of this weight [O, I, k, k] over height x width outputs is faster this way."""
    enough = min(weight.shape[:2]) >= LEAST_CHANNELS and min(height, width) >= LEAST_SIZE
    return enough and weight.shape[2:] == (3, 3) and packed.available()


def pays(weight: Tensor, height: int, width: int) -> bool:
    """`large`, and the tiles cover the map without remainder."""
    return height % TILE == 0 and width % TILE == 0 and large(weight, height, width)


def tiles(outputs: int) -> int:
    """Tiles that cover so many outputs."""
    return -(-outputs // TILE)


def transformed(weight: Tensor, channels: int, rows: int, across: int) -> Tensor:
    """G g G^T of weight [O, I, 3, 3]: 36 matrices I -> channels (>= O), packed for rows x across tiles; kept beside it.

    Plain matrix products run at half the speed of oneDNN's convolutions on some processors, so the products are one
    1x1 convolution with a group for each point.
    """
    c_out, c_in = weight.shape[:2]

    def pack(weight: Tensor) -> Tensor:
        points = (G @ weight.double() @ G.t()).float().permute(2, 3, 0, 1).flatten(0, 1)  # [36 O I]
        points = F.pad(points, (0, 0, 0, channels - c_out)).reshape(POINTS * channels, c_in, 1, 1)
        inputs = [1, POINTS * c_in, rows, across]
        return torch.ops.mkldnn._reorder_convolution_weight(points, [0, 0], [1, 1], [1, 1], POINTS, inputs)

    matrices: Tensor = packed.kept(weight, "winograd", (channels, rows, across), pack)
    return matrices


def convolve(
    compiled: ModuleType, x: np.ndarray, out: np.ndarray, weight: Tensor, style: np.ndarray, finish: Finish, before: int
) -> None:
    """out [H', W'*O] <- finished convolution of x [H, W*I] * style [I] behind `before` rows and pixels of zeros.

    H' and W' are multiples of 4; where they reach behind x, zeros lie. finish may ask for more channels than weight
    [O, I, 3, 3] has.
    """
    c_out, c_in = len(finish.scale), weight.shape[1]
    down, across = out.shape[0] // TILE, out.shape[1] // (c_out * TILE)
    strip = max(1, min(down, STRIP_FLOATS // (POINTS * across * (c_in + c_out))))
    strip = -(-down // -(-down // strip))  # as many strips as before, but equal ones
    matrices = transformed(weight, c_out, strip, across)
    padded = workspace.take("padded", TILE * down + 2, (TILE * across + 2) * c_in).numpy()
    share_rows(partial(compiled.pad_and_scale, x, padded, style, before), len(padded))
    points = workspace.take("points", strip * across, POINTS * c_in)
    images = points.view(1, strip, across, POINTS * c_in).permute(0, 3, 1, 2)
    for start in range(0, down, strip):
        top = min(start, down - strip)  # the last strip may overlap: the weights are packed for one height
        share_rows(partial(compiled.tiles_in, padded, points.numpy(), c_in, across, top), strip)
        product = torch.ops.mkldnn._convolution_pointwise(
            images, matrices, None, [0, 0], [1, 1], [1, 1], POINTS, *packed.LINEAR
        )
        sums = product.permute(0, 2, 3, 1).reshape(strip * across, POINTS * c_out).numpy()
        share_rows(
            partial(
                compiled.tiles_out, sums, out, finish.scale, finish.bias, finish.noise, finish.slope, finish.clamp,
                across, top,
            ),
            strip,
        )  # fmt: skip
