"""Plain values: what a network consists of, and what one pass is asked to do. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NoiseMode = Literal["const", "none", "random"]
EditOp = Literal["scale", "shift", "clamp"]
OUTPUT = "output"
PRE_NORM = "pre_norm"


@dataclass(frozen=True)
class LayerInfo:
    """One row of a generator's layer table; built from the plan, before the modules exist.

    `name` is the checkpoint prefix below `synthesis.` ('b64.conv1', 'L5_148_1024'). `size` is (H, W) of the
    output in pixels, `sampling_rate` the samples per picture width that the grid stands for (StyleGAN3's maps
    carry a margin, so there it differs from the size). `w_index` is the row of ws that styles the layer, None if
    no style enters. `stages` are the points where the map can be captured: always 'output'; where the layer
    normalizes instances, 'pre_norm' as well. `half` marks layers that the original runs in fp16 on a GPU.
    """

    index: int
    name: str
    kind: Literal["const", "input", "conv", "up", "torgb", "wavelet"]
    size: tuple[int, int]
    channels: int
    style_dim: int = 0
    w_index: int | None = None
    has_noise: bool = False
    sampling_rate: float = 0.0
    stages: tuple[str, ...] = (OUTPUT,)
    half: bool = False


@dataclass(frozen=True)
class LayerNoise:
    """How one layer's noise differs from the rest: switched off, or its strength multiplied."""

    name: str
    on: bool = True
    strength: float = 1.0


@dataclass(frozen=True)
class Noise:
    """Noise inputs of one pass. 'const' uses the stored maps, 'random' draws N(0,1) from (seed, layer index).

    Layers that are not named in `layers` follow the mode with strength 1.
    """

    mode: NoiseMode = "const"
    seed: int = 0
    layers: tuple[LayerNoise, ...] = ()

    def of(self, name: str) -> LayerNoise:
        """Return what was asked for one layer."""
        return next((layer for layer in self.layers if layer.name == name), LayerNoise(name))


@dataclass(frozen=True)
class ChannelEdit:
    """A change of a feature map: x*value, x+value or clamp to +-value, on one channel or on all (None)."""

    layer: str
    op: EditOp
    value: float
    channel: int | None = None
    stage: str = OUTPUT
