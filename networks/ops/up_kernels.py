"""Compiled transforms of transposed convolutions by Winograd's F(5, 2) (see `winograd_up`); rows as in `kernels`."""

from __future__ import annotations

import numpy as np
from numba import njit

from networks.ops.kernels import BLOCK, FAST, PLANE, PP, PPP, PPPP, QQ, QQQ, QQQQ, ROW, P, Q, transform_in


@njit(f"void({PLANE}, {PLANE}, {PLANE}, int64, int64, int64, int64, int64)", nogil=True, cache=True, fastmath=FAST)
def tiles_in(x, even, mixed, C, across, top, first, last):  # type: ignore[no-untyped-def]
    """even [T, 36*C], mixed [5*T, 12*C] <- the 6x6 tiles d of x, five pixels apart; tile rows first..last of a strip.

    even: B^T d B, for outputs in even rows and columns. mixed, for each of the tile's pixels 1..5: B^T of that column
    of d (even rows, odd columns of the output), then B^T of that row of d (odd rows, even columns).
    """
    half = np.empty((36, BLOCK), np.float32)
    for row in range(first, last):
        y = (top + row) * 5
        for column in range(across):
            tile = row * across + column
            to = even[tile]
            for c0 in range(0, C, BLOCK):
                n = min(BLOCK, C - c0)
                for j in range(6):
                    at = (column * 5 + j) * C + c0
                    d0, d1, d2 = x[y][at : at + n], x[y + 1][at : at + n], x[y + 2][at : at + n]
                    d3, d4, d5 = x[y + 3][at : at + n], x[y + 4][at : at + n], x[y + 5][at : at + n]
                    t0, t1, t2 = half[j], half[6 + j], half[12 + j]
                    t3, t4, t5 = half[18 + j], half[24 + j], half[30 + j]
                    transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n)
                    if j > 0:
                        target = mixed[tile * 5 + j - 1]
                        for i in range(6):
                            place, value = target[i * C + c0 : i * C + c0 + n], half[6 * i + j]
                            for c in range(n):
                                place[c] = value[c]
                for i in range(6):
                    k = 6 * i
                    d0, d1, d2, d3, d4, d5 = half[k], half[k + 1], half[k + 2], half[k + 3], half[k + 4], half[k + 5]
                    at = k * C + c0
                    t0, t1, t2 = to[at : at + n], to[at + C : at + C + n], to[at + 2 * C : at + 2 * C + n]
                    t3, t4 = to[at + 3 * C : at + 3 * C + n], to[at + 4 * C : at + 4 * C + n]
                    t5 = to[at + 5 * C : at + 5 * C + n]
                    transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n)
                for i in range(1, 6):
                    pixels, target = x[y + i], mixed[tile * 5 + i - 1]
                    at, to_at = column * 5 * C + c0, 6 * C + c0
                    d0, d1 = pixels[at : at + n], pixels[at + C : at + C + n]
                    d2, d3 = pixels[at + 2 * C : at + 2 * C + n], pixels[at + 3 * C : at + 3 * C + n]
                    d4, d5 = pixels[at + 4 * C : at + 4 * C + n], pixels[at + 5 * C : at + 5 * C + n]
                    t0, t1 = target[to_at : to_at + n], target[to_at + C : to_at + C + n]
                    t2, t3 = target[to_at + 2 * C : to_at + 2 * C + n], target[to_at + 3 * C : to_at + 3 * C + n]
                    t4, t5 = target[to_at + 4 * C : to_at + 4 * C + n], target[to_at + 5 * C : to_at + 5 * C + n]
                    transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n)


@njit(f"void({', '.join([ROW] * 11)}, int64)", nogil=True, cache=True, fastmath=FAST, inline="always")
def transform_out(m0, m1, m2, m3, m4, m5, y0, y1, y2, y3, y4, n):  # type: ignore[no-untyped-def]
    """y <- A^T m along one axis, for n channels; see `winograd_up.G`."""
    for c in range(n):
        a, b, e, g = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
        y0[c] = m0[c] + a + e
        y1[c] = P * b + Q * g
        y2[c] = PP * a + QQ * e
        y3[c] = PPP * b + QQQ * g
        y4[c] = PPPP * a + QQQQ * e + m5[c]


