"""The panes' workers: one engine for each pane that draws something of its own, all of one store of models.

The window declares the panes (`declare`), the desk hands over the shared request once per turn (`update`); nothing
here waits. A worker exists as long as its pane is on the screen. All of them, and the microscope's own, get an equal
part of the threads, so that the operating system shares the cores between them and a slow model holds nobody up; on a
GPU they take turns between layers (app/compare_turns.py).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from app.compare import Pane, PaneState, asked_of, derive, threads_each
from app.compare_turns import Turns
from app.engine import Draws, Engine, content
from app.frame import Frame, ModelInfo, Status
from app.request import RenderRequest

RATE_S = 2.0  # pictures per second are counted over so long
JOIN_S = 30.0


@dataclass(frozen=True)
class Shared:
    """What the panes' workers share with the microscope's own: open models, threads of one operation in all, a GPU."""

    store: Any
    threads: int
    turns: Turns = field(default_factory=Turns, compare=False)


def shared_by(renderer: Any) -> Shared:
    """Asked of the microscope's own renderer, in its thread; on a GPU it takes turns with the panes' from now on."""
    shared = Shared(renderer.store, renderer.threads)
    renderer.turn = shared.turns.turn()
    return shared


def make_renderer(shared: Shared, threads: int) -> Draws:
    """A pane's renderer; made in the pane's thread."""
    from app import devices
    from app.renderer import Renderer

    devices.yield_to_window()
    renderer = Renderer(shared.store, threads=threads, live=True)
    renderer.turn = shared.turns.turn()
    return renderer


def use_threads(count: int) -> Callable[[Any], None]:
    """A task for a worker: this many threads from now on."""

    def settle(renderer: Any) -> None:
        from app import devices

        devices.prepare_thread(count)

    return settle


@dataclass
class Worker:
    """The engine of one pane and what it was asked last."""

    engine: Engine
    asked: RenderRequest | None = None
    left_out: tuple[str, ...] = ()

    def settled(self) -> bool:
        """Whether what was asked is on the screen, be it as an early picture or as a problem."""
        frame = self.engine.latest()
        if self.asked is None:
            return True
        answered = frame is not None and content(frame.request) == content(self.asked)
        return answered and frame is not None and (frame.picture is not None or frame.problem is not None)

    def info(self, request: RenderRequest) -> ModelInfo | None:
        """What is known of the model of a request: nothing before its first frame."""
        frame = self.engine.latest()
        return frame.model if frame is not None and frame.request.model == request.model else None


@dataclass
class Rate:
    """Frames per second, from the serial numbers that the window saw."""

    seen: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, now: float, serial: int) -> float:
        """Take in the newest serial; returns frames per second of the last RATE_S."""
        self.seen.append((now, serial))
        while self.seen[0][0] < now - RATE_S:
            self.seen.popleft()
        (first, before), (last, after) = self.seen[0], self.seen[-1]
        return (after - before) / (last - first) if last > first else 0.0


class Comparison:
    """Draws the panes. Everything is called on the main thread; the workers are engines (app/engine.py)."""

    def __init__(
        self,
        main: Engine,
        make: Callable[[Shared, int], Draws] = make_renderer,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """main: the microscope's own engine. make: a pane's renderer, called in the pane's thread."""
        self._main, self._make, self._clock = main, make, clock
        self._panes: tuple[Pane, ...] = ()
        self._paired = False
        self._shared: Future[Shared] | None = None
        self._workers: dict[int, Worker] = {}
        self._leaving: list[Engine] = []
        self._threads = 0  # that each worker has now; 0: nothing was changed
        self._rates: dict[tuple[int, bool], Rate] = {}  # by pane and by whose frames it shows
        self._states: tuple[PaneState, ...] = ()

    @property
    def frames(self) -> tuple[PaneState, ...]:
        """One state for each pane, as of the last update."""
        return self._states

    @property
    def panes(self) -> tuple[Pane, ...]:
        """What was declared last."""
        return self._panes

    @property
    def in_use(self) -> bool:
        """Whether panes are on the screen."""
        return bool(self._panes)

    @property
    def busy(self) -> bool:
        """Whether a pane's worker computes."""
        return any(worker.engine.status().busy for worker in self._workers.values())

    def declare(self, panes: Sequence[Pane], paired: bool = False) -> None:
        """Say which panes are on the screen; () when none is: their workers end.

        paired: the pictures are laid over each other, so all go on to the next request together.
        """
        self._panes, self._paired = tuple(panes), paired
        if not panes:
            self._rates.clear()

    def update(self, request: RenderRequest, frame: Frame | None) -> None:
        """Once per turn: ask each pane for its own part of the request, and take in what came.

        request: the panels' own. frame: the newest of the microscope's own view, which panes that follow it show.
        """
        self._staff()
        self._submit(request)
        self._states = tuple(self._state(number, pane, frame) for number, pane in enumerate(self._panes))

    def close(self) -> bool:
        """End every worker and wait for it; False when one did not end in time."""
        self.declare(())
        self._staff()
        return all([engine.close(JOIN_S) for engine in self._leaving])

    # -- workers -----------------------------------------------------------------------------------------------------

    def _needs_worker(self, pane: Pane) -> bool:
        return pane.path != "" and (self._paired or not pane.follows)

    def _staff(self) -> None:
        """Begin and end workers, so that each pane that draws has one."""
        needed = {number for number, pane in enumerate(self._panes) if self._needs_worker(pane)}
        for number in set(self._workers) - needed:
            self._leaving.append(self._workers.pop(number).engine)
        self._leaving = [engine for engine in self._leaving if not engine.close(0.0)]
        if not needed:
            self._give_back()
            return
        if self._shared is None:
            self._shared = self._main.ask(shared_by)
        if not self._shared.done():
            return
        shared = self._shared.result()
        each = threads_each(shared.threads, len(needed) + 1)
        if each != self._threads:
            for engine in (self._main, *(worker.engine for worker in self._workers.values())):
                engine.ask(use_threads(each))
            self._threads = each
        for number in sorted(needed - set(self._workers)):
            self._workers[number] = Worker(Engine(lambda: self._make(shared, each)))

    def _give_back(self) -> None:
        """The microscope's own worker has all threads again."""
        if self._threads and self._shared is not None:
            self._main.ask(use_threads(self._shared.result().threads))
        self._threads = 0

    def _submit(self, request: RenderRequest) -> None:
        together = self._paired and not all(worker.settled() for worker in self._workers.values())
        for number, worker in self._workers.items():
            wanted, left_out = _wanted(request, self._panes[number], worker)
            same_model = worker.asked is not None and worker.asked.model == wanted.model
            if not (together and same_model):
                worker.engine.submit(wanted)
                worker.asked, worker.left_out = wanted, left_out

    # -- what came ---------------------------------------------------------------------------------------------------

    def _state(self, number: int, pane: Pane, main: Frame | None) -> PaneState:
        worker = self._workers.get(number)
        if pane.path == "":
            return PaneState()
        if worker is None and self._needs_worker(pane):
            return PaneState(status=Status(True, "Starting"))
        engine = worker.engine if worker is not None else self._main
        frame = worker.engine.latest() if worker is not None else main
        rate = self._rates.setdefault((number, worker is None), Rate())
        per_second = rate.note(self._clock(), 0 if frame is None else frame.serial)
        return PaneState(frame, engine.status(), worker.left_out if worker is not None else (), per_second)


def _wanted(request: RenderRequest, pane: Pane, worker: Worker) -> tuple[RenderRequest, tuple[str, ...]]:
    """What a pane asks of its model, and what is left out of the shared request, as far as its model is known."""
    info = worker.info(derive(request, pane))
    return (derive(request, pane), ()) if info is None else asked_of(request, pane, info)
