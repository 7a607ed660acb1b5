"""Live capture: what is on the screen, with true time stamps, fed by the loop; never slows it down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from app.frame import Frame, ModelInfo, Pixels, RecordingState
from app.recording import embedded, sidecar
from app.recording.sidecar import pinned
from app.recording.sinks import Encoding
from app.recording.writer import QUEUE, Shot, Writer, Written
from app.request import RenderRequest

STEP_S = 1 / 240  # pictures that follow faster than this are left out: no screen shows them


class LiveCapture:
    """Records pictures as they appear. `push` when a new one is shown, `stop` at the end; both on the main thread."""

    def __init__(
        self, path: Path, size: tuple[int, int], encoding: Encoding | None = None, first: Frame | None = None
    ) -> None:
        """size: (W, H) of the recording. first: the frame that it begins with, for the note inside the file; it is
        pushed like all others. Raises WriteError when the file cannot be begun, InputError for a missing encoder."""
        self.path, self.size = path, size
        encoding = replace(encoding or Encoding(), preset="ultrafast")  # it has to keep up with the screen
        note = ""
        if first is not None and first.model is not None:
            note = embedded.note([first.model], request=pinned(first.request, first.model))
        self._writer = Writer(path, size, None, encoding=encoding, note=note, waiting=2 * QUEUE)
        self._last: Shot | None = None
        self._began: float | None = None
        self._models: dict[str, ModelInfo] = {}

    def push(self, rgba: Pixels, seconds: float, request: RenderRequest | None = None) -> bool:
        """Take a picture shown at `seconds` (any clock); False when it was dropped, for the writer is behind.

        Raises WriteError once writing has failed. request: what the picture answers, so that it can be made again.
        """
        if self._began is None:
            self._began = seconds
        at = seconds - self._began
        if self._last is not None and at - self._last.seconds < STEP_S:
            return True
        shot = Shot(rgba, at, request)
        taken = self._writer.put(shot, wait=False)
        if taken:
            self._last = shot
        return taken

    def push_frame(self, frame: Frame, seconds: float) -> bool:
        """Take a frame's picture together with its request; frames without one are passed over."""
        if frame.picture is None:
            return True
        height = None if frame.complete else frame.picture.shape[0]
        request = frame.request
        if frame.model is not None:
            self._models[request.model.path] = frame.model
            request = pinned(request, frame.model)
        return self.push(frame.picture, seconds, replace(request, max_height=height))

    def state(self, seconds: float) -> RecordingState:
        """How it goes, at `seconds` of the same clock."""
        lasted = 0.0 if self._began is None else seconds - self._began
        return RecordingState(
            str(self.path), self._writer.frames, None, lasted, self._writer.dropped, encoder=self._writer.encoder
        )

    def stop(self, seconds: float) -> Written:
        """Show the last picture until `seconds`, complete the file, write the sidecar. Raises WriteError.

        Waits for the frames that are queued: call it where waiting a second or two does no harm.
        """
        written = self._complete(seconds)
        sidecar.write(sidecar.describe(written, self.size, self._models.values()), sidecar.beside(self.path))
        return written

    def _complete(self, seconds: float) -> Written:
        """Show the last picture until `seconds` and complete the file."""
        if self._last is not None and self._began is not None and seconds - self._began > self._last.seconds + STEP_S:
            self._writer.put(replace(self._last, seconds=seconds - self._began))
        return self._writer.close()
