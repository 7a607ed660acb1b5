"""StyleGAN2's discriminator: residual blocks, minibatch standard deviation (Karras et al. 2020, Fig. 7c)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.filters import upfirdn2d
from networks.layers import SQRT2, EqualizedLinear, lrelu

BINOMIAL = (1.0, 3.0, 3.0, 1.0)


def init_weights(module: nn.Module, seed: int) -> None:
    """Draw fresh weights: every module that has `reset_weights` is asked, in order."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        reset = getattr(part, "reset_weights", None)
        if reset is not None:
            reset(generator)


def normalized(taps: Sequence[float]) -> Tensor:
    """1-D taps [n] of sum 1; separable use of it is the [n, n] outer product."""
    f = torch.tensor(taps, dtype=torch.float32)
    return f / f.sum()


class EqualizedConv(nn.Module):
    """Convolution with the equalized learning rate of ProGAN; with down=2 low-passed first, then decimated."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        down: int = 1,
        bias: bool = True,
        activate: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.down, self.activate, self.gain = down, activate, gain
        self.weight_gain = 1 / math.sqrt(in_channels * kernel**2)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.register_buffer("resample_filter", normalized(BINOMIAL), persistent=False)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        if self.bias is not None:
            self.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H / down, W / down]."""
        kernel = self.weight.shape[-1]
        stride, pad = 1, kernel // 2
        if self.down == 2:
            taps = self.resample_filter.shape[0]
            total = taps + kernel - 3  # samples that filter and kernel take from an even size
            margin = ((total + 1) // 2, total // 2)
            stride, pad = 1 if kernel == 1 else 2, 0
            x = upfirdn2d(x, self.resample_filter, down=2 // stride, pad=(*margin, *margin))
        x = F.conv2d(x, self.weight * self.weight_gain, self.bias, stride=stride, padding=pad)
        if self.activate:
            return lrelu(x, SQRT2 * self.gain)
        return x if self.gain == 1.0 else x * self.gain


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, the second one halving, plus a 1x1 short cut; both scaled by sqrt(1/2)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        half = math.sqrt(0.5)
        self.conv0 = EqualizedConv(in_channels, in_channels, 3)
        self.conv1 = EqualizedConv(in_channels, out_channels, 3, down=2, gain=half)
        self.skip = EqualizedConv(in_channels, out_channels, 1, down=2, bias=False, activate=False, gain=half)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H/2, W/2]."""
        return self.skip(x) + self.conv1(self.conv0(x))


def minibatch_std(x: Tensor, group: int = 4) -> Tensor:
    """Append the mean standard deviation over groups of pictures as a channel; x [N, C, H, W] -> [N, C+1, H, W].

    Karras et al. 2018 (ProGAN), section 3. Picture n belongs to the group n mod (N / size); size is `group`, or the
    largest divisor of N below it.
    """
    N, _, H, W = x.shape
    size = next(count for count in range(min(group, N), 0, -1) if N % count == 0)
    y = x.view(size, N // size, *x.shape[1:])
    y = (y.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # [N / size]
    return torch.cat([x, y.repeat(size)[:, None, None, None].expand(N, 1, H, W)], dim=1)


class Epilogue(nn.Module):
    """From 4x4 features to one logit: minibatch standard deviation, 3x3 convolution, two linear layers."""

    def __init__(self, channels: int, group: int = 4) -> None:
        super().__init__()
        self.group = group
        self.conv = EqualizedConv(channels + 1, channels, 3)
        self.fc = EqualizedLinear(channels * 16, channels, activation="lrelu")
        self.out = EqualizedLinear(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, 4, 4] -> logits [N, 1]."""
        x = self.conv(minibatch_std(x, self.group))
        return self.out(self.fc(x.flatten(1)))


class ResidualDiscriminator(nn.Module):
    """Pictures [N, C, R, R] in [-1, 1] -> logits [N, 1]. `channels` is the width at 4, 8, ... R."""

    def __init__(self, channels: Sequence[int], img_channels: int = 3) -> None:
        super().__init__()
        self.from_rgb = EqualizedConv(img_channels, channels[-1], 1)
        wide_first = list(reversed(channels))
        self.blocks = nn.ModuleList(ResidualBlock(before, after) for before, after in pairwise(wide_first))
        self.epilogue = Epilogue(channels[0])

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.from_rgb(pictures)
        for block in self.blocks:
            x = block(x)
        return self.epilogue(x)
