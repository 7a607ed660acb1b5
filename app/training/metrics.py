"""How far samples are from the training pictures: Fréchet distance and nearest neighbours, on stated features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from networks.training.lite0 import Lite0

FEATURES = "EfficientNet-Lite0 (ImageNet), 1280 pooled features before the classifier, pictures resized to 128x128"
VIEW = 128
BATCH = 32


@torch.no_grad()
def features(
    network: Lite0, pictures: NDArray[np.uint8], view: int = VIEW, progress: Callable[[int], None] | None = None
) -> NDArray[np.float32]:
    """pictures [N, H, W, 3] uint8 -> [N, 1280]."""
    parts = []
    for start in range(0, len(pictures), BATCH):
        raw = torch.from_numpy(np.ascontiguousarray(pictures[start : start + BATCH]))
        x = raw.permute(0, 3, 1, 2).float() / 127.5 - 1
        x = F.interpolate(x, size=(view, view), mode="bilinear", align_corners=False)
        parts.append(network(x).numpy())
        if progress is not None:
            progress(len(parts[-1]))
    return np.concatenate(parts)


def frechet_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)) of two sets [N, D]; Heusel et al. 2017, Eq. 6.

    tr (A B)^(1/2) is the sum of the square roots of the eigenvalues of A B, which are those of A^(1/2) B A^(1/2).
    """
    mean_a, mean_b = a.mean(axis=0), b.mean(axis=0)
    A, B = np.cov(a, rowvar=False, dtype=np.float64), np.cov(b, rowvar=False, dtype=np.float64)
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ B @ root).clip(min=0)).sum()
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(A) + np.trace(B) - 2 * cross)


def nearest(queries: NDArray[np.floating], known: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Indices [Q, count] of the rows of `known` [N, D] with the largest cosine similarity, best first."""
    similarity = _unit(queries) @ _unit(known).T
    order: NDArray[np.int64] = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    return order


def similarity(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Cosine similarity of rows [N, D] with rows [N, D] -> [N]."""
    return np.asarray((_unit(a) * _unit(b)).sum(axis=1))


def _unit(x: NDArray[np.floating]) -> NDArray[np.floating]:
    return x / np.linalg.norm(x, axis=1, keepdims=True).clip(min=1e-12)
