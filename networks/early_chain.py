"""Early pictures of an alias-free chain: the same layers, their sampling rates and cut-offs capped.

A chain has one to-RGB, at its end, so that no pass can stop before it. Its signals are continuous, though, and every
layer says at which rate it samples them (Karras et al. 2021, section 3.2). With all rates capped at half the last one,
the pass makes a picture of half the height: the same picture without its high frequencies.

Layers that sample below the cap run as they are, to the bit. The others are approximate in three ways: frequencies
above the cap are missing where the nonlinearities would make lower ones of them; a 3x3 kernel, whose taps lie between
the samples of the coarser grid, is moved there by quadratic interpolation, which damps the highest frequencies that are
left; margins are cut to what they cover in the picture. The full pass that follows is exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from networks import ops
from networks.alias_free import (
    ChainLayer,
    ChainSpec,
    ChainSynthesisLayer,
    ChainTrunk,
    design_filters,
    invert_transform,
    symmetric_padding,
)
from networks.base import Generator, Pass
from networks.ops import packed
from networks.ops.resampling import Resampling
from networks.plan import LayerInfo
from networks.taps import Taps

STOP_BAND = 1.6  # where a capped transition band ends, in half rates: 1.6 is 4 dB nearer than the design's 2^0.3
LEAST_PX = 16  # smaller early pictures show nothing


class ChainGenerator(Generator):
    """What StyleGAN3 and StyleGAN-XL share as generators: the chain's pass, and its early pictures."""

    has_transform = True
    early_on_the_way = False

    spec: ChainSpec
    synthesis: ChainTrunk

    @property
    def preview_sizes(self) -> tuple[int, ...]:
        """Halves, quarters, ... of the height down to 16 px, as long as the input itself need not be capped."""
        rows, first = self.spec.layers, self.spec.input.rate
        height, rate = rows[-1].size[0], rows[-1].rate
        sizes = [height]
        while height % 4 == 0 and height // 2 >= LEAST_PX and rate / 2 >= first and rows[-1].size[1] % (2 * 2) == 0:
            height, rate = height // 2, rate / 2
            sizes.append(height)
        return tuple(reversed(sizes))

    def reaches(self, info: LayerInfo, height: int) -> bool:
        """Whether an early picture's pass runs this layer, and all before it, at their own rates."""
        return info.index <= unchanged(self.spec.layers, coarser(self.spec.layers, height))

    def draw(self, ws: Tensor, asked: Pass) -> Tensor:
        matrix = None if asked.transform is None else invert_transform(asked.transform, ws.device)
        height = asked.taps.stop_at
        if height is None or height not in self.preview_sizes[:-1]:
            return self.synthesis(ws, asked, matrix)
        rows = coarser(self.spec.layers, height)
        exact = unchanged(self.spec.layers, rows)
        x = self.synthesis.run(ws, asked, matrix, exact).float()
        for name, row in zip(self.synthesis.names[exact:], rows[exact:], strict=True):
            layer = self.synthesis.get_submodule(name)
            assert isinstance(layer, ChainSynthesisLayer)
            x = run_coarser(layer, row, x, ws[:, layer.info.w_index], asked.taps)
        return x * self.spec.output_scale


@lru_cache(maxsize=16)
def coarser(rows: tuple[ChainLayer, ...], height: int) -> tuple[ChainLayer, ...]:
    """The chain whose picture has this height in px: no rate above what that means for the last layer.

    Rows that sample no faster, in and out, stay as they are.
    """
    cap = rows[-1].rate * height / rows[-1].size[0]
    done: list[ChainLayer] = []
    for row in rows:
        if max(row.rate, row.in_rate) > cap:
            row = _capped(row, done[-1].size if done else row.in_size, cap)
        done.append(row)
    return tuple(done)


def unchanged(rows: Sequence[ChainLayer], others: Sequence[ChainLayer]) -> int:
    """How many rows two chains have in common, from the first on."""
    return next((i for i, (one, other) in enumerate(zip(rows, others, strict=True)) if one != other), len(rows))


