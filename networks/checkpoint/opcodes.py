"""Every opcode of pickle protocols 0 to 5, in terms of the machine's steps (`machine.py`)."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

from networks.checkpoint.machine import MAX_INTEGER, Machine
from networks.checkpoint.nodes import SetNode

Handler = Callable[[Machine], None]


def _unknown(machine: Machine) -> None:
    raise machine.broken("unknown operation")


TABLE: list[Handler] = [_unknown] * 256
STOP = ord(".")


def _op(code: bytes) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        TABLE[code[0]] = handler
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
_op(b"(")(Machine.mark)
_op(b"0")(Machine.pop_or_mark)
_op(b"\x94")(Machine.memoize)
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
def _proto(machine: Machine) -> None:
    version = machine.unsigned(1)
    if version > 5:
        raise machine.broken(f"pickle protocol {version}, the newest is 5")


@_op(b"\x95")
def _frame(machine: Machine) -> None:
    machine.window.sub(machine.position, machine.unsigned(8))  # bounds; the position is 8 bytes early, which is fine


def _long(machine: Machine, length: int) -> None:
    if length > MAX_INTEGER:
        raise machine.broken(f"an integer of {length:,} bytes")
    machine.push(int.from_bytes(machine.take(length), "little", signed=True))


@_op(b"I")
def _int_line(machine: Machine) -> None:
    line = machine.line()
    machine.push(line == "01" if line in ("00", "01") else _bounded_int(machine, line))


@_op(b"L")
def _long_line(machine: Machine) -> None:
    machine.push(_bounded_int(machine, machine.line().removesuffix("L")))


def _bounded_int(machine: Machine, line: str) -> int:
    if len(line) > MAX_INTEGER:
        raise machine.broken(f"an integer of {len(line):,} digits")
    return int(line)


@_op(b"S")
def _string_line(machine: Machine) -> None:
    line = machine.line()
    if len(line) < 2 or line[0] != line[-1] or line[0] not in "'\"":
        raise machine.broken("a text without quotes")
    machine.push(codecs.escape_decode(line[1:-1].encode("latin1"))[0].decode("latin1"))


@_op(b"V")
def _unicode_line(machine: Machine) -> None:
    machine.push(machine.line().encode("latin1").decode("raw-unicode-escape"))


@_op(b"s")
def _setitem(machine: Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


@_op(b"d")
def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.push({})
    machine.set_items(items)


@_op(b"\x93")
def _stack_global(machine: Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.reference(module, name)


@_op(b"R")
def _reduce(machine: Machine) -> None:
    args, function = machine.stack.pop(), machine.stack.pop()
    machine.reduce(function, args)


@_op(b"\x81")
def _newobj(machine: Machine) -> None:
    args, cls = machine.stack.pop(), machine.stack.pop()
    machine.instance(cls, args)


@_op(b"\x92")
def _newobj_ex(machine: Machine) -> None:
    kwargs, args, cls = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.instance(cls, args, kwargs)


@_op(b"o")
def _obj(machine: Machine) -> None:
    cls, *args = machine.pop_mark()
    machine.instance(cls, tuple(args))


@_op(b"i")
def _inst(machine: Machine) -> None:
    module, name = machine.line(), machine.line()
    args = machine.pop_mark()
    machine.reference(module, name)
    machine.instance(machine.stack.pop(), tuple(args))
