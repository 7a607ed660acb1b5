"""StyleGAN: a constant, doubled up; styles enter through instance normalization, AdaIN (Karras et al. 2019)."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.base import Generator, Pass, Spec, TorgbUse
from networks.edits import EPS, Moments
from networks.filters import separable_filter, upfirdn2d
from networks.layers import SQRT2, EqualizedLinear, StyledLayer, lrelu
from networks.mappings import ConcatMapping
from networks.plan import OUTPUT, PRE_NORM, LayerInfo
from networks.registry import family
from networks.taps import Taps

BLUR = (1.0, 2.0, 1.0)


@dataclass(frozen=True)
class StyleGAN1Spec(Spec):
    """Configuration of a StyleGAN generator.

    `channels` is the width at each resolution from the start up, `start` (H, W) of the constant, `mapping_features`
    the width of each mapping layer. `default_psi` and `default_cutoff` are the truncation that the official code
    applies unless told otherwise (None: none); `map` does not apply it by itself.
    """

    channels: tuple[int, ...] = ()
    start: tuple[int, int] = (4, 4)
    mapping_features: tuple[int, ...] = (512,) * 8
    embed_features: int = 512
    mapping_lr_multiplier: float = 0.01
    blur_taps: tuple[float, ...] = BLUR
    default_psi: float | None = 0.7
    default_cutoff: int | None = 8


@dataclass(frozen=True)
class Block:
    """One resolution of the plan: its name ('b64'), width in, and its three layers."""

    name: str
    in_channels: int
    conv0: LayerInfo
    conv1: LayerInfo
    torgb: LayerInfo


def plan(spec: StyleGAN1Spec) -> tuple[Block, ...]:
    """Specification -> the blocks with their layer table; two rows of ws per resolution."""
    blocks: list[Block] = []
    for level, channels in enumerate(spec.channels):
        size = (spec.start[0] << level, spec.start[1] << level)
        name = f"b{size[0]}"
        conv0, conv1 = (
            LayerInfo(
                index=3 * level + i,
                name=f"{name}.conv{i}",
                kind="conv" if i else "up" if level else "const",
                size=size,
                channels=channels,
                style_dim=2 * channels,
                w_index=2 * level + i,
                has_noise=True,
                sampling_rate=float(size[1]),
                stages=(OUTPUT, PRE_NORM),
            )
            for i in range(2)
        )
        torgb = LayerInfo(
            3 * level + 2, f"{name}.torgb", "torgb", size, spec.img_channels, sampling_rate=float(size[1])
        )
        blocks.append(Block(name, spec.channels[max(level - 1, 0)], conv0, conv1, torgb))
    return tuple(blocks)


def instance_norm(x: Tensor, moments: Moments | None = None, eps: float = EPS) -> Tensor:
    """x [N, C, H, W] -> each map with mean 0 and mean square 1; or by the mean and sigma that an edit prescribes."""
    if moments is not None:
        given = moments.filled(x)
        return (x - given.mean) / given.sigma
    x = x - x.mean(dim=(2, 3), keepdim=True)
    return x * (x.square().mean(dim=(2, 3), keepdim=True) + eps).rsqrt()


def adain(x: Tensor, style: Tensor, moments: Moments | None = None) -> Tensor:
    """Eq. 1 of Karras et al. 2019: x [N, C, H, W], style [N, 2C] as (scale - 1, bias) -> [N, C, H, W]."""
    scale, bias = style[:, :, None, None].chunk(2, dim=1)
    return torch.addcmul(bias, instance_norm(x, moments), scale + 1)


def doubling_conv2d(x: Tensor, weight: Tensor) -> Tensor:
    """Nearest up-sampling by 2, then a 3x3 convolution, as one transposed convolution of stride 2.

    Each sample meets the kernel at two neighbouring places per axis, so the 4x4 kernel is the sum of four shifted
    copies of the turned 3x3 one: 16 products per input sample instead of 36. x [N, I, H, W], weight [O, I, 3, 3].
    """
    turned = weight.flip((2, 3)).transpose(0, 1)
    kernel = sum(F.pad(turned, (i, 1 - i, j, 1 - j)) for i in range(2) for j in range(2))
    return F.conv_transpose2d(x, torch.as_tensor(kernel), stride=2, padding=1)


class AdaINLayer(StyledLayer):
    """The layer epilogue of StyleGAN: noise, bias, lrelu, instance norm, style. Sub-classes write `start`."""

    def __init__(self, info: LayerInfo, spec: StyleGAN1Spec) -> None:
        super().__init__(info)
        self.affine = EqualizedLinear(spec.w_dim, info.style_dim)
        self.bias = nn.Parameter(torch.empty(info.channels))
        self.noise_strength = nn.Parameter(torch.empty(info.channels))
        self.register_buffer("noise_const", torch.zeros(info.size))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.bias.data.zero_()
        self.noise_strength.data.zero_()
        self.noise_const.normal_(generator=generator)

    @abstractmethod
    def start(self, x: Tensor) -> Tensor:
        """What happens before the epilogue."""

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        x = self.start(x)
        if noise is not None:
            x = x + noise
        x = lrelu(x + self.bias[None, :, None, None], gain=1.0)
        x = taps.on_feature(self.info, x, PRE_NORM)
        return adain(x, style, taps.on_norm(self.info, x))


class ConstLayer(AdaINLayer):
    """The learned constant; it passes through the same epilogue as a convolution's output."""

    def __init__(self, info: LayerInfo, spec: StyleGAN1Spec) -> None:
        super().__init__(info, spec)
        self.const = nn.Parameter(torch.empty(info.channels, *info.size))

    def reset_weights(self, generator: torch.Generator) -> None:
        super().reset_weights(generator)
        self.const.data.fill_(1.0)

    def start(self, x: Tensor) -> Tensor:
        """x [N, ...] (only its batch size matters) -> [N, C, H, W]."""
        return self.const[None].expand(x.shape[0], -1, -1, -1)


