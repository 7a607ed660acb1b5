"""StyleGAN-T: StyleGAN2's layers, doubled into residual pairs, steered by a text embedding (Sauer et al. 2023).

The differences to StyleGAN2: the start is StyleGAN3's Fourier input at 8x8; every resolution has several layers, each
second one a residual branch with group normalization and a layer scale (section 3.1); styles are products of linear
maps (second order); w is the mapped z with the text embedding c behind it, and truncation moves the z half only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from networks.alias_free import ChainInput, FourierInput, invert_transform
from networks.base import Generator, Mapping, Pass, Spec, layer_dtype
from networks.filters import separable_filter, upsample2d
from networks.layers import SQRT2, EqualizedLinear, normalize_2nd_moment
from networks.plan import LayerInfo, Noise
from networks.registry import family
from networks.stylegan2 import BINOMIAL, ModulatedConvLayer, ToRGBLayer
from networks.taps import Taps

START = 8  # pixels


@dataclass(frozen=True)
class StyleGANTSpec(Spec):
    """Configuration of a StyleGAN-T generator.

    `channels` is the width at each resolution from 8x8 up, `depth` the number of layers behind the first one of each
    resolution (odd ones are residual). `norm_groups` belongs to the group normalization of residual layers.
    `architecture` 'skip' has a to-RGB at each resolution, 'orig' at the last one only.
    """

    channels: tuple[int, ...] = ()
    depth: int = 4
    architecture: Literal["skip", "orig"] = "orig"
    bandwidth: float = 2.0  # of the Fourier input, in cycles per picture width
    norm_groups: int = 32
    norm_eps: float = 1e-5
    mapping_features: tuple[int, ...] = (64, 64)
    mapping_lr_multiplier: float = 0.01
    half_resolutions: int = 4
    conv_clamp: float | None = 256.0
    filter_taps: tuple[float, ...] = BINOMIAL


@dataclass(frozen=True)
class Block:
    """One resolution of the plan: its width in and out and its layers, keyed by their names below the block."""

    name: str
    in_channels: int
    channels: int
    size: int
    layers: dict[str, LayerInfo] = field(default_factory=dict)


def plan(spec: StyleGANTSpec) -> tuple[Block, ...]:
    """Specification -> blocks with their layers; every layer has its own row of ws, a to-RGB shares the next one's."""
    blocks: list[Block] = []
    index, row = 0, 0
    for level, channels in enumerate(spec.channels):
        size = START << level
        block = Block(f"b{size}", spec.channels[max(level - 1, 0)], channels, size)
        roles = ["input" if level == 0 else "conv0", *(f"convs1.{i}" for i in range(spec.depth))]
        if spec.architecture == "skip" or level == len(spec.channels) - 1:
            roles.append("torgb")
        for role in roles:
            block.layers[role] = _layer(spec, block, role, index, row, level)
            index += 1
            row += role != "torgb"
        blocks.append(block)
    return tuple(blocks)


def _layer(spec: StyleGANTSpec, block: Block, role: str, index: int, row: int, level: int) -> LayerInfo:
    kinds: dict[str, Literal["input", "up", "torgb"]] = {"input": "input", "conv0": "up", "torgb": "torgb"}
    styles = {"input": 4, "conv0": block.in_channels}
    return LayerInfo(
        index=index,
        name=f"{block.name}.{role}",
        kind=kinds.get(role, "conv"),
        size=(block.size, block.size),
        channels=spec.img_channels if role == "torgb" else block.channels,
        style_dim=styles.get(role, block.channels),
        w_index=row,
        has_noise=role not in ("input", "torgb"),
        sampling_rate=float(block.size),
        half=role != "input" and level >= len(spec.channels) - spec.half_resolutions,
    )


class SecondOrderStyle(nn.Module):
    """w -> style: one linear map to three parts m1, m2, m3, and m1 m2 + m3 of them (section 3.1)."""

    def __init__(self, w_dim: int, style_dim: int) -> None:
        super().__init__()
        self.proj = EqualizedLinear(w_dim, 3 * style_dim, bias_init=1.0)

    def forward(self, w: Tensor) -> Tensor:
        """w [N, w_dim] -> [N, style_dim]."""
        m1, m2, m3 = self.proj(w).chunk(3, dim=1)
        return m1 * m2 + m3


