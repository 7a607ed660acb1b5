"""Performances in the window: recording every change, playing them again at their own pace, rendering them in full."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from app.engine import Engine
from app.errors import InputError, WriteError
from app.frame import Frame, ModelInfo, PerformanceState
from app.recording import performance
from app.recording.embedded import Kept
from app.recording.offline import TakeJob
from app.recording.performance import Performance, PerformanceRecorder, Take
from app.recording.sinks import Encoding
from app.request import RenderRequest
from app.window.kept_files import is_there
from app.window.recorder import Recorder

Sentence = tuple[str, bool]  # what to say, is it a problem


class Performances:
    """One performance at a time: the one that is being recorded, else the last one. All on the main thread.

    steer: sets every control, as one drag. restore: shows a whole request, its model too.
    """

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        steer: Callable[[RenderRequest], None],
        restore: Callable[[RenderRequest], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._engine, self._recorder, self._clock = engine, recorder, clock
        self._steer, self._restore = steer, restore
        self._taking: PerformanceRecorder | None = None
        self._with_film = False  # it ends with the recording of the screen that it goes with
        self._path = ""
        self._kept: Performance | None = None
        self._playing: float | None = None  # when it began, on the clock
        self._shown: RenderRequest | None = None
        self._model: ModelInfo | None = None  # that is open
        self._said: list[Sentence] = []

    # -- recording ---------------------------------------------------------------------------------------------------

    @property
    def recording(self) -> bool:
        """Whether changes are being recorded."""
        return self._taking is not None

    def start(self, path: Path, model: ModelInfo | None, with_film: bool = False) -> None:
        """Record every change from now on, into `path` in the end. with_film: until the recorder stops."""
        if self._taking is not None:
            return
        if model is None:
            self._say("There is nothing to perform with yet: open a model first.", problem=True)
            return
        self._playing = None
        try:
            self._taking = PerformanceRecorder(path, model, self._clock())
        except WriteError as error:
            self._say(str(error), problem=True)
            return
        self._path, self._kept, self._with_film = str(path), None, with_film

    def stop(self) -> None:
        """End the recording and write its file."""
        if self._taking is None:
            return
        taking, self._taking = self._taking, None
        try:
            self._kept = taking.stop(self._clock())
        except (WriteError, InputError) as error:  # no change at all makes no performance
            self._path = ""
            self._say(str(error), problem=True)
            return
        if not self._with_film:
            self._say(f"Kept {taking.path} ({len(self._kept.changes)} changes in {self._kept.seconds:.1f} s)")

    # -- what was recorded -------------------------------------------------------------------------------------------

    def take(self, path: str) -> Kept | None:
        """Make a file the performance that can be played; its first state. None where it is none, or damaged."""
        if not performance.is_performance(Path(path)) or self._taking is not None:
            return None
        try:
            kept = performance.read(Path(path))
        except InputError as error:
            self._say(str(error), problem=True)
            return None
        self._path, self._kept, self._playing = path, kept, None
        cut = "" if kept.complete else "; it was cut short"
        self._say(
            f"{Path(path).name}: {len(kept.changes)} changes in {kept.seconds:.1f} s{cut}."
            " Play or render it in the Capture panel."
        )
        first = kept.changes[0].request
        model = next((model for model in kept.models if model["path"] == first.model.path), {"name": "", "sha256": ""})
        return Kept(first, model["name"], model["sha256"])

    def toggle_playing(self) -> None:
        """Play it from its beginning, or stop."""
        if self._playing is not None or self._kept is None or self._taking is not None:
            self._playing = None
            return
        if missing := self._missing(self._kept):
            self._say(f"The performance needs {missing}, which is not there; open that model first.", problem=True)
            return
        self._playing, self._shown = self._clock(), None

    def render(self, path: Path, fps: int, between: bool, encoding: Encoding) -> None:
        """Draw it in full and at an exact rate beside the live window."""
        kept = self._kept
        if kept is not None:

            def make() -> TakeJob:
                take = Take(kept.changed(self._located), Fraction(fps), between)
                return TakeJob(self._engine, take, path, encoding)

            self._recorder.draw(make, path)

    # -- once per turn of the loop -----------------------------------------------------------------------------------

    def update(self, asked: RenderRequest, shown: Frame | None) -> None:
        """asked: what the panels ask for now. shown: the newest frame, whose model is open."""
        if shown is not None and shown.model is not None:
            self._model = shown.model
        if self._taking is not None:
            self._take(self._taking, asked)
        elif self._playing is not None and self._kept is not None:
            self._play(self._kept, self._playing, asked)

    def _take(self, taking: PerformanceRecorder, asked: RenderRequest) -> None:
        try:
            if self._model is not None and self._model.path == asked.model.path:
                taking.meet(self._model)
            if asked.model.path:
                taking.push(asked, self._clock())
        except WriteError as error:
            self._taking, self._path = None, ""
            self._say(str(error), problem=True)
            return
        if self._with_film and not self._recorder.capturing:
            self.stop()

    def _play(self, kept: Performance, began: float, asked: RenderRequest) -> None:
        if asked.max_height is not None:  # the user took hold of something
            self._playing = None
            return
        at = self._clock() - began
        request = self._located(kept.at(at))
        if request != self._shown:
            self._shown = request
            wanted = replace(request, view=asked.view, diagnostic=asked.diagnostic)
            (self._steer if request.model.path == asked.model.path else self._restore)(wanted)
        if at >= kept.seconds:
            self._playing = None

    # -- for the desk ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> PerformanceState:
        """What the panels show."""
        if self._taking is not None:
            lasted = self._clock() - self._taking.began if self._taking.changes else 0.0
            return PerformanceState(self._path, lasted, self._taking.changes, recording=True)
        if self._kept is None:
            return PerformanceState()
        playing = None if self._playing is None else min(self._clock() - self._playing, self._kept.seconds)
        return PerformanceState(self._path, self._kept.seconds, len(self._kept.changes), playing=playing)

    def finished(self) -> list[Sentence]:
        """Sentences since the last call."""
        said, self._said = self._said, []
        return said

    def close(self) -> None:
        """End a recording that runs."""
        self.stop()

    def _located(self, request: RenderRequest) -> RenderRequest:
        """The request with its model where it lies now: the open one stands in for the same file that was moved."""
        path = request.model.path
        if is_there(path) or self._model is None or self._kept is None:
            return request
        same = any(model["path"] == path and model["sha256"] == self._model.sha256 for model in self._kept.models)
        return replace(request, model=replace(request.model, path=self._model.path)) if same else request

    def _missing(self, kept: Performance) -> str:
        """A model that is neither there nor open under another path; ''."""
        paths = dict.fromkeys(self._located(change.request).model.path for change in kept.changes)
        return next((path for path in paths if path and not is_there(path)), "")

    def _say(self, text: str, problem: bool = False) -> None:
        self._said.append((text, problem))
