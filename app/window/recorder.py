"""The window's recorder: one live capture and one offline walk at a time, and what became of them in sentences."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.engine import Engine
from app.errors import InputError, WriteError
from app.frame import Frame, RecordingState
from app.recording.film import Film
from app.recording.live import LiveCapture
from app.recording.offline import WalkJob
from app.recording.sinks import Encoding
from app.recording.walk import Walk
from app.request import RenderRequest

Sentence = tuple[str, bool]  # what to say, is it a problem


@dataclass(frozen=True)
class Waiting:
    """A capture that begins with a frame which the worker is about to draw."""

    path: Path
    encoding: Encoding | None
    frame: Future[Frame]


class Recorder:
    """Everything is called on the main thread; waiting for a file happens in a thread of its own."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.perf_counter) -> None:
        self._engine, self._clock = engine, clock
        self._live: LiveCapture | None = None
        self._waiting: Waiting | None = None
        self._walk: WalkJob | None = None
        self._closing: list[Future[Sentence]] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self._said: list[Sentence] = []
        self._message = ""
        self._encoder = ""  # what compressed the last film, in words

    @property
    def capturing(self) -> bool:
        """Whether a live capture is running, or about to begin."""
        return self._live is not None or self._waiting is not None

    @property
    def busy(self) -> bool:
        """Whether something is still being recorded or written."""
        return self._live is not None or self._walk is not None or bool(self._closing)

    def start_capture(self, path: Path, frame: Frame, encoding: Encoding | None = None) -> None:
        """Record what is shown from now on, beginning with this frame, at its model's full size."""
        if frame.picture is None or frame.model is None or self.capturing:
            return
        if not frame.timing.settled:  # it would differ from its replay in the last bits
            self._say("The recording begins as soon as the compiled kernels are loaded.")
            task = self._engine.ask(lambda renderer: settled(renderer, frame.request))
            self._waiting = Waiting(path, encoding, task)
            return
        height, width = frame.model.resolution
        if self.begin(lambda: LiveCapture(path, (width, height), encoding, frame)):
            self.push(frame)

    def _begin_waiting(self) -> None:
        """The kernels are there: begin with the picture that they draw."""
        assert self._waiting is not None
        waiting, self._waiting = self._waiting, None
        try:
            frame = waiting.frame.result()
        except Exception as error:
            self._say(f"The recording could not begin: {error}", problem=True)
        else:
            self.start_capture(waiting.path, frame, waiting.encoding)

    def begin(self, make: Callable[[], LiveCapture]) -> bool:
        """Begin a live capture that is fed by whoever made it; False where none can begin, with a sentence why."""
        if self._live is not None:
            return False
        try:
            self._live = make()
        except (InputError, OSError) as error:
            self._say(f"The recording could not begin: {error}", problem=True)
            return False
        self._message = ""
        return True

    def push(self, frame: Frame) -> None:
        """A new frame is on the screen."""
        if self._live is None:
            return
        if frame.model is not None and (frame.model.resolution[1], frame.model.resolution[0]) != self._live.size:
            self.stop_capture()
            self._say("The recording ended because the model's resolution changed.", problem=True)
            return
        try:
            self._live.push_frame(frame, self._clock())
        except WriteError:
            self.stop_capture()

    def stop_capture(self) -> None:
        """Complete the file; a sentence follows when it is written."""
        self._waiting = None
        if self._live is not None:
            self._encoder = self._live.state(self._clock()).encoder
            live, self._live = self._live, None
            self._closing.append(self._pool.submit(_finish, live, self._clock()))

    def start_walk(
        self,
        path: Path,
        request: RenderRequest,
        seeds: Sequence[int],
        seconds: float,
        fps: int,
        loop: bool,
        encoding: Encoding | None = None,
    ) -> None:
        """Draw a walk beside the live window."""

        def make() -> WalkJob:
            return WalkJob(self._engine, Walk(request, tuple(seeds), seconds, Fraction(fps), loop), path, encoding)

        self.draw(make, path)

    def start_film(self, path: Path, film: Film, encoding: Encoding | None = None) -> None:
        """Draw a timeline, or anything whose frames are known, beside the live window."""
        self.draw(lambda: WalkJob(self._engine, film, path, encoding), path)

    def draw(self, make: Callable[[], WalkJob], path: Path) -> None:
        """Begin to draw frames into a file beside the live window."""
        if self._walk is not None and self._walk.is_running:
            self._say("A walk is being rendered already; cancel it first.", problem=True)
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._walk = make()
        except (InputError, OSError) as error:
            self._say(f"The walk could not begin: {error}", problem=True)
            return
        self._message = ""

    def cancel_walk(self) -> None:
        """Stop after the frame that is being drawn; what was written stays."""
        if self._walk is not None:
            self._walk.cancel()

    def save_latent(self, path: Path, request: RenderRequest) -> None:
        """Write the W+ of a request; the worker computes it between two pictures."""

        def save() -> Sentence:
            from app import latent_files

            return f"Saved {latent_files.write(path, ws.result())}", False

        ws = self._engine.ask(lambda renderer: renderer.ws(request))
        self._closing.append(self._pool.submit(_guarded, path, save))

    def state(self) -> RecordingState:
        """What runs now; `message` holds the last result."""
        if self._live is not None:
            return self._live.state(self._clock())
        if self._waiting is not None:
            return RecordingState(path=str(self._waiting.path))
        if self._walk is not None and self._walk.is_running:
            return self._walk.state()
        return RecordingState(message=self._message, encoder=self._encoder)

    def finished(self) -> list[Sentence]:
        """Sentences about what ended since the last call."""
        if self._waiting is not None and self._waiting.frame.done():
            self._begin_waiting()
        if self._walk is not None and not self._walk.is_running:
            message, self._encoder = self._walk.state().message, self._walk.state().encoder
            self._say(message[:1].upper() + message[1:], problem=not message.startswith("wrote"))
            self._walk = None
        for future in [future for future in self._closing if future.done()]:
            self._closing.remove(future)
            self._say(*future.result())
        said, self._said = self._said, []
        return said

    def close(self) -> None:
        """End what runs and wait until the files are complete."""
        self.cancel_walk()
        self.stop_capture()
        if self._walk is not None:
            self._walk.join()
        self._pool.shutdown(wait=True)

    def _say(self, text: str, problem: bool = False) -> None:
        self._message = text
        self._said.append((text, problem))


def settled(renderer: Any, request: RenderRequest) -> Frame:
    """Draw a request with the bits that it has from now on; waits for compiled kernels, in the worker."""
    from networks.ops import compiled

    compiled.settle()
    frame: Frame = renderer.render(request)
    return frame


def _finish(live: LiveCapture, now: float) -> Sentence:
    """Complete a live capture; runs in the recorder's own thread."""

    def stop() -> Sentence:
        written = live.stop(now)
        dropped = f", {written.dropped} dropped" if written.dropped else ""
        return f"Recorded {written.path} ({written.frames} frames{dropped})", False

    return _guarded(live.path, stop)


def _guarded(path: Path, work: Callable[[], Sentence]) -> Sentence:
    from app import problems

    try:
        return work()
    except Exception as error:
        detail = problems.describe(error).detail
        return detail if path.name in detail else f"{path.name}: {detail}", True
