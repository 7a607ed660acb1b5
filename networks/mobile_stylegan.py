"""MobileStyleGAN: StyleGAN2 in wavelet space, with depthwise-separable convolutions (Belousov 2021, arXiv:2104.04767).

The differences to StyleGAN2: every block up-samples by the inverse Haar transform of its own channels instead of a
transposed convolution; modulated 3x3 convolutions are split into depthwise 3x3 and pointwise 1x1; demodulation is
trained into the weights (style-independent), so that only the style's scaling is left; one head predicts the four
wavelet bands of the picture.

An early picture of half the size (or a quarter, ...) leaves out the detail bands where the last block (the last two,
...) up-samples: what goes on is the low-pass of the maps, and the rest of the trunk runs on it at that size. This is an
approximation that no paper has: on the faces 31 dB from the picture reduced to half its size, 27 dB at a quarter, 23
dB at an eighth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.base import Generator, Pass, Spec
from networks.layers import MLPMapping, StyledLayer
from networks.plan import LayerInfo
from networks.registry import family
from networks.taps import Taps

ROUGH_BLOCKS = 3  # that an early picture approximates at most: with four, faces are blobs
BANDS = 4  # of a 2-D Haar transform: low, and details along the height, the width and both


@dataclass(frozen=True)
class MobileStyleGANSpec(Spec):
    """Configuration of a MobileStyleGAN. `channels` is the width of the 4x4 start and then of each block."""

    channels: tuple[int, ...] = ()
    mapping_features: tuple[int, ...] = (512,) * 8
    mapping_lr_multiplier: float = 0.01


def plan(spec: MobileStyleGANSpec) -> tuple[LayerInfo, ...]:
    """Specification -> layer table. Each block has three ws rows; the third is used by the head of the last one only
    (the heads of the other blocks are there in training alone)."""
    first = spec.channels[0]
    layers = [
        LayerInfo(0, "input", "const", (4, 4), first, sampling_rate=4.0),
        LayerInfo(1, "conv1", "conv", (4, 4), first, first, 0, has_noise=True, sampling_rate=4.0),
    ]
    for i, channels in enumerate(spec.channels[1:]):
        side, before = 8 << i, spec.channels[i]
        size, rate, row, narrow = (side, side), float(side), 3 * i + 1, before // BANDS
        n = len(layers)
        layers += [
            LayerInfo(n, f"layers.{i}.up", "wavelet", size, narrow, before, row, sampling_rate=rate),
            LayerInfo(n + 1, f"layers.{i}.conv1", "conv", size, channels, narrow, row, True, rate),
            LayerInfo(n + 2, f"layers.{i}.conv2", "conv", size, channels, channels, row + 1, True, rate),
        ]
    last, head = layers[-1], f"layers.{len(spec.channels) - 2}.to_img"
    bands = BANDS * spec.img_channels
    layers.append(LayerInfo(len(layers), head, "torgb", last.size, bands, last.channels, row + 2, sampling_rate=rate))
    return tuple(layers)


def inverse_haar(x: Tensor, style: Tensor | None = None) -> Tensor:
    """x [N, 4C, H, W] -> [N, C, 2H, 2W]: one level of the orthonormal inverse 2-D Haar transform.

    The first C channels are the low band; behind them come three detail bands for each channel in turn. Channels lie
    last in memory here, as in the whole trunk. style [N, 4C] scales the bands first.
    """
    N, channels, H, W = x.shape
    C = channels // BANDS
    x = x * 0.5 if style is None else modulate(x, style * 0.5)
    x = x.permute(0, 2, 3, 1)
    low, (vertical, horizontal, diagonal) = x[..., :C], x[..., C:].reshape(N, H, W, C, 3).unbind(-1)
    top, bottom = low + vertical, low - vertical
    left, right = horizontal + diagonal, horizontal - diagonal
    y = x.new_empty(N, H, 2, W, 2, C)
    y[:, :, 0, :, 0], y[:, :, 0, :, 1] = top + left, top - left
    y[:, :, 1, :, 0], y[:, :, 1, :, 1] = bottom + right, bottom - right
    return y.view(N, 2 * H, 2 * W, C).permute(0, 3, 1, 2)


def low_band(x: Tensor, style: Tensor) -> Tensor:
    """x [N, 4C, H, W], style [N, 4C] -> [N, C, H, W]: the means of the 2x2 squares of `inverse_haar(x, style)`."""
    C = x.shape[1] // BANDS
    return modulate(x[:, :C], style[:, :C] * 0.5)


def reaches(info: LayerInfo, height: int) -> bool:
    """Whether a picture of this height takes the layer at its full size; the last maps are half as high as the
    picture."""
    return 2 * info.size[0] <= height


def modulate(x: Tensor, style: Tensor) -> Tensor:
    """x [N, C, H, W], style [N, C] -> every channel scaled by its style."""
    return x * style[:, :, None, None]


def depthwise(x: Tensor, weight: Tensor, style: Tensor) -> Tensor:
    """Modulated depthwise 3x3 convolution: x [N, C, H, W], weight [C, 1, 3, 3], style [N, C] -> [N, C, H, W].

    A single picture's style scales the few weights, which saves a pass over the map.
    """
    if x.shape[0] == 1:
        return F.conv2d(x, weight * style[0, :, None, None, None], padding=1, groups=x.shape[1])
    return F.conv2d(modulate(x, style), weight, padding=1, groups=x.shape[1])


class ConstantInput(nn.Module):
    """The learned 4x4 start."""

    def __init__(self, info: LayerInfo) -> None:
        super().__init__()
        self.info = info
        self.const = nn.Parameter(torch.empty(info.channels, *info.size))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.const.data.normal_(generator=generator)

    def forward(self, batch: int, taps: Taps) -> Tensor:
        """-> [batch, C, 4, 4]."""
        x = self.const[None].repeat(batch, 1, 1, 1).contiguous(memory_format=torch.channels_last)
        return taps.on_feature(self.info, x)


class Affine(nn.Linear):
    """w -> style, a plain linear layer (no equalized learning rate here); starts as a style of ones."""

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(std=1 / math.sqrt(self.in_features), generator=generator)
        self.bias.data.fill_(1.0)


class WaveletUp(StyledLayer):
    """Modulate, then inverse Haar: 4C channels become C of twice the size."""

    def __init__(self, info: LayerInfo, w_dim: int) -> None:
        super().__init__(info)
        self.affine = Affine(w_dim, info.style_dim)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        return inverse_haar(x, style)


class ConvLayer(StyledLayer):
    """Modulate, 3x3 convolution (dense, or depthwise and pointwise), noise, bias, lrelu 0.2 without gain."""

    def __init__(self, info: LayerInfo, w_dim: int, separable: bool) -> None:
        super().__init__(info)
        self.separable = separable
        self.style_gain = 1 / math.sqrt(9 * info.style_dim)
        self.affine = Affine(w_dim, info.style_dim)
        kernel = 1 if separable else 3
        if separable:
            self.weight_dw = nn.Parameter(torch.empty(info.style_dim, 1, 3, 3))
        self.weight = nn.Parameter(torch.empty(info.channels, info.style_dim, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(info.channels))
        self.noise_strength = nn.Parameter(torch.empty([]))
        self.register_buffer("noise_const", torch.zeros(info.size))

    def reset_weights(self, generator: torch.Generator) -> None:
        if self.separable:
            self.weight_dw.data.normal_(generator=generator)
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()
        self.noise_strength.data.zero_()
        self.noise_const.normal_(generator=generator)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        style = style * self.style_gain
        if not self.separable:
            x = F.conv2d(modulate(x, style), self.weight, self.bias, padding=1)
        else:
            x = F.conv2d(depthwise(x, self.weight_dw, style), self.weight, self.bias)
        if noise is not None:
            x.add_(noise)
        return F.leaky_relu_(x, 0.2)


class ToImage(StyledLayer):
    """Modulated 1x1 convolution to the four wavelet bands of the picture."""

    def __init__(self, info: LayerInfo, w_dim: int) -> None:
        super().__init__(info)
        self.style_gain = 1 / math.sqrt(info.style_dim)
        self.affine = Affine(w_dim, info.style_dim)
        self.weight = nn.Parameter(torch.empty(info.channels, info.style_dim, 1, 1))
        self.bias = nn.Parameter(torch.empty(info.channels))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        return F.conv2d(modulate(x, style * self.style_gain), self.weight, self.bias)


def make_layer(info: LayerInfo, spec: MobileStyleGANSpec) -> nn.Module:
    """Return the module of one row of the layer table."""
    if info.kind == "const":
        return ConstantInput(info)
    if info.kind == "wavelet":
        return WaveletUp(info, spec.w_dim)
    if info.kind == "torgb":
        return ToImage(info, spec.w_dim)
    return ConvLayer(info, spec.w_dim, separable=info.name != "conv1")


class Synthesis(nn.Module):
    """The trunk: a chain of layers, and the inverse Haar transform that makes the picture of the last one's bands."""

    def __init__(self, spec: MobileStyleGANSpec, layers: tuple[LayerInfo, ...]) -> None:
        super().__init__()
        self.infos = layers
        self.layers = nn.ModuleList(nn.Module() for _ in spec.channels[1:])
        for info in layers:
            parent, _, name = info.name.rpartition(".")
            self.get_submodule(parent).add_module(name, make_layer(info, spec))

    def forward(self, ws: Tensor, asked: Pass) -> Tensor:
        """ws [N, num_ws, w_dim] -> picture [N, C, H, W]; a smaller one where the taps say so."""
        done, (x,) = asked.resume(None)
        if x is None:
            done, x = 1, self.get_submodule("input")(ws.shape[0], asked.taps)
        assert x is not None
        for info in self.infos[done:]:
            if asked.taps.stop_at is not None and not reaches(info, asked.taps.stop_at):
                x = self.roughly(x, info.index, ws, asked)
                break
            x = self.get_submodule(info.name)(x, ws[:, info.w_index], asked.taps, asked.noise)
            asked.keep(info.index + 1, x)
        return inverse_haar(x).contiguous()

    def roughly(self, x: Tensor, first: int, ws: Tensor, asked: Pass) -> Tensor:
        """The layers from row `first` on, at the size of their input x [N, C, h, w] -> bands [N, 4 C', h, w]."""
        taps, size = asked.taps.rough(), (x.shape[2], x.shape[3])
        for info in self.infos[first:]:
            layer = self.get_submodule(info.name)
            assert isinstance(layer, WaveletUp | ConvLayer | ToImage)
            style = taps.on_style(info, layer.affine(ws[:, info.w_index]))
            if isinstance(layer, WaveletUp):
                x = low_band(x, style)
            else:
                noise = layer.scaled_noise(x, asked.noise) if info.has_noise else None
                noise = asked.taps.on_noise(info, noise)
                noise = None if noise is None else F.avg_pool2d(noise, info.size[0] // size[0])
                x = layer.run(x, style, noise, taps)
            x = taps.on_feature(replace(info, size=size, sampling_rate=float(size[1])), x)
        return x


@family("mobile_stylegan", "MobileStyleGAN", MobileStyleGANSpec)
class MobileStyleGAN(Generator):
    """MobileStyleGAN, unconditional."""

    def __init__(self, spec: MobileStyleGANSpec) -> None:
        super().__init__()
        self.spec = spec
        self.layers = plan(spec)
        self.num_ws = 3 * (len(spec.channels) - 1) + 2
        self.mapping = MLPMapping(spec.z_dim, 0, spec.w_dim, spec.mapping_features, 0, spec.mapping_lr_multiplier)
        self.synthesis = Synthesis(spec, self.layers)

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        return tuple(2 * info.size[0] for info in self.layers if info.kind == "wavelet")[-1 - ROUGH_BLOCKS :]

    def reaches(self, info: LayerInfo, height: int) -> bool:
        return reaches(info, height)

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        return self.synthesis(ws, asked)
