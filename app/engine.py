"""The worker: one thread, one slot. The newest request wins; what is out of date is called off at the next layer.

Importing this module loads neither torch nor a GUI: the renderer is made inside the worker thread.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from app import problems, process
from app.frame import Frame, ModelInfo, Problem, Status
from app.pace import Patience
from app.request import RenderRequest
from app.studies import Study
from app.study_run import StudyRun

log = logging.getLogger("stylescope")
T = TypeVar("T")
SLOW_S = 0.5  # a picture that takes longer is preceded by an early one
PAUSED_LOOK_S = 0.1  # between two looks at whether paused studies may go on
DRAG_REST_S = 0.1  # after the last movement of a hand that drags, before its early picture is refined
STUDY_REST_S = 0.3  # after the last new request, before studies go on: whoever drags is not kept waiting
CANCELLED = ("Cancelled", "ReadCancelled")  # by name: their modules import torch


class Draws(Protocol):
    """What the engine needs of a renderer."""

    def open(self, request: RenderRequest, progress: Any = None, cancelled: Any = None) -> Any: ...
    def render(self, request: RenderRequest, *, cancelled: Any = None, progress: Any = None) -> Frame: ...
    def expected_s(self, request: RenderRequest) -> float | None: ...
    def is_ready(self, request: RenderRequest) -> bool: ...
    def forget(self) -> None: ...


def make_renderer() -> Draws:
    """Import torch and build the renderer; runs in the worker thread."""
    from app import devices
    from app.renderer import Renderer

    devices.yield_to_window()
    return Renderer(live=True)


def content(request: RenderRequest) -> RenderRequest:
    """What a request shows, apart from how fine the picture must be."""
    return replace(request, max_height=None)


class Job:
    """One request being drawn; `refining` when an early picture of the same was delivered already."""

    def __init__(self, request: RenderRequest, refining: bool) -> None:
        self.request = self.asked = request
        self.content = content(request)
        self.refining = refining
        self.began = time.perf_counter()
        self.status = Status(True, "Refining" if refining else "Rendering", None, self.began)


class Engine:
    """Draws requests in its own thread. `submit` as often as you like; look at `latest` once per loop."""

    def __init__(self, renderer: Callable[[], Draws] = make_renderer, patience: Patience | None = None) -> None:
        self._make = renderer
        self._patience = patience or Patience()
        self._news = threading.Condition()
        self._slot: RenderRequest | None = None
        self._slot_content: RenderRequest | None = None
        self._delivered: RenderRequest | None = None  # content of the last frame
        self._complete = False
        self._next_height: int | None = None  # of the picture that refines the last one
        self._tasks: deque[tuple[Callable[[Any], Any], Future[Any]]] = deque()
        self._studies: deque[StudyRun] = deque()
        self._asked_at = 0.0  # when the last new request came
        self._latest: Frame | None = None
        self._model: ModelInfo | None = None
        self._status = Status(True, "Starting", None, time.perf_counter())
        self._serial = 0
        self._closed = False
        self._folded: dict[str, int] = {}
        process.prepare()
        self._thread = threading.Thread(target=self._run, name="render", daemon=True)
        self._thread.start()

    def submit(self, request: RenderRequest) -> None:
        """Ask for a picture; replaces what was asked before. The same request again costs a comparison."""
        if request == self._slot:
            return
        with self._news:
            self._slot_content = content(request)
            self._slot = request
            self._asked_at = time.perf_counter()
            self._news.notify_all()

    def latest(self) -> Frame | None:
        """The newest frame (compare `serial`); None before the first."""
        return self._latest

    def status(self) -> Status:
        """What the worker does right now."""
        return self._status

    def ask(self, task: Callable[[Any], T]) -> Future[T]:
        """Run a task with the renderer in the worker thread, before the next picture; the future has its result."""
        future: Future[T] = Future()
        with self._news:
            if self._closed:
                raise RuntimeError("the engine is closed")
            self._tasks.append((task, future))
            self._news.notify_all()
        return future

    def study(self, question: Study) -> StudyRun:
        """Measure over many pictures, in the worker thread, while no picture is wanted; several take turns."""
        run = StudyRun(question)
        with self._news:
            if self._closed:
                raise RuntimeError("the engine is closed")
            self._studies.append(run)
            self._news.notify_all()
        return run

    def wait_idle(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is left to draw (studies may go on); False when the time ran out first."""
        with self._news:
            return self._news.wait_for(lambda: self._closed or not (self._has_work() or self._drawing), timeout_s)

    def close(self, timeout_s: float = 30.0) -> bool:
        """Call off what runs and end the thread; False when it did not end in time. May be called twice."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- below: the worker thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            renderer = self._make()
        except Exception as error:
            self._deliver(self._failure(RenderRequest(), error), complete=False)
            self._closed = True
            return
        while (work := self._next()) is not None:
            if isinstance(work, Job):
                self._draw(renderer, work)
            elif isinstance(work, StudyRun):
                self._study(renderer, work)
            else:
                self._perform(renderer, *work)
        for _, future in self._tasks:
            future.cancel()
        for run in self._studies:
            run.finish()

    @property
    def _drawing(self) -> bool:
        return self._status.busy and not self._status.studying

    def _has_work(self) -> bool:
        if self._tasks:
            return True
        return self._slot is not None and not (self._complete and self._slot_content == self._delivered)

    def _next(self) -> Job | StudyRun | tuple[Callable[[Any], Any], Future[Any]] | None:
        """Wait for something to do; None when the engine is closed."""
        with self._news:
            if not self._has_work():
                self._status = Status()
                self._news.notify_all()
            while not (self._closed or self._has_work()):
                rest = self._asked_at + STUDY_REST_S - time.perf_counter() if self._studies else None
                ready = next((run for run in self._studies if not run.paused), None)
                if rest is not None and ready is None:
                    rest = PAUSED_LOOK_S
                elif rest is not None and rest <= 0 and ready is not None:
                    return self._take_turn(ready)
                self._news.wait(rest)  # a study that comes now is news, too
            while not (self._closed or self._tasks) and (rest := self._hand_rests_in()) > 0:
                self._news.wait(rest)
            if self._closed:
                return None
            if self._tasks:
                return self._tasks.popleft()
            assert self._slot is not None
            assert self._slot_content is not None
            refining = self._slot_content == self._delivered
            job = Job(self._slot_content if refining else self._slot, refining)
            if refining:
                job.request = replace(job.request, max_height=self._next_height)
            self._status = job.status
            return job

    def _hand_rests_in(self) -> float:
        """Seconds until an early picture may be refined; 0 when there is something else to draw, or nobody drags."""
        if self._slot is None or self._slot.max_height is None or self._slot_content != self._delivered:
            return 0.0
        return self._asked_at + DRAG_REST_S - time.perf_counter()

    def _take_turn(self, run: StudyRun) -> StudyRun:
        """The study whose turn it is goes to the end of the queue."""
        self._studies.remove(run)
        self._studies.append(run)
        self._status = Status(True, run.state.update.text, run.state.update.share, time.perf_counter(), studying=True)
        return run

    def _study(self, renderer: Draws, run: StudyRun) -> None:
        """One step of a study; what it raises ends it, not the engine."""
        try:
            run.step(renderer)
        except Exception as error:
            if problems.is_out_of_memory(error) or problems.is_lost_device(error):
                renderer.forget()
            problem = problems.describe(error)
            self._report(problem, error)
            run.finish(problem)
        if run.state.done:
            with self._news:
                self._studies.remove(run)

    def _draw(self, renderer: Draws, job: Job) -> None:
        def cancelled() -> bool:
            return self._out_of_date(renderer, job)

        if not job.request.model.path:
            self._model = None
            self._deliver(Frame(0, job.request), complete=True)
            return
        try:
            self._announce(renderer.open(job.request, self._progress, lambda: self._abandoned(job)), job)
            self._status = replace(job.status, since=time.perf_counter())
            job.request = self._first_step(renderer, job)
            frame = renderer.render(job.request, cancelled=cancelled, progress=self._progress)
            frame = replace(frame, request=job.asked)
        except Exception as error:
            if type(error).__name__ in CANCELLED:
                self._patience.called_off(time.perf_counter() - job.began)
                return
            if problems.is_out_of_memory(error) or problems.is_lost_device(error):
                renderer.forget()
            frame = self._failure(job.request, error)
        self._deliver(frame, frame.complete)

    def _first_step(self, renderer: Draws, job: Job) -> RenderRequest:
        """What to draw first: an early picture where the full one would keep the user waiting."""
        if job.refining or job.request.max_height is not None or renderer.is_ready(job.request):
            return job.request
        expected = renderer.expected_s(job.request)
        return replace(job.request, max_height=0) if expected is None or expected > SLOW_S else job.request

    def _announce(self, opened: Any, job: Job) -> None:
        """Tell the panels of a generator that was just opened, before its first picture is there."""
        info: ModelInfo | None = getattr(opened, "info", None)
        if info is not None and info != self._model:
            self._model = info
            self._publish(Frame(0, job.request, None, complete=False, model=info))

    def _progress(self, share: float, text: str) -> None:
        self._status = Status(True, text, share, self._status.since)

    def _abandoned(self, job: Job) -> bool:
        """Whether loading may stop: nobody wants this model any more."""
        newest = self._slot
        return self._closed or (newest is not None and newest.model != job.request.model)

    def _out_of_date(self, renderer: Draws, job: Job) -> bool:
        """Whether the pass should be called off; asked at every layer."""
        if self._abandoned(job):
            return True
        if self._slot_content == job.content:
            return False
        if job.refining:  # its early picture was seen
            return True
        return self._patience.allows(time.perf_counter() - job.began, renderer.expected_s(job.request))

    def _failure(self, request: RenderRequest, error: Exception) -> Frame:
        problem = problems.describe(error)
        self._report(problem, error)
        return Frame(0, request, None, complete=True, model=self._model, problem=problem)

    def _report(self, problem: Problem, error: Exception) -> None:
        """Say it on the terminal: the sentence, a traceback the first time if the cause is ours, then a count."""
        text = f"{problem.title}: {problem.detail}"
        count = self._folded[text] = self._folded.get(text, 0) + 1
        if count == 1:
            details = "" if problems.is_expected(error) else "\n" + "".join(traceback.format_exception(error)).rstrip()
            log.error("%s%s", text, details)
        elif count & (count - 1) == 0:  # 2, 4, 8, ...
            log.error("%s (%d times)", text, count)

    def _deliver(self, frame: Frame, complete: bool) -> None:
        self._patience.delivered()
        with self._news:
            self._delivered, self._complete = content(frame.request), complete
            self._next_height = frame.next_height
            self._publish(frame)

    def _publish(self, frame: Frame) -> None:
        self._serial += 1
        self._latest = replace(frame, serial=self._serial)

    def _perform(self, renderer: Draws, task: Callable[[Any], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(task(renderer))
        except Exception as error:
            future.set_exception(error)
