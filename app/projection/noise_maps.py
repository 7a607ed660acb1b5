"""Noise maps as unknowns: kept white by a regularizer on their autocorrelation (Karras et al. 2020, appendix D)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from networks.base import Generator
from networks.layers import StyledLayer

WEIGHT = 1e5  # alpha, of the regularizer beside the perceptual distance
COARSEST = 8  # pixels; the pyramid ends there


def noisy_layers(generator: Generator) -> dict[str, StyledLayer]:
    """Layers that add noise of mean 0 and variance 1 times their strength, by name, in the order of the table.

    Networks that were trained with other noise (lucidrains: uniform) are left out: their maps cannot be made normal.
    """
    found = {
        module.info.name: module
        for module in generator.modules()
        if isinstance(module, StyledLayer) and module.info.has_noise and type(module).draw is StyledLayer.draw
    }
    return {info.name: found[info.name] for info in generator.layers if info.name in found}


def draw_maps(layers: Mapping[str, StyledLayer], seed: int, device: torch.device) -> dict[str, Tensor]:
    """N(0, 1) maps [1, 1, H, W], one for each layer, drawn on the CPU so that devices agree."""
    stream = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(1, 1, *layer.noise_const.shape[-2:], generator=stream).to(device)
        for name, layer in layers.items()
    }


def scaled(layers: Mapping[str, StyledLayer], maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """maps [1, 1, H, W] of variance 1 -> what the layers add, [1, 1 or C, H, W]."""
    added = {}
    for name, drawn in maps.items():
        strength = layers[name].noise_strength
        added[name] = drawn * (strength if strength.ndim == 0 else strength[None, :, None, None])
    return added


def autocorrelation_loss(maps: Iterable[Tensor]) -> Tensor:
    """maps [1, 1, H, W] -> the sum of L_ij over maps i and pyramid levels j, scalar; 0 for ideal white noise.

    L_ij = (mean over x, y of n(x, y) n(x - 1, y))^2 + (the same of n(x, y - 1))^2, edges wrapped around. Level j + 1 is
    the mean of 2x2 pixels of level j, times 2, so that its variance stays 1; the pyramid ends at 8x8.
    """
    total: Tensor | None = None
    for level in maps:
        while True:
            across = (level * level.roll(1, dims=3)).mean().square()
            down = (level * level.roll(1, dims=2)).mean().square()
            total = across + down if total is None else total + across + down
            if min(level.shape[2:]) <= COARSEST:
                break
            level = F.avg_pool2d(level, 2) * 2
    return torch.zeros(()) if total is None else total


@torch.no_grad()
def normalize_(maps: Iterable[Tensor]) -> None:
    """Give every map mean 0 and variance 1, in place (done after every step)."""
    for drawn in maps:
        drawn.sub_(drawn.mean())
        drawn.mul_(drawn.square().mean().clamp_min(1e-12).rsqrt())
