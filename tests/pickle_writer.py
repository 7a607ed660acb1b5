"""Writes pickles that name classes and functions which are not on this machine, or which must not be touched.

`Name('os', 'system')` becomes a global of the pickle without importing anything, `Made(name, args, state)` a call or
an instance. The same writer makes the official layouts and the hostile files of the tests.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

STORAGE_CLASSES = {"f8": "DoubleStorage", "f4": "FloatStorage", "f2": "HalfStorage", "i8": "LongStorage"}
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


@dataclass(frozen=True)
class Name:
    """A class or function by name."""

    module: str
    name: str

    def __call__(self) -> None:
        """Only there because pickle asks whether what it writes a call of is callable."""
        raise AssertionError("a name is never called")


@dataclass(eq=False)
class Made:
    """`name(*args)` with a state, or with `new` an instance of class `name` that is made without a call."""

    name: Any
    args: tuple[Any, ...] = ()
    state: Any = None
    new: bool = False


@dataclass(eq=False)
class Random:
    """A float32 tensor with random contents, drawn when it is written so that nothing is held in memory."""

    shape: tuple[int, ...]
    seed: int
    scale: float = 1.0

    def array(self) -> np.ndarray:
        draw = np.random.Generator(np.random.SFC64(self.seed))
        return draw.standard_normal(self.shape, dtype=np.float32) * np.float32(self.scale)


@dataclass(frozen=True)
class StorageRef:
    """What torch's persistent ids say: class, key, number of elements, and (torch 0.x) (key, offset, elements)."""

    kind: str
    key: str
    numel: int
    view: tuple[str, int, int] | None = None


class Writer(pickle._Pickler):  # the Python one: its steps can be replaced
    """Pickles `Name`, `Made`, and tensors as NVIDIA's tools do (a torch file inside the pickle for each storage)."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_name(self, name: Name) -> None:
        if self.proto >= 4:
            self.save(name.module)
            self.save(name.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())
        self.memoize(name)

    def save_made(self, made: Made) -> None:
        self.save(made.name)
        self.save(made.args)
        self.write(pickle.NEWOBJ if made.new else pickle.REDUCE)
        self.memoize(made)
        if made.state is not None:
            self.save(made.state)
            self.write(pickle.BUILD)

    def save_random(self, random: Random) -> None:
        self.save(tensor(random.array()))

    def save_large_bytes(self, data: bytes) -> None:
        if len(data) < 1 << 16 or self.proto < 3:
            super().save_bytes(data)
        else:  # not memoized: the writer would keep every weight in memory
            self._write_large_bytes(pickle.BINBYTES + struct.pack("<I", len(data)), data)

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, StorageRef):
            return ("storage", Name("torch", value.kind), value.key, "cpu", value.numel, value.view)
        return None

    dispatch[Name] = save_name
    dispatch[Made] = save_made
    dispatch[Random] = save_random
    dispatch[bytes] = save_large_bytes


def dumps(value: Any, protocol: int = 4) -> bytes:
    """The pickle of a value."""
    out = io.BytesIO()
    Writer(out, protocol).dump(value)
    return out.getvalue()


def dump(value: Any, file: BinaryIO, protocol: int = 4) -> None:
    """Write the pickle of a value to a file."""
    Writer(file, protocol).dump(value)


def legacy(root: Any, storages: Mapping[StorageRef, np.ndarray]) -> bytes:
    """A torch file as written before torch 1.6."""
    head = b"".join(dumps(part, 2) for part in (MAGIC, VERSION, SYSTEM, root, [ref.key for ref in storages]))
    return head + b"".join(struct.pack("<q", ref.numel) + data.tobytes() for ref, data in storages.items())


def storage_bytes(data: np.ndarray) -> bytes:
    """The torch file that `_load_from_bytes` gets: one storage."""
    ref = StorageRef(STORAGE_CLASSES[data.dtype.str[1:]], str(id(data)), data.size)
    return legacy(ref, {ref: data})


def storage(data: np.ndarray) -> Made:
    return Made(Name("torch.storage", "_load_from_bytes"), (storage_bytes(data),))


def tensor(data: np.ndarray) -> Made:
    """A tensor inside a pickle."""
    strides = tuple(step // data.itemsize for step in data.strides)
    args = (storage(data), 0, data.shape, strides, False, Made(Name("collections", "OrderedDict")))
    return Made(Name("torch._utils", "_rebuild_tensor_v2"), args)


def parameter(data: Any) -> Made:
    hooks = Made(Name("collections", "OrderedDict"))
    value = data if isinstance(data, Random | Made) else tensor(data)
    return Made(Name("torch._utils", "_rebuild_parameter"), (value, True, hooks))


def persistent(class_name: str, state: Any) -> Made:
    """An object of torch_utils.persistence; the source text is a stand-in."""
    meta = {
        "type": "class",
        "version": 6,
        "module_src": "raise SystemExit('the source text of a checkpoint was run')",
        "class_name": class_name,
        "state": state,
    }
    return Made(Name("torch_utils.persistence", "_reconstruct_persistent_obj"), (meta,))


def write(path: Path, value: Any, protocol: int = 4) -> Path:
    """Write the pickle of a value to a path and return it."""
    with path.open("wb") as file:
        dump(value, file, protocol)
    return path
