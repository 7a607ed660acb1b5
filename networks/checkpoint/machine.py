"""The machine that a pickle runs on: bytes, a stack, a memo, and what becomes of each wish to call something.

No class is looked up, nothing is called. Long strings and bytes stay in the file as `Blob`s. The opcodes themselves
are in `opcodes.py`, the loop over them in `unpickler.py`.
"""

from __future__ import annotations

import struct
from typing import Any

from networks.checkpoint import allow_list
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.nodes import Blob, Call, Instance, Persistent, Reference
from networks.checkpoint.window import Window

CHUNK = 16 << 10  # bytes read ahead
INLINE_BYTES = 1 << 10  # longer byte strings stay in the file
INLINE_TEXT = 256 << 10  # longer texts stay in the file
MAX_LINE = 64 << 10
MAX_INTEGER = 256  # bytes
MAX_KEY_PARTS = 16
KEY_PARTS = (str, int, float, bool, bytes, type(None), Reference, Call, Instance)
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)


class Machine:
    """The state of one pickle that is being read, and the steps that opcodes are made of."""

    def __init__(self, window: Window, position: int = 0, *, persistent: bool = False, calls: bool = True) -> None:
        """persistent: the container resolves persistent ids (torch); calls: whether REDUCE is allowed at all."""
        self.window, self.job = window, window.job
        self.stack: list[Any] = []
        self.persistents: list[Persistent] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._persistent, self._calls = persistent, calls
        self._data, self._at, self._base = b"", 0, position

    @property
    def position(self) -> int:
        """Offset in the window of the next byte to be read."""
        return self._base + self._at

    def broken(self, detail: str = "") -> CheckpointError:
        """The error for bytes that make no sense."""
        return self.job.error(
            f"is damaged: its pickle makes no sense at byte {self.position:,}{f' ({detail[:100]})' if detail else ''};"
            " download it again"
        )

    # -- bytes ---------------------------------------------------------------------------------------------------

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self._at + count
        if end > len(self._data):
            self._refill(count)
            end = count
        data = self._data[self._at : end]
        self._at = end
        return data

    def _refill(self, count: int) -> None:
        start = self.position
        length = max(count, min(CHUNK, self.window.length - start))
        self._data, self._at, self._base = self.window.read(start, length), 0, start

    def unsigned(self, count: int) -> int:
        return int.from_bytes(self.take(count), "little")

    def line(self) -> str:
        """The next line of a text opcode, without its end."""
        parts = bytearray()
        while (end := self._data.find(b"\n", self._at)) < 0:
            parts += self._data[self._at :]
            self._at = len(self._data)
            if len(parts) > MAX_LINE:
                raise self.broken("a line of text has no end")
            self._refill(1)
        parts += self._data[self._at : end]
        self._at = end + 1
        self.job.spend_text(len(parts))
        return parts.decode("latin1")

    def long_bytes(self, length: int) -> None:
        """Push bytes: short ones themselves, long ones as a Blob that stays in the file."""
        self.push(self._skip(length, "bytes") if length > INLINE_BYTES else self._inline(length))

    def text(self, length: int, kind: Any = "utf8") -> None:
        """Push a text: short ones themselves, long ones as a Blob that stays in the file."""
        if length > (INLINE_TEXT if kind == "utf8" else INLINE_BYTES):
            self.push(self._skip(length, kind))
        elif kind == "utf8":
            self.push(self._inline(length).decode("utf-8", "surrogatepass"))
        else:
            self.push(self._inline(length).decode("latin1"))

    def _inline(self, length: int) -> bytes:
        self.job.spend_text(length)
        return self.take(length)

    def _skip(self, length: int, kind: Any) -> Blob:
        start = self.position
        self.window.sub(start, length)  # bounds
        self._data, self._at, self._base = b"", 0, start + length
        return Blob(start, length, kind)

    # -- stack ---------------------------------------------------------------------------------------------------

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self) -> None:
        self._marks.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        items, self.stack = self.stack, self._marks.pop()
        return items

    def put(self, index: int) -> None:
        self._memo[index] = self.stack[-1]

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self.stack[-1]

    def get(self, index: int) -> None:
        self.push(self._memo[index])

    def pop_or_mark(self) -> None:
        if self.stack:
            del self.stack[-1]
        else:
            self.pop_mark()

    # -- containers ----------------------------------------------------------------------------------------------

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise self.broken("a tuple lacks members")
        self.stack[len(self.stack) - count :] = [tuple(self.stack[len(self.stack) - count :])]

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif isinstance(target, Call | Instance):
            if target.members is None:
                target.members = []
            target.members.extend(items)
        else:
            raise self.broken("expected a list")

    def set_items(self, items: list[Any]) -> None:
        target, pairs = self.stack[-1], list(zip(items[::2], items[1::2], strict=True))
        if isinstance(target, dict):
            for key, value in pairs:
                target[self._key(key)] = value
        elif isinstance(target, Call | Instance):
            if target.pairs is None:
                target.pairs = []
            target.pairs.extend(pairs)
        else:
            raise self.broken("expected a dict")

    def _key(self, key: Any) -> Any:
        """A dict key whose hash costs little: nested tuples may take exponential time, huge integers collide."""
        parts, queue = 0, [key]
        while queue:
            part = queue.pop()
            parts += 1
            if isinstance(part, tuple) and parts + len(queue) + len(part) <= MAX_KEY_PARTS:
                queue.extend(part)
            elif not isinstance(part, KEY_PARTS) or (isinstance(part, int) and not -(1 << 63) <= part < 1 << 63):
                raise self.broken(f"{type(part).__name__} is no key of a dict")
        return key

    # -- what the file would like to run -------------------------------------------------------------------------

    def reference(self, module: Any, name: Any) -> None:
        """Push the name of a class or function; raises CheckpointError for names outside the allow-list."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.broken("a name is not text")
        reference = Reference(module, name)
        if not allow_list.may_name(reference):
            raise self.refused(reference)
        self.push(reference)

    def refused(self, what: object) -> CheckpointError:
        """The error for a name outside the allow-list."""
        return self.job.error(
            f"asks to run {str(what)[:200]}, which no generator needs; nothing was run, and the file was not opened"
        )

    def reduce(self, function: Any, args: Any) -> None:
        """Push a Call node for `function(*args)`; raises CheckpointError for functions outside the allow-list."""
        if not isinstance(args, tuple):
            raise self.broken("a call has no arguments")
        if isinstance(function, Reference) and function.path in allow_list.RECONSTRUCTORS:
            self._reconstruct(function, args)
        elif self._callable(function, args):
            self.push(Call(function, args))
        else:
            raise self.refused(_spelled(function))

    def _reconstruct(self, function: Reference, args: tuple[Any, ...]) -> None:
        """copyreg's ways to say "an instance of this class"."""
        if function.name == "_reconstructor":
            cls, _base, *value = args
            self.instance(cls, tuple(item for item in value if item is not None))
        elif function.name == "__newobj__":
            self.instance(args[0], args[1:])
        else:
            cls, positional, keywords = args
            self.instance(cls, positional, keywords)

    def _callable(self, function: Any, args: tuple[Any, ...]) -> bool:
        if not self._calls:
            return False
        if isinstance(function, Reference) and function.path not in allow_list.SETATTR:
            return allow_list.may_call(function)
        return is_setattr(function) and bool(args) and is_by_value(args[0])

    def instance(self, cls: Any, args: Any, kwargs: Any = None) -> None:
        """Push an Instance node; raises CheckpointError for classes of the standard library."""
        if not isinstance(args, tuple) or not isinstance(kwargs, dict | None):
            raise self.broken("an instance has no arguments")
        if isinstance(cls, Reference):
            if not allow_list.may_instantiate(cls):
                raise self.refused(cls)
        elif not is_by_value(cls):
            raise self.refused(_spelled(cls))
        self.push(Instance(cls, args, kwargs))

    def build(self, state: Any) -> None:
        target = self.stack[-1]
        if not isinstance(target, Call | Instance):
            raise self.broken(f"state is set on {type(target).__name__}")
        target.state = state

    def persistent(self, pid: Any) -> None:
        if not self._persistent:
            raise self.broken("it refers to data outside itself")
        self.persistents.append(Persistent(pid))
        self.push(self.persistents[-1])

    def raise_opcode(self, what: str) -> None:
        raise self.broken(what)


def is_by_value(node: Any) -> bool:
    """Whether a node is a class or a cell of a closure that dill wrote out by value."""
    return (
        isinstance(node, Call)
        and isinstance(node.function, Reference)
        and node.function.path in allow_list.DILL_INERT
        and node.function.name in ("_create_type", "_create_cell")
    )


def is_setattr(node: Any) -> bool:
    """Whether a node is `setattr`, or `getattr(dill._dill, '_setattr', setattr)`: how dill finishes a class."""
    if isinstance(node, Reference):
        return node.path in allow_list.SETATTR
    return (
        isinstance(node, Call)
        and isinstance(node.function, Reference)
        and node.function.path in allow_list.GETATTR
        and len(node.args) >= 2
        and node.args[0] == Reference("dill", "_dill")
        and node.args[1] == "_setattr"
    )


def _spelled(function: Any) -> str:
    """The name of something that a file wants to call."""
    if isinstance(function, Call) and isinstance(function.function, Reference):
        if function.function.path in allow_list.GETATTR and len(function.args) >= 2:
            return f"{_spelled(function.args[0])}.{function.args[1]}"
        return f"what {function.function} returns"
    return str(function) if isinstance(function, Reference) else f"a {type(function).__name__}"
