"""Losses and regularizers: non-saturating logistic loss, R1, path length regularization."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def logistic_d_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Logits [...] of real and of made pictures -> scalar; Goodfellow et al. 2014, as softplus."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_g_loss(fake: Tensor) -> Tensor:
    """The non-saturating loss -log D(G(z)) of logits [...]."""
    return F.softplus(-fake).mean()


def range_penalty(pictures: Tensor) -> Tensor:
    """Mean squared excess of pixels over [-1, 1], scalar; 0 for pictures that a screen can show."""
    return F.relu(pictures.abs() - 1).square().mean()


def r1_penalty(logits: Tensor, pictures: Tensor) -> Tensor:
    """logits [N, ...] of real pictures [N, C, H, W] (which require grad) -> mean squared norm of the gradient, scalar.

    Mescheder et al. 2018, Eq. 9, without the factor gamma / 2. Differentiable.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def path_lengths(pictures: Tensor, ws: Tensor, y: Tensor) -> Tensor:
    """||J_w^T y|| for each picture [N]; Karras et al. 2020, section 3.2.

    y [N, C, H, W] is N(0, 1) per pixel; it is divided by sqrt(H W), so that the length does not depend on the
    resolution. ws [N, num_ws, w_dim] require grad; the square is summed over w_dim and averaged over rows.
    """
    scale = 1 / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (gradient,) = torch.autograd.grad((pictures * y).sum() * scale, ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def path_length_penalty(lengths: Tensor, mean: Tensor, decay: float = 0.01) -> tuple[Tensor, Tensor]:
    """lengths [N], running mean a (scalar) -> (mean of (length - a)^2, the new a); Eq. 4 of Karras et al. 2020."""
    mean = torch.lerp(mean, lengths.mean().detach(), decay)
    return (lengths - mean).square().mean(), mean
