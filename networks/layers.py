"""Layers that the families share: equalized linear, modulated convolution, the styled-layer template."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks.base import Mapping
from networks.plan import LayerInfo, Noise
from networks.taps import Taps

SQRT2 = math.sqrt(2.0)


def normalize_2nd_moment(x: Tensor) -> Tensor:
    """x [N, C] -> x scaled so that its mean square over C is 1 (PixelNorm of ProGAN)."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def lrelu(x: Tensor, gain: float = SQRT2, clamp: float | None = None) -> Tensor:
    """Leaky ReLU of slope 0.2, times gain, clamped to +-clamp."""
    x = F.leaky_relu(x, 0.2) * gain
    return x if clamp is None else x.clamp(-clamp, clamp)


class EqualizedLinear(nn.Module):
    """Linear layer with ProGAN's equalized learning rate: weight * lr_multiplier / sqrt(in), bias * lr_multiplier."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        activation: Literal["linear", "lrelu"] = "linear",
        lr_multiplier: float = 1.0,
        bias_init: float = 0.0,
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.activation, self.lr_multiplier, self.bias_init = activation, lr_multiplier, bias_init
        self.weight = nn.Parameter(torch.empty(out_features, in_features))
        self.bias = nn.Parameter(torch.empty(out_features)) if bias else None
        self.weight_gain = gain * lr_multiplier / math.sqrt(in_features)

    def reset_weights(self, generator: torch.Generator) -> None:
        self.weight.data.normal_(generator=generator).div_(self.lr_multiplier)
        if self.bias is not None:
            self.bias.data.fill_(self.bias_init / self.lr_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out]."""
        bias = None if self.bias is None else self.bias * self.lr_multiplier
        x = F.linear(x, self.weight * self.weight_gain, bias)
        return lrelu(x) if self.activation == "lrelu" else x


class MLPMapping(Mapping):
    """The mapping network of StyleGAN2 and StyleGAN3: normalized z (and embedded c) through an lrelu MLP."""

    def __init__(
        self, z_dim: int, c_dim: int, w_dim: int, features: tuple[int, ...], embed_features: int, lr_multiplier: float
    ) -> None:
        """features: the width of each hidden layer and of the last one (= w_dim); one `fc{i}` for each."""
        super().__init__()
        self.z_dim, self.c_dim, self.num_layers = z_dim, c_dim, len(features)
        if c_dim > 0:
            self.embed = EqualizedLinear(c_dim, embed_features)
        widths = (z_dim + (embed_features if c_dim > 0 else 0), *features)
        for i, (n_in, n_out) in enumerate(pairwise(widths)):
            self.add_module(f"fc{i}", EqualizedLinear(n_in, n_out, activation="lrelu", lr_multiplier=lr_multiplier))
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        parts = [normalize_2nd_moment(z.float())] if self.z_dim > 0 else []
        if self.c_dim > 0:
            c = z.new_zeros(z.shape[0], self.c_dim) if c is None else c
            parts.append(normalize_2nd_moment(self.embed(c.float())))
        x = torch.cat(parts, dim=1)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x


SECOND_DRAW = 2**31 - 1  # odd: torch looks at the lowest 32 bits of a seed only


def noise_generator(info: LayerInfo, noise: Noise) -> torch.Generator:
    """The random stream of (seed, layer index), on the CPU so that devices agree."""
    return torch.Generator().manual_seed((noise.seed * 1_000_003 + info.index * 7919) % 2**63)


def draw_noise(info: LayerInfo, noise: Noise, batch: int, size: tuple[int, int], device: torch.device) -> Tensor:
    """N(0,1) maps [N, 1, H, W] from (seed, layer index), drawn on the CPU so that devices agree."""
    return torch.randn(batch, 1, *size, generator=noise_generator(info, noise)).to(device)


class StyledLayer(nn.Module, ABC):
    """The template of every styled layer: style, noise, run, taps. A family writes `run` (and `scaled_noise`).

    Sub-classes create `affine` (w -> style) and, where the layer has noise, `noise_const` and `noise_strength`.
    """

    affine: nn.Module
    noise_const: Tensor
    noise_strength: Tensor
    noise_mean = 0.0

    def __init__(self, info: LayerInfo) -> None:
        super().__init__()
        self.info = info

    def forward(self, x: Tensor, w: Tensor, taps: Taps, noise: Noise) -> Tensor:
        """x [N, C_in, H_in, W_in], w [N, w_dim] -> the layer's output, seen and changed by the taps."""
        style = taps.on_style(self.info, self.affine(w))
        added = self.scaled_noise(x, noise) if self.info.has_noise else None
        added = taps.on_noise(self.info, added)
        return taps.on_feature(self.info, self.run(x, style, added, taps))

    @abstractmethod
    def run(self, x: Tensor, style: Tensor, noise: Tensor | None, taps: Taps) -> Tensor:
        """The layer proper; `taps` is there for inner stages such as 'pre_norm'."""

    def scaled_noise(self, x: Tensor, noise: Noise) -> Tensor | None:
        """Noise times its learned strength, broadcastable to the output; None when this layer adds none."""
        asked = noise.of(self.info.name)
        if noise.mode == "none" or not asked.on or asked.strength == 0.0:
            return None
        fresh = noise.mode == "random"
        drawn = self.on_loop(noise, x.shape[0], x.device) if fresh else self.noise_const[None, None]
        strength = self.noise_strength * asked.strength
        return drawn * (strength if strength.ndim == 0 else strength[None, :, None, None])

    def on_loop(self, noise: Noise, batch: int, device: torch.device) -> Tensor:
        """Maps [N, 1, H, W] for the mode 'random' at the noise's phase (`Noise.phase`); mean and spread stay."""
        drawn = self.draw(noise, batch, device)
        turn = 2 * math.pi * (noise.phase % 1.0)
        if turn == 0.0:
            return drawn
        second = self.draw(replace(noise, seed=noise.seed + SECOND_DRAW), batch, device)
        mean = self.noise_mean
        return mean + math.cos(turn) * (drawn - mean) + math.sin(turn) * (second - mean)

    def draw(self, noise: Noise, batch: int, device: torch.device) -> Tensor:
        """Fresh maps [N, 1, H, W] for the mode 'random': N(0,1)."""
        return draw_noise(self.info, noise, batch, self.info.size, device)
