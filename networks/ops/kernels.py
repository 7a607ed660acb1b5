"""Compiled epilogues for channels_last maps on a CPU (numba): one pass over memory instead of four to six.

Importing this module compiles, or reads what was compiled before: `networks.ops.compiled` does it in the background.
Rows are flat: pixel w's channel c is element w * C + c, so that shifts by pixels stay contiguous.
"""

from __future__ import annotations

import numpy as np
from numba import njit

SLOPE = np.float32(0.2)
# Sums may be contracted to fused multiply-adds, never re-ordered: a picture must not depend on how it was cut.
FAST = {"nsz", "contract"}
PLANE, ROW = "float32[:,::1]", "float32[::1]"
# Points of Winograd's transforms: 0, +-P, +-Q and infinity. Any would do; +-1 and +-2, those of most papers, lose 3 to
# 5 times as much to rounding. The powers of these are exact.
P, Q = np.float32(0.75), np.float32(1.5)
PP, PPP, PPPP = P * P, P * P * P, P * P * P * P
QQ, QQQ, QQQQ = Q * Q, Q * Q * Q, Q * Q * Q * Q
SUM, PRODUCT = PP + QQ, PP * QQ
BLOCK = 256  # channels that a Winograd tile is transformed for at a time: fewer, and cutting slices takes the time


@njit("float32(float32, float32)", nogil=True, cache=True, inline="always")
def bounded(v, clamp):  # type: ignore[no-untyped-def]
    """The leaky ReLU of slope 0.2, bounded to +-clamp."""
    v = v if v > 0 else v * SLOPE
    v = v if v < clamp else clamp
    return v if v > -clamp else -clamp


@njit("float32(float32, float32, float32)", nogil=True, cache=True, fastmath=FAST, inline="always")
def activated(v, slope, clamp):  # type: ignore[no-untyped-def]
    """The leaky ReLU of a slope in 0..1, bounded to +-clamp; what is not a number stays so."""
    low = v * slope
    v = low if low > v else v
    v = clamp if clamp < v else v
    return -clamp if -clamp > v else v


@njit(f"void({PLANE}, {ROW}, {ROW}, {PLANE}, float32, int64, int64)", nogil=True, cache=True, fastmath=FAST)
def activate(y, scale, bias, noise, clamp, first, last):  # type: ignore[no-untyped-def]
    """y [H, W*C] <- clamp(lrelu(y * scale [C] + bias [C] + noise [H, W])) in rows first..last; noise [0, 0]: none."""
    C = scale.shape[0]
    W = y.shape[1] // C
    noisy = noise.shape[0] > 0
    for r in range(first, last):
        row = y[r]
        for w in range(W):
            added = noise[r, w] if noisy else np.float32(0)
            pixel = row[w * C : (w + 1) * C]
            for c in range(C):
                pixel[c] = bounded(pixel[c] * scale[c] + (bias[c] + added), clamp)