def _capped(row: ChainLayer, in_size: tuple[int, int], cap: float) -> ChainLayer:
    """A row with no rate above the cap; the activation still runs at the same multiple of the faster one."""
    in_rate, rate = min(row.in_rate, cap), min(row.rate, cap)
    fast = row.in_rate * row.up / max(row.in_rate, row.rate) * max(in_rate, rate)
    up, down = round(fast / in_rate), round(fast / rate)
    cutoff, half_width = _band(row.cutoff, row.half_width, cap)
    in_cutoff, in_half_width = _band(row.in_cutoff, row.in_half_width, cap)
    height, width = (2 * math.ceil(side * rate / row.rate / 2) for side in row.size)
    row = row._replace(
        in_size=in_size, size=(height, width), in_rate=in_rate, rate=rate, in_cutoff=in_cutoff, cutoff=cutoff,
        in_half_width=in_half_width, half_width=half_width, up=up, up_taps=row.up_taps // row.up * up, down=down,
        down_taps=row.down_taps // row.down * down,
    )  # fmt: skip
    return row._replace(padding=symmetric_padding(row))


def _band(cutoff: float, half_width: float, cap: float) -> tuple[float, float]:
    """Cut-off and half-width of the transition band that a sampling rate can hold."""
    stop = min(cutoff + half_width, cap / 2 * STOP_BAND)
    cutoff = min(cutoff, cap / 2)
    return cutoff, max(stop, cap / 2) - cutoff


class Coarse(NamedTuple):
    """How a layer samples in an early picture: filters and numbers."""

    up_filter: Tensor
    down_filter: Tensor
    resampling: Resampling


@lru_cache(maxsize=64)
def _sampling(row: ChainLayer, gain: float, slope: float, device: torch.device) -> Coarse:
    with torch.inference_mode(False):  # they outlive it
        up, down = (taps.to(device) for taps in design_filters(row))
    return Coarse(up, down, Resampling(row.up, row.down, row.padding, gain, slope, row.clamp))


def run_coarser(layer: ChainSynthesisLayer, row: ChainLayer, x: Tensor, w: Tensor, taps: Taps) -> Tensor:
    """A layer as this row samples it, in fp32. x [N, C_in, H_in, W_in], w [N, w_dim]. Nothing of it is captured."""
    info = replace(layer.info, size=row.size, sampling_rate=row.rate)
    style = taps.on_style(info, layer.affine(w))
    ratio = row.in_rate / layer.plan.in_rate
    weight = layer.weight if row.kernel == 1 or ratio == 1 else _moved(layer.weight, ratio)
    input_gain = layer.magnitude_ema.rsqrt()
    if row.torgb:
        style = style * layer.weight_gain
        y = ops.modulated_conv2d_full(x, weight, style, layer.bias, input_gain, demodulate=False)
        y = y if row.clamp is None else y.clamp(-row.clamp, row.clamp)
    else:
        how = _sampling(row, layer.resampling.gain, layer.resampling.slope, x.device)
        y = ops.filtered_conv2d(x, weight, style, layer.bias, input_gain, *how, measured=layer.weight)
    y = taps.on_feature(info, y)
    for kept in [key for key in taps.captured if key[0] == info.name]:
        del taps.captured[kept]  # whoever wants this layer's map wants the one of the full picture
    return y


def moved(weight: Tensor, ratio: float) -> Tensor:
    """weight [O, I, 3, 3], taps one sample apart -> [O, I, 3, 3] on a grid whose samples lie 1/ratio as far apart.

    Each tap, at -ratio, 0 or ratio of a new sample, is shared out among the three new ones by Lagrange's quadratic
    interpolation: the response is right at low frequencies, up to terms of third order.
    """
    at = torch.tensor([-ratio, 0.0, ratio], dtype=torch.float64)
    shares = torch.stack([at * (at - 1) / 2, 1 - at**2, at * (at + 1) / 2]).to(weight)  # [new tap, tap]
    return torch.einsum("ua,oiab,vb->oiuv", shares, weight, shares).contiguous()


def _moved(weight: Tensor, ratio: float) -> Tensor:
    """`moved`, kept beside the weight while nobody learns it."""
    if torch.is_grad_enabled() and weight.requires_grad:
        return moved(weight, ratio)
    found: Tensor = packed.kept(weight, f"moved by {ratio}", (), lambda weight: moved(weight, ratio))
    return found
