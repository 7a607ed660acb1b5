"""What all sinks share: the frame they take, the settings, the disk's refusal in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from app.errors import WriteError
from app.frame import Pixels
from app.request import RenderRequest


@dataclass(frozen=True)
class Shot:
    """A frame, the second at which it is shown, and the request that it answers (None: cannot be made again).

    values: the same picture before it became bytes, float32 [C, H, W], 0 black, 1 white, not clipped; None where
    nobody kept it (what is captured from the screen has bytes only).
    """

    rgba: Pixels
    seconds: float
    request: RenderRequest | None = None
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Encoding:
    """How frames are written.

    crf: constant rate factor of h264 (0 lossless .. 51) or VP9 (0 lossless .. 63); None is 18, and 24 for VP9.
    preset: effort, by x264's names. encoder: of an MP4, 'auto' or a name of `encoders.NAMES`. folder: what a folder
    holds, PNG files, or EXR files of 16 or 32 bits a value. sheet: frames on a contact sheet beside the recording,
    0 for none.
    """

    crf: int | None = None
    preset: str = "veryfast"
    encoder: str = "auto"
    folder: Literal["png", "half", "float"] = "png"
    sheet: int = 0


class Sink:
    """Takes frames in order; `close` completes the file and raises WriteError where it is not whole.

    encoder: a sentence about what compresses the frames, '' where there is nothing to say. wants_values: whether
    frames should come with `Shot.values`.
    """

    encoder: str = ""
    wants_values: bool = False

    def write(self, shot: Shot) -> None:
        """Take the next frame; raises WriteError."""
        raise NotImplementedError

    def close(self) -> None:
        """Complete the file and check it; raises WriteError."""
        raise NotImplementedError


class Tee(Sink):
    """Two sinks that take the same frames; the first one speaks for both."""

    def __init__(self, first: Sink, second: Sink) -> None:
        self.first, self.second = first, second
        self.encoder, self.wants_values = first.encoder, first.wants_values or second.wants_values

    def write(self, shot: Shot) -> None:
        self.first.write(shot)
        self.second.write(shot)

    def close(self) -> None:
        try:
            self.first.close()
        finally:
            self.second.close()


def refused(path: Path, frames: int, error: OSError) -> WriteError:
    """The disk's refusal in a sentence that says what is left."""
    reason = error.strerror or str(error)
    kept = f"; the first {frames} frames are kept" if frames else ""
    return WriteError(f"{path}: writing failed, {reason.lower()}{kept}")
