"""An animated GIF: a palette for each frame, refined by k-means, error diffusion."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import GifImagePlugin, Image

from app.frame import Pixels
from app.recording.sinks.base import Shot, Sink, refused

SAMPLES = 4096  # pixels of a frame that its palette is made from


class GifSink(Sink):
    """An endless GIF, written frame by frame; each has its own palette of 256 colours.

    GIF counts hundredths of a second: each frame is shown until the next one's time, rounded, so errors do not add up.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | None) -> None:
        self.path, self.frames = path, 0
        self._step = 1 / (fps or Fraction(30))  # how long the last frame stays
        self._waiting: tuple[Pixels, int] | None = None
        header = b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0)
        loop = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
        try:
            self._file = path.open("wb")
            self._file.write(header + loop)
        except OSError as error:
            raise refused(path, 0, error) from error

    def write(self, shot: Shot) -> None:
        at = round(shot.seconds * 100)
        self._flush(at)
        self._waiting = (shot.rgba, at)

    def _flush(self, until: int) -> None:
        """Write the waiting frame, shown until a time in hundredths of a second."""
        if self._waiting is None:
            return
        rgba, since = self._waiting
        image = in_palette(rgba)
        parts = GifImagePlugin.getdata(image, duration=max(until - since, 2) * 10, include_color_table=True)
        try:
            self._file.write(b"".join(parts))
            self._file.flush()
        except OSError as error:
            raise refused(self.path, self.frames, error) from error
        self.frames += 1

    def close(self) -> None:
        if self._waiting is not None:
            self._flush(self._waiting[1] + round(float(self._step) * 100))
        try:
            self._file.write(b";")
            self._file.close()
        except OSError as error:
            raise refused(self.path, self.frames, error) from error


def in_palette(rgba: Pixels) -> Image.Image:
    """RGBA [H, W, 4] -> a picture of at most 256 colours of its own, transparency left out.

    The palette is a median cut through a regular sample of the pixels, refined by k-means; the rest of each pixel's
    error goes to its neighbours (Floyd and Steinberg 1976). docs/recording.md has the measurements behind this choice.
    """
    rgb = np.ascontiguousarray(rgba[..., :3])
    step = max(1, round((rgb.shape[0] * rgb.shape[1] / SAMPLES) ** 0.5))
    sample = np.ascontiguousarray(rgb[step // 2 :: step, step // 2 :: step])
    palette = Image.fromarray(sample).quantize(256, kmeans=1)
    return Image.fromarray(rgb).quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
