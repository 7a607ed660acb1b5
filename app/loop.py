"""The loop: panels describe a request, the engine answers with a frame, panels show it. No GUI library in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from app.frame import Frame, LoopState, Status
from app.request import RenderRequest

CHOOSE_HEIGHT = 0  # max_height of a request whose early picture the engine sizes from measured time


class EngineLike(Protocol):
    """The worker as the loop sees it (app/engine.py)."""

    def submit(self, request: RenderRequest) -> None: ...
    def latest(self) -> Frame | None: ...
    def status(self) -> Status: ...


class PanelLike(Protocol):
    """A panel as the loop sees it (widgets/panel.py); panels are handed in by main.py."""

    def contribute(self, request: RenderRequest) -> RenderRequest: ...
    def show(self, frame: Frame | None, state: LoopState) -> None: ...
    def tick(self, seconds: float) -> None: ...
    def dragging(self) -> bool: ...


class Loop:
    """Folds the panels into one request, submits it when it changed, and hands the newest frame back to them.

    base: gives the part of the request that belongs to no panel (model path, device). state: gives the window's own
    numbers. on_frame is called once for each new frame (recording, stage). Animations run on wall-clock time.
    """

    def __init__(
        self,
        engine: EngineLike,
        panels: Sequence[PanelLike],
        base: Callable[[], RenderRequest],
        state: Callable[[Status, Frame | None], LoopState],
        on_frame: Callable[[Frame], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.engine, self.panels, self.base = engine, panels, base
        self.state, self.on_frame, self.clock = state, on_frame, clock
        self.submitted: RenderRequest | None = None
        self.asked = RenderRequest()  # what the panels ask for in this turn, with a model or without
        self.frame: Frame | None = None
        self._last = clock()

    def request(self) -> RenderRequest:
        """Fold all panels into one request; while something is dragged an early picture will do."""
        request = self.base()
        for panel in self.panels:
            request = panel.contribute(request)
        moving = any(panel.dragging() for panel in self.panels)
        return replace(request, max_height=CHOOSE_HEIGHT if moving else None)

    def step(self) -> Frame | None:
        """One turn of the loop; returns the newest frame."""
        now = self.clock()
        for panel in self.panels:
            panel.tick(now - self._last)
        self._last = now
        request = self.asked = self.request()
        if request.model.path and request != self.submitted:
            self.engine.submit(request)
            self.submitted = request
        frame = self.engine.latest()
        if frame is not None and (self.frame is None or frame.serial != self.frame.serial):
            self.frame = frame
            self.on_frame(frame)
        state = self.state(self.engine.status(), self.frame)
        for panel in self.panels:
            panel.show(self.frame, state)
        return self.frame