@njit(
    f"void({PLANE}, {PLANE}, {ROW}, {ROW}, {ROW}, {ROW}, {PLANE}, float32, int64, int64)",
    nogil=True, cache=True, fastmath=FAST,
)  # fmt: skip
def low_pass_and_activate(y, out, down, across, scale, bias, noise, clamp, first, last):  # type: ignore[no-untyped-def]
    """out [2H, 2W*C] <- activated low-pass of the first 2H+1 rows and (2W+1)*C columns of y; rows first..last.

    down [4], across [4]: the taps of the separable filter, turned. One sample of zeros lies around y.
    """
    C = scale.shape[0]
    m = out.shape[1]
    n, W = m + C, m // C
    noisy = noise.shape[0] > 0
    padded = np.zeros(n + 2 * C, np.float32)  # one row, low-passed downwards, with a pixel of zeros on both sides
    middle = padded[C : C + n]
    left, here, right, far = padded[:m], padded[C : C + m], padded[2 * C : 2 * C + m], padded[3 * C : 3 * C + m]
    bottom = out.shape[0]
    a0, a1, a2, a3 = across[0], across[1], across[2], across[3]
    for r in range(first, last):
        above, row, below, under = y[max(r - 1, 0)], y[r], y[min(r + 1, bottom)], y[min(r + 2, bottom)]
        d0 = down[0] if r > 0 else np.float32(0)
        d1 = down[1]
        d2 = down[2] if r + 1 <= bottom else np.float32(0)
        d3 = down[3] if r + 2 <= bottom else np.float32(0)
        for i in range(n):
            middle[i] = d0 * above[i] + d1 * row[i] + d2 * below[i] + d3 * under[i]
        target = out[r]
        for i in range(m):
            target[i] = a0 * left[i] + a1 * here[i] + a2 * right[i] + a3 * far[i]
        for w in range(W):
            added = noise[r, w] if noisy else np.float32(0)
            pixel = target[w * C : (w + 1) * C]
            for c in range(C):
                pixel[c] = bounded(pixel[c] * scale[c] + (bias[c] + added), clamp)


@njit(f"void({PLANE}, {PLANE}, {ROW}, int64, int64, int64)", nogil=True, cache=True, fastmath=FAST)
def pad_and_scale(x, out, style, before, first, last):  # type: ignore[no-untyped-def]
    """out <- x [H, W*C] * style [C] behind `before` rows and pixels of zeros, zeros after it; rows first..last."""
    C = style.shape[0]
    W = x.shape[1] // C
    for r in range(first, last):
        target = out[r]
        if r < before or r >= x.shape[0] + before:
            target[:] = 0
            continue
        target[: before * C] = 0
        target[(W + before) * C :] = 0
        row = x[r - before]
        for w in range(W):
            pixel, scaled = row[w * C : (w + 1) * C], target[(w + before) * C : (w + before + 1) * C]
            for c in range(C):
                scaled[c] = pixel[c] * style[c]


@njit(f"void({', '.join([ROW] * 12)}, int64)", nogil=True, cache=True, fastmath=FAST, inline="always")
def transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n):  # type: ignore[no-untyped-def]
    """t <- B^T d along one axis, for n channels; see `winograd.G`."""
    for c in range(n):
        a, b = d4[c] - QQ * d2[c], P * (d3[c] - QQ * d1[c])
        e, g = d4[c] - PP * d2[c], Q * (d3[c] - PP * d1[c])
        t0[c] = PRODUCT * d0[c] - SUM * d2[c] + d4[c]
        t1[c] = a + b
        t2[c] = a - b
        t3[c] = e + g
        t4[c] = e - g
        t5[c] = PRODUCT * d1[c] - SUM * d3[c] + d5[c]


@njit(f"void({PLANE}, {PLANE}, int64, int64, int64, int64, int64)", nogil=True, cache=True, fastmath=FAST)
def tiles_in(x, out, C, across, top, first, last):  # type: ignore[no-untyped-def]
    """out [T, 36*C] <- B^T d B of the 6x6 tiles d of x [H+2, (W+2)*C]; tile rows first..last of a strip from `top`."""
    half = np.empty((36, BLOCK), np.float32)
    for row in range(first, last):
        y = (top + row) * 4
        for column in range(across):
            to = out[row * across + column]
            for c0 in range(0, C, BLOCK):
                n = min(BLOCK, C - c0)
                for j in range(6):
                    at = (column * 4 + j) * C + c0
                    d0, d1, d2 = x[y][at : at + n], x[y + 1][at : at + n], x[y + 2][at : at + n]
                    d3, d4, d5 = x[y + 3][at : at + n], x[y + 4][at : at + n], x[y + 5][at : at + n]
                    t0, t1, t2 = half[j], half[6 + j], half[12 + j]
                    t3, t4, t5 = half[18 + j], half[24 + j], half[30 + j]
                    transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n)
                for i in range(6):
                    k = 6 * i
                    d0, d1, d2, d3, d4, d5 = half[k], half[k + 1], half[k + 2], half[k + 3], half[k + 4], half[k + 5]
                    at = k * C + c0
                    t0, t1, t2 = to[at : at + n], to[at + C : at + C + n], to[at + 2 * C : at + 2 * C + n]
                    t3, t4 = to[at + 3 * C : at + 3 * C + n], to[at + 4 * C : at + 4 * C + n]
                    t5 = to[at + 5 * C : at + 5 * C + n]
                    transform_in(d0, d1, d2, d3, d4, d5, t0, t1, t2, t3, t4, t5, n)


