"""Style channels (StyleSpace: Wu, Lischinski and Shechtman, CVPR 2021): what one channel's style does over many w."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from app.directions.pca import groups_of, samples
from app.directions.sefa import affines
from app.errors import InputError
from networks.base import Generator
from networks.plan import LayerInfo

Batch = tuple[np.ndarray, np.ndarray | None]  # w [n, w_dim] and classes [n]
SAMPLES = 2_000  # seeds behind the mean and the standard deviation of a style, as many as Wu et al. take


def styled(generator: Generator, layer: str) -> tuple[LayerInfo, Callable[[torch.Tensor], torch.Tensor]]:
    """A layer's row of the table and its map w -> style; raises InputError where no style enters it."""
    there = affines(generator)
    if layer not in there:
        raise InputError(f"style:{layer}: no style enters a layer of that name here; there are {', '.join(there)}")
    return there[layer]


def sample(generator: Generator) -> Iterator[Batch]:
    """The w that styles are looked at for, in batches."""
    return samples(generator, max(SAMPLES, 4 * groups_of(generator)))


def statistics(
    generator: Generator, layer: str, batches: Iterable[Batch]
) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """(share done, mean [C], standard deviation [C]) of the styles of a layer, batch by batch; the last is the answer.

    With classes, the standard deviation is the one within a class, as for the principal components.
    """
    _, affine = styled(generator, layer)
    device = next(generator.parameters()).device
    groups, done = groups_of(generator), 0
    count: np.ndarray = np.zeros(groups)
    sums: np.ndarray | None = None
    for w, group in batches:
        with torch.inference_mode():
            style = affine(torch.from_numpy(w).to(device)).cpu().double().numpy()
        if sums is None:
            origin, sums = style.mean(axis=0), np.zeros((groups, style.shape[1]))
            squares = np.zeros(style.shape[1])
        style = style - origin
        place = np.zeros(len(style), np.int64) if group is None else group
        np.add.at(count, place, 1)
        np.add.at(sums, place, style)
        squares += np.square(style).sum(axis=0)
        done += len(style)
        there = count > 0
        freedom = max(1, done - int(there.sum()))
        within = squares - (np.square(sums[there]) / count[there, None]).sum(axis=0)
        yield (
            done / max(SAMPLES, 4 * groups),
            origin + sums.sum(axis=0) / done,
            np.sqrt(np.maximum(within / freedom, 0.0)),
        )