class GroupNorm(nn.GroupNorm):
    """Group normalization (Wu and He 2018) that computes in fp32 whatever comes in."""

    def reset_weights(self, generator: torch.Generator) -> None:
        nn.init.ones_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, C, H, W] -> the same shape and type."""
        return super().forward(x.float()).to(x.dtype)


class ConvLayer(ModulatedConvLayer):
    """A StyleGAN2 layer with a second-order style."""

    def __init__(self, info: LayerInfo, in_channels: int, spec: StyleGANTSpec, gain: float = 1.0) -> None:
        super().__init__(info, in_channels, spec, gain)
        self.affine = SecondOrderStyle(spec.w_dim, in_channels)


class ResidualConvLayer(ConvLayer):
    """The same as a branch: (n + gamma layer(n)) sqrt 2 with n = norm(x) and the layer scale gamma [1, C, 1, 1]."""

    def __init__(self, info: LayerInfo, in_channels: int, spec: StyleGANTSpec, gain: float = 1.0) -> None:
        super().__init__(info, in_channels, spec, gain)
        self.norm = GroupNorm(spec.norm_groups, in_channels, eps=spec.norm_eps)
        self.gamma = nn.Parameter(torch.empty(1, info.channels, 1, 1))

    def reset_weights(self, generator: torch.Generator) -> None:
        super().reset_weights(generator)
        self.gamma.data.fill_(1e-5)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        x = self.norm(x)
        y = super().run(x, style, noise, taps)
        return (x + self.gamma.to(x.dtype) * y) * SQRT2


class ToRGB(ToRGBLayer):
    """StyleGAN2's to-RGB with a second-order style."""

    def __init__(self, info: LayerInfo, in_channels: int, spec: StyleGANTSpec) -> None:
        super().__init__(info, in_channels, spec)
        self.affine = SecondOrderStyle(spec.w_dim, in_channels)


class SynthesisBlock(nn.Module):
    """One resolution: the Fourier input or an up-sampling layer, the plain and residual layers, perhaps a to-RGB."""

    def __init__(self, block: Block, spec: StyleGANTSpec) -> None:
        super().__init__()
        self.plan = block
        if "input" in block.layers:
            waves = ChainInput(block.channels, (block.size, block.size), float(block.size), spec.bandwidth)
            self.input = FourierInput(block.layers["input"], waves, spec.w_dim)
        else:
            self.conv0 = ConvLayer(block.layers["conv0"], block.in_channels, spec)
        self.convs1 = nn.ModuleList(
            (ResidualConvLayer if i % 2 else ConvLayer)(
                block.layers[f"convs1.{i}"], block.channels, spec, gain=math.sqrt(0.5)
            )
            for i in range(spec.depth)
        )
        if "torgb" in block.layers:
            self.torgb = ToRGB(block.layers["torgb"], block.channels, spec)

    def features(
        self, x: Tensor | None, ws: Tensor, taps: Taps, noise: Noise, transform: Tensor | None, dtype: torch.dtype
    ) -> Tensor:
        """x [N, C, H/2, W/2] (None at the start), ws [N, num_ws, w_dim] -> [N, C', H, W]."""
        if x is None:
            x = self.input(ws[:, self.input.info.w_index], taps, transform).to(dtype)
        else:
            x = self.conv0(x.to(dtype), ws[:, self.conv0.info.w_index], taps, noise)
        for layer in self.convs1:
            assert isinstance(layer, ConvLayer)
            x = layer(x, ws[:, layer.info.w_index], taps, noise)
        return x


