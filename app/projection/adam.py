"""Adam (Kingma and Ba 2015, algorithm 1), small and plain.

torch's own optimizers load its compiler with them, which takes seconds and brings a second LLVM into the process;
beside the one of a software OpenGL driver that ends in a crash of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Unknown:
    """A tensor that is optimized. share: of the learning rate."""

    value: Tensor
    share: float = 1.0


class Adam:
    """Moves leaves along their gradients; betas and epsilon are the paper's."""

    def __init__(
        self, unknowns: Sequence[Unknown], betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.unknowns, self.betas, self.eps = list(unknowns), betas, eps
        self.first = [torch.zeros_like(unknown.value) for unknown in self.unknowns]
        self.second = [torch.zeros_like(unknown.value) for unknown in self.unknowns]
        self.taken = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """value -= rate share m / (sqrt(v) + eps), with the bias of both moments removed; in place."""
        self.taken += 1
        beta1, beta2 = self.betas
        for unknown, gradient, m, v in zip(self.unknowns, gradients, self.first, self.second, strict=True):
            m.lerp_(gradient, 1 - beta1)
            v.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
            root = (v / (1 - beta2**self.taken)).sqrt_().add_(self.eps)
            unknown.value.addcdiv_(m, root, value=-rate * unknown.share / (1 - beta1**self.taken))
