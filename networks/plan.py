"""Plain values: what a network consists of, and what one pass is asked to do. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NoiseMode = Literal["const", "none", "random"]
EditOp = Literal[
    "scale",
    "shift",
    "clamp",
    "clamp_mad",
    "mean",
    "inpaint",
    "inpaint_same_norm",
    "clean_norm",
    "untouched_norm",
    "no_norm",
    "only_disc",
]
DISC_OPS: tuple[EditOp, ...] = ("inpaint", "inpaint_same_norm", "clean_norm", "only_disc")
NORM_OPS: tuple[EditOp, ...] = ("inpaint_same_norm", "clean_norm", "untouched_norm", "no_norm")
OUTPUT = "output"
PRE_NORM = "pre_norm"
SKIP = "skip"  # hooks alone: the short cut around a block, at the block's first layer


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

    phase: in turns, where random noise stands on its loop, cos(2 pi phase) n + sin(2 pi phase) n', n' a second draw:
    N(0,1) everywhere on the way, and after a whole turn the very same again.
    Layers that are not named in `layers` follow the mode with strength 1.
    """

    mode: NoiseMode = "const"
    seed: int = 0
    layers: tuple[LayerNoise, ...] = ()
    phase: float = 0.0

    def of(self, name: str) -> LayerNoise:
        """Return what was asked for one layer."""
        return next((layer for layer in self.layers if layer.name == name), LayerNoise(name))


def on_picture(column: float, row: float, size: tuple[int, int], sampling_rate: float) -> tuple[float, float]:
    """A place on a map of `size` (H, W), sample centres at whole numbers -> (x, y) in picture widths and heights.

    sampling_rate: `LayerInfo.sampling_rate`, 0 for a map without margin. The inverse of `Disc.on_map`.
    """
    height, width = size
    across = sampling_rate or float(width)
    down = across * height / width
    return 0.5 + (column - (width - 1) / 2) / across, 0.5 + (row - (height - 1) / 2) / down


@dataclass(frozen=True)
class Disc:
    """A spot on the picture: centre (x, y) in picture widths and heights from the upper left corner, radius in heights.

    On feature maps it lies where the picture will show it, also where maps carry a margin (`on_map`).
    """

    x: float = 0.5
    y: float = 0.5
    radius: float = 0.05

    def on_map(self, size: tuple[int, int], sampling_rate: float) -> tuple[float, float, float]:
        """(column, row, radius) in samples of a map of `size` (H, W), sample centres at whole numbers.

        sampling_rate: `LayerInfo.sampling_rate`, 0 for a map without margin. The map's middle is the picture's.
        """
        height, width = size
        across = sampling_rate or float(width)
        down = across * height / width
        column, row = (width - 1) / 2 + (self.x - 0.5) * across, (height - 1) / 2 + (self.y - 0.5) * down
        return column, row, self.radius * down


@dataclass(frozen=True)
class Intervention:
    """A change of the maps of one layer while the picture is made; several act in the order of their list.

    op, what it does to each of the chosen maps, and what `value` means there (networks/edits.py has the formulas):
    'scale' x * value, 'shift' x + value, 'clamp' to +-value, 'clamp_mad' to median +- value * 1.4826 MAD;
    with value = strength, 0 nothing to 1 all: 'mean' the map becomes its mean, 'inpaint' the disc is filled from its
    rim, 'only_disc' all but the disc becomes the median, and before an instance norm (stage 'pre_norm') alone:
    'inpaint_same_norm' fills the disc, yet mean and sigma are those of the map as it was; 'clean_norm' leaves the map,
    yet mean and sigma are those of the map with the disc filled; 'untouched_norm' takes mean and sigma from a pass
    without any edit; 'no_norm' neither subtracts mean nor divides by sigma.
    channels: which maps, None for all. disc: where, for the ops in DISC_OPS. onward: every later layer that has the
    stage is changed as well, to-RGBs excepted.
    """

    layer: str
    op: EditOp
    value: float = 1.0
    channels: tuple[int, ...] | None = None
    stage: str = OUTPUT
    disc: Disc | None = None
    onward: bool = False
