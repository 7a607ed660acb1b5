"""A folder of OpenEXR files: the generator's picture as linear light, not clipped."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.errors import InputError
from app.recording.sinks.base import Shot, Sink, refused
from app.recording.sinks.folder import check_count

HINT = "EXR files need the package OpenEXR; install it with `pip install OpenEXR`"
GENERATOR = "the generator's own numbers, not clipped"
SCREEN = "pictures of 8 bits a value"


class ExrSink(Sink):
    """A folder of frame-000000.exr, ...: RGB or RGBA, 16 or 32 bits a value, ZIP compressed without loss.

    Values are linear light (`to_linear`), 1.0 is white; the header says where they come from. A frame that has no
    `values` is made of its bytes. Each file has its own picture's size.
    """

    wants_values = True

    def __init__(self, path: Path, depth: Literal["half", "float"], fps: Fraction | None) -> None:
        """Raises InputError where the package OpenEXR is missing, WriteError where the folder cannot be made."""
        try:
            import OpenEXR
        except ImportError as error:
            raise InputError(HINT) from error
        self._library: Any = OpenEXR
        self._type = np.float16 if depth == "half" else np.float32
        self._fps = fps
        self.path, self.frames = path, 0
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused(path, 0, error) from error

    def write(self, shot: Shot) -> None:
        known = shot.values is not None
        values = shot.values if shot.values is not None else shot.rgba.transpose(2, 0, 1).astype(np.float32) / 255
        planes = in_colours(values)
        channels = "RGBA" if len(planes) == 4 and not (planes[3] == 1).all() else "RGB"
        pixels = to_linear(planes[:3])
        if channels == "RGBA":
            pixels = np.concatenate([pixels, planes[3:]])
        largest = np.finfo(self._type).max
        pixels = np.clip(pixels, -largest, largest).astype(self._type)
        target = self.path / f"frame-{self.frames:06d}.exr"
        header = {
            "compression": self._library.ZIP_COMPRESSION,
            "type": self._library.scanlineimage,
            "source": GENERATOR if known else SCREEN,
            "transfer": "linear light by the curve of sRGB (IEC 61966-2-1), mirrored below 0; alpha is straight",
            "seconds": repr(shot.seconds),
        }
        try:
            with self._library.File(header, {channels: np.ascontiguousarray(pixels.transpose(1, 2, 0))}) as file:
                file.write(str(target))
        except (OSError, RuntimeError) as error:  # the library's own errors are RuntimeErrors
            raise refused(target, self.frames, OSError(str(error))) from error
        self.frames += 1

    def close(self) -> None:
        check_count(self.path, "frame-*.exr", self.frames)


def in_colours(values: np.ndarray) -> np.ndarray:
    """[C, H, W] -> [3 or 4, H, W]: grey three times; of more than four channels the first three."""
    if len(values) <= 2:
        return np.concatenate([np.repeat(values[:1], 3, 0), values[1:]])
    return values if len(values) == 4 else values[:3]


def to_linear(v: np.ndarray) -> np.ndarray:
    """Display values, 0 black, 1 white, any range -> linear light, float32: the curve of sRGB (IEC 61966-2-1).

    Continued above 1 and mirrored below 0, so that nothing is clipped and every value can be found again.
    """
    a = np.abs(v.astype(np.float64))
    linear = np.where(a <= 0.04045, a / 12.92, ((a + 0.055) / 1.055) ** 2.4)
    return np.copysign(linear, v).astype(np.float32)
