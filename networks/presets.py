"""Official configurations by name, for benchmarks, tests and training: `stylegan2-256`, `stylegan3-t-64-small`, ..."""

from __future__ import annotations

from collections.abc import Callable

from networks.base import Generator, Spec
from networks.registry import get
from networks.stylegan1 import StyleGAN1Spec
from networks.stylegan2 import StyleGAN2Spec
from networks.stylegan3 import design_spec


def stylegan1_spec(resolution: int, channel_base: int = 16384, channel_max: int = 512) -> StyleGAN1Spec:
    """StyleGAN as published: 512 channels up to 32x32, halved at each doubling from there (Karras et al. 2019)."""
    return StyleGAN1Spec(
        512, 0, 512, (resolution, resolution), 3, channels=widths(resolution, channel_base, channel_max)
    )


def stylegan2_spec(resolution: int, channel_base: int = 32768, channel_max: int = 512) -> StyleGAN2Spec:
    """StyleGAN2 config F (Karras et al. 2020): 512 channels up to 64x64, halved at each doubling from there."""
    return StyleGAN2Spec(
        512, 0, 512, (resolution, resolution), 3, channels=widths(resolution, channel_base, channel_max)
    )


def widths(resolution: int, channel_base: int, channel_max: int) -> tuple[int, ...]:
    """Channels at 4, 8, ..., resolution: channel_base / r, at most channel_max."""
    return tuple(min(channel_base // (4 << i), channel_max) for i in range(resolution.bit_length() - 2))


PRESETS: dict[str, tuple[str, Callable[[], Spec]]] = {
    "stylegan-256": ("stylegan1", lambda: stylegan1_spec(256)),
    "stylegan-1024": ("stylegan1", lambda: stylegan1_spec(1024)),
    "stylegan2-64-small": ("stylegan2", lambda: stylegan2_spec(64, 4096, 128)),
    "stylegan2-128-small": ("stylegan2", lambda: stylegan2_spec(128, 8192, 128)),
    "stylegan2-256": ("stylegan2", lambda: stylegan2_spec(256)),
    "stylegan2-1024": ("stylegan2", lambda: stylegan2_spec(1024)),
    "stylegan3-t-64-small": ("stylegan3", lambda: design_spec(64, "T", channel_base=4096, channel_max=128)),
    "stylegan3-t-128-small": ("stylegan3", lambda: design_spec(128, "T", channel_base=8192, channel_max=128)),
    "stylegan3-r-64-small": ("stylegan3", lambda: design_spec(64, "R", channel_base=4096, channel_max=128)),
    "stylegan3-t-256": ("stylegan3", lambda: design_spec(256, "T")),
    "stylegan3-r-256": ("stylegan3", lambda: design_spec(256, "R")),
}


def build_preset(name: str, seed: int = 0) -> Generator:
    """A generator of a preset with fresh random weights; raises KeyError with the known names."""
    if name not in PRESETS:
        raise KeyError(f"no preset {name!r}; known: {', '.join(PRESETS)}")
    family, spec = PRESETS[name]
    generator = get(family).build(spec())
    generator.init_weights(seed)
    return generator
