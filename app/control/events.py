"""Events of all sources, and the inbox where other threads leave them for the main thread."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import InputError

LONGEST = 200  # characters of an address; no controller sends more
ROOM = 4096  # events that wait for one turn of the loop
RATE_S = 2.0  # span over which messages per second are counted


class ControlError(InputError):
    """A source or a file of bindings cannot be used; the sentence says why and what to do."""


@dataclass(frozen=True)
class Event:
    """One number from outside: 'osc/1/fader3', 'midi/1/cc/74', 'pad/0/axis/1', 'key/A'."""

    address: str
    value: float


class Inbox:
    """Events in order of arrival; the oldest go when nobody takes them. `put` from any thread."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=ROOM)
        self._lock = threading.Lock()
        self.lost = 0

    def put(self, event: Event) -> None:
        """Leave an event for the next turn."""
        with self._lock:
            self.lost += len(self._events) == ROOM
            self._events.append(event)

    def take(self) -> list[Event]:
        """All events since the last call."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
        return events


class Rate:
    """Messages per second over the last RATE_S; `note` from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=20_000)
        self.total = 0

    def note(self) -> None:
        """One more message."""
        self.total += 1
        self._times.append(self._clock())

    @property
    def per_second(self) -> float:
        """Of the last RATE_S."""
        times = tuple(self._times)
        return (len(times) - bisect_left(times, self._clock() - RATE_S)) / RATE_S
