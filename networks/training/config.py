"""What a training run is: sizes, rates and regularizers as plain values; presets per family; networks from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import nn

from networks.base import Generator, Spec
from networks.registry import get
from networks.training.discriminator import ResidualDiscriminator, init_weights
from networks.training.growing import GrowingDiscriminator

Critic = Literal["residual", "growing", "projected"]
Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class TrainConfig:
    """One run. Rates are Adam's; `gamma` weighs R1; intervals are in steps; lengths are in pictures.

    channel_base, channel_max: width at resolution r is min(channel_base / r, channel_max), for the generator and the
    residual or growing discriminator. `num_layers` counts those of a StyleGAN3 chain. `range_weight` weighs pixels
    outside of [-1, 1]. `view`: see `ProjectedDiscriminator`. `phase` is the length of one fade-in (StyleGAN).
    `noise_start`: from how many pictures on the noise inputs are fed. Fed from the first on, a small generator soon
    imitates fine detail with grain and unlearns it slowly.
    `ema_half_life` and `ema_ramp_up`: see `ema_beta`.
    `precision`: bf16 runs the convolutions of synthesis and discriminator in bfloat16 (weights, mapping, losses and
    optimizers stay fp32); 1.3 to 1.65 times as fast on a CPU that multiplies bf16 natively.
    """

    family: str = "stylegan2"
    resolution: int = 64
    img_channels: int = 3
    z_dim: int = 128
    w_dim: int = 128
    mapping_layers: int = 4
    num_layers: int = 14
    channel_base: int = 2048
    channel_max: int = 128
    d_channel_base: int = 2048
    d_channel_max: int = 128
    critic: Critic = "residual"
    view: int = 64
    batch: int = 16
    g_rate: float = 0.002
    d_rate: float = 0.002
    gamma: float = 1.0
    range_weight: float = 0.0
    r1_interval: int = 16
    path_weight: float = 2.0
    path_interval: int = 4
    style_mixing: float = 0.9
    ema_half_life: float = 10_000
    ema_ramp_up: float | None = 0.05
    w_avg_decay: float = 0.998
    policy: tuple[str, ...] = ()
    mirror: bool = False
    noise_start: int = 0
    growing_start: int = 8
    phase: int = 0
    precision: Precision = "fp32"
    seed: int = 0


PRESETS: dict[str, TrainConfig] = {
    "stylegan1": TrainConfig(
        family="stylegan1", critic="growing", gamma=10.0, path_weight=0.0, w_avg_decay=0.995, phase=8_000,
        g_rate=0.0015, d_rate=0.0015,
    ),
    "stylegan2": TrainConfig(),
    "stylegan3": TrainConfig(family="stylegan3", path_weight=0.0, style_mixing=0.0, g_rate=0.0025, mapping_layers=2),
}  # fmt: skip


def projected(config: TrainConfig) -> TrainConfig:
    """The same run against the projected discriminator, which needs no R1 and trains without path lengths."""
    return replace(config, critic="projected", gamma=0.0, path_weight=0.0, range_weight=10.0, d_rate=0.0005)


def widths(resolution: int, base: int, most: int) -> tuple[int, ...]:
    """Channels at 4, 8, ... resolution."""
    return tuple(min(base // size, most) for size in (4 << i for i in range(resolution.bit_length() - 2)))


def generator_spec(config: TrainConfig) -> Spec:
    """The specification of the family's generator."""
    values: dict[str, Any] = {
        "z_dim": config.z_dim,
        "c_dim": 0,
        "w_dim": config.w_dim,
        "resolution": (config.resolution, config.resolution),
        "img_channels": config.img_channels,
    }
    channels = widths(config.resolution, config.channel_base, config.channel_max)
    features = (config.w_dim,) * config.mapping_layers
    if config.family == "stylegan3":
        from networks.stylegan3 import design_spec

        return design_spec(
            config.resolution,
            "T",
            channel_base=config.channel_base,
            channel_max=config.channel_max,
            z_dim=config.z_dim,
            w_dim=config.w_dim,
            img_channels=config.img_channels,
            num_layers=config.num_layers,
        )
    values |= {"channels": channels, "mapping_features": features}
    return get(config.family).spec_type(**values)


def build_generator(config: TrainConfig) -> Generator:
    """A fresh generator, ready to train."""
    generator = get(config.family).build(generator_spec(config))
    generator.init_weights(config.seed)
    return generator.train().requires_grad_(True)


def build_critic(config: TrainConfig) -> nn.Module:
    """A fresh discriminator, ready to train; the projected one loads its feature network."""
    if config.critic == "projected":
        from networks.training.lite0 import load_lite0
        from networks.training.projected import ProjectedDiscriminator

        return ProjectedDiscriminator(load_lite0(), config.resolution, config.view, seed=config.seed)
    channels = widths(config.resolution, config.d_channel_base, config.d_channel_max)
    build = GrowingDiscriminator if config.critic == "growing" else ResidualDiscriminator
    critic = build(channels, config.img_channels)
    init_weights(critic, config.seed + 1)
    return critic
