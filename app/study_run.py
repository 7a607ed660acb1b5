"""One study in progress: the worker takes its steps, the window reads its state. No torch here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from app.frame import Problem
from app.studies import Study, StudyState, Update

Steps = Callable[[Any], Iterator[Update]]


class StudyRun:
    """`state` and `cancel` are for the window's thread, `step` and `finish` for the worker's."""

    def __init__(self, question: Study, steps: Steps | None = None) -> None:
        self.question = question
        self._make = steps or self._from_module
        self._steps: Iterator[Update] | None = None
        self._state = StudyState()
        self._cancelled = False
        self._paused = False

    @property
    def state(self) -> StudyState:
        return self._state

    @property
    def done(self) -> bool:
        return self._cancelled or self._state.done

    def cancel(self) -> None:
        """Take no further step; what is known so far stays readable."""
        self._cancelled = True

    @property
    def paused(self) -> bool:
        """Whether it waits until it is told to go on."""
        return self._paused and not self.done

    def pause(self, on: bool = True) -> None:
        """Take no further step until `pause(False)`."""
        self._paused = on

    def step(self, renderer: Any) -> None:
        """Take one step; raises what went wrong in it."""
        if self._cancelled:
            self.finish()
            return
        if self._steps is None:
            self._steps = self._make(renderer)
        update = next(self._steps, None)
        if update is None:
            self.finish()
        else:
            self._state = StudyState(update)

    def finish(self, problem: Problem | None = None) -> None:
        """End it; resources of its steps are let go."""
        close = getattr(self._steps, "close", None)
        if close is not None:
            close()
        self._steps = None
        self._state = StudyState(self._state.update, True, problem)

    def _from_module(self, renderer: Any) -> Iterator[Update]:
        module = importlib.import_module(self.question.answered_by)
        steps: Iterator[Update] = module.run(self.question, renderer)
        return steps
