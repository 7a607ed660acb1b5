"""Pictures from cut-out frames: a plain background and a random similarity transform, anti-aliased."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

OVERSAMPLING = 4


@dataclass(frozen=True)
class Variation:
    """How far pictures are moved: shift as a share of the width, angle in degrees, scale as width of the cut-out
    over width of the picture; and the share that is mirrored."""

    shift: float = 0.07
    angle_deg: float = 14.0
    scale: tuple[float, float] = (0.74, 0.94)
    mirrored: float = 0.5


@dataclass(frozen=True)
class Draw:
    """One draw: background top and bottom (RGB, 0 to 255) and the similarity transform. Units as in `Variation`."""

    top: tuple[int, int, int]
    bottom: tuple[int, int, int]
    shift: tuple[float, float]
    angle_deg: float
    scale: float
    mirrored: bool


def draw(rng: np.random.Generator, variation: Variation) -> Draw:
    """A background of any hue, soft to strong, a little darker at the bottom; a uniform similarity transform."""
    hue, saturation, value = rng.uniform(), rng.uniform(0.05, 0.65), rng.uniform(0.55, 1.0)
    fall = rng.uniform(0.0, 0.15)
    return Draw(
        top=_rgb(hue, saturation, value),
        bottom=_rgb(hue, saturation, value * (1 - fall)),
        shift=(float(rng.uniform(-1, 1) * variation.shift), float(rng.uniform(-1, 1) * variation.shift)),
        angle_deg=float(rng.uniform(-1, 1) * variation.angle_deg),
        scale=float(rng.uniform(*variation.scale)),
        mirrored=bool(rng.uniform() < variation.mirrored),
    )


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    r, g, b = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return r, g, b


def compose(frame: Image.Image, how: Draw, size: int) -> NDArray[np.uint8]:
    """frame RGBA -> [size, size, 3] uint8.

    The cut-out is moved on a canvas four times as large with premultiplied alpha (bicubic) and then averaged down
    (Lanczos), so that edges are band-limited on the picture's own grid at every scale and angle.
    """
    canvas = OVERSAMPLING * size
    moved = frame.convert("RGBa").transform(
        (canvas, canvas), Image.Transform.AFFINE, _inverse(frame.size, how, canvas), Image.Resampling.BICUBIC
    )
    small = moved.resize((size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(small, dtype=np.float32)
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    top, bottom = np.array(how.top, dtype=np.float32), np.array(how.bottom, dtype=np.float32)
    background = top * (1 - ramp) + bottom * ramp
    mixed = pixels[:, :, :3] + background * (1 - pixels[:, :, 3:] / 255)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _inverse(source: tuple[int, int], how: Draw, canvas: int) -> tuple[float, ...]:
    """The affine map from canvas pixels to frame pixels, as PIL wants it."""
    zoom = max(source) / (canvas * how.scale)
    turn = math.radians(how.angle_deg)
    cos, sin = zoom * math.cos(turn), zoom * math.sin(turn)
    flip = -1.0 if how.mirrored else 1.0
    cx, cy = canvas * (0.5 + how.shift[0]), canvas * (0.5 + how.shift[1])
    a, b, d, e = flip * cos, flip * sin, -sin, cos
    return (a, b, source[0] / 2 - a * cx - b * cy, d, e, source[1] / 2 - d * cx - e * cy)
