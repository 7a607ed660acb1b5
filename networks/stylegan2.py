"""StyleGAN2: modulated convolution replaces AdaIN; the to-RGB of every resolution is summed (Karras et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import ops
from networks.base import Generator, Pass, Spec, TorgbUse, layer_dtype
from networks.filters import separable_filter, upsample2d
from networks.layers import (
    SQRT2,
    EqualizedLinear,
    MLPMapping,
    StyledLayer,
)
from networks.mappings import ConcatMapping
from networks.ops.plain import modulated_conv2d
from networks.plan import SKIP, LayerInfo
from networks.registry import family
from networks.taps import Taps

Architecture = Literal["skip", "resnet", "orig", "progressive"]
BINOMIAL = (1.0, 3.0, 3.0, 1.0)
KINDS: dict[str, Literal["const", "up", "conv", "torgb"]] = {
    "const": "const", "conv0": "up", "conv1": "conv", "torgb": "torgb",
}  # fmt: skip


@dataclass(frozen=True)
class StyleGAN2Spec(Spec):
    """Configuration of a StyleGAN2 generator.

    `channels` is the width at each resolution from the start up. `start` is (H, W) of the constant, (4, 4) but for
    non-square forks. `mapping_features` is the width of each mapping layer, `half_resolutions` how many of the top
    resolutions the original runs in fp16. `label_concat`: z and the label are normalized as one vector, as in the
    TensorFlow code, not each for itself. `architecture` 'progressive' (configs B to D of the paper) has a to-RGB at
    each resolution like 'skip', but the picture is the last one alone.
    """

    channels: tuple[int, ...] = ()
    start: tuple[int, int] = (4, 4)
    architecture: Architecture = "skip"
    mapping_features: tuple[int, ...] = (512,) * 8
    embed_features: int = 512
    label_concat: bool = False
    mapping_lr_multiplier: float = 0.01
    half_resolutions: int = 4
    conv_clamp: float | None = 256.0
    filter_taps: tuple[float, ...] = BINOMIAL


@dataclass(frozen=True)
class Block:
    """One resolution of the plan: its name ('b64'), width in and out, size, and layers by role."""

    name: str
    in_channels: int
    channels: int
    size: tuple[int, int]
    layers: dict[str, LayerInfo]


def plan(spec: StyleGAN2Spec) -> tuple[Block, ...]:
    """Specification -> the blocks with their layer table, numbered in order of execution."""
    blocks: list[Block] = []
    index, row = 0, 0
    for level, channels in enumerate(spec.channels):
        size = (spec.start[0] << level, spec.start[1] << level)
        last = level == len(spec.channels) - 1
        half = level >= max(1, len(spec.channels) - spec.half_resolutions)
        layers: dict[str, LayerInfo] = {}
        roles = ["const" if level == 0 else "conv0", "conv1"]
        if last or spec.architecture in ("skip", "progressive"):
            roles.append("torgb")
        for role in roles:
            styled = role != "const"
            layers[role] = LayerInfo(
                index=index,
                name=f"b{size[0]}.{role}",
                kind=KINDS[role],
                size=size,
                channels=spec.img_channels if role == "torgb" else channels,
                style_dim=(spec.channels[level - 1] if role == "conv0" else channels) if styled else 0,
                w_index=row if styled else None,
                has_noise=role in ("conv0", "conv1"),
                sampling_rate=float(size[1]),
                half=half,
            )
            index += 1
            row += role in ("conv0", "conv1")  # the to-RGB shares its row with the next block's conv0
        blocks.append(Block(f"b{size[0]}", spec.channels[max(level - 1, 0)], channels, size, layers))
    return tuple(blocks)


class LayerSettings(Protocol):
    """What one layer needs to know of a specification (StyleGAN-T has the same layers)."""

    @property
    def w_dim(self) -> int: ...
    @property
    def conv_clamp(self) -> float | None: ...
    @property
    def filter_taps(self) -> tuple[float, ...]: ...


class ModulatedConvLayer(StyledLayer):
    """Modulated 3x3 convolution, optionally up-sampling by 2, then noise, bias, lrelu, clamp."""

    resample_filter: Tensor

    def __init__(self, info: LayerInfo, in_channels: int, spec: LayerSettings, gain: float = 1.0) -> None:
        super().__init__(info)
        self.gain = SQRT2 * gain
        self.clamp = None if spec.conv_clamp is None else spec.conv_clamp * gain
        self.affine = EqualizedLinear(spec.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.empty(info.channels))
        self.noise_strength = nn.Parameter(torch.empty([]))
        self.register_buffer("noise_const", torch.zeros(info.size))
        self.register_buffer("resample_filter", separable_filter(spec.filter_taps), persistent=False)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()
        self.noise_strength.data.zero_()
        self.noise_const.normal_(generator=generator)

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        fir = self.resample_filter if self.info.kind == "up" else None
        return ops.styled_conv2d(x, self.weight, style, self.bias, noise, fir, self.gain, self.clamp)


class ToRGBLayer(StyledLayer):
    """Modulated 1x1 convolution to pixels, without demodulation, noise or activation."""

    def __init__(self, info: LayerInfo, in_channels: int, spec: LayerSettings) -> None:
        super().__init__(info)
        self.clamp = spec.conv_clamp
        self.weight_gain = 1 / math.sqrt(in_channels)
        self.affine = EqualizedLinear(spec.w_dim, in_channels, bias_init=1.0)
        self.weight = nn.Parameter(torch.empty(info.channels, in_channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(info.channels))

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)
        self.bias.data.zero_()

    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        x = modulated_conv2d(x, self.weight, style * self.weight_gain, demodulate=False)
        x = x + self.bias[None, :, None, None].to(x.dtype)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class ResidualSkip(nn.Module):
    """The 1x1 up-sampling short cut of the 'resnet' architecture, scaled by sqrt(1/2)."""

    resample_filter: Tensor

    def __init__(self, in_channels: int, out_channels: int, spec: StyleGAN2Spec) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 1, 1))
        self.register_buffer("resample_filter", separable_filter(spec.filter_taps), persistent=False)
        self.weight_gain = math.sqrt(0.5) / math.sqrt(in_channels)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, I, H, W] -> [N, O, 2H, 2W]."""
        y = F.conv2d(x, (self.weight * self.weight_gain).to(x.dtype))
        return upsample2d(y, self.resample_filter)


