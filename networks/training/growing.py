"""Progressive growing with fade-in (Karras et al. 2018, Fig. 2), for StyleGAN: schedule, pictures, discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.base import Generator
from networks.plan import OUTPUT, Noise
from networks.taps import Taps
from networks.training.discriminator import Epilogue, EqualizedConv


@dataclass(frozen=True)
class Stage:
    """Where growing stands: the resolution in pixels and the share of its newest layers (1: all faded in)."""

    size: int
    alpha: float


def stage_at(seen: int, start: int, final: int, phase: int) -> Stage:
    """Pictures seen -> the stage. Each size but the first fades in for `phase` pictures, then trains for as many."""
    size = start
    left = seen - phase
    while left >= 0 and size < final:
        size *= 2
        if left < phase:
            return Stage(size, left / phase)
        left -= 2 * phase
    return Stage(size, 1.0)


def fade(pictures: Tensor, stage: Stage) -> Tensor:
    """Pictures [N, C, R, R] at full size -> [N, C, size, size], mixed with their half-size version while fading."""
    factor = pictures.shape[-1] // stage.size
    pictures = F.avg_pool2d(pictures, factor) if factor > 1 else pictures
    if stage.alpha == 1.0:
        return pictures
    coarse = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2.0, mode="nearest")
    return torch.lerp(coarse, pictures, stage.alpha)


def synthesize(generator: Generator, ws: Tensor, noise: Noise, stage: Stage) -> Tensor:
    """ws -> pictures [N, C, size, size]; while fading, mixed with the to-RGB of the size below."""
    names = {info.size[0]: info.name for info in generator.layers if info.kind == "torgb"}
    if stage.alpha == 1.0:
        return generator.synthesize(ws, Taps(stop_at=stage.size), noise, precision="fp32")
    below = (names[stage.size // 2], OUTPUT)
    taps = Taps(stop_at=stage.size, capture=[below])
    fine = generator.synthesize(ws, taps, noise, precision="fp32")
    coarse = F.interpolate(taps.captured[below].float(), scale_factor=2.0, mode="nearest")
    return torch.lerp(coarse, fine, stage.alpha)


class GrowingBlock(nn.Module):
    """One size of the discriminator: its from-RGB and two 3x3 convolutions, the second one halving."""

    def __init__(self, in_channels: int, out_channels: int, img_channels: int) -> None:
        super().__init__()
        self.from_rgb = EqualizedConv(img_channels, in_channels, 1)
        self.conv0 = EqualizedConv(in_channels, in_channels, 3)
        self.conv1 = EqualizedConv(in_channels, out_channels, 3, down=2)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H/2, W/2]."""
        return self.conv1(self.conv0(x))


class GrowingDiscriminator(nn.Module):
    """The mirror image of the growing generator; `channels` is the width at 4, 8, ... R."""

    def __init__(self, channels: Sequence[int], img_channels: int = 3) -> None:
        super().__init__()
        self.stage = Stage(4 << (len(channels) - 1), 1.0)
        self.first_rgb = EqualizedConv(img_channels, channels[0], 1)
        self.blocks = nn.ModuleDict(
            {
                str(8 << i): GrowingBlock(wide, narrow, img_channels)
                for i, (narrow, wide) in enumerate(pairwise(channels))
            }
        )
        self.epilogue = Epilogue(channels[0])

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures [N, C, size, size] of the current stage -> logits [N, 1]."""
        size = self.stage.size
        x = self._from_rgb(size, pictures)
        while size > 4:
            x = self.blocks[str(size)](x)
            size //= 2
            if size == self.stage.size // 2 and self.stage.alpha < 1.0:
                x = torch.lerp(self._from_rgb(size, F.avg_pool2d(pictures, 2)), x, self.stage.alpha)
        return self.epilogue(x)

    def _from_rgb(self, size: int, pictures: Tensor) -> Tensor:
        block = self.blocks[str(size)] if size > 4 else None
        return self.first_rgb(pictures) if block is None else block.get_submodule("from_rgb")(pictures)
