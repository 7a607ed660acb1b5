"""Projected GAN's discriminator: small discriminators on frozen, randomly mixed features (Sauer et al. 2021).

StyleGAN-XL trains with it. Gradients reach the generator through the feature network; neither that network nor the
random projections learn.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from networks.training.lite0 import CHANNELS, REDUCTION, Lite0


def random_conv(in_channels: int, out_channels: int, kernel: int, generator: torch.Generator) -> nn.Conv2d:
    """A frozen convolution that keeps the variance: weights N(0, 1 / fan_in), bias 0."""
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2)
    std = 1 / math.sqrt(in_channels * kernel**2)
    conv.weight.data.normal_(0, std, generator=generator)
    conv.bias.data.zero_()  # type: ignore[union-attr]
    return conv.requires_grad_(False)


class Projection(nn.Module):
    """Cross-channel and cross-scale mixing (section 3.2): 1x1 convolutions, then a coarse-to-fine sum."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.widths = tuple(width << i for i in range(len(CHANNELS)))
        self.channel_mix = nn.ModuleList(
            random_conv(before, after, 1, generator) for before, after in zip(CHANNELS, self.widths, strict=True)
        )
        self.scale_mix = nn.ModuleList(
            random_conv(coarse, fine, 3, generator) for fine, coarse in zip(self.widths, self.widths[1:], strict=False)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Feature maps, finest first -> mixed maps of the same sizes."""
        x = self.channel_mix[-1](maps[-1])
        mixed = [x]
        for level in reversed(range(len(maps) - 1)):
            # the 3x3 convolution commutes with nothing here, but runs on the small map: a quarter of the work
            x = F.interpolate(self.scale_mix[level](x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = x + self.channel_mix[level](maps[level])
            mixed.insert(0, x)
        return mixed


def single_discriminator(in_channels: int, size: int, width_max: int, generator: torch.Generator) -> nn.Sequential:
    """Maps [N, C, size, size] -> logits [N, 1, 1, 1] or more; spectral norm, batch norm, halving down to 4x4."""
    layers: list[nn.Module] = []
    channels = in_channels
    while size > 4:
        after = min(2 * channels, width_max)
        layers += [
            _spectral(channels, after, 4, 2, 1, generator),
            nn.BatchNorm2d(after, track_running_stats=False),
            nn.LeakyReLU(0.2),
        ]
        channels, size = after, size // 2
    layers.append(_spectral(channels, 1, min(size, 4), 1, 0, generator))
    return nn.Sequential(*layers)


def _spectral(n_in: int, n_out: int, kernel: int, stride: int, pad: int, generator: torch.Generator) -> nn.Module:
    conv = nn.Conv2d(n_in, n_out, kernel, stride, pad, bias=False)
    conv.weight.data.normal_(0, 0.02, generator=generator)
    return spectral_norm(conv)


class ProjectedDiscriminator(nn.Module):
    """Pictures [N, 3, H, W] in [-1, 1] -> logits [N, n] of all scales. `view` is the size the features are taken at."""

    def __init__(self, network: Lite0, view: int = 128, width: int = 32, width_max: int = 256, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.view = view
        self.network = network
        self.projection = Projection(width, generator)
        with torch.random.fork_rng(devices=[]):  # spectral_norm draws its start vectors from the global stream
            torch.manual_seed(seed)
            self.heads = nn.ModuleList(
                single_discriminator(channels, max(view * 8 // REDUCTION >> level, 1), width_max, generator)
                for level, channels in enumerate(self.projection.widths)
            )

    def forward(self, pictures: Tensor) -> Tensor:
        if pictures.shape[-1] != self.view:
            pictures = F.interpolate(pictures, size=(self.view, self.view), mode="bilinear", align_corners=False)
        maps = self.projection(self.network.features(pictures))
        return torch.cat([head(x).flatten(1) for head, x in zip(self.heads, maps, strict=True)], dim=1)

    def trainable(self) -> list[nn.Parameter]:
        """What the optimizer may change: the heads."""
        return list(self.heads.parameters())