class SynthesisBlock(nn.Module):
    """One resolution: the constant or an up-sampling layer, a second layer, and perhaps a to-RGB."""

    def __init__(self, block: Block, spec: StyleGAN2Spec) -> None:
        super().__init__()
        self.plan = block
        self.residual = spec.architecture == "resnet" and "const" not in block.layers
        if "const" in block.layers:
            self.const = nn.Parameter(torch.empty(block.channels, *block.size))
        else:
            self.conv0 = ModulatedConvLayer(block.layers["conv0"], block.in_channels, spec)
        if self.residual:
            self.skip = ResidualSkip(block.in_channels, block.channels, spec)
        gain = math.sqrt(0.5) if self.residual else 1.0
        self.conv1 = ModulatedConvLayer(block.layers["conv1"], block.channels, spec, gain)
        if "torgb" in block.layers:
            self.torgb = ToRGBLayer(block.layers["torgb"], block.channels, spec)

    def reset_weights(self, generator: torch.Generator) -> None:
        if "const" in self.plan.layers:
            self.const.data.normal_(generator=generator)

    def grow(self, x: Tensor | None, ws: Tensor, asked: Pass) -> tuple[Tensor, Tensor | None]:
        """The first layer and the short cut around the block: x [N, C, H/2, W/2] (None at the start) -> [N, C', H, W]
        of both, None without a short cut."""
        taps = asked.taps
        dtype = layer_dtype(self.conv1.info, ws.device, asked.precision)
        if x is None:
            start = self.const[None].expand(ws.shape[0], -1, -1, -1).to(dtype)
            return taps.on_feature(self.plan.layers["const"], start), None
        x = x.to(dtype)
        shortcut = taps.on_feature(self.plan.layers["conv0"], self.skip(x), SKIP) if self.residual else None
        return self.conv0(x, ws[:, self.conv0.info.w_index], taps, asked.noise), shortcut

    def refine(self, x: Tensor, shortcut: Tensor | None, ws: Tensor, asked: Pass) -> Tensor:
        """The second layer, and what came around the block: [N, C', H, W] -> the same shape."""
        x = self.conv1(x, ws[:, self.conv1.info.w_index], asked.taps, asked.noise)
        return x if shortcut is None else shortcut + x


