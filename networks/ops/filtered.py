"""A layer of StyleGAN3 for fp32 on a CPU without gradients: a convolution, then one compiled pass over the result.

Demodulation and bias are taken along as the pass reads the map. Without compiled kernels, and where filters have other
lengths than the papers' 6 taps per phase up and 12 down, `plain` convolves and `strips` filters.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from networks.ops import compiled, packed, plain, strips, winograd
from networks.ops.resampling import Padding, Resampling
from networks.ops.threads import share_rows
from networks.ops.workspace import workspace

LANES = 16  # channels that the compiled pass takes at a time
UP_TAPS, DOWN_TAPS, DOWN = 6, 12, 2  # what it is written for: taps of each phase up, taps down, decimation


class Conv(NamedTuple):
    """The sums of a convolution before demodulation: `rows` pixels lie `pitch` floats apart; size (H, W) counts."""

    rows: np.ndarray
    size: tuple[int, int]
    pitch: int


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
    """See `networks.ops.filtered_conv2d`."""
    kernels, filters = compiled.kernels(), compiled.filter_kernels()
    if kernels is None or filters is None or not (fits(up_filter, down_filter, how) and packed.available()):
        if measured is None:
            y = plain.modulated_conv2d_full(x, weight, style, bias, input_gain, demodulate=True)
        else:
            y = plain.demodulated_as(measured, x, weight, style, bias, input_gain)
        return strips.filtered_lrelu(y, up_filter, down_filter, how)
    style = style * style.square().mean(dim=1, keepdim=True).rsqrt()
    source = x.permute(0, 2, 3, 1).contiguous()
    down = np.ascontiguousarray(np.flip(np.atleast_2d(down_filter.numpy())))
    plan = make_plan(tuple(up_filter.tolist()), how.up, how.padding, how.gain)
    judge = weight if measured is None else measured
    done = []
    for n in range(len(x)):
        conv = _convolution(kernels, source[n], weight, style[n] * input_gain)
        done.append(_filter(filters, conv, _demodulation(judge, style[n]), bias.numpy(), down, plan, how))
    return torch.stack(done).permute(0, 3, 1, 2) if len(done) > 1 else done[0][None].permute(0, 3, 1, 2)


def fits(up_filter: Tensor, down_filter: Tensor, how: Resampling) -> bool:
    """Whether the compiled pass knows filters of these lengths."""
    lengths = len(up_filter) == UP_TAPS * how.up and len(down_filter) == DOWN_TAPS
    return lengths and how.up in (2, 4) and how.down == DOWN and 0 <= how.slope <= 1


def _demodulation(weight: Tensor, style: Tensor) -> np.ndarray:
    """weight [O, I, k, k], style [I] -> [O], as if weights had been normalized before (`plain`)."""

    def sums(weight: Tensor) -> tuple[Tensor, Tensor]:
        energy = weight.square().sum(dim=(2, 3))  # [O I]
        return energy, energy.sum(dim=1) / weight[0].numel()  # [O], what the normalization would divide by

    energy, unit = packed.kept(weight, "energy", (), sums)
    scales: np.ndarray = (energy @ style.square() + 1e-8 * unit).rsqrt().numpy()
    return scales


def _convolution(kernels: ModuleType, x: Tensor, weight: Tensor, style: Tensor) -> Conv:
    """x [H, W, I] * style [I] with weight [O, I, k, k] over the whole plane."""
    c_out, _, k, _ = weight.shape
    size = (x.shape[0] + k - 1, x.shape[1] + k - 1)
    pitch = -(-c_out // LANES) * LANES
    if winograd.large(weight, *size):
        height, width = (winograd.TILE * winograd.tiles(side) for side in size)
        out = workspace.take("convolved", height, width * pitch).numpy()
        finish = winograd.unchanged(pitch)
        winograd.convolve(kernels, x.flatten(1).numpy(), out, weight, style.numpy(), finish, before=k - 1)
        return Conv(out, size, pitch)
    y = packed.convolve((x * style).permute(2, 0, 1)[None], weight, pad=k - 1, channels=pitch)
    return Conv(y[0].permute(1, 2, 0).flatten(1).numpy(), size, pitch)


class Plan(NamedTuple):
    """The up-FIR in phases, and where it begins; see `filter_kernels.filtered_lrelu`."""

    phases: np.ndarray  # [2 up, 6]
    first: tuple[int, int]  # x, y
    skip: tuple[int, int]


@lru_cache(maxsize=128)
def make_plan(taps: tuple[float, ...], up: int, padding: Padding, gain: float) -> Plan:
    """Sort the taps of an up-FIR by the phases of its output; the activation's gain goes into the first of two passes.

    Output t sees the inputs i with 0 <= pad + up i - t < n through taps[n-1 - (pad + up i - t)]. So the outputs
    pad + up q - (up-1) .. pad + up q see the same six inputs q .. q+5.
    """
    turned = torch.tensor(taps, dtype=torch.float64).flip(0) * up
    phases = torch.stack([turned[up - 1 - p :: up] for p in range(up)])
    left, _, top, _ = padding
    first = (-(left // up), -(top // up))
    skip = (up - 1 - left - up * first[0], up - 1 - top - up * first[1])
    return Plan(torch.cat([phases * gain, phases]).float().numpy(), first, skip)


def _filter(
    filters: ModuleType, y: Conv, scale: np.ndarray, bias: np.ndarray, down: np.ndarray, plan: Plan, how: Resampling
) -> Tensor:
    """One picture's filtered leaky ReLU, [H', W', C]; the threads share its channels."""
    left, right, top, bottom = how.padding
    rows, columns = (
        ((side * how.up + margin - UP_TAPS * how.up + 1) - DOWN_TAPS) // DOWN + 1
        for side, margin in zip(y.size, (top + bottom, left + right), strict=True)
    )
    out = torch.empty(rows, columns, len(bias))
    clamp = np.float32(math.inf if how.clamp is None else how.clamp)
    work = partial(
        filters.filtered_lrelu, y.rows, *y.size, y.pitch, out.flatten(1).numpy(), scale, bias, plan.phases, down,
        *plan.first, *plan.skip, np.float32(how.slope), clamp,
    )  # fmt: skip
    share_rows(work, -(-len(bias) // LANES))
    return out
