"""MP4 (h264, fragmented) and WebM (VP9): exact time stamps, readable after a crash, with a note at their beginning."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import WriteError
from app.frame import Pixels
from app.recording.sinks import encoders
from app.recording.sinks.base import Encoding, Shot, Sink, refused

TICKS = 90_000  # per second: the clock of time stamps where no rate is given
NOTE_KEY = "comment"  # the container's tag that holds the note
CONTAINERS = {
    "mp4": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
    "webm": {"cluster_time_limit": "1000", "flush_packets": "1"},  # ms: a crash takes the last second at most
}


def even(rgba: Pixels) -> Pixels:
    """Repeat the last row and column where the size is odd: 4:2:0 halves both."""
    H, W = rgba.shape[:2]
    return rgba if H % 2 == 0 and W % 2 == 0 else np.pad(rgba, ((0, H % 2), (0, W % 2), (0, 0)), mode="edge")


class VideoSink(Sink):
    """4:2:0, BT.709, one key frame a second. An MP4 keeps exact times (1/90000 s where no rate is given), a WebM
    whole milliseconds, as Matroska counts."""

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction | None, encoding: Encoding, note: str) -> None:
        """Raises WriteError when the file cannot be begun, InputError when the encoder that is asked for is missing."""
        import av

        self.path, self.frames, self._fps = path, 0, fps
        kind = path.suffix.lower()[1:]
        self._time_base = Fraction(1, TICKS) if fps is None else 1 / fps
        whole = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        chosen = encoders.choose(kind, whole, encoding)
        self.encoder = chosen.words
        try:
            self._file: Any = av.open(str(path), "w", format=kind, options=CONTAINERS[kind])
        except OSError as error:
            raise refused(path, 0, error) from error
        if note:
            self._file.metadata[NOTE_KEY] = note
        rate = fps or Fraction(30)
        self._stream: Any = encoders.begin(self._file, chosen.codec, whole, rate, self._time_base, encoding)

    def write(self, shot: Shot) -> None:
        import av

        frame: Any = av.VideoFrame.from_ndarray(even(shot.rgba), format="rgba")
        frame = frame.reformat(format=self._stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG")
        frame.pts = self.frames if self._fps is not None else round(shot.seconds * TICKS)
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
