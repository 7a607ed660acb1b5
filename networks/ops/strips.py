"""Filtered leaky ReLU: up-sample, low-pass, activate, low-pass, decimate (Karras et al. 2021, section 3.2, Fig. 4b).

The activation runs at a higher sampling rate, so that the frequencies it adds can be removed again. On a CPU every
FIR pass is a product with a banded Toeplitz matrix, a strip of rows and a few channels at a time: the up-sampled
tile, 4 to 16 times as large as the map, is written and read within the cache and never stored as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from networks.ops.resampling import Padding, Resampling
from networks.ops.threads import each
from networks.ops.workspace import workspace

# Measured on a Zen CPU with 1 MB of L2 per core; half and double cost 5 to 25 per cent.
ROW_BLOCK = 32  # output rows of a strip
COLUMN_BLOCK = 16  # output columns of one matrix product
LEAST_JOBS = 4  # that the channels of a picture are divided into
TILE_FLOATS = 192 * 1024  # up-sampled values that a thread holds at a time


@dataclass(frozen=True)
class Band:
    """Output samples [out0, out1) as a product of input samples [in0, in1) with `matrix` [out, in]."""

    out0: int
    out1: int
    in0: int
    in1: int
    matrix: Tensor


def band(taps: Tensor, up: int, down: int, pad: int, size: int, out0: int, out1: int) -> Band:
    """The rows out0..out1 of one up-FIR-down pass over `size` samples, as a matrix that touches only its inputs.

    out[t] = sum_k taps[n-1-k] z[t down + k], where z holds `pad` zeros, then the input with up-1 zeros after each.
    """
    n = taps.shape[0]
    in0 = max(0, -((pad - out0 * down) // up))
    in1 = min(size, ((out1 - 1) * down + n - 1 - pad) // up + 1)
    t, i = torch.arange(out0, out1), torch.arange(in0, max(in0, in1))
    k = pad + up * i[None, :] - down * t[:, None]
    inside = (k >= 0) & (k < n)
    matrix = torch.where(inside, taps.flip(0)[k.clamp(0, n - 1)], taps.new_zeros(()))
    return Band(out0, out1, in0, max(in0, in1), matrix)


@dataclass(frozen=True)
class Strip:
    """One strip: `expand` takes input rows to up-sampled rows, `reduce` those to output rows (None: radial filter)."""

    expand: Band
    reduce: Band | None
    out0: int
    out1: int


@dataclass(frozen=True)
class Plan:
    """Everything about a filtered lrelu but the values: strips of rows (`tallest` is up-sampled), bands of columns."""

    strips: tuple[Strip, ...]
    expand: tuple[Band, ...]
    reduce: tuple[Band, ...]
    tallest: int
    up_width: int
    out_size: tuple[int, int]


@lru_cache(maxsize=128)
def make_plan(
    up_taps: tuple[float, ...],
    down_taps: tuple[float, ...] | int,
    size: tuple[int, int],
    up: int,
    down: int,
    padding: Padding,
    gain: float,
) -> Plan:
    """Plan for maps of `size` (H, W). down_taps: the separable taps, or their number where the filter is radial.

    Each of the two up-sampling passes carries its factor `up`; the activation's gain, which a leaky ReLU lets pass,
    goes into the first.
    """
    f = torch.tensor(up_taps, dtype=torch.float64) * up
    g = None if isinstance(down_taps, int) else torch.tensor(down_taps)
    m = down_taps if isinstance(down_taps, int) else len(down_taps)
    left, right, top, bottom = padding
    up_size = (size[0] * up + top + bottom - f.shape[0] + 1, size[1] * up + left + right - f.shape[0] + 1)
    out_size = ((up_size[0] - m) // down + 1, (up_size[1] - m) // down + 1)

    strips = []
    for out0 in range(0, out_size[0], ROW_BLOCK):
        out1 = min(out0 + ROW_BLOCK, out_size[0])
        rows = (out0 * down, (out1 - 1) * down + m)
        expand = band((f * gain).float(), up, 1, top, size[0], *rows)
        reduce = None if g is None else band(g, 1, down, 0, rows[1] - rows[0], 0, out1 - out0)
        strips.append(Strip(expand, reduce, out0, out1))
    used = (out_size[1] - 1) * down + m
    return Plan(
        strips=tuple(strips),
        expand=tuple(
            band(f.float(), up, 1, left, size[1], start, min(start + 2 * COLUMN_BLOCK, used))
            for start in range(0, used, 2 * COLUMN_BLOCK)
        ),
        reduce=()
        if g is None
        else tuple(
            band(g, 1, down, 0, used, start, min(start + COLUMN_BLOCK, out_size[1]))
            for start in range(0, out_size[1], COLUMN_BLOCK)
        ),
        tallest=max(strip.expand.out1 - strip.expand.out0 for strip in strips),
        up_width=used,
        out_size=out_size,
    )


def filtered_lrelu(x: Tensor, up_filter: Tensor, down_filter: Tensor, how: Resampling) -> Tensor:
    """See `networks.ops.filtered_lrelu`; fp32 on a CPU, without gradients."""
    N, C, H, W = x.shape
    taps = down_filter.shape[0] if down_filter.ndim == 2 else tuple(down_filter.tolist())
    # Buffers outlive the call, so they must not be tensors of an inference mode that may end before the next one.
    with torch.inference_mode(False), torch.no_grad():
        plan = make_plan(tuple(up_filter.tolist()), taps, (H, W), how.up, how.down, how.padding, how.gain)
        out = torch.empty(N, C, *plan.out_size)
        # By sizes alone: neither threads nor neighbours in the batch may change the rounding of a picture.
        chunk = max(1, min(-(-C // LEAST_JOBS), TILE_FLOATS // (plan.tallest * plan.up_width)))
        samples = zip(x.detach(), out, strict=True)
        jobs = [job for pair in samples for job in zip(*(torch.split(planes, chunk) for planes in pair), strict=True)]
        work = partial(_planes, plan=plan, down_filter=down_filter, how=how)
        each(work, jobs)
    return out


@torch.no_grad()
def _planes(job: tuple[Tensor, Tensor], plan: Plan, down_filter: Tensor, how: Resampling) -> None:
    """A few planes [n, H, W] -> their filtered activations, written into the second tensor [n, H', W']."""
    part, target = job
    for strip in plan.strips:
        tile = _activated(part, strip.expand, plan, how)
        if strip.reduce is None:
            kernel = down_filter.flip(0, 1)[None, None].expand(part.shape[0], 1, -1, -1)
            rows = F.conv2d(tile[None], kernel, stride=how.down, groups=part.shape[0])[0]
            target[:, strip.out0 : strip.out1] = rows
        else:
            _reduce(tile, strip, plan, target)


def _activated(part: Tensor, rows: Band, plan: Plan, how: Resampling) -> Tensor:
    """part [n, H, W] -> the activated up-sampled rows of one strip, [n, rows, up_width], in the workspace."""
    n, _, W = part.shape
    tall = workspace.take("tall", n, rows.out1 - rows.out0, W)
    torch.bmm(rows.matrix.expand(n, -1, -1), part[:, rows.in0 : rows.in1], out=tall)
    flat = tall.view(-1, W)
    tile = workspace.take("tile", flat.shape[0], plan.up_width)
    for columns in plan.expand:
        torch.mm(flat[:, columns.in0 : columns.in1], columns.matrix.t(), out=tile[:, columns.out0 : columns.out1])
    F.leaky_relu_(tile, how.slope)
    if how.clamp is not None:
        tile.clamp_(-how.clamp, how.clamp)
    return tile.view(n, -1, plan.up_width)


def _reduce(tile: Tensor, strip: Strip, plan: Plan, target: Tensor) -> None:
    """tile [n, rows, up_width] -> its output rows, written into target [n, H', W']."""
    assert strip.reduce is not None
    n, rows, _ = tile.shape
    narrow = workspace.take("narrow", n, rows, plan.out_size[1])
    flat, source = narrow.view(n * rows, -1), tile.view(n * rows, -1)
    for columns in plan.reduce:
        torch.mm(source[:, columns.in0 : columns.in1], columns.matrix.t(), out=flat[:, columns.out0 : columns.out1])
    done = workspace.take("done", n, strip.out1 - strip.out0, plan.out_size[1])
    torch.bmm(strip.reduce.matrix.expand(n, -1, -1), narrow, out=done)
    target[:, strip.out0 : strip.out1] = done
