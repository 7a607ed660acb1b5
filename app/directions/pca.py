"""Principal components of W (GANSpace: Härkönen et al. 2020): incremental, from seeded z, in float64.

z comes from one stream, `RandomState(0)`, so that the same file and number of samples give the same directions.
Conditional models: classes take turns, and what is decomposed is the spread within a class (the pooled covariance of
linear discriminant analysis), so that no component merely changes the class. Models that take a text vector are mapped
without one; their w has zeros there, and no direction touches the text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from app.directions import algebra
from app.directions.sets import DirectionSet
from app.errors import InputError
from networks.base import Generator

CHUNK = 500  # seeds mapped at once: about the time of one picture
SEED = 0


class Moments:
    """Mean and covariance of vectors that come in batches, float64; `groups` have means of their own.

    Sums are taken around the first batch's mean, so that squares of a mean far from zero do not eat the digits.
    """

    def __init__(self, dim: int, groups: int = 1) -> None:
        self.count = np.zeros(groups)
        self.sums = np.zeros((groups, dim))
        self.products = np.zeros((dim, dim))
        self.origin: np.ndarray | None = None

    def add(self, values: np.ndarray, group: np.ndarray | None = None) -> None:
        """values [N, dim], group [N] of whole numbers (None: all in the first)."""
        values = values.astype(np.float64)
        if self.origin is None:
            self.origin = values.mean(axis=0)
        values = values - self.origin
        group = np.zeros(len(values), np.int64) if group is None else group
        np.add.at(self.count, group, 1)
        np.add.at(self.sums, group, values)
        self.products += values.T @ values

    @property
    def total(self) -> int:
        return int(self.count.sum())

    @property
    def mean(self) -> np.ndarray:
        """Of everything, [dim]."""
        assert self.origin is not None
        found: np.ndarray = self.origin + self.sums.sum(axis=0) / self.total
        return found

    @property
    def covariance(self) -> np.ndarray:
        """[dim, dim]: within groups, divided by N minus the number of groups; raises InputError for too few."""
        there = self.count > 0
        freedom = self.total - int(there.sum())
        if freedom < 1:
            raise InputError(f"{self.total} samples over {int(there.sum())} classes say nothing about the spread of w")
        means = self.sums[there] / self.count[there, None]
        within = self.products - (means * self.count[there, None]).T @ means
        found: np.ndarray = (within + within.T) / (2 * freedom)
        return found


def samples(generator: Generator, count: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """w [n, w_dim] of `count` seeded z in batches, with their classes [n] (None: there are none)."""
    stream = np.random.RandomState(SEED)
    device = next(generator.parameters()).device
    classes = generator.c_dim if generator.condition == "class" else 0
    for start in range(0, count, CHUNK):
        n = min(CHUNK, count - start)
        z = torch.from_numpy(stream.randn(n, generator.z_dim)).float().to(device)
        group = np.arange(start, start + n) % classes if classes else None
        with torch.inference_mode():
            c = None if group is None else torch.eye(classes, device=device)[torch.from_numpy(group).to(device)]
            yield generator.mapping(z, c).cpu().numpy(), group


def groups_of(generator: Generator) -> int:
    """How many classes have a mean of their own."""
    return max(generator.c_dim, 1) if generator.condition == "class" else 1


def decompose(moments: Moments, name: str, sha256: str = "") -> DirectionSet:
    """The principal components, the largest variance first; sigma is the root of each eigenvalue.

    As many as the samples can tell apart from zero: at most w_dim. The entry of largest magnitude is positive.
    """
    values, vectors = np.linalg.eigh(moments.covariance)
    values, vectors = values[::-1], vectors.T[::-1]
    values = np.maximum(values, 0.0)
    keep = max(1, int((values > values[0] * len(values) * np.finfo(np.float64).eps).sum()))
    return DirectionSet(
        name=name,
        kind="pca",
        directions=algebra.signed(vectors[:keep]).astype(np.float32),
        sigma=np.sqrt(values[:keep]),
        mean=moments.mean.astype(np.float32),
        samples=moments.total,
        sha256=sha256,
    )


def covariance_of(found: DirectionSet) -> np.ndarray:
    """The covariance [w_dim, w_dim] that a whole PCA was made from: V^T diag(sigma^2) V."""
    scaled = found.directions.astype(np.float64) * found.sigma[:, None]
    product: np.ndarray = scaled.T @ scaled
    return product
