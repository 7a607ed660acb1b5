"""Triton kernels: what a layer does to a map after its convolution, in one pass over memory.

Imported only where they run.

The filters of a filtered leaky ReLU are products with banded matrices whose entries are the taps, so that each tile is
up-sampled, activated and down-sampled without leaving the chip, and tensor cores do the sums. Sums are in fp32.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def epilogue(
    y, out, scale, bias, noise, C, HW, noise_step, slope, gain, bound, total,
    LAST: tl.constexpr, NOISY: tl.constexpr, BOUNDED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """out = clamp(gain lrelu(y scale[n, c] + bias[c] + noise[n, p])) of y [N, C, H, W], or [N, H, W, C] (LAST)."""
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < total
    if LAST:
        c, p, n = i % C, i // C % HW, i // C // HW
    else:
        p, c, n = i % HW, i // HW % C, i // HW // C
    x = tl.load(y + i, mask=inside, other=0.0).to(tl.float32)
    x = x * tl.load(scale + n * C + c, mask=inside, other=0.0) + tl.load(bias + c, mask=inside, other=0.0)
    if NOISY:
        x += tl.load(noise + n * noise_step + p, mask=inside, other=0.0)
    x = tl.where(x < 0, x * slope, x) * gain
    if BOUNDED:
        x = tl.minimum(tl.maximum(x, -bound), bound)
    tl.store(out + i, x.to(out.dtype.element_ty), mask=inside)


@triton.jit
def low_pass_epilogue(
    y, out, down, across, scale, bias, noise, C, H, W, noise_step, slope, gain, bound, total,
    TAPS: tl.constexpr, LAST: tl.constexpr, NOISY: tl.constexpr, BOUNDED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """The same after a separable low-pass of TAPS x TAPS: y [N, C, H + 1, W + 1] -> out [N, C, H, W], or both with
    channels innermost (LAST).

    down, across: the taps of each axis in the order in which they meet rising rows and columns, padded by one.
    """
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = i < total
    if LAST:
        c, column, row, n = i % C, i // C % W, i // C // W % H, i // C // W // H
        plane, step, start = n, C, c
    else:
        column, row, c, n = i % W, i // W % H, i // W // H % C, i // W // H // C
        plane, step, start = n * C + c, 1, 0
    x = tl.zeros([BLOCK], tl.float32)
    for v in tl.static_range(TAPS):
        r = row + v - 1
        line = tl.zeros([BLOCK], tl.float32)
        for u in tl.static_range(TAPS):
            k = column + u - 1
            there = inside & (r >= 0) & (r <= H) & (k >= 0) & (k <= W)
            at = ((plane * (H + 1) + r) * (W + 1) + k) * step + start
            line += tl.load(across + u) * tl.load(y + at, mask=there, other=0.0).to(tl.float32)
        x += tl.load(down + v) * line
    x = x * tl.load(scale + n * C + c, mask=inside, other=0.0) + tl.load(bias + c, mask=inside, other=0.0)
    if NOISY:
        x += tl.load(noise + n * noise_step + row * W + column, mask=inside, other=0.0)
    x = tl.where(x < 0, x * slope, x) * gain
    if BOUNDED:
        x = tl.minimum(tl.maximum(x, -bound), bound)
    tl.store(out + i, x.to(out.dtype.element_ty), mask=inside)


@triton.jit
def taps_up(taps, first_up, first_in, pad, UP: tl.constexpr, N: tl.constexpr, U: tl.constexpr, K: tl.constexpr):
    """The band [U, K] that takes K input samples from `first_in` on to U up-sampled ones from `first_up` on."""
    step = (first_in + tl.arange(0, K))[None, :] * UP + pad - (first_up + tl.arange(0, U))[:, None]
    there = (step >= 0) & (step < N)
    return tl.load(taps + (N - 1 - step), mask=there, other=0.0) * UP


@triton.jit
def taps_down(taps, DOWN: tl.constexpr, M: tl.constexpr, D: tl.constexpr, U: tl.constexpr):
    """The band [D, U] that takes U samples to D, DOWN apart; both begin at the same place."""
    step = tl.arange(0, U)[None, :] - tl.arange(0, D)[:, None] * DOWN
    there = (step >= 0) & (step < M)
    return tl.load(taps + (M - 1 - step), mask=there, other=0.0)


@triton.jit
def filtered_lrelu(
    x, out, up_taps, down_taps, H, W, HO, WO, pad_x, pad_y, slope, gain, bound,
    UP: tl.constexpr, N: tl.constexpr, DOWN: tl.constexpr, M: tl.constexpr, RANK: tl.constexpr,
    BOUNDED: tl.constexpr, D: tl.constexpr, U: tl.constexpr, K: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """One tile D x D of one plane: x [planes, H, W] -> out [planes, HO, WO].

    up_taps [N]; down_taps [RANK, 2, M]: the down filter as a sum of RANK products (column taps, row taps). U >= (D - 1)
    DOWN + M up-sampled samples, K >= (the same + N) / UP + 3 input samples, all powers of two of at least 16.
    """
    plane = tl.program_id(2).to(tl.int64)
    row, column = tl.program_id(1) * D, tl.program_id(0) * D
    up_row, up_column = row * DOWN, column * DOWN
    in_row = (up_row - pad_y) // UP - 1  # at or before the first input that reaches the tile, also where negative
    in_column = (up_column - pad_x) // UP - 1
    rows, columns = in_row + tl.arange(0, K), in_column + tl.arange(0, K)
    there = ((rows >= 0) & (rows < H))[:, None] & ((columns >= 0) & (columns < W))[None, :]
    at = plane * H * W + rows[:, None] * W + columns[None, :]
    tile = tl.load(x + at, mask=there, other=0.0).to(tl.float32)
    vertical = taps_up(up_taps, up_row, in_row, pad_y, UP, N, U, K)
    across = taps_up(up_taps, up_column, in_column, pad_x, UP, N, U, K)
    fine = tl.dot(tl.dot(vertical, tile, input_precision=PRECISION), tl.trans(across), input_precision=PRECISION)
    fine = tl.where(fine < 0, fine * slope, fine) * gain
    if BOUNDED:
        fine = tl.minimum(tl.maximum(fine, -bound), bound)
    sums = tl.zeros([D, D], tl.float32)
    for term in tl.static_range(RANK):
        vertical = taps_down(down_taps + term * 2 * M, DOWN, M, D, U)
        across = taps_down(down_taps + (term * 2 + 1) * M, DOWN, M, D, U)
        lines = tl.dot(vertical, fine, input_precision=PRECISION)
        sums += tl.dot(lines, tl.trans(across), input_precision=PRECISION)
    to_row, to_column = row + tl.arange(0, D), column + tl.arange(0, D)
    fits = (to_row < HO)[:, None] & (to_column < WO)[None, :]
    to = plane * HO * WO + to_row[:, None] * WO + to_column[None, :]
    tl.store(out + to, sums.to(out.dtype.element_ty), mask=fits)
