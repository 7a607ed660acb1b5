"""Compiled filtered leaky ReLU for channels_last maps on a CPU (numba): nothing up-sampled is ever stored as a whole.

16 channels are taken through the whole map at a time, a vector of the processor for each pixel, row after row:

    input rows -> 2 up-sampled rows (up-FIR downwards) -> wide row (up-FIR across, leaky ReLU, clamp)
    separable: -> thin row (down-FIR across), the last 12 of them -> output row (down-FIR downwards)
    radial:    -> the last 12 wide rows -> output row (12x12 down-FIR)

Filters are polyphase: 6 taps for each phase of the up-FIR, 12 for the down-FIR, which decimates by 2. Rows are flat:
pixel w's channel c is element w * LANES + c. The 12 taps are written out, because only then do they stay in registers.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from networks.ops.kernels import FAST, PLANE, ROW

LANES = 16  # channels at a time
L2, L3, L4, L5, L6, L7, L8, L9, L10, L11, L12, L13, L14, L15, L16, L17, L18 = (LANES * i for i in range(2, 19))
UP_TAPS, DOWN_TAPS, DOWN = 6, 12, 2  # taps of one phase; taps; decimation


# The same as in `kernels`: what numba keeps on disk does not follow changes of another file.
@njit("float32(float32, float32, float32)", nogil=True, cache=True, fastmath=FAST, inline="always")
def activated(v, slope, clamp):  # type: ignore[no-untyped-def]
    """The leaky ReLU of a slope in 0..1, bounded to +-clamp; what is not a number stays so."""
    low = v * slope
    v = low if low > v else v
    v = clamp if clamp < v else v
    return -clamp if -clamp > v else v


@njit(nogil=True, cache=True, fastmath=FAST)
def load(row, have, dst, scale, bias, pitch, c0, n, left):  # type: ignore[no-untyped-def]
    """dst <- channels c0..c0+n of row * scale + bias from pixel `left` on; zeros outside of `have` pixels, above n."""
    width = dst.shape[0] // LANES
    begin = min(width, max(0, -left))
    end = max(begin, min(width, have - left))
    s, b = scale[c0 : c0 + n], bias[c0 : c0 + n]
    if n == LANES:
        dst[: begin * LANES] = 0
        dst[end * LANES :] = 0
        for w in range(begin, end):
            at = (w + left) * pitch + c0
            d, pixel = dst[w * LANES : (w + 1) * LANES], row[at : at + LANES]
            for c in range(LANES):
                d[c] = pixel[c] * s[c] + b[c]
    else:
        dst[:] = 0
        for w in range(begin, end):
            at = (w + left) * pitch + c0
            d, pixel = dst[w * LANES : w * LANES + n], row[at : at + n]
            for c in range(n):
                d[c] = pixel[c] * s[c] + b[c]


@njit(nogil=True, cache=True, fastmath=FAST)
def blend(r0, r1, r2, r3, r4, r5, f, g, first, second):  # type: ignore[no-untyped-def]
    """Two up-sampled rows from six input rows: the phases f [6] and g [6] of the up-FIR downwards."""
    f0, f1, f2, f3, f4, f5 = f[0], f[1], f[2], f[3], f[4], f[5]
    g0, g1, g2, g3, g4, g5 = g[0], g[1], g[2], g[3], g[4], g[5]
    for i in range(first.shape[0]):
        a, b, c, d, e, h = r0[i], r1[i], r2[i], r3[i], r4[i], r5[i]
        first[i] = f0 * a + f1 * b + f2 * c + f3 * d + f4 * e + f5 * h
        second[i] = g0 * a + g1 * b + g2 * c + g3 * d + g4 * e + g5 * h


@njit(nogil=True, cache=True, fastmath=FAST)
def widen(narrow, wide, f, slope, clamp):  # type: ignore[no-untyped-def]
    """wide <- activated up-FIR of narrow across; f [up, 6] phases. Groups of `up` pixels share 6 inputs."""
    up = f.shape[0]
    groups = wide.shape[0] // (up * LANES)
    for p in range(0, up, 2):
        f0, f1, f2, f3, f4, f5 = f[p, 0], f[p, 1], f[p, 2], f[p, 3], f[p, 4], f[p, 5]
        g0, g1, g2, g3, g4, g5 = f[p + 1, 0], f[p + 1, 1], f[p + 1, 2], f[p + 1, 3], f[p + 1, 4], f[p + 1, 5]
        if up == 2:  # two groups at a time: 7 loads for 24 products
            for m in range(0, groups, 2):
                x, y = narrow[m * LANES : (m + 7) * LANES], wide[2 * m * LANES : (2 * m + 4) * LANES]
                for i in range(LANES):
                    a, b, c, d = x[i], x[LANES + i], x[L2 + i], x[L3 + i]
                    e, h, k = x[L4 + i], x[L5 + i], x[L6 + i]
                    y0 = activated(f0 * a + f1 * b + f2 * c + f3 * d + f4 * e + f5 * h, slope, clamp)
                    y1 = activated(g0 * a + g1 * b + g2 * c + g3 * d + g4 * e + g5 * h, slope, clamp)
                    y2 = activated(f0 * b + f1 * c + f2 * d + f3 * e + f4 * h + f5 * k, slope, clamp)
                    y3 = activated(g0 * b + g1 * c + g2 * d + g3 * e + g4 * h + g5 * k, slope, clamp)
                    y[i], y[LANES + i], y[L2 + i], y[L3 + i] = y0, y1, y2, y3
        else:
            for m in range(groups):
                at = (up * m + p) * LANES
                x, y = narrow[m * LANES : (m + 6) * LANES], wide[at : at + L2]
                for i in range(LANES):
                    a, b, c, d, e, h = x[i], x[LANES + i], x[L2 + i], x[L3 + i], x[L4 + i], x[L5 + i]
                    y0 = activated(f0 * a + f1 * b + f2 * c + f3 * d + f4 * e + f5 * h, slope, clamp)
                    y1 = activated(g0 * a + g1 * b + g2 * c + g3 * d + g4 * e + g5 * h, slope, clamp)
                    y[i], y[LANES + i] = y0, y1


@njit(nogil=True, cache=True, fastmath=FAST)
def thin(wide, skip, dst, g):  # type: ignore[no-untyped-def]
    """dst <- every second pixel of the down-FIR g [12] of wide across, from pixel `skip` on; pixels in twos."""
    g0, g1, g2, g3, g4, g5 = g[0], g[1], g[2], g[3], g[4], g[5]
    g6, g7, g8, g9, g10, g11 = g[6], g[7], g[8], g[9], g[10], g[11]
    for w in range(0, dst.shape[0] // LANES, 2):
        at = (2 * w + skip) * LANES
        x, d = wide[at : at + L14], dst[w * LANES : (w + 2) * LANES]
        for i in range(LANES):
            x2, x3, x4, x5, x6 = x[L2 + i], x[L3 + i], x[L4 + i], x[L5 + i], x[L6 + i]
            x7, x8, x9, x10, x11 = x[L7 + i], x[L8 + i], x[L9 + i], x[L10 + i], x[L11 + i]
            u = (g0 * x[i] + g1 * x[LANES + i] + g2 * x2 + g3 * x3 + g4 * x4 + g5 * x5
                 + g6 * x6 + g7 * x7 + g8 * x8 + g9 * x9 + g10 * x10 + g11 * x11)  # fmt: skip
            v = (g0 * x2 + g1 * x3 + g2 * x4 + g3 * x5 + g4 * x6 + g5 * x7
                 + g6 * x8 + g7 * x9 + g8 * x10 + g9 * x11 + g10 * x[L12 + i] + g11 * x[L13 + i])  # fmt: skip
            d[i], d[LANES + i] = u, v


@njit(nogil=True, cache=True, fastmath=FAST)
def stack(ring, oldest, dst, g):  # type: ignore[no-untyped-def]
    """dst <- the down-FIR g [12] downwards over the rows of ring [12, n], of which `oldest` is the first."""
    g0, g1, g2, g3, g4, g5 = g[0], g[1], g[2], g[3], g[4], g[5]
    g6, g7, g8, g9, g10, g11 = g[6], g[7], g[8], g[9], g[10], g[11]
    a0, a1, a2 = ring[oldest % 12], ring[(oldest + 1) % 12], ring[(oldest + 2) % 12]
    a3, a4, a5 = ring[(oldest + 3) % 12], ring[(oldest + 4) % 12], ring[(oldest + 5) % 12]
    a6, a7, a8 = ring[(oldest + 6) % 12], ring[(oldest + 7) % 12], ring[(oldest + 8) % 12]
    a9, a10, a11 = ring[(oldest + 9) % 12], ring[(oldest + 10) % 12], ring[(oldest + 11) % 12]
    for i in range(dst.shape[0]):
        dst[i] = (g0 * a0[i] + g1 * a1[i] + g2 * a2[i] + g3 * a3[i] + g4 * a4[i] + g5 * a5[i]
                  + g6 * a6[i] + g7 * a7[i] + g8 * a8[i] + g9 * a9[i] + g10 * a10[i] + g11 * a11[i])  # fmt: skip


@njit(nogil=True, cache=True, fastmath=FAST)
def disc(ring, oldest, skip, dst, g):  # type: ignore[no-untyped-def]
    """dst <- every second pixel of the down-FIR g [12, 12] over ring [12, n], from `skip` on; pixels in fours."""
    dst[:] = 0
    for r in range(DOWN_TAPS):
        row, taps = ring[(oldest + r) % DOWN_TAPS], g[r]
        g0, g1, g2, g3, g4, g5 = taps[0], taps[1], taps[2], taps[3], taps[4], taps[5]
        g6, g7, g8, g9, g10, g11 = taps[6], taps[7], taps[8], taps[9], taps[10], taps[11]
        for w in range(0, dst.shape[0] // LANES, 4):
            at = (2 * w + skip) * LANES
            x, d = row[at : at + L18], dst[w * LANES : (w + 4) * LANES]
            for i in range(LANES):
                x2, x3, x4, x5, x6, x7 = x[L2 + i], x[L3 + i], x[L4 + i], x[L5 + i], x[L6 + i], x[L7 + i]
                x8, x9, x10, x11 = x[L8 + i], x[L9 + i], x[L10 + i], x[L11 + i]
                x12, x13, x14, x15 = x[L12 + i], x[L13 + i], x[L14 + i], x[L15 + i]
                s = (g0 * x[i] + g1 * x[LANES + i] + g2 * x2 + g3 * x3 + g4 * x4 + g5 * x5
                     + g6 * x6 + g7 * x7 + g8 * x8 + g9 * x9 + g10 * x10 + g11 * x11)  # fmt: skip
                t = (g0 * x2 + g1 * x3 + g2 * x4 + g3 * x5 + g4 * x6 + g5 * x7
                     + g6 * x8 + g7 * x9 + g8 * x10 + g9 * x11 + g10 * x12 + g11 * x13)  # fmt: skip
                u = (g0 * x4 + g1 * x5 + g2 * x6 + g3 * x7 + g4 * x8 + g5 * x9
                     + g6 * x10 + g7 * x11 + g8 * x12 + g9 * x13 + g10 * x14 + g11 * x15)  # fmt: skip
                v = (g0 * x6 + g1 * x7 + g2 * x8 + g3 * x9 + g4 * x10 + g5 * x11
                     + g6 * x12 + g7 * x13 + g8 * x14 + g9 * x15 + g10 * x[L16 + i] + g11 * x[L17 + i])  # fmt: skip
                d[i], d[LANES + i], d[L2 + i], d[L3 + i] = d[i] + s, d[LANES + i] + t, d[L2 + i] + u, d[L3 + i] + v


@njit(nogil=True, cache=True, fastmath=FAST)
def store(src, row, channels, c0, n):  # type: ignore[no-untyped-def]
    """Channels c0..c0+n of row [W * channels] <- src."""
    if n == LANES:
        for w in range(row.shape[0] // channels):
            at = w * channels + c0
            pixel, s = row[at : at + LANES], src[w * LANES : (w + 1) * LANES]
            for c in range(LANES):
                pixel[c] = s[c]
    else:
        for w in range(row.shape[0] // channels):
            at = w * channels + c0
            pixel, s = row[at : at + n], src[w * LANES : w * LANES + n]
            for c in range(n):
                pixel[c] = s[c]


@njit(
    f"void({PLANE}, int64, int64, int64, {PLANE}, {ROW}, {ROW}, {PLANE}, {PLANE}, int64, int64, int64, int64,"
    " float32, float32, int64, int64)",
    nogil=True, cache=True, fastmath=FAST,
)  # fmt: skip
def filtered_lrelu(  # type: ignore[no-untyped-def]
    y, H, W, pitch, out, scale, bias, f, g, left, top, skip_x, skip_y, slope, clamp, first, last
):
    """out [H', W'*C] <- filtered leaky ReLU of y * scale [C] + bias [C] in blocks of LANES channels.

    y: H rows of W pixels of `pitch` channels, with whatever behind. f [2 up, 6]: the phases of the up-FIR downwards,
    then across, each in the order of the pixels that they make. g [1, 12] separable or [12, 12] radial taps.
    (left, top): first pixel of y (may be negative) that the first group of up-sampled pixels sees; (skip_x, skip_y):
    how many of that group lie before the first one that counts.
    """
    C = scale.shape[0]
    up, radial = f.shape[0] // 2, g.shape[0] > 1
    height, width = out.shape[0], -(-(out.shape[1] // C) // 4) * 4  # rounded up to fours
    groups = (DOWN * (width - 1) + DOWN_TAPS + skip_x + up - 1) // up
    groups += groups % 2
    rows = np.zeros((UP_TAPS, (groups + UP_TAPS - 1) * LANES), np.float32)
    narrow = np.zeros((2, rows.shape[1]), np.float32)
    wide = np.zeros((DOWN_TAPS if radial else 1, groups * up * LANES), np.float32)
    ring = np.zeros((1 if radial else DOWN_TAPS, width * LANES), np.float32)
    done = np.zeros(width * LANES, np.float32)
    for block in range(first, last):
        c0 = block * LANES
        n = min(LANES, C - c0)
        for r in range(top, top + UP_TAPS - 1):
            inside = W if 0 <= r < H else 0
            load(y[min(max(r, 0), H - 1)], inside, rows[r % UP_TAPS], scale, bias, pitch, c0, n, left)
        r, u, finished = top, -skip_y, 0
        while finished < height:
            newest = r + UP_TAPS - 1
            inside = W if 0 <= newest < H else 0
            load(y[min(max(newest, 0), H - 1)], inside, rows[newest % UP_TAPS], scale, bias, pitch, c0, n, left)
            r0, r1, r2 = rows[r % UP_TAPS], rows[(r + 1) % UP_TAPS], rows[(r + 2) % UP_TAPS]
            r3, r4, r5 = rows[(r + 3) % UP_TAPS], rows[(r + 4) % UP_TAPS], rows[(r + 5) % UP_TAPS]
            for p in range(0, up, 2):
                blend(r0, r1, r2, r3, r4, r5, f[p], f[p + 1], narrow[0], narrow[1])
                for k in range(2):
                    if u >= 0 and finished < height:
                        row = wide[u % DOWN_TAPS if radial else 0]
                        widen(narrow[k], row, f[up:], slope, clamp)
                        if not radial:
                            thin(row, skip_x, ring[u % DOWN_TAPS], g[0])
                        oldest = u - DOWN_TAPS + 1
                        if oldest >= 0 and oldest % DOWN == 0:
                            if radial:
                                disc(wide, oldest, skip_x, done, g)
                            else:
                                stack(ring, oldest, done, g[0])
                            store(done, out[finished], C, c0, n)
                            finished += 1
                    u += 1
            r += 1
