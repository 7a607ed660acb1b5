"""Projected GAN's discriminator: small discriminators on frozen, randomly mixed features (Sauer et al. 2021).

StyleGAN-XL trains with it. Gradients reach the generator through the feature network; neither that network nor the
random projections learn. Three things differ from the paper, because with batches of 16 its discriminator won within
the first thousand pictures and colours ran out of range: the mixed maps are brought to unit variance, one more small
head looks at the pixels themselves, at a quarter of the size, and the loss is the logistic one, whose gradient does not
end where the hinge's does.
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


PIXEL_POOL = 4  # the head on the pixels minds colours; finer detail is left to the features


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
            # convolved before it is doubled: a quarter of the work
            x = F.interpolate(self.scale_mix[level](x), scale_factor=2.0, mode="bilinear", align_corners=False)
            x = x + self.channel_mix[level](maps[level])
            mixed.insert(0, x)
        return mixed


def single_discriminator(
    in_channels: int, size: int, width: int, width_max: int, generator: torch.Generator
) -> nn.Sequential:
    """Maps [N, C, size, size] -> logits [N, 1, ...]; spectral norm, batch norm, halving to 4x4, `width` doubling."""
    layers: list[nn.Module] = []
    channels, after = in_channels, min(width, width_max)
    while size > 4:
        norm = nn.BatchNorm2d(after, track_running_stats=False)
        layers += [_spectral(channels, after, 4, 2, 1, generator), norm, nn.LeakyReLU(0.2)]
        channels, after, size = after, min(2 * after, width_max), size // 2
    layers.append(_spectral(channels, 1, min(size, 4), 1, 0, generator))
    return nn.Sequential(*layers)


def _spectral(n_in: int, n_out: int, kernel: int, stride: int, pad: int, generator: torch.Generator) -> nn.Module:
    conv = nn.Conv2d(n_in, n_out, kernel, stride, pad, bias=False)
    conv.weight.data.normal_(0, 0.02, generator=generator)
    return spectral_norm(conv)


class ProjectedDiscriminator(nn.Module):
    """Pictures [N, 3, R, R] in [-1, 1] -> logits [N, n]: a small head on the pixels, one on the features of each scale.

    `view` is the size at which the features are taken; `width` the channels of the finest head.
    """

    scale: Tensor

    def __init__(
        self, network: Lite0, resolution: int, view: int = 64, width: int = 32, width_max: int = 256, seed: int = 0
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.view = view
        self.network = network
        self.projection = Projection(width, generator)
        self.register_buffer("scale", torch.ones(len(CHANNELS)))
        with torch.random.fork_rng(devices=[]):  # spectral_norm draws its start vectors from the global stream
            torch.manual_seed(seed)
            self.pixels = single_discriminator(3, resolution // PIXEL_POOL, 16, 32, generator)
            self.heads = nn.ModuleList(
                single_discriminator(channels, max(view * 8 // REDUCTION >> i, 1), 2 * channels, width_max, generator)
                for i, channels in enumerate(self.projection.widths)
            )

    @torch.no_grad()
    def calibrate(self, pictures: Tensor) -> None:
        """Bring each scale's mixed maps to unit variance over these training pictures, once and for all."""
        self.scale.fill_(1.0)
        self.scale.copy_(torch.stack([1 / maps.std() for maps in self._maps(pictures)]))

    def _maps(self, pictures: Tensor) -> list[Tensor]:
        if pictures.shape[-1] != self.view:
            pictures = F.interpolate(pictures, size=(self.view, self.view), mode="bilinear", align_corners=False)
        maps = self.projection(self.network.features(pictures))
        return [x * scale for x, scale in zip(maps, self.scale, strict=True)]

    def forward(self, pictures: Tensor) -> Tensor:
        logits = [self.pixels(F.avg_pool2d(pictures, PIXEL_POOL))]
        logits += [head(x) for head, x in zip(self.heads, self._maps(pictures), strict=True)]
        return torch.cat([part.flatten(1) for part in logits], dim=1)
