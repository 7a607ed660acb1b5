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
MAPS_PX = 1 << 22  # values that are in the Fourier domain at a time
EXTENT = 31  # px on either side, to which the sincs reach when they are convolved

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

    Two 2-D sincs convolved, one upright and one turned, times two Lanczos windows convolved, likewise. Sampled
    `per_px` times per px, up to REACH px on either side -> float64 [n, n], n = 2 per_px REACH - 1; the samples that
    meet the pixels at once (each per_px-th along both axes) have sum 1. With one sample per px, the turned sinc is
    sampled too coarsely for its corners and lifts frequencies there by up to 2; the paper's own values have this in
    them (its code does the same), so that it stays.
    """
    along = np.arange(-EXTENT * per_px, EXTENT * per_px + 1) / per_px
    upright = np.stack(np.meshgrid(along, along))
    turned = np.tensordot(matrix(angle_deg), upright, 1)
    near = REACH * per_px - 1
    f = _middle(sinc(upright), sinc(turned), near) * _middle(lanczos(upright), lanczos(turned), near)
    phase = np.arange(-near, near + 1) % per_px
    sums = np.zeros((per_px, per_px))
    np.add.at(sums, np.ix_(phase, phase), f)
    return np.asarray(f / sums[np.ix_(phase, phase)])


def _middle(a: np.ndarray, b: np.ndarray, near: int) -> np.ndarray:
    """Two separable functions [2, n, n] of (x, y), multiplied out and convolved: the middle [2 near + 1]^2 of it."""
    n = a.shape[1]
    size = (1 << (2 * n - 2).bit_length(),) * 2
    spectra = [np.fft.rfft2(x * y, s=size) for x, y in (a, b)]
    whole = np.fft.irfft2(spectra[0] * spectra[1], s=size)
    return np.asarray(whole[n - 1 - near : n + near, n - 1 - near : n + near])


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

    mirror: each axis is continued by its mirror image first, so that opposite edges do not meet. The highest frequency
    of an even size takes the real part of its phase, as its two halves do on average. A few maps at a time: spectra of
    all maps of a large layer would fill the memory.
    """
    maps = x.reshape(-1, *x.shape[-2:])
    some = max(1, MAPS_PX // (maps.shape[1] * maps.shape[2]))
    parts = torch.split(maps, some)
    moved = [_ramp(_ramp(part.float(), dx, 2, mirror), dy, 1, mirror) for part in parts]
    return torch.cat(moved).reshape(x.shape).to(x.dtype)


def _ramp(x: Tensor, d: float, axis: int, mirror: bool) -> Tensor:
    """Shift along one axis."""
    y = torch.cat([x, x.flip(axis)], dim=axis) if mirror else x
    n = y.shape[axis]
    phases = torch.exp(-2j * math.pi * torch.fft.rfftfreq(n, dtype=torch.float64) * d)
    if n % 2 == 0:
        phases[-1] = math.cos(math.pi * d)
    phases = phases.to(torch.complex64).to(x.device).reshape(-1, *[1] * (2 - axis))
    return torch.fft.irfft(torch.fft.rfft(y, dim=axis) * phases, n=n, dim=axis).narrow(axis, 0, x.shape[axis])