class Synthesis(nn.Module):
    """The trunk: features climb the resolutions; the picture is the last to-RGB, or the sum of them ('skip')."""

    resample_filter: Tensor

    def __init__(self, spec: StyleGANTSpec, blocks: tuple[Block, ...]) -> None:
        super().__init__()
        self.blocks = blocks
        for block in blocks:
            self.add_module(block.name, SynthesisBlock(block, spec))
        self.register_buffer("resample_filter", separable_filter(spec.filter_taps), persistent=False)

    def forward(self, ws: Tensor, asked: Pass, transform: Tensor | None) -> Tensor:
        """ws [N, num_ws, w_dim], transform [3, 3] of the input or None -> picture [N, C, H, W]."""
        taps, noise = asked.taps, asked.noise
        done, (x, img) = asked.resume(None, None)
        for block in self.blocks:
            infos = tuple(block.layers.values())
            if infos[-1].index < done:
                continue
            module = self.get_submodule(block.name)
            assert isinstance(module, SynthesisBlock)
            if infos[0].index >= done:
                dtype = layer_dtype(block.layers["convs1.0"], ws.device, asked.precision)
                x = module.features(x, ws, taps, noise, transform, dtype)
                asked.keep(infos[0].index + 1 + len(module.convs1), x, img)
            assert x is not None
            if img is not None:
                img = upsample2d(img, self.resample_filter)
            if "torgb" in block.layers:
                y = module.torgb(x, ws[:, module.torgb.info.w_index], taps, noise).float()
                img = y if img is None else img + y
                if taps.stop_at == block.size:
                    return img
        assert img is not None
        return img


class TextMapping(Mapping):
    """z -> x through an MLP whose last layer is linear; w = [x, c] with the text embedding c as it is (section 3.3).

    `w_avg` [w_dim] holds the mean x, and zeros where c goes: truncation does not touch the text.
    """

    def __init__(self, spec: StyleGANTSpec) -> None:
        super().__init__()
        self.c_dim, self.depth = spec.c_dim, len(spec.mapping_features)
        width = spec.z_dim
        for i, features in enumerate(spec.mapping_features):
            last = i == self.depth - 1
            layer = EqualizedLinear(
                width,
                features,
                activation="linear" if last else "lrelu",
                lr_multiplier=spec.mapping_lr_multiplier,
            )
            self.add_module(f"fc{i}", layer)
            width = features
        self.register_buffer("w_avg", torch.zeros(width + spec.c_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        x = normalize_2nd_moment(z.float())
        for i in range(self.depth):
            x = self.get_submodule(f"fc{i}")(x)
        return self.with_text(x, c)

    def centre(self, c: Tensor | None = None) -> Tensor:
        """c [N, c_dim] or None -> the mean x with c behind it, [N or 1, w_dim]."""
        if self.c_dim == 0 or c is None:
            return self.w_avg[None]
        return self.with_text(self.w_avg[: -self.c_dim].expand(c.shape[0], -1), c)

    def with_text(self, x: Tensor, c: Tensor | None) -> Tensor:
        """x [N, features], c [N, c_dim] or None (no text: zeros) -> w [N, w_dim]."""
        if self.c_dim == 0:
            return x
        c = x.new_zeros(x.shape[0], self.c_dim) if c is None else c.to(x)
        return torch.cat([x, c], dim=1)


@family("stylegan_t", "StyleGAN-T", StyleGANTSpec)
class StyleGANT(Generator):
    """StyleGAN-T; where c_dim > 0, c is the embedding of a text (unit norm, CLIP ViT-L/14), not a class."""

    condition = "vector"
    has_transform = True

    def __init__(self, spec: StyleGANTSpec) -> None:
        super().__init__()
        self.spec = spec
        blocks = plan(spec)
        self.layers = tuple(info for block in blocks for info in block.layers.values())
        self.num_ws = 1 + max(info.w_index for info in self.layers if info.w_index is not None)
        self.preview = tuple(block.size for block in blocks if "torgb" in block.layers)
        self.mapping = TextMapping(spec)
        self.synthesis = Synthesis(spec, blocks)

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        return self.preview

    def double_picture(self, img: Tensor) -> Tensor:
        return upsample2d(img, self.synthesis.resample_filter)

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        matrix = None if asked.transform is None else invert_transform(asked.transform, ws.device)
        return self.synthesis(ws, asked, matrix)
