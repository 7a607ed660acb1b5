"""A folder of PNG files, each with the request that makes it again."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.errors import WriteError
from app.frame import Pixels
from app.recording.embedded import png_info
from app.recording.sinks.base import Shot, Sink, refused


class PngSink(Sink):
    """A folder of frame-000000.png, ...; colours only where every pixel is opaque."""

    def __init__(self, path: Path) -> None:
        self.path, self.frames = path, 0
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused(path, 0, error) from error

    def write(self, shot: Shot) -> None:
        info = None if shot.request is None else png_info(shot.request)
        save_png(self.path / f"frame-{self.frames:06d}.png", shot.rgba, compress_level=1, info=info)
        self.frames += 1

    def close(self) -> None:
        check_count(self.path, "frame-*.png", self.frames)


def check_count(folder: Path, pattern: str, frames: int) -> None:
    """Raises WriteError where fewer files lie in a folder than were written."""
    found = len(list(folder.glob(pattern)))
    if found < frames:
        raise WriteError(f"{folder}: {found} of {frames} frames reached the disk; is it full?")


def save_png(path: Path, rgba: Pixels, compress_level: int = 6, info: PngInfo | None = None) -> None:
    """Write RGBA [H, W, 4]; without alpha where every pixel is opaque. Raises WriteError."""
    opaque = bool((rgba[..., 3] == 255).all())
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgba[..., :3] if opaque else rgba)).save(
        buffer, "png", compress_level=compress_level, pnginfo=info
    )
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise refused(path, 0, error) from error
