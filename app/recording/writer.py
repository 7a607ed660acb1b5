"""A thread that writes frames while others draw: bounded queue, failures in words, the file checked at the end."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from app.errors import WriteError
from app.frame import Pixels
from app.recording.sinks import Encoding, Shot, Sink, open_sink
from app.request import RenderRequest

QUEUE = 16  # frames that may wait


__all__ = ["QUEUE", "Shot", "Writer", "Written", "fitted"]


@dataclass(frozen=True)
class Written:
    """What a recording came to: where, how many frames, SHA-256 over all their RGBA bytes, each frame's time, what
    compressed them."""

    path: Path
    frames: int
    sha256: str
    shots: tuple[tuple[float, RenderRequest | None], ...]
    dropped: int
    encoder: str = ""


class Writer:
    """Takes shots from any one thread and writes them in its own.

    The first failure is kept: `put` then raises it, and so does `close`.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: Fraction | None,
        *,
        encoding: Encoding | None = None,
        note: str = "",
        waiting: int = QUEUE,
        sink: Sink | None = None,
    ) -> None:
        """size: (W, H) of the recording; frames of another size are fitted. Raises WriteError when it cannot begin.

        note: what the file says of itself (app/recording/embedded.py), written at its beginning.
        """
        self.path, self.size = path, size
        self.dropped = 0
        self.failure: WriteError | None = None
        self._sink = sink or open_sink(path, size, fps, encoding, note)
        self._queue: queue.Queue[Shot | None] = queue.Queue(waiting)
        self._hash = hashlib.sha256()
        self._shots: list[tuple[float, RenderRequest | None]] = []
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return len(self._shots)

    @property
    def encoder(self) -> str:
        """What compresses the frames, in words; '' where there is nothing to say."""
        return self._sink.encoder

    @property
    def wants_values(self) -> bool:
        """Whether frames should come with `Shot.values`."""
        return self._sink.wants_values

    def put(self, shot: Shot, wait: bool = True) -> bool:
        """Hand over a frame; raises the writer's failure. wait False: a full queue drops it and says False."""
        if self.failure is not None:
            raise self.failure
        try:
            self._queue.put(shot, block=wait)
        except queue.Full:
            self.dropped += 1
            return False
        return True

    def close(self) -> Written:
        """Write what waits, complete the file and check it; raises WriteError. May be called once."""
        self._queue.put(None)
        self._thread.join()
        if self.failure is not None:
            raise self.failure
        return Written(self.path, self.frames, self._hash.hexdigest(), tuple(self._shots), self.dropped, self.encoder)

    def abandon(self) -> None:
        """End the thread after a failure elsewhere; what was written stays."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (shot := self._queue.get()) is not None:
            if self.failure is None:
                self._guarded(partial(self._write, shot))
        self._guarded(self._sink.close)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except WriteError as error:
            self.failure = self.failure or error
        except Exception as error:
            self.failure = self.failure or WriteError(f"{self.path}: writing failed, {type(error).__name__}: {error}")

    def _write(self, shot: Shot) -> None:
        self._sink.write(replace(shot, rgba=fitted(shot.rgba, self.size)))
        self._hash.update(np.ascontiguousarray(shot.rgba).data)
        self._shots.append((shot.seconds, shot.request))


def fitted(rgba: Pixels, size: tuple[int, int]) -> Pixels:
    """Scale RGBA [h, w, 4] into size (W, H), keeping its shape, black around it; the right size stays as it is."""
    h, w = rgba.shape[:2]
    W, H = size
    if (w, h) == size:
        return rgba
    scale = min(W / w, H / h)
    width, height = max(1, round(w * scale)), max(1, round(h * scale))
    image = Image.fromarray(rgba).resize((width, height), Image.Resampling.BILINEAR)
    canvas = np.zeros((H, W, 4), np.uint8)
    canvas[..., 3] = 255
    top, left = (H - height) // 2, (W - width) // 2
    canvas[top : top + height, left : left + width] = np.asarray(image)
    return canvas
