"""torch.save since 1.6: a zip whose members are stored, not compressed: data.pkl and one member per storage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from networks.checkpoint.torch_values import Storage, part, read_storage, storage_id
from networks.checkpoint.unpickler import Unpickler
from networks.checkpoint.window import Window

END, END64, LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
ENTRY, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
MAX_DIRECTORY = 32 << 20  # bytes
MAX_MEMBERS = 20_000

Storages = Callable[[Any], Storage]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a zip: where its local header begins, how long its data are, whether they are compressed."""

    header: int
    size: int
    stored: bool


def open_zip(window: Window, members: dict[str, Member], *, calls: bool) -> tuple[Any, Storages]:
    """Return the root of data.pkl as nodes and the function that reads the storage of a persistent id."""
    pickle = next(name for name in members if name.endswith("data.pkl") and name.count("/") <= 1)
    prefix = pickle.removesuffix("data.pkl")
    order = members.get(prefix + "byteorder")
    if order is not None and _data(window, order).read(0, min(order.size, 16)) != b"little":
        raise window.job.error("was saved on a big-endian machine; save it again on a common one")
    root = Unpickler(_data(window, members[pickle]), persistent=True, calls=calls).run()
    return root, _reader(window, prefix, members)


def is_torch(members: dict[str, Member]) -> bool:
    """Whether a zip was written by torch.save."""
    return any(name.endswith("data.pkl") and name.count("/") <= 1 for name in members)


def _reader(window: Window, prefix: str, members: dict[str, Member]) -> Storages:
    cache: dict[str, Storage] = {}

    def read(pid: Any) -> Storage:
        name = storage_id(pid)
        if name.key not in cache:
            member = members.get(f"{prefix}data/{name.key}")
            if member is None:
                raise window.job.error(f"has no data for storage {name.key[:40]}; save it again")
            if member.size != name.nbytes:
                raise window.job.error(
                    f"says {name.nbytes:,} bytes for storage {name.key} and holds {member.size:,}; it is damaged"
                )
            cache[name.key] = read_storage(_data(window, member), 0, name)
        return part(cache[name.key], name)

    return read


def _data(window: Window, member: Member) -> Window:
    """The bytes of a member, behind its local header."""
    if not member.stored:
        raise window.job.error("is a compressed zip, torch files are not; unpack it first")
    header = window.read(member.header, 30)
    if not header.startswith(LOCAL):
        raise window.job.error(f"is damaged: its zip has no member at byte {member.header:,}; download it again")
    name, extra = struct.unpack_from("<HH", header, 26)
    return window.sub(member.header + 30 + name + extra, member.size)


def directory(window: Window) -> dict[str, Member]:
    """Read a zip's table of contents; raises CheckpointError where it is cut off or damaged."""
    tail_start = max(0, window.length - (1 << 16) - 22)
    tail = window.read(tail_start, window.length - tail_start)
    at = tail.rfind(END)
    if at < 0 or at + 22 > len(tail):
        raise window.job.error(
            f"is cut off: a zip file without its end ({window.length:,} bytes are here); download it again"
        )
    size, start = struct.unpack_from("<II", tail, at + 12)
    if at >= 20 and tail[at - 20 :].startswith(LOCATOR64):
        record = window.read(struct.unpack_from("<Q", tail, at - 12)[0], 56)
        if record.startswith(END64):
            size, start = struct.unpack_from("<QQ", record, 40)
    if size > MAX_DIRECTORY:
        raise window.job.error(f"is no torch file: its zip directory alone is {size:,} bytes")
    return _entries(window, window.read(start, size))


def _entries(window: Window, table: bytes) -> dict[str, Member]:
    members: dict[str, Member] = {}
    at = 0
    while table.startswith(ENTRY, at) and at + 46 <= len(table):
        method = struct.unpack_from("<H", table, at + 10)[0]
        packed, size = struct.unpack_from("<II", table, at + 20)
        name_length, extra_length, comment_length = struct.unpack_from("<HHH", table, at + 28)
        header = struct.unpack_from("<I", table, at + 42)[0]
        name = table[at + 46 : at + 46 + name_length].decode("utf-8", "replace")
        extra = table[at + 46 + name_length : at + 46 + name_length + extra_length]
        size, packed, header = _sizes64(extra, size, packed, header)
        members[name] = Member(header, size, method == 0 and packed == size)
        if len(members) > MAX_MEMBERS:
            raise window.job.error(f"is no torch file: its zip has more than {MAX_MEMBERS:,} members")
        at += 46 + name_length + extra_length + comment_length
    return members


def _sizes64(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """Replace the fields that are 0xffffffff by those of the zip64 extra field, in the order size, packed, header."""
    at, values = 0, [size, packed, header]
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            for index, value in enumerate(values):
                if value == 0xFFFFFFFF and len(field) >= 8:
                    values[index], field = int.from_bytes(field[:8], "little"), field[8:]
        at += 4 + length
    return values[0], values[1], values[2]
