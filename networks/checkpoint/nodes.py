"""The inert nodes that a pickle becomes before anything in it is understood.

The opcode machine (`unpickler.py`) makes these; the resolver (`resolve.py`) turns them into arrays and records.
A node remembers what the file asked for ("call f with these arguments"); it never does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of a class or function, as the file spells it. Nothing is imported."""

    module: str
    name: str

    @property
    def path(self) -> tuple[str, str]:
        return self.module, self.name

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Something in the file that a generator does not need and that was not read."""

    what: str


@dataclass(eq=False, slots=True)
class Blob:
    """Bytes or text that stay in the file until somebody needs them: `length` bytes at `start` of the window."""

    start: int
    length: int
    kind: Literal["bytes", "utf8", "latin1"]


class SetNode(list[Any]):
    """The members of a set, in file order (hashing them is the resolver's decision)."""


@dataclass(eq=False, slots=True)
class Call:
    """`function(*args)`, then `state` set on the result, then `pairs` (keys, values) and `members` put into it."""

    function: Any
    args: tuple[Any, ...]
    state: Any = None
    pairs: list[tuple[Any, Any]] | None = None
    members: list[Any] | None = None


@dataclass(eq=False, slots=True)
class Instance:
    """An instance of `cls` made without a call, then `state`, `pairs` and `members` as in `Call`."""

    cls: Any
    args: tuple[Any, ...]
    kwargs: dict[Any, Any] | None = None
    state: Any = None
    pairs: list[tuple[Any, Any]] | None = None
    members: list[Any] | None = None


@dataclass(eq=False, slots=True)
class Persistent:
    """A persistent id: torch names its storages with these."""

    pid: Any
