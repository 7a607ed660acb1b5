"""What the compare panel may ask of the app: the panes' pictures, and films of them side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from app.compare import Pane, PaneState
from app.compare_export import CompareCapture, CompareJob
from app.compare_run import Comparison
from app.engine import Engine
from app.errors import WriteError
from app.frame import Frame, ModelInfo, RecordingState
from app.recording.walk import Walk
from app.request import RenderRequest
from app.window.recorder import Recorder, Sentence


class CompareDesk:
    """The panes of the comparison and their recorder. Everything is called on the main thread."""

    def __init__(
        self, engine: Engine, new_path: Callable[[str], Path], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """new_path: a free path in the output folder for a suffix."""
        self._engine, self._new_path, self._clock = engine, new_path, clock
        self.comparison = Comparison(engine)
        self.recorder = Recorder(engine, clock)
        self._capture: CompareCapture | None = None
        self._request = RenderRequest()

    # -- for the panel -----------------------------------------------------------------------------------------------

    def declare(self, panes: Sequence[Pane], paired: bool = False) -> None:
        """The panes on the screen; none while nobody looks. A live recording keeps those that it shows."""
        if not (self.recorder.capturing and not panes):
            self.comparison.declare(panes, paired)

    @property
    def frames(self) -> tuple[PaneState, ...]:
        return self.comparison.frames

    @property
    def recording(self) -> RecordingState:
        return self.recorder.state()

    def start_capture(self) -> None:
        """Record the panes as they appear, side by side, as MP4."""
        path, panes = self._new_path(".mp4"), self.comparison.panes
        frames = [state.frame for state in self.frames]

        def begin() -> CompareCapture:
            self._capture = CompareCapture(path, panes, frames)
            return self._capture

        if self.recorder.begin(begin):
            self._push()

    def stop_capture(self) -> None:
        self._capture = None
        self.recorder.stop_capture()

    def start_walk(self, seeds: Sequence[int], seconds: float, fps: int, loop: bool) -> None:
        """Draw a walk through seeds in every pane, in full and at an exact rate, side by side, as MP4."""
        path, panes, request = self._new_path(".mp4"), self.comparison.panes, self._request
        self.recorder.draw(
            lambda: CompareJob(self._engine, Walk(request, tuple(seeds), seconds, Fraction(fps), loop), panes, path),
            path,
        )

    def cancel_walk(self) -> None:
        self.recorder.cancel_walk()

    # -- for the desk ------------------------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The models that the panes show."""
        frames = (state.frame for state in self.frames)
        return tuple(frame.model for frame in frames if frame is not None and frame.model is not None)

    @property
    def busy(self) -> bool:
        return self.comparison.busy

    def update(self, request: RenderRequest, frame: Frame | None) -> None:
        """Once per turn. request: the panels' own; frame: the newest of the microscope's own view."""
        self._request = request
        self.comparison.update(request, frame)
        self._push()

    def finished(self) -> list[Sentence]:
        """Sentences about recordings that ended since the last call."""
        return self.recorder.finished()

    def close(self) -> None:
        """Complete the recordings, end the workers."""
        self._capture = None
        self.recorder.close()
        self.comparison.close()

    def _push(self) -> None:
        if self._capture is None:
            return
        try:
            self._capture.push_panes([state.frame for state in self.frames], self._clock())
        except WriteError:  # the recorder says it when the file is closed
            self.stop_capture()
