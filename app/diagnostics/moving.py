"""Pictures moved by known amounts, as the equivariance metrics need them (Karras et al. 2021, appendix E).

Every function takes a picture [C, H, W] and returns it moved, with a mask [H, W] of the pixels that are valid: those
that depend on nothing from outside of the picture. x is to the right, y down, angles turn counter-clockwise as seen.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

A = 3  # zero crossings on either side: of the Lanczos filters and windows
REACH = 2 * A  # px, of the filters for rotations: two windows of reach A, convolved
FINE = 4  # samples per px between which a rotation interpolates linearly
PERIOD = 64  # px on either side, of the grid on which the filters for rotations are designed

Moved = tuple[Tensor, Tensor]  # picture [C, H, W], mask [H, W]


def sinc(x: np.ndarray) -> np.ndarray:
    """sin(pi x) / (pi x)."""
    return np.sinc(x)


def lanczos(x: np.ndarray) -> np.ndarray:
    """The Lanczos window: sinc(x / a) within +-a, 0 beyond."""
    return np.where(np.abs(x) < A, np.sinc(x / A), 0.0)


def rectangle(size: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int], device: torch.device) -> Tensor:
    """A mask [H, W] that is true on some rows and columns (from, behind the last), as far as they exist."""
    y, x = torch.arange(size[0], device=device), torch.arange(size[1], device=device)
    return ((y >= rows[0]) & (y < rows[1]))[:, None] & ((x >= columns[0]) & (x < columns[1]))


def by_pixels(x: Tensor, dx: int, dy: int) -> Moved:
    """Shift by whole pixels; what comes in from outside is 0 and not valid."""
    H, W = x.shape[1:]
    mask = rectangle((H, W), (dy, H + dy), (dx, W + dx), x.device)
    return torch.where(mask, torch.roll(x, (dy, dx), dims=(1, 2)), 0.0), mask


def by_fraction(x: Tensor, dx: float, dy: float) -> Moved:
    """Shift by any amount in px with a separable Lanczos filter of a = 3, normalized to sum 1 (appendix E.2)."""
    H, W = x.shape[1:]
    moved = _along(_along(x, dx, 2), dy, 1)
    nx, ny = math.floor(dx), math.floor(dy)
    return moved, rectangle((H, W), (ny + A, H + ny - A + 1), (nx + A, W + nx - A + 1), x.device)


def _along(x: Tensor, d: float, axis: int) -> Tensor:
    """Shift along one axis: y[i] = sum over k of c_k x[i - n - k], d = n + f, k from 1 - a to a."""
    n = math.floor(d)
    taps = np.arange(1 - A, A + 1)
    c = sinc(taps - (d - n)) * sinc((taps - (d - n)) / A)
    c = c / c.sum()
    total = torch.zeros_like(x)
    for tap, weight in zip(taps.tolist(), c.tolist(), strict=True):
        total = total + weight * torch.roll(x, n + tap, dims=axis)  # what wraps around is not valid
    return total


def matrix(angle_deg: float) -> np.ndarray:
    """[2, 2] that takes a place (x, y) to where a turn by the angle brings it."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[cos, sin], [-sin, cos]])


def bandlimit(angle_deg: float, per_px: int) -> np.ndarray:
    """The filter of a rotation: it passes what both the old and the new pixel grid can hold (appendix E.3).

    Two 2-D sincs convolved, one for each grid, times two Lanczos windows convolved. Sampled `per_px` times per px up
    to REACH px on either side -> float64 [n, n], n = 2 per_px REACH - 1; each of the per_px^2 phases has sum 1.
    """
    n = 2 * per_px * PERIOD - 1
    places = np.roll((np.arange(n) + 1) / per_px - PERIOD, 1 - per_px * PERIOD)  # the middle one first, as FFTs want it
    x, y = np.meshgrid(places, places)
    turned_x, turned_y = np.tensordot(matrix(angle_deg), np.stack([x, y]), 1)

    def convolved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.fft.irfft2(np.fft.rfft2(a) * np.fft.rfft2(b), s=a.shape)

    ideal = convolved(sinc(x) * sinc(y), sinc(turned_x) * sinc(turned_y))
    window = convolved(lanczos(x) * lanczos(y), lanczos(turned_x) * lanczos(turned_y))
    near = np.roll(np.arange(n), per_px * PERIOD - 1)[(PERIOD - REACH) * per_px : -(PERIOD - REACH) * per_px]
    f = (ideal * window)[np.ix_(near, near)]
    phases = np.pad(f, (0, 1)).reshape(2 * REACH, per_px, 2 * REACH, per_px)
    phases = phases / phases.sum(axis=(0, 2), keepdims=True)
    return phases.reshape(2 * REACH * per_px, -1)[:-1, :-1]


