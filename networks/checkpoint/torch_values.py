"""Torch storages and tensors from their pickled parts, of every generation of torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from networks.checkpoint.nodes import Reference
from networks.checkpoint.window import Window

MAX_DIMS = 16
MAX_EXPANDED = 1 << 20  # elements of a tensor that repeats a smaller storage
STORAGES: dict[str, torch.dtype] = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64,
    "ComplexDoubleStorage": torch.complex128,
    "UntypedStorage": torch.uint8,
}
DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype for dtype in (*STORAGES.values(), torch.float8_e4m3fn, torch.float8_e5m2)
} | {"half": torch.float16, "float": torch.float32, "double": torch.float64, "long": torch.int64, "int": torch.int32}


@dataclass(eq=False, slots=True)
class Storage:
    """Flat memory with the type of its elements."""

    dtype: torch.dtype
    data: Tensor  # uint8, 1-D

    def typed(self, dtype: torch.dtype) -> Tensor:
        """The memory as a 1-D tensor of a type."""
        return self.data.ne(0) if dtype == torch.bool else self.data.view(dtype)


@dataclass(frozen=True, slots=True)
class StorageId:
    """A torch persistent id: which storage, of which type, how many elements, and which part of it."""

    key: str
    dtype: torch.dtype
    numel: int
    view: tuple[int, int] | None = None  # (offset, elements)

    @property
    def nbytes(self) -> int:
        return self.numel * self.dtype.itemsize


def storage_id(pid: Any) -> StorageId:
    """Read ('storage', class, key, location, numel[, view]); raises ValueError for any other persistent id."""
    if not isinstance(pid, tuple) or len(pid) not in (5, 6) or pid[0] != "storage":
        raise ValueError("an unknown kind of persistent id")
    cls, key, numel = pid[1], pid[2], pid[4]
    if not isinstance(cls, Reference) or not cls.module.startswith("torch") or cls.name not in STORAGES:
        raise ValueError(f"storage class {str(cls)[:100]} is not for plain numbers")
    if not isinstance(key, str) or type(numel) is not int or not 0 <= numel < 1 << 48:
        raise ValueError("a storage has no proper key and size")
    return StorageId(key, STORAGES[cls.name], numel, _view(pid[5]) if len(pid) == 6 else None)


def _view(view: Any) -> tuple[int, int] | None:
    if view is None:
        return None
    _key, offset, count = view
    if type(offset) is not int or type(count) is not int or offset < 0 or count < 0:
        raise ValueError("a view of a storage has no proper place")
    return offset, count


def read_storage(window: Window, start: int, name: StorageId) -> Storage:
    """Read a storage's bytes into memory of its own."""
    window.job.spend_array(name.nbytes)
    window.sub(start, name.nbytes)  # bounds, before any memory is taken
    data = torch.empty(name.nbytes, dtype=torch.uint8)
    window.read_into(start, data.numpy().data)
    return Storage(name.dtype, data)


def part(storage: Storage, name: StorageId) -> Storage:
    """The part of a storage that a persistent id means."""
    if name.view is None:
        return storage
    offset, count = (n * storage.dtype.itemsize for n in name.view)
    if offset + count > storage.data.numel():
        raise ValueError("a view reaches past the end of its storage")
    return Storage(storage.dtype, storage.data[offset : offset + count])


def rebuild(storage: Any, offset: Any, size: Any, stride: Any, dtype: torch.dtype | None = None) -> Tensor:
    """A tensor over a storage; raises ValueError where it reaches outside."""
    if not isinstance(storage, Storage):
        raise ValueError("a tensor has no storage")
    size, stride = _sizes(size), _sizes(stride)
    flat = storage.typed(dtype or storage.dtype)
    if len(size) != len(stride) or type(offset) is not int or offset < 0:
        raise ValueError(f"a tensor has size {list(size)}, stride {list(stride)} and offset {offset}")
    count = math.prod(size)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if count and last >= flat.numel():
        raise ValueError(f"a tensor of size {list(size)} needs {last + 1:,} elements and has {flat.numel():,}")
    if count > max(flat.numel(), MAX_EXPANDED):
        raise ValueError(f"a tensor of size {list(size)} repeats {flat.numel():,} stored elements")
    if not count:
        return torch.empty(size, dtype=flat.dtype)
    return flat.as_strided(size, stride, offset)


def _sizes(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > MAX_DIMS:
        raise ValueError("a tensor has no proper size")
    if not all(type(n) is int and 0 <= n < 1 << 48 for n in values):
        raise ValueError(f"a tensor has the size {str(values)[:100]}")
    return tuple(values)
