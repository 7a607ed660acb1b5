"""StyleGAN3: alias-free synthesis; no noise, no const, every signal is band-limited (Karras et al. 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from networks.alias_free import (
    ChainInput,
    ChainLayer,
    ChainSpec,
    ChainTrunk,
    layer_table,
    symmetric_padding,
)
from networks.early_chain import ChainGenerator
from networks.layers import MLPMapping
from networks.registry import family

Config = Literal["T", "R"]


@dataclass(frozen=True)
class StyleGAN3Spec(ChainSpec):
    """Configuration of a StyleGAN3 generator; `design_spec` makes one by the paper's rules."""

    @property
    def config(self) -> Config:
        """'R' when rotating the input rotates the picture (1x1 kernels, radial filters), else 'T'."""
        return "R" if any(row.radial for row in self.layers) else "T"


def design_spec(
    resolution: int,
    config: Config = "T",
    *,
    channel_base: int | None = None,
    channel_max: int | None = None,
    num_layers: int = 14,
    num_critical: int = 2,
    margin: int = 10,
    z_dim: int = 512,
    w_dim: int = 512,
    c_dim: int = 0,
    img_channels: int = 3,
    half_resolutions: int = 4,
) -> StyleGAN3Spec:
    """The layers of a StyleGAN3 by the rules of section 3.2: T, or R with twice the width and 1x1 kernels.

    Cut-offs grow geometrically from 2 to resolution/2, stop-bands from 2^2.1 to 2^0.3 resolution/2; the last
    `num_critical` layers before the to-RGB are sampled critically, the others at the next power of two that holds
    their stop-band. Maps carry a margin on each side up to there. Filters are 6 samples wide on either side.
    """
    wide = 2 if config == "R" else 1
    channel_base = wide * 32768 if channel_base is None else channel_base
    channel_max = wide * 512 if channel_max is None else channel_max
    steps = [min(i / (num_layers - num_critical), 1.0) for i in range(num_layers + 1)]
    cutoffs = [_geometric(2.0, resolution / 2, t) for t in steps]
    stops = [_geometric(2.0**2.1, resolution / 2 * 2.0**0.3, t) for t in steps]
    rates = [2 ** math.ceil(math.log2(min(stop * 2, resolution))) for stop in stops]
    half_widths = [max(stop, rate / 2) - cut for stop, rate, cut in zip(stops, rates, cutoffs, strict=True)]
    sizes = [rate + 2 * margin for rate in rates[:-2]] + [resolution, resolution]
    channels = [round(min(channel_base / 2 / cut, channel_max)) for cut in cutoffs[:-1]] + [img_channels]
    rows = []
    for i in range(num_layers + 1):
        before, last = max(i - 1, 0), i == num_layers
        critical = i >= num_layers - num_critical
        activation_rate = max(rates[before], rates[i]) * (1 if last else 2)
        up, down = activation_rate // rates[before], activation_rate // rates[i]
        row = ChainLayer(
            name=f"L{i}_{sizes[i]}_{channels[i]}",
            in_channels=channels[before],
            channels=channels[i],
            kernel=1 if last or config == "R" else 3,
            in_size=(sizes[before], sizes[before]),
            size=(sizes[i], sizes[i]),
            in_rate=float(rates[before]),
            rate=float(rates[i]),
            in_cutoff=cutoffs[before],
            cutoff=cutoffs[i],
            in_half_width=half_widths[before],
            half_width=half_widths[i],
            up=up,
            up_taps=1 if last else 6 * up,
            down=down,
            down_taps=1 if last else 6 * down,
            radial=config == "R" and not critical,
            padding=(0, 0, 0, 0),
            torgb=last,
            half=rates[i] * 2**half_resolutions > resolution,
        )
        rows.append(row._replace(padding=symmetric_padding(row)))
    return StyleGAN3Spec(
        z_dim=z_dim,
        c_dim=c_dim,
        w_dim=w_dim,
        resolution=(resolution, resolution),
        img_channels=img_channels,
        input=ChainInput(channels[0], (sizes[0], sizes[0]), float(rates[0]), cutoffs[0]),
        layers=tuple(rows),
        mapping_features=(w_dim, w_dim),
        embed_features=w_dim if c_dim > 0 else 0,
    )


def _geometric(first: float, last: float, t: float) -> float:
    """first at t = 0, last at t = 1, a constant factor per step between."""
    return first * (last / first) ** t


@family("stylegan3", "StyleGAN3", StyleGAN3Spec)
class StyleGAN3(ChainGenerator):
    """StyleGAN3 in configuration T (translation) or R (translation and rotation); conditional when c_dim > 0."""

    def __init__(self, spec: StyleGAN3Spec) -> None:
        super().__init__()
        self.spec = spec
        self.layers = layer_table(spec)
        self.num_ws = len(self.layers)
        self.mapping = MLPMapping(
            spec.z_dim, spec.c_dim, spec.w_dim, spec.mapping_features, spec.embed_features, spec.mapping_lr_multiplier
        )
        self.synthesis = ChainTrunk(spec, self.layers)
