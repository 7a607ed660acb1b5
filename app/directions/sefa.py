"""Closed-form directions from the weights alone (SeFa: Shen and Zhou, CVPR 2021, Eq. 6).

A direction that changes the styles most maximizes |A d|: the eigenvectors of A^T A with the largest eigenvalues. A is
the stack of the affine weights (w -> style) of the chosen rows, each of its rows scaled to length 1, as in the authors'
code; a to-RGB's weights count only where its row of ws feeds nothing else.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from app.directions import algebra
from app.errors import InputError
from networks.base import Generator
from networks.plan import LayerInfo


def affines(generator: Generator) -> dict[str, tuple[LayerInfo, nn.Module]]:
    """Layer name -> its row of the table and its module w -> style, in order of execution."""
    found: dict[str, tuple[LayerInfo, nn.Module]] = {}
    for module in generator.modules():
        info, affine = getattr(module, "info", None), getattr(module, "affine", None)
        if isinstance(info, LayerInfo) and isinstance(affine, nn.Module) and info.w_index is not None:
            found[info.name] = info, affine
    return dict(sorted(found.items(), key=lambda item: item[1][0].index))


def chosen(generator: Generator, rows: tuple[int, int] | None) -> list[nn.Module]:
    """The affine modules that the rows feed (from the first up to but not including the second; None: all)."""
    first, last = rows or (0, generator.num_ws)
    if not 0 <= first < last <= generator.num_ws:
        raise InputError(
            f"sefa: rows {first} to {last - 1} are not all there; this model has 0 to {generator.num_ws - 1}"
        )
    there = affines(generator).values()
    trunk = {info.w_index for info, _ in there if info.kind != "torgb"}
    return [
        affine
        for info, affine in there
        if info.w_index is not None
        and first <= info.w_index < last
        and (info.kind != "torgb" or info.w_index not in trunk)
    ]


def weight_of(affine: nn.Module) -> np.ndarray:
    """The matrix [style, w_dim] by which w enters; of a second-order style (StyleGAN-T) its three maps stacked."""
    weight = getattr(getattr(affine, "proj", affine), "weight", None)
    assert isinstance(weight, torch.Tensor)
    found: np.ndarray = weight.detach().cpu().double().numpy()
    return found


def directions(generator: Generator, rows: tuple[int, int] | None = None) -> np.ndarray:
    """The eigenvectors of A^T A as unit vectors [K, w_dim], float64, the largest eigenvalue first; K at most the rank.

    Where w carries a text behind it (StyleGAN-T), only the part that comes from z is looked at.
    """
    modules = chosen(generator, rows)
    if not modules:
        raise InputError("sefa: no style is made from these rows of ws")
    A = np.concatenate([weight_of(affine) for affine in modules])
    free = generator.w_dim - (generator.c_dim if generator.condition == "vector" else 0)
    A = A[:, :free]
    size = np.linalg.norm(A, axis=1, keepdims=True)
    A = A[size[:, 0] > 0] / size[size[:, 0] > 0]
    if not len(A):
        raise InputError("sefa: the affine weights of these rows are all zero")
    values, vectors = np.linalg.eigh(A.T @ A)
    keep = int((values > values[-1] * len(values) * np.finfo(np.float64).eps).sum())
    found = np.zeros((keep, generator.w_dim))
    found[:, :free] = vectors.T[::-1][:keep]
    return algebra.signed(found)
