"""lucidrains' stylegan2-pytorch: one w per resolution, bilinear doubling, plain linears, uniform noise.

A different network from the paper's: an equalized learning rate in the mapping alone, no gain of sqrt(2), and the
noise of every layer is a corner of one picture-sized map, turned (its H and W are exchanged).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.base import Generator, Mapping, Pass, Spec
from networks.filters import separable_filter
from networks.layers import StyledLayer, lrelu, noise_generator
from networks.ops.plain import modulated_conv2d
from networks.plan import LayerInfo, Noise
from networks.registry import family
from networks.taps import Taps

START = 4


@dataclass(frozen=True)
class LucidrainsSpec(Spec):
    """Configuration: `channels` is the width at each resolution from 4x4 up, `mapping_layers` the mapping's depth."""

    pixel_range: tuple[float, float] = (0.0, 1.0)
    channels: tuple[int, ...] = ()
    mapping_layers: int = 8
    mapping_lr_multiplier: float = 0.1


@dataclass(frozen=True)
class Block:
    """One resolution of the plan: its name, width in, and its layers by role."""

    name: str
    in_channels: int
    layers: dict[str, LayerInfo]


def plan(spec: LucidrainsSpec) -> tuple[Block, ...]:
    """Specification -> the blocks with their layer table; one row of ws per resolution."""
    blocks: list[Block] = []
    index = 0
    for level, channels in enumerate(spec.channels):
        size = (START << level, START << level)
        name = f"b{size[0]}"
        in_channels = spec.channels[max(level - 1, 0)]
        layers: dict[str, LayerInfo] = {}
        if level == 0:
            layers["const"] = LayerInfo(index, f"{name}.const", "const", size, channels, sampling_rate=float(START))
        for role, width_in in (("conv0", in_channels), ("conv1", channels), ("torgb", channels)):
            layers[role] = LayerInfo(
                index=index + len(layers),
                name=f"{name}.{role}",
                kind="torgb" if role == "torgb" else "up" if role == "conv0" and level else "conv",
                size=size,
                channels=spec.img_channels if role == "torgb" else channels,
                style_dim=width_in,
                w_index=level,
                has_noise=role != "torgb",
                sampling_rate=float(size[1]),
            )
        index += len(layers)
        blocks.append(Block(name, in_channels, layers))
    return tuple(blocks)


def kaiming_(weight: Tensor, generator: torch.Generator) -> None:
    """Fill [O, I, ...] with N(0, 2 / fan_in), He et al. 2015."""
    weight.normal_(generator=generator).mul_(math.sqrt(2 / weight[0].numel()))


class Affine(nn.Linear):
    """w -> style, a plain linear layer; its bias holds the 1 of their `style + 1`."""

    def reset_weights(self, generator: torch.Generator) -> None:
        kaiming_(self.weight.data, generator)
        self.bias.data.fill_(1.0)