class Synthesis(nn.Module):
    """The trunk: features climb the resolutions, the picture is the up-sampled sum of the to-RGBs (Fig. 7)."""

    resample_filter: Tensor

    def __init__(self, spec: StyleGAN2Spec, blocks: tuple[Block, ...]) -> None:
        super().__init__()
        self.blocks = blocks
        self.summed = spec.architecture == "skip"
        for block in blocks:
            self.add_module(block.name, SynthesisBlock(block, spec))
        self.register_buffer("resample_filter", separable_filter(spec.filter_taps), persistent=False)

    def forward(self, ws: Tensor, asked: Pass) -> Tensor:
        """ws [N, num_ws, w_dim] -> picture [N, C, H, W]; stops early where the taps say so."""
        taps, noise = asked.taps, asked.noise
        done, (x, shortcut, img) = asked.resume(None, None, None)
        for block in self.blocks:
            first = next(iter(block.layers.values())).index
            second, behind = first + 1, first + len(block.layers)
            if behind <= done:
                continue
            module = self.get_submodule(block.name)
            assert isinstance(module, SynthesisBlock)
            if done <= first:
                x, shortcut = module.grow(x, ws, asked)
                asked.keep(second, x, shortcut, img)
            if done <= second:
                assert x is not None
                x = module.refine(x, shortcut, ws, asked)
                asked.keep(second + 1, x, None, img)
            assert x is not None
            if img is not None:
                img = upsample2d(img, self.resample_filter)
            torgb = block.layers.get("torgb")
            stop = block is self.blocks[-1] or (torgb is not None and taps.stop_at == block.size[0])
            if torgb is not None and (self.summed or stop or taps.wants(torgb.name)):
                y = module.torgb(x, ws[:, torgb.w_index], taps, noise).float()
                img = y if img is None else img + y
                if self.summed:
                    asked.keep(behind, x, None, img)
            if stop:
                break
            if not self.summed:
                img = None
        assert img is not None
        return img


@family("stylegan2", "StyleGAN2", StyleGAN2Spec)
class StyleGAN2(Generator):
    """StyleGAN2 with the 'skip', 'resnet', 'orig' or 'progressive' architecture; conditional when c_dim > 0."""

    def __init__(self, spec: StyleGAN2Spec) -> None:
        super().__init__()
        self.spec = spec
        blocks = plan(spec)
        self.layers = tuple(info for block in blocks for info in block.layers.values())
        self.num_ws = 1 + max(info.w_index for info in self.layers if info.w_index is not None)
        self.preview = tuple(block.size[0] for block in blocks if "torgb" in block.layers)
        sizes = (spec.z_dim, spec.c_dim, spec.w_dim, spec.mapping_features, spec.embed_features)
        if spec.label_concat:
            self.mapping = ConcatMapping(*sizes, spec.mapping_lr_multiplier, gain="activation")
        else:
            self.mapping = MLPMapping(*sizes, spec.mapping_lr_multiplier)
        self.synthesis = Synthesis(spec, blocks)

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        return self.preview

    @property
    def torgb_use(self) -> TorgbUse:
        use = super().torgb_use
        return "apart" if use == "summed" and not self.synthesis.summed else use

    def double_picture(self, img: Tensor) -> Tensor:
        return upsample2d(img, self.synthesis.resample_filter)

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        return self.synthesis(ws, asked)
