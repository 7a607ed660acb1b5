"""Offline rendering of a walk or of an earlier recording: every frame exact, at its own pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from app import problems
from app.errors import InputError
from app.frame import ModelInfo, RecordingState
from app.recording import embedded, sidecar
from app.recording.film import Film
from app.recording.performance import Take
from app.recording.sidecar import Sidecar, pinned
from app.recording.sinks import Encoding
from app.recording.writer import Shot, Writer, Written
from app.request import RenderRequest

if TYPE_CHECKING:
    from app.renderer import Renderer

Progress = Callable[[int], None]  # frames drawn
Cancelled = Callable[[], bool]


def record_walk(
    walk: Film,
    path: Path,
    renderer: Renderer,
    *,
    encoding: Encoding | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Sidecar:
    """Draw every frame of a walk or timeline and write it, with its sidecar. What was cancelled is kept and marked
    incomplete; the first frame's model decides the size."""
    opened = {request.model: renderer.open(request).info for request in walk.requests}
    height, width = opened[walk.request.model].resolution
    walk = walk.changed(lambda request: pinned(request, opened[request.model]))
    infos, size = list({info.path: info for info in opened.values()}.values()), (width, height)
    begun = Written(path, walk.count, "", (), 0)  # so that a crash leaves what makes the walk again
    sidecar.write(replace(sidecar.describe(begun, size, infos, walk), complete=False), sidecar.beside(path))
    timed = ((walk.seconds_at(frame), walk.at(frame)) for frame in range(walk.count))
    writer = Writer(path, size, walk.fps, encoding=encoding, note=embedded.note(infos, walk=walk))
    written = _draw(timed, writer, renderer, progress, cancelled)
    made = sidecar.describe(written, size, infos, walk)
    sidecar.write(made, sidecar.beside(path))
    return made