def double(x: Tensor) -> Tensor:
    """Bilinear up-sampling by 2, x [N, C, H, W] -> [N, C, 2H, 2W]."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class StyleVectorizer(Mapping):
    """z on the unit sphere, through linears whose weights and biases are multiplied by `mapping_lr_multiplier`."""

    def __init__(self, spec: LucidrainsSpec) -> None:
        super().__init__()
        self.lr_multiplier, self.num_layers = spec.mapping_lr_multiplier, spec.mapping_layers
        for i in range(spec.mapping_layers):
            self.add_module(f"fc{i}", nn.Linear(spec.w_dim, spec.w_dim))
        self.register_buffer("w_avg", torch.zeros(spec.w_dim))

    def reset_weights(self, generator: torch.Generator) -> None:
        for i in range(self.num_layers):
            layer = self.get_submodule(f"fc{i}")
            assert isinstance(layer, nn.Linear)
            kaiming_(layer.weight.data, generator)
            layer.weight.data.div_(self.lr_multiplier)
            layer.bias.data.zero_()

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x = F.normalize(z.float(), dim=1)
        for i in range(self.num_layers):
            layer = self.get_submodule(f"fc{i}")
            assert isinstance(layer, nn.Linear)
            x = lrelu(F.linear(x, layer.weight * self.lr_multiplier, layer.bias * self.lr_multiplier), gain=1.0)
        return x


class ConvLayer(StyledLayer):
    """Modulated 3x3 convolution (doubled before, where it up-samples), noise and bias per channel, lrelu.

    The bias is the one of their Linear(1 -> C) on the noise; their `style + 1` is in `affine.bias`.
    """

    def __init__(self, info: LayerInfo, in_channels: int, spec: LucidrainsSpec) -> None:
        super().__init__(info)
        self.affine = Affine(spec.w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(info.channels))
        self.noise_strength = nn.Parameter(torch.empty(info.channels))
        self.register_buffer("noise_const", torch.zeros(info.size))

    def reset_weights(self, generator: torch.Generator) -> None:
        kaiming_(self.weight.data, generator)
        self.bias.data.zero_()
        self.noise_strength.data.zero_()
        self.noise_const.uniform_(generator=generator)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        x = modulated_conv2d(double(x) if self.info.kind == "up" else x, self.weight, style)
        if noise is not None:
            x = x + noise
        return lrelu(x + self.bias[None, :, None, None], gain=1.0)

    noise_mean = 0.5

    def draw(self, noise: Noise, batch: int, device: torch.device) -> Tensor:
        """Uniform maps in [0, 1), [N, 1, H, W]."""
        return torch.rand(batch, 1, *self.info.size, generator=noise_generator(self.info, noise)).to(device)


class ToRGBLayer(StyledLayer):
    """Modulated 1x1 convolution to pixels, without demodulation and bias."""

    def __init__(self, info: LayerInfo, in_channels: int, spec: LucidrainsSpec) -> None:
        super().__init__(info)
        self.affine = Affine(spec.w_dim, in_channels)
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 1, 1))

    def reset_weights(self, generator: torch.Generator) -> None:
        kaiming_(self.weight.data, generator)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        return modulated_conv2d(x, self.weight, style, demodulate=False)


class SynthesisBlock(nn.Module):
    """One resolution: two styled convolutions and a to-RGB."""

    def __init__(self, block: Block, spec: LucidrainsSpec) -> None:
        super().__init__()
        self.plan = block
        layers = block.layers
        if "const" in layers:
            self.const = nn.Parameter(torch.empty(layers["const"].channels, START, START))
            self.conv = nn.Conv2d(block.in_channels, block.in_channels, 3, padding=1)
        self.conv0 = ConvLayer(layers["conv0"], block.in_channels, spec)
        self.conv1 = ConvLayer(layers["conv1"], layers["conv1"].channels, spec)
        self.torgb = ToRGBLayer(layers["torgb"], layers["conv1"].channels, spec)

    def reset_weights(self, generator: torch.Generator) -> None:
        if "const" in self.plan.layers:
            self.const.data.normal_(generator=generator)
            kaiming_(self.conv.weight.data, generator)
            assert self.conv.bias is not None
            self.conv.bias.data.zero_()

    def features(self, x: Tensor | None, w: Tensor, taps: Taps, noise: Noise) -> Tensor:
        """x [N, C, H/2, W/2] (None at the start), w [N, w_dim] -> [N, C', H, W]."""
        if x is None:
            start = self.const[None].expand(w.shape[0], -1, -1, -1)
            x = taps.on_feature(self.plan.layers["const"], self.conv(start))
        return self.conv1(self.conv0(x, w, taps, noise), w, taps, noise)


class Synthesis(nn.Module):
    """The trunk: features climb the resolutions, the picture is the doubled and blurred sum of the to-RGBs."""

    blur: Tensor

    def __init__(self, spec: LucidrainsSpec, blocks: tuple[Block, ...]) -> None:
        super().__init__()
        self.blocks = blocks
        for block in blocks:
            self.add_module(block.name, SynthesisBlock(block, spec))
        self.register_buffer("blur", separable_filter((1.0, 2.0, 1.0)), persistent=False)

    def double_picture(self, img: Tensor) -> Tensor:
        """img [N, C, H, W] -> [N, C, 2H, 2W]: bilinear, then [1, 2, 1] with mirrored borders."""
        img = F.pad(double(img), (1, 1, 1, 1), mode="reflect")
        kernel = self.blur[None, None].expand(img.shape[1], 1, -1, -1)
        return F.conv2d(img, kernel.to(img.dtype), groups=img.shape[1])

    def forward(self, ws: Tensor, asked: Pass) -> Tensor:
        """ws [N, num_ws, w_dim] -> picture [N, C, H, W]; stops early where the taps say so."""
        taps, noise = asked.taps, asked.noise
        done, (x, img) = asked.resume(None, None)
        for level, block in enumerate(self.blocks):
            torgb = block.layers["torgb"]
            if torgb.index < done:
                continue
            module = self.get_submodule(block.name)
            assert isinstance(module, SynthesisBlock)
            if torgb.index > done or x is None:
                x = module.features(x, ws[:, level], taps, noise)
                asked.keep(torgb.index, x, img)
            y = module.torgb(x, ws[:, level], taps, noise)
            img = y if img is None else self.double_picture(img) + y
            if taps.stop_at == torgb.size[0]:
                break
        assert img is not None
        return img


@family("lucidrains", "StyleGAN2 (lucidrains)", LucidrainsSpec)
class Lucidrains(Generator):
    """The generator of lucidrains' stylegan2-pytorch, without attention layers."""

    def __init__(self, spec: LucidrainsSpec) -> None:
        super().__init__()
        self.spec = spec
        blocks = plan(spec)
        self.layers = tuple(info for block in blocks for info in block.layers.values())
        self.num_ws = len(blocks)
        self.preview = tuple(block.layers["torgb"].size[0] for block in blocks)
        self.mapping = StyleVectorizer(spec)
        self.synthesis = Synthesis(spec, blocks)

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        return self.preview

    def double_picture(self, img: Tensor) -> Tensor:
        return self.synthesis.double_picture(img)

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        return self.synthesis(ws, asked)
