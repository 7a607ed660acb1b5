"""A dictionary that forgets what was not used for longest; several threads may share it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `count` entries and, where `size_of` says the size of one, at most `size` in all; the newest stays."""

    def __init__(self, count: int, size: int = 0, size_of: Callable[[V], int] | None = None) -> None:
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._count, self._size, self._size_of = count, size, size_of
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return an entry and mark it as used."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def peek(self, key: K) -> V | None:
        """Return an entry without marking it as used."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> list[V]:
        """Add an entry; returns those that had to go."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            gone = []
            while len(self._entries) > 1 and self._is_full():
                gone.append(self._entries.popitem(last=False)[1])
            return gone

    def _is_full(self) -> bool:
        if len(self._entries) > self._count:
            return True
        size_of = self._size_of
        return size_of is not None and sum(size_of(value) for value in self._entries.values()) > self._size

    def values(self) -> list[V]:
        """All entries, the one that was not used for longest first."""
        with self._lock:
            return list(self._entries.values())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries
