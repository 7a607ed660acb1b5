"""One map large, three maps or three principal components of all maps as red, green and blue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.linalg import eigh
from torch import Tensor

from app.frame import Histogram

BINS = 96
FIT_PLACES = 4096  # places that the axes are fitted on; their error falls with its root, their time grows with it
REACH = 3.0  # standard deviations of a component that the colours span to either side


@dataclass(frozen=True, eq=False)
class Axes:
    """Where the principal components of a layer lie: centre [C, 1, 1], directions [3, C] of length 1, spread [3] (their
    standard deviations at the fit) and the share of the variance that each explained."""

    centre: Tensor
    directions: Tensor
    spread: Tensor
    explained: tuple[float, ...]


def histogram(values: np.ndarray) -> Histogram | None:
    """values [H, W] -> counts in BINS equal bins; None where the values do not vary or are not finite."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        return None
    return Histogram(torch.histc(torch.from_numpy(values), BINS, low, high).numpy(), low, high)


def fit_axes(maps: Tensor) -> Axes:
    """maps [1, C, H, W] -> the three directions of largest variance over the places (x, y) of this picture.

    Eigenvectors of the covariance of at most FIT_PLACES regularly spaced places, in float64 on the CPU. An eigenvector
    has no sign of its own: here its largest component is positive. Layers of fewer than three maps get zero axes.
    """
    C, H, W = maps.shape[1:]
    step = max(1, int(np.ceil(np.sqrt(H * W / FIT_PLACES))))
    x = maps[0, :, ::step, ::step].reshape(C, -1).double().cpu().numpy()
    centre = x.mean(axis=1, keepdims=True)
    x = x - centre
    count = min(3, C)
    variances, vectors = eigh(x @ x.T / x.shape[1], subset_by_index=(C - count, C - 1))
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1].T
    largest = np.abs(vectors).argmax(axis=1)
    vectors = vectors * np.where(vectors[np.arange(count), largest] < 0, -1.0, 1.0)[:, None]
    directions, spread = np.zeros((3, C)), np.zeros(3)
    directions[:count], spread[:count] = vectors, np.sqrt(variances)
    total = float((x**2).sum()) / x.shape[1]
    shares = tuple(float(value) / total if total > 0 else 0.0 for value in spread**2)
    device = maps.device
    return Axes(
        torch.from_numpy(centre).float().to(device)[:, :, None],
        torch.from_numpy(directions).float().to(device),
        torch.from_numpy(spread).float().to(device),
        shares,
    )


def components(maps: Tensor, axes: Axes) -> Tensor:
    """maps [1, C, H, W] -> scores [3, H, W] along the axes: direction . (map values at a place - centre)."""
    shift = axes.directions @ axes.centre[:, 0, 0]
    return F.conv2d(maps, axes.directions[:, :, None, None], -shift)[0]


def component_range(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Scores at the two ends of each colour, [3]: +-REACH standard deviations of the picture they were fitted on."""
    reach = np.maximum(axes.spread.cpu().numpy() * REACH, 1e-8)
    return -reach, reach