def replay(
    old: Sidecar,
    path: Path,
    renderer: Renderer,
    *,
    checkpoint: str = "",
    encoding: Encoding | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Sidecar:
    """Make a recording again. `frames_sha256` of the answer equals the old one when every bit is the same.

    checkpoint: where the file lies now, if not at its old path. Raises InputError when it is another file.
    """
    timed = [(seconds, moved(request, checkpoint)) for seconds, request in old.requests()]
    infos = _checked_models(old.models, [request for _, request in timed], renderer)
    walk = None if old.walk is None else old.walk.changed(lambda request: moved(request, checkpoint))
    fps = None if walk is None else walk.fps
    note = embedded.note(infos, walk=walk, request=timed[0][1] if timed else None)
    writer = Writer(path, old.size, fps, encoding=encoding, note=note)
    written = _draw(timed, writer, renderer, progress, cancelled)
    made = sidecar.describe(written, old.size, infos, walk)
    sidecar.write(made, sidecar.beside(path))
    return made


def moved(request: RenderRequest, checkpoint: str) -> RenderRequest:
    """The request for a checkpoint that lies elsewhere now ('': where it was)."""
    return replace(request, model=replace(request.model, path=checkpoint)) if checkpoint else request


def record_take(
    take: Take,
    path: Path,
    renderer: Renderer,
    *,
    checkpoint: str = "",
    encoding: Encoding | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Sidecar:
    """Draw every frame of a performance. checkpoint: where its model lies now, if not at its old path.

    Raises InputError when a file is not the one that was played with.
    """
    take = take.changed(lambda request: moved(request, checkpoint))
    _checked_models(take.performance.models, take.requests, renderer)
    return record_walk(take, path, renderer, encoding=encoding, progress=progress, cancelled=cancelled)


def _checked_models(
    models: Sequence[Mapping[str, str]], requests: Iterable[RenderRequest], renderer: Renderer
) -> list[ModelInfo]:
    """Open each file that the frames name; raises InputError when it is not the one that was recorded."""
    known = {model["sha256"] for model in models}
    infos: list[ModelInfo] = []
    for model in dict.fromkeys(request.model for request in requests):
        info = renderer.store.open(model).info
        if info.sha256 not in known:
            names = ", ".join(f"{kept['name']} {kept['sha256'][:12]}" for kept in models)
            raise InputError(f"{info.path}: SHA-256 {info.sha256[:12]} is not that of the recording ({names})")
        infos.append(info)
    return infos


def _draw(
    timed: Iterable[tuple[float, RenderRequest]],
    writer: Writer,
    renderer: Renderer,
    progress: Progress | None,
    cancelled: Cancelled | None,
) -> Written:
    """Draw each request and hand it to the writer, which is closed in the end."""
    try:
        for frame, (seconds, request) in enumerate(timed):
            if cancelled is not None and cancelled():
                break
            picture = renderer.render(request).picture
            assert picture is not None
            values = shown_values(renderer, request) if writer.wants_values else None
            writer.put(Shot(picture, seconds, request, values))
            if progress is not None:
                progress(frame + 1)
    except BaseException:
        writer.abandon()
        raise
    return writer.close()


def shown_values(renderer: Renderer, request: RenderRequest) -> np.ndarray:
    """The picture before it became bytes: float32 [C, H, W], 0 black, 1 white, not clipped; colours as they are shown.

    The renderer still has it from the picture a moment ago.
    """
    low, high = renderer.open(request).generator.spec.pixel_range
    values = (renderer.image(request)[0] - np.float32(low)) / np.float32(high - low)
    if request.bgr and len(values) >= 3:
        values = np.concatenate([values[2::-1], values[3:]])
    return values


class HasStore(Protocol):
    """The engine, as far as a job needs it."""

    def ask(self, task: Callable[[Any], Any]) -> Future[Any]: ...


class WalkJob:
    """A walk drawn in a thread of its own beside the live window, with the engine's open models."""

    def __init__(self, engine: HasStore, walk: Film, path: Path, encoding: Encoding | None = None) -> None:
        self.walk, self.path = walk, path
        self._encoding = encoding
        self._drawn = 0
        self._cancelled = threading.Event()
        self._message = self._encoder = ""
        self._began = time.perf_counter()
        self._thread = threading.Thread(target=self._run, args=(engine,), name="walk", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop after the frame that is being drawn; what was written stays."""
        self._cancelled.set()

    @property
    def is_running(self) -> bool:
        """Whether frames are still to come."""
        return self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when the time ran out first."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def state(self) -> RecordingState:
        """How far it is; `message` says how it ended."""
        running = self.is_running
        return RecordingState(
            path=str(self.path) if running else "",
            frames=self._drawn,
            total=self.walk.count,
            seconds=time.perf_counter() - self._began,
            message="" if running else self._message,
            encoder=self._encoder,
        )

    def _run(self, engine: HasStore) -> None:
        try:
            made = self._record(engine.ask(lambda renderer: renderer.store).result())
            end = "" if made.complete else f", cancelled after {made.frames} of {self.walk.count} frames"
            self._message, self._encoder = f"wrote {self.path}{end}", made.encoder
        except Exception as error:
            problem = problems.describe(error)
            self._message = f"{problem.title}: {problem.detail}"

    def _record(self, store: Any) -> Sidecar:
        from app import devices
        from app.renderer import Renderer

        devices.yield_to_window(10)  # the live picture comes first
        return self._draw_all(Renderer(store))

    def _draw_all(self, renderer: Renderer) -> Sidecar:
        return record_walk(
            self.walk, self.path, renderer, encoding=self._encoding,
            progress=self._count, cancelled=self._cancelled.is_set,
        )  # fmt: skip

    def _count(self, frames: int) -> None:
        self._drawn = frames


class TakeJob(WalkJob):
    """A performance drawn in a thread of its own beside the live window, with the engine's open models."""

    def __init__(self, engine: HasStore, take: Take, path: Path, encoding: Encoding | None = None) -> None:
        self._take = take
        super().__init__(engine, take, path, encoding)

    def _draw_all(self, renderer: Renderer) -> Sidecar:
        return record_take(
            self._take, self.path, renderer, encoding=self._encoding,
            progress=self._count, cancelled=self._cancelled.is_set,
        )  # fmt: skip