@njit(
    f"void({PLANE}, {PLANE}, {ROW}, {ROW}, {PLANE}, float32, float32, int64, int64, int64, int64)",
    nogil=True, cache=True, fastmath=FAST,
)  # fmt: skip
def tiles_out(tiles, out, scale, bias, noise, slope, clamp, across, top, first, last):  # type: ignore[no-untyped-def]
    """out [H, W*C] <- clamp(lrelu(A^T m A * scale + bias + noise)) of the products m in tiles [T, 36*C]."""
    C = scale.shape[0]
    half = np.empty((24, BLOCK), np.float32)
    noisy = noise.shape[0] > 0
    for row in range(first, last):
        for column in range(across):
            tile = tiles[row * across + column]
            for c0 in range(0, C, BLOCK):
                n = min(BLOCK, C - c0)
                factor, shift = scale[c0 : c0 + n], bias[c0 : c0 + n]
                for j in range(6):
                    at, six = j * C + c0, 6 * C
                    m0, m1, m2 = tile[at : at + n], tile[at + six : at + six + n], tile[at + 2 * six : at + 2 * six + n]
                    m3, m4 = tile[at + 3 * six : at + 3 * six + n], tile[at + 4 * six : at + 4 * six + n]
                    m5 = tile[at + 5 * six : at + 5 * six + n]
                    s0, s1, s2, s3 = half[j], half[6 + j], half[12 + j], half[18 + j]
                    for c in range(n):
                        a, b, e, g = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
                        s0[c] = m0[c] + a + e
                        s1[c] = P * b + Q * g
                        s2[c] = PP * a + QQ * e
                        s3[c] = PPP * b + QQQ * g + m5[c]
                for i in range(4):
                    k, y = 6 * i, (top + row) * 4 + i
                    m0, m1, m2, m3, m4, m5 = half[k], half[k + 1], half[k + 2], half[k + 3], half[k + 4], half[k + 5]
                    at = column * 4 * C + c0
                    p0, p1 = out[y][at : at + n], out[y][at + C : at + C + n]
                    p2, p3 = out[y][at + 2 * C : at + 2 * C + n], out[y][at + 3 * C : at + 3 * C + n]
                    n0 = n1 = n2 = n3 = np.float32(0)
                    if noisy:
                        x = column * 4
                        n0, n1, n2, n3 = noise[y, x], noise[y, x + 1], noise[y, x + 2], noise[y, x + 3]
                    for c in range(n):
                        a, b, e, g = m1[c] + m2[c], m1[c] - m2[c], m3[c] + m4[c], m3[c] - m4[c]
                        v0 = (m0[c] + a + e) * factor[c] + (shift[c] + n0)
                        v1 = (P * b + Q * g) * factor[c] + (shift[c] + n1)
                        v2 = (PP * a + QQ * e) * factor[c] + (shift[c] + n2)
                        v3 = (PPP * b + QQQ * g + m5[c]) * factor[c] + (shift[c] + n3)
                        p0[c] = activated(v0, slope, clamp)
                        p1[c] = activated(v1, slope, clamp)
                        p2[c] = activated(v2, slope, clamp)
                        p3[c] = activated(v3, slope, clamp)