def rotated(x: Tensor, angle_deg: float) -> Moved:
    """Turn around the centre: to FINE samples per px with the filter above, then bilinear between them.

    Valid is what comes from REACH px or more within the picture.
    """
    H, W = x.shape[1:]
    fine = _finer(F.pad(x, (REACH, REACH, REACH, REACH)), bandlimit(angle_deg, FINE))
    places = torch.from_numpy(_sources(H, W, angle_deg)).to(x)  # [2, H, W], px from the centre
    index = [FINE * (place + (size - 1) / 2 + REACH) for place, size in zip(places, (W, H), strict=True)]
    sizes = (fine.shape[2], fine.shape[1])
    where = torch.stack([2 * i / (size - 1) - 1 for i, size in zip(index, sizes, strict=True)], dim=-1)
    moved = F.grid_sample(fine[None], where[None], mode="bilinear", align_corners=True)[0]
    mask = (places[0].abs() <= W / 2 - REACH) & (places[1].abs() <= H / 2 - REACH)
    return moved, mask


def _finer(x: Tensor, f: np.ndarray) -> Tensor:
    """x [C, H, W], f [n, n] at FINE samples per px -> [C, FINE H, FINE W]; sample FINE i lies on pixel i.

    Each of the FINE^2 phases of the filter is a small filter for itself: y[FINE i + p] = sum of x[i - m] f[FINE m + p].
    """
    phases = np.pad(f, (1, 0)).reshape(2 * REACH, FINE, 2 * REACH, FINE)  # [m + REACH, p] along either axis
    kernels = torch.from_numpy(phases.transpose(1, 3, 0, 2).reshape(FINE**2, 1, 2 * REACH, 2 * REACH).copy()).to(x)
    around = F.pad(x[:, None], (REACH - 1, REACH, REACH - 1, REACH))
    return F.pixel_shuffle(F.conv2d(around, kernels.flip(2, 3)), FINE)[:, 0]


def pseudo_rotated(x: Tensor, angle_deg: float) -> Moved:
    """Not turned, but low-passed as turning it by the angle would have done."""
    H, W = x.shape[1:]
    f = torch.from_numpy(bandlimit(-angle_deg, 1)).to(x).flip(0, 1)
    margin = f.shape[0] // 2
    moved = F.conv2d(x[:, None], f[None, None], padding=margin)[:, 0]
    return moved, rectangle((H, W), (margin, H - margin), (margin, W - margin), x.device)


def _sources(H: int, W: int, angle_deg: float) -> np.ndarray:
    """Where the pixels of a turned picture come from, [2, H, W] as (x, y) in px from the centre."""
    x, y = np.meshgrid(np.arange(W) - (W - 1) / 2, np.arange(H) - (H - 1) / 2)
    return np.asarray(np.tensordot(matrix(-angle_deg), np.stack([x, y]), 1))


def phase_shift(x: Tensor, dx: float, dy: float, mirror: bool = False) -> Tensor:
    """x [..., H, W] shifted by any amount in samples, by phases in the Fourier domain (periodic).

    mirror: the map is continued by its mirror image first, so that opposite edges do not meet. The highest frequency
    of an even size takes the real part of its phase, as its two halves do on average.
    """
    H, W = x.shape[-2:]
    y = x.float()
    if mirror:
        y = torch.cat([y, y.flip(-1)], dim=-1)
        y = torch.cat([y, y.flip(-2)], dim=-2)
    phases = _phases(y.shape[-2], dy)[:, None] * _phases(y.shape[-1], dx)
    moved = torch.fft.ifft2(torch.fft.fft2(y) * phases.to(x.device)).real
    return moved[..., :H, :W].to(x.dtype)


def _phases(n: int, d: float) -> Tensor:
    k = torch.fft.fftfreq(n, dtype=torch.float64)
    phases = torch.exp(-2j * math.pi * k * d)
    if n % 2 == 0:
        phases[n // 2] = math.cos(math.pi * d)
    return phases.to(torch.complex64)
