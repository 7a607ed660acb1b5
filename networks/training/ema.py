"""The generator that is kept: an exponential moving average of the one that trains."""

from __future__ import annotations

import torch
from torch import nn


def ema_beta(batch: int, seen: int, half_life: float, ramp_up: float | None) -> float:
    """Decay per step, 0.5^(batch / half-life), in pictures; the half-life grows as ramp_up * seen at first.

    Karras et al. 2020 (ADA), appendix: ramp_up 0.05 keeps the average from dragging the random start along.
    """
    if ramp_up is not None:
        half_life = min(half_life, ramp_up * seen)
    return 0.5 ** (batch / max(half_life, 1e-8))


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, beta: float) -> None:
    """average <- beta * average + (1 - beta) * model for parameters; buffers (w_avg, noise) are copied."""
    for learnt, latest in zip(average.parameters(), model.parameters(), strict=True):
        learnt.lerp_(latest, 1 - beta)
    for kept, current in zip(average.buffers(), model.buffers(), strict=True):
        kept.copy_(current)