class ConvLayer(AdaINLayer):
    """3x3 convolution; an up-sampling one doubles first and is blurred after."""

    blur: Tensor

    def __init__(self, info: LayerInfo, in_channels: int, spec: StyleGAN1Spec) -> None:
        super().__init__(info, spec)
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 3, 3))
        self.weight_gain = SQRT2 / math.sqrt(9 * in_channels)
        self.register_buffer("blur", separable_filter(spec.blur_taps), persistent=False)

    def reset_weights(self, generator: torch.Generator) -> None:
        super().reset_weights(generator)
        self.weight.data.normal_(generator=generator)

    def start(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, H, W], or twice as high and wide where the layer up-samples."""
        weight = self.weight * self.weight_gain
        if self.info.kind != "up":
            return F.conv2d(x, weight, padding=1)
        n = self.blur.shape[0]
        before, after = (n - 1) // 2, n // 2
        return upfirdn2d(doubling_conv2d(x, weight), self.blur, pad=(before, after, before, after))


class ToRGBLayer(nn.Module):
    """1x1 convolution to pixels, without style."""

    def __init__(self, info: LayerInfo, in_channels: int) -> None:
        super().__init__()
        self.info = info
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(info.channels))
        self.weight_gain = 1 / math.sqrt(in_channels)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()

    def forward(self, x: Tensor, taps: Taps) -> Tensor:
        """x [N, C, H, W] -> pixels [N, img_channels, H, W]."""
        return taps.on_feature(self.info, F.conv2d(x, self.weight * self.weight_gain, self.bias))


class SynthesisBlock(nn.Module):
    """One resolution: two styled layers and the to-RGB that progressive growing trained there."""

    def __init__(self, block: Block, spec: StyleGAN1Spec) -> None:
        super().__init__()
        self.conv0: AdaINLayer
        if block.conv0.kind == "const":
            self.conv0 = ConstLayer(block.conv0, spec)
        else:
            self.conv0 = ConvLayer(block.conv0, block.in_channels, spec)
        self.conv1 = ConvLayer(block.conv1, block.conv0.channels, spec)
        self.torgb = ToRGBLayer(block.torgb, block.conv1.channels)

    def features(self, x: Tensor, ws: Tensor, asked: Pass, done: int) -> Tensor:
        """What the first `done` layers left, x [N, C, h, w], ws [N, num_ws, w_dim] -> [N, C', H, W]."""
        for layer in (self.conv0, self.conv1):
            if layer.info.index >= done:
                x = layer(x, ws[:, layer.info.w_index], asked.taps, asked.noise)
                asked.keep(layer.info.index + 1, x)
        return x


class Synthesis(nn.Module):
    """The trunk: features climb the resolutions; each resolution has a to-RGB, the picture is the last one's."""

    def __init__(self, spec: StyleGAN1Spec, blocks: tuple[Block, ...]) -> None:
        super().__init__()
        self.blocks = blocks
        for block in blocks:
            self.add_module(block.name, SynthesisBlock(block, spec))

    def forward(self, ws: Tensor, asked: Pass) -> Tensor:
        """ws [N, num_ws, w_dim] -> picture [N, C, H, W]; stops early where the taps say so."""
        taps = asked.taps
        done, (x,) = asked.resume(ws)
        assert x is not None
        for block in self.blocks:
            if block.torgb.index < done:
                continue
            module = self.get_submodule(block.name)
            assert isinstance(module, SynthesisBlock)
            x = module.features(x, ws, asked, done)
            stop = block is self.blocks[-1] or taps.stop_at == block.torgb.size[0]
            if stop or taps.wants(block.torgb.name):  # the others serve only who looks at them
                img = module.torgb(x, taps)
            if stop:
                break
        return img


@family("stylegan1", "StyleGAN", StyleGAN1Spec)
class StyleGAN1(Generator):
    """StyleGAN; conditional when c_dim > 0."""

    def __init__(self, spec: StyleGAN1Spec) -> None:
        super().__init__()
        self.spec = spec
        blocks = plan(spec)
        self.layers = tuple(info for block in blocks for info in (block.conv0, block.conv1, block.torgb))
        self.num_ws = 2 * len(blocks)
        self.preview = tuple(block.torgb.size[0] for block in blocks)
        self.mapping = ConcatMapping(
            spec.z_dim,
            spec.c_dim,
            spec.w_dim,
            spec.mapping_features,
            spec.embed_features,
            spec.mapping_lr_multiplier,
            gain="weight",
        )
        self.synthesis = Synthesis(spec, blocks)

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        return self.preview

    @property
    def torgb_use(self) -> TorgbUse:
        return "apart"

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        return self.synthesis(ws, asked)