@njit(
    f"void({PLANE}, {PLANE}, {PLANE}, {PLANE}, int64, int64, int64, int64, int64)",
    nogil=True, cache=True, fastmath=FAST,
)  # fmt: skip
def tiles_out(even, mixed, odd, out, C, across, top, first, last):  # type: ignore[no-untyped-def]
    """out [10*down, 10*across*C] <- the products of a strip in their places: A^T m A (even), A^T m (mixed), odd.

    even [T, 36*C], mixed [5*T, 12*C]; odd [5*strip, (5*across+1)*C], whose first pixel in each row does not count.
    """
    half = np.empty((30, BLOCK), np.float32)
    for row in range(first, last):
        for column in range(across):
            tile = row * across + column
            sums = even[tile]
            y, x = (top + row) * 10, column * 10
            for c0 in range(0, C, BLOCK):
                n = min(BLOCK, C - c0)
                for j in range(6):
                    at, six = j * C + c0, 6 * C
                    m0, m1, m2 = sums[at : at + n], sums[at + six : at + six + n], sums[at + 2 * six : at + 2 * six + n]
                    m3, m4 = sums[at + 3 * six : at + 3 * six + n], sums[at + 4 * six : at + 4 * six + n]
                    m5 = sums[at + 5 * six : at + 5 * six + n]
                    s0, s1, s2, s3, s4 = half[j], half[6 + j], half[12 + j], half[18 + j], half[24 + j]
                    transform_out(m0, m1, m2, m3, m4, m5, s0, s1, s2, s3, s4, n)
                for i in range(5):
                    k = 6 * i
                    m0, m1, m2, m3, m4, m5 = half[k], half[k + 1], half[k + 2], half[k + 3], half[k + 4], half[k + 5]
                    pixels, at, step = out[y + 2 * i], x * C + c0, 2 * C
                    p0, p1 = pixels[at : at + n], pixels[at + step : at + step + n]
                    p2, p3 = pixels[at + 2 * step : at + 2 * step + n], pixels[at + 3 * step : at + 3 * step + n]
                    p4 = pixels[at + 4 * step : at + 4 * step + n]
                    transform_out(m0, m1, m2, m3, m4, m5, p0, p1, p2, p3, p4, n)
                for j in range(5):
                    source = mixed[tile * 5 + j]
                    m0, m1, m2 = source[c0 : c0 + n], source[C + c0 : C + c0 + n], source[2 * C + c0 : 2 * C + c0 + n]
                    m3, m4 = source[3 * C + c0 : 3 * C + c0 + n], source[4 * C + c0 : 4 * C + c0 + n]
                    m5 = source[5 * C + c0 : 5 * C + c0 + n]
                    at = (x + 2 * j + 1) * C + c0
                    p0, p1, p2 = out[y][at : at + n], out[y + 2][at : at + n], out[y + 4][at : at + n]
                    p3, p4 = out[y + 6][at : at + n], out[y + 8][at : at + n]
                    transform_out(m0, m1, m2, m3, m4, m5, p0, p1, p2, p3, p4, n)
                for i in range(5):
                    source, pixels = mixed[tile * 5 + i], out[y + 2 * i + 1]
                    at, step = 6 * C + c0, C
                    m0, m1 = source[at : at + n], source[at + step : at + step + n]
                    m2, m3 = source[at + 2 * step : at + 2 * step + n], source[at + 3 * step : at + 3 * step + n]
                    m4, m5 = source[at + 4 * step : at + 4 * step + n], source[at + 5 * step : at + 5 * step + n]
                    at, step = x * C + c0, 2 * C
                    p0, p1 = pixels[at : at + n], pixels[at + step : at + step + n]
                    p2, p3 = pixels[at + 2 * step : at + 2 * step + n], pixels[at + 3 * step : at + 3 * step + n]
                    p4 = pixels[at + 4 * step : at + 4 * step + n]
                    transform_out(m0, m1, m2, m3, m4, m5, p0, p1, p2, p3, p4, n)
                    unchanged = odd[row * 5 + i]
                    for j in range(5):
                        at, to = (column * 5 + j + 1) * C + c0, (x + 2 * j + 1) * C + c0
                        place, value = pixels[to : to + n], unchanged[at : at + n]
                        for c in range(n):
                            place[c] = value[c]
