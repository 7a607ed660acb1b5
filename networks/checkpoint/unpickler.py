"""A pickle machine that executes nothing: opcodes in, a tree of inert nodes out.

Every opcode of protocols 0 to 5 is handled here, in our own code; no class is looked up, nothing is called. The work is
bounded: operations and text are counted by the job, long strings and bytes stay in the file as `Blob`s.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

from networks.checkpoint import allow_list
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.nodes import Blob, Call, Instance, Persistent, Reference, SetNode
from networks.checkpoint.window import Window

CHUNK = 16 << 10  # bytes read ahead
INLINE_BYTES = 1 << 10  # longer byte strings stay in the file
INLINE_TEXT = 256 << 10  # longer texts stay in the file
MAX_LINE = 64 << 10
MAX_INTEGER = 256  # bytes
MAX_KEY_PARTS = 16
KEY_PARTS = (str, int, float, bool, bytes, type(None), Reference, Call, Instance)
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)


class Unpickler:
    """Runs one pickle of a window, from `position` to its STOP."""

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

    def run(self) -> Any:
        """Return the pickled object as nodes; raises CheckpointError with the reason why not."""
        table, budget = _TABLE, 0
        try:
            while True:
                budget += 1
                if budget == 1024:
                    self.job.spend_operations(budget)
                    budget = 0
                code = self.take(1)[0]
                if code == _STOP:
                    self.job.spend_operations(budget)
                    return self.stack.pop()
                table[code](self)
        except MALFORMED as error:
            raise self.broken(str(error)) from error

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


# -- opcodes -----------------------------------------------------------------------------------------------------

Handler = Callable[[Unpickler], None]


def _unknown(machine: Unpickler) -> None:
    raise machine.broken("unknown operation")


_TABLE: list[Handler] = [_unknown] * 256
_STOP = ord(".")


def _op(code: bytes) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _TABLE[code[0]] = handler
        return handler

    return register


def _constant(code: bytes, make: Callable[[], Any]) -> None:
    _op(code)(lambda machine: machine.push(make()))


def _read_number(code: bytes, layout: str) -> None:
    packed = struct.Struct(layout)
    _op(code)(lambda machine: machine.push(packed.unpack(machine.take(packed.size))[0]))


_constant(b"N", lambda: None)
_constant(b"\x88", lambda: True)
_constant(b"\x89", lambda: False)
_constant(b")", tuple)
_constant(b"]", list)
_constant(b"}", dict)
_constant(b"\x8f", SetNode)
for _code, _layout in {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}.items():
    _read_number(_code, _layout)
for _code, _size in {b"C": 1, b"B": 4, b"\x8e": 8, b"\x96": 8}.items():
    _op(_code)(lambda machine, size=_size: machine.long_bytes(machine.unsigned(size)))  # type: ignore[misc]
for _code, _size in {b"\x8c": 1, b"X": 4, b"\x8d": 8}.items():
    _op(_code)(lambda machine, size=_size: machine.text(machine.unsigned(size)))  # type: ignore[misc]
for _code, _size in {b"U": 1, b"T": 4}.items():
    _op(_code)(lambda machine, size=_size: machine.text(machine.unsigned(size), "latin1"))  # type: ignore[misc]
for _code, _size in {b"\x8a": 1, b"\x8b": 4}.items():
    _op(_code)(lambda machine, size=_size: _long(machine, machine.unsigned(size)))  # type: ignore[misc]
for _code, _size in {b"q": 1, b"r": 4}.items():
    _op(_code)(lambda machine, size=_size: machine.put(machine.unsigned(size)))  # type: ignore[misc]
for _code, _size in {b"h": 1, b"j": 4}.items():
    _op(_code)(lambda machine, size=_size: machine.get(machine.unsigned(size)))  # type: ignore[misc]
for _code, _count in {b"\x85": 1, b"\x86": 2, b"\x87": 3}.items():
    _op(_code)(lambda machine, count=_count: machine.tuple_of(count))  # type: ignore[misc]
for _code in (b"\x82", b"\x83", b"\x84"):
    _op(_code)(lambda machine: machine.raise_opcode("it uses an extension registry"))
for _code in (b"\x97", b"\x98"):
    _op(_code)(lambda machine: machine.raise_opcode("it refers to data outside itself"))
_op(b"(")(Unpickler.mark)
_op(b"0")(Unpickler.pop_or_mark)
_op(b"\x94")(Unpickler.memoize)
_op(b"1")(lambda machine: _ignore(machine.pop_mark()))
_op(b"2")(lambda machine: machine.push(machine.stack[-1]))
_op(b"p")(lambda machine: machine.put(int(machine.line())))
_op(b"g")(lambda machine: machine.get(int(machine.line())))
_op(b"t")(lambda machine: machine.push(tuple(machine.pop_mark())))
_op(b"l")(lambda machine: machine.push(machine.pop_mark()))
_op(b"\x91")(lambda machine: machine.push(SetNode(machine.pop_mark())))
_op(b"a")(lambda machine: machine.extend([machine.stack.pop()]))
_op(b"e")(lambda machine: machine.extend(machine.pop_mark()))
_op(b"\x90")(lambda machine: machine.extend(machine.pop_mark()))
_op(b"u")(lambda machine: machine.set_items(machine.pop_mark()))
_op(b"c")(lambda machine: machine.reference(machine.line(), machine.line()))
_op(b"b")(lambda machine: machine.build(machine.stack.pop()))
_op(b"P")(lambda machine: machine.persistent(machine.line()))
_op(b"Q")(lambda machine: machine.persistent(machine.stack.pop()))
_op(b"F")(lambda machine: machine.push(float(machine.line())))


def _ignore(_value: Any) -> None:
    """For opcodes that drop what they pop."""


@_op(b"\x80")
def _proto(machine: Unpickler) -> None:
    version = machine.unsigned(1)
    if version > 5:
        raise machine.broken(f"pickle protocol {version}, the newest is 5")


@_op(b"\x95")
def _frame(machine: Unpickler) -> None:
    machine.window.sub(machine.position, machine.unsigned(8))  # bounds; the position is 8 bytes early, which is fine


def _long(machine: Unpickler, length: int) -> None:
    if length > MAX_INTEGER:
        raise machine.broken(f"an integer of {length:,} bytes")
    machine.push(int.from_bytes(machine.take(length), "little", signed=True))


@_op(b"I")
def _int_line(machine: Unpickler) -> None:
    line = machine.line()
    machine.push(line == "01" if line in ("00", "01") else _bounded_int(machine, line))


@_op(b"L")
def _long_line(machine: Unpickler) -> None:
    machine.push(_bounded_int(machine, machine.line().removesuffix("L")))


def _bounded_int(machine: Unpickler, line: str) -> int:
    if len(line) > MAX_INTEGER:
        raise machine.broken(f"an integer of {len(line):,} digits")
    return int(line)


@_op(b"S")
def _string_line(machine: Unpickler) -> None:
    line = machine.line()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"":
        raise machine.broken("a text without quotes")
    machine.push(codecs.escape_decode(line[1:-1].encode("latin1"))[0].decode("latin1"))


@_op(b"V")
def _unicode_line(machine: Unpickler) -> None:
    machine.push(machine.line().encode("latin1").decode("raw-unicode-escape"))


@_op(b"s")
def _setitem(machine: Unpickler) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


@_op(b"d")
def _dict(machine: Unpickler) -> None:
    items = machine.pop_mark()
    machine.push({})
    machine.set_items(items)


@_op(b"\x93")
def _stack_global(machine: Unpickler) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.reference(module, name)


@_op(b"R")
def _reduce(machine: Unpickler) -> None:
    args, function = machine.stack.pop(), machine.stack.pop()
    machine.reduce(function, args)


@_op(b"\x81")
def _newobj(machine: Unpickler) -> None:
    args, cls = machine.stack.pop(), machine.stack.pop()
    machine.instance(cls, args)


@_op(b"\x92")
def _newobj_ex(machine: Unpickler) -> None:
    kwargs, args, cls = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.instance(cls, args, kwargs)


@_op(b"o")
def _obj(machine: Unpickler) -> None:
    cls, *args = machine.pop_mark()
    machine.instance(cls, tuple(args))


@_op(b"i")
def _inst(machine: Unpickler) -> None:
    module, name = machine.line(), machine.line()
    args = machine.pop_mark()
    machine.reference(module, name)
    machine.instance(machine.stack.pop(), tuple(args))
