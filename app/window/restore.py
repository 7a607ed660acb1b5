"""Bring a whole request back into the window: open its model, then let every panel set its controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from app.frame import Frame
from app.request import RenderRequest
from app.window.history import History


class Restored(Protocol):
    """A panel, as far as restoring needs it."""

    def restore(self, request: RenderRequest) -> None: ...


class Restorer:
    """Panels fit their controls to a model first, so a request whose model must be opened waits until it is there.

    load: has a checkpoint opened. current: what the panels ask for now. `then` runs once, after the panels were set.
    """

    def __init__(
        self,
        load: Callable[[str], None],
        current: Callable[[], RenderRequest],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.panels: Sequence[Restored] = ()
        self.history = History()
        self._load, self._current, self._clock = load, current, clock
        self._waiting: RenderRequest | None = None
        self._arriving = False  # the panels were set; what they ask for then is where we are

    @property
    def busy(self) -> bool:
        """Whether a request waits for its model."""
        return self._waiting is not None

    def restore(self, request: RenderRequest, shown: Frame | None) -> None:
        """Show a request again; a step that can be undone."""
        self.history.leave()
        self._begin(request, shown)

    def steer(self, request: RenderRequest, shown: Frame | None) -> None:
        """Set the panels while a hand moves through requests of the open model; undo sees one drag."""
        if self._waiting is None and _opened(request, shown):
            for panel in self.panels:
                panel.restore(request)

    def undo(self, shown: Frame | None) -> bool:
        """Back to where the user was before; False where there is nothing to go back to."""
        return self._travel(self.history.undo(), shown)

    def redo(self, shown: Frame | None) -> bool:
        """Take an undo back."""
        return self._travel(self.history.redo(), shown)

    def update(self, asked: RenderRequest, shown: Frame | None, held: bool) -> None:
        """Once per turn of the loop: finish what waits for its model, else watch what the user does."""
        if self._waiting is None:
            self._watch(asked, shown, held)
        elif _opened(self._waiting, shown):
            self._set(self._waiting)
        elif shown is not None and shown.problem is not None and shown.request.model.path == self._waiting.model.path:
            self._waiting = None  # the problem is on the screen; what the panels show stays

    def _watch(self, asked: RenderRequest, shown: Frame | None, held: bool) -> None:
        """A model that is being opened brings its own defaults: that is no step of the user's."""
        if self._arriving:
            self._arriving = False
            self.history.arrive(asked)
        elif _opened(asked, shown):
            self.history.observe(asked, self._clock(), held)

    def _travel(self, request: RenderRequest | None, shown: Frame | None) -> bool:
        if request is not None:
            self._begin(request, shown)
        return request is not None

    def _begin(self, request: RenderRequest, shown: Frame | None) -> None:
        path = request.model.path
        if path and path != self._current().model.path:
            self._load(path)
        self._waiting = request
        if not path or _opened(request, shown):
            self._set(request)

    def _set(self, request: RenderRequest) -> None:
        self._waiting, self._arriving = None, True
        for panel in self.panels:
            panel.restore(request)


def _opened(request: RenderRequest, shown: Frame | None) -> bool:
    """Whether the panels have seen the request's model."""
    return shown is not None and shown.model is not None and shown.model.path == request.model.path
