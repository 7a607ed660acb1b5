"""Where frames go: an MP4 (h264, fragmented), an animated GIF, or a folder of PNGs. Used by the writer's thread only.

Each sink takes RGBA uint8 [H, W, 4] of one fixed size with the second at which it is shown.
"""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import GifImagePlugin, Image

from app.errors import InputError, WriteError
from app.frame import Pixels

KINDS = {"mp4": ".mp4", "gif": ".gif", "png": ""}
TICKS = 90_000  # per second: the clock of MP4 time stamps
BT709, LIMITED = 1, 1  # codes of colour space, primaries and transfer, and of the range, in ITU-T H.273


class Sink(Protocol):
    """Takes frames in order; `close` completes the file and raises WriteError where it is not whole."""

    def write(self, rgba: Pixels, seconds: float) -> None: ...
    def close(self) -> None: ...


def kind_of(path: Path) -> str:
    """'mp4', 'gif' or 'png' (a folder) from the name of what is to be written."""
    suffix = path.suffix.lower()
    for kind, known in KINDS.items():
        if suffix == known:
            return kind
    raise InputError(f"{path.name}: a recording is .mp4, .gif, or a folder of PNGs (no suffix)")


def open_sink(path: Path, size: tuple[int, int], fps: Fraction | None, crf: int = 18, preset: str = "veryfast") -> Sink:
    """Make the sink for a path. size: (W, H) of the frames. fps: the exact rate; None where time stamps vary."""
    kind = kind_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: the folder cannot be made, {error.strerror or error}") from error
    if kind == "mp4":
        return Mp4Sink(path, size, fps, crf, preset)
    return GifSink(path, size, fps) if kind == "gif" else PngSink(path)


def even(rgba: Pixels) -> Pixels:
    """Repeat the last row and column where the size is odd: yuv420p halves both."""
    H, W = rgba.shape[:2]
    return rgba if H % 2 == 0 and W % 2 == 0 else np.pad(rgba, ((0, H % 2), (0, W % 2), (0, 0)), mode="edge")


class Mp4Sink:
    """h264, yuv420p, BT.709. Fragmented, one key frame a second, so that a crash leaves a file that plays."""

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | None, crf: int, preset: str) -> None:
        import av

        self.path, self.frames, self._fps = path, 0, fps
        self._time_base = Fraction(1, TICKS) if fps is None else 1 / fps
        flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        try:
            self._file: Any = av.open(str(path), "w", format="mp4", options=flags)
        except OSError as error:
            raise refused(path, 0, error) from error
        rate = fps or Fraction(30)
        # no B-frames: a fragmented file cannot shift its first time stamp back to 0
        options = {"crf": str(crf), "preset": preset, "g": str(max(1, round(rate))), "bf": "0"}
        self._stream: Any = self._file.add_stream("libx264", rate=rate, options=options)
        self._stream.width, self._stream.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._time_base
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED

    def write(self, rgba: Pixels, seconds: float) -> None:
        import av

        frame: Any = av.VideoFrame.from_ndarray(even(rgba), format="rgba")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts = self.frames if self._fps is not None else round(seconds * TICKS)
        frame.time_base = self._time_base
        try:
            self._file.mux(self._stream.encode(frame))
        except OSError as error:
            raise refused(self.path, self.frames, error) from error
        self.frames += 1

    def close(self) -> None:
        try:
            self._file.mux(self._stream.encode())
            self._file.close()
        except OSError as error:
            raise refused(self.path, self.frames, error) from error
        found = count_frames(self.path)
        if found != self.frames:
            raise WriteError(f"{self.path}: {found} of {self.frames} frames reached the disk; is it full?")


def count_frames(path: Path) -> int:
    """Number of video packets in a file that was just written; 0 when it cannot be read."""
    import av

    try:
        with av.open(str(path)) as file:
            return sum(packet.size > 0 for packet in file.demux(video=0))
    except (OSError, IndexError):
        return 0


class GifSink:
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

    def write(self, rgba: Pixels, seconds: float) -> None:
        at = round(seconds * 100)
        self._flush(at)
        self._waiting = (rgba, at)

    def _flush(self, until: int) -> None:
        """Write the waiting frame, shown until a time in hundredths of a second."""
        if self._waiting is None:
            return
        rgba, since = self._waiting
        image = Image.fromarray(np.ascontiguousarray(rgba[..., :3])).quantize(256)
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


class PngSink:
    """A folder of frame-000000.png, ...; colours only where every pixel is opaque."""

    def __init__(self, path: Path) -> None:
        self.path, self.frames = path, 0
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise refused(path, 0, error) from error

    def write(self, rgba: Pixels, seconds: float) -> None:
        save_png(self.path / f"frame-{self.frames:06d}.png", rgba, compress_level=1)
        self.frames += 1

    def close(self) -> None:
        found = len(list(self.path.glob("frame-*.png")))
        if found < self.frames:
            raise WriteError(f"{self.path}: {found} of {self.frames} frames reached the disk; is it full?")


def save_png(path: Path, rgba: Pixels, compress_level: int = 6) -> None:
    """Write RGBA [H, W, 4]; without alpha where every pixel is opaque. Raises WriteError."""
    opaque = bool((rgba[..., 3] == 255).all())
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgba[..., :3] if opaque else rgba)).save(
        buffer, "png", compress_level=compress_level
    )
    try:
        path.write_bytes(buffer.getvalue())
    except OSError as error:
        raise refused(path, 0, error) from error


def refused(path: Path, frames: int, error: OSError) -> WriteError:
    """The disk's refusal in a sentence that says what is left."""
    reason = error.strerror or str(error)
    kept = f"; the first {frames} frames are kept" if frames else ""
    return WriteError(f"{path}: writing failed, {reason.lower()}{kept}")
