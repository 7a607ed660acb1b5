"""Taking turns on a device that runs what it is given in order: a GPU.

Whoever queues a whole slow picture there makes everybody wait for it. So of several renderers one computes at a time,
and between two layers it hands over to one that has had less time (start-time fair queuing, Goyal et al. 1996: who
comes back is owed nothing for the time in which it asked for nothing). A quick picture then takes its own time and as
much again, whatever the others draw. On a CPU threads are left to the operating system instead, which can interrupt a
layer (app/compare.py, `threads_each`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Turns:
    """One device; `turn` makes a place in its queue for each renderer."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._news = threading.Condition()
        self._holder: Turn | None = None
        self._waiting: list[Turn] = []

    def turn(self) -> Turn:
        """A place for one renderer."""
        return Turn(self)

    def take(self, turn: Turn) -> None:
        """Wait for the device."""
        with self._news:
            others = [other.used_s for other in (*self._waiting, self._holder) if other is not None]
            turn.used_s = max(turn.used_s, min(others, default=0.0))
            self._wait(turn)

    def give(self, turn: Turn) -> None:
        """Leave the device to the others."""
        with self._news:
            self._leave(turn)

    def hand_over(self, turn: Turn, settle: Callable[[], object]) -> None:
        """Between two layers: let somebody go first who has had less time. settle: wait until the layer is done."""
        with self._news:
            if not self._waiting:
                return
        settle()
        with self._news:
            turn.used_s += self.clock() - turn.since
            turn.since = self.clock()
            if any(other.used_s < turn.used_s for other in self._waiting):
                self._leave(turn)
                self._wait(turn)

    def _leave(self, turn: Turn) -> None:
        turn.used_s += self.clock() - turn.since
        self._holder = None
        self._news.notify_all()

    def _wait(self, turn: Turn) -> None:
        self._waiting.append(turn)
        self._news.wait_for(lambda: self._holder is None and min(self._waiting, key=lambda one: one.used_s) is turn)
        self._waiting.remove(turn)
        self._holder, turn.since = turn, self.clock()


class Turn:
    """A renderer's place in the queue: `with turn:` around a pass, `hand_over` between its layers."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.used_s = self.since = 0.0  # seconds of the device so far; when it was taken

    def __enter__(self) -> Turn:
        self._turns.take(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._turns.give(self)

    def hand_over(self, settle: Callable[[], object]) -> None:
        """See `Turns.hand_over`."""
        self._turns.hand_over(self, settle)
