"""NumPy dtypes, scalars and arrays from their pickled parts, of both generations of NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

KINDS = "biufcSU"  # no objects, no records, no raw memory
MAX_DIMS = 32


def make_dtype(args: tuple[Any, ...], state: Any) -> np.dtype[Any] | None:
    """`dtype(descr, align, copy)` with its state (version, byte order, ...); None for dtypes that hold objects.

    Raises ValueError for descriptions that are not one plain kind.
    """
    descr = args[0]
    if not isinstance(descr, str) or len(descr) > 16 or "," in descr:
        raise ValueError("a NumPy dtype is no plain one")
    if descr.lstrip("<>|=")[:1] in ("O", "V"):
        return None
    dtype = np.dtype(descr)
    if dtype.kind not in KINDS or dtype.itemsize == 0:
        raise ValueError(f"NumPy dtype {descr!r} is not for numbers")
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
    return dtype.newbyteorder(order) if order in ("<", ">") else dtype


def check_shape(shape: Any) -> tuple[int, ...]:
    """A shape as plain integers; raises ValueError for anything else."""
    shape = (shape,) if isinstance(shape, int) else shape
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMS:
        raise ValueError("an array has no proper shape")
    if not all(type(n) is int and 0 <= n < 1 << 62 for n in shape):
        raise ValueError(f"an array has the shape {str(shape)[:100]}")
    return shape


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], length: int) -> None:
    """Raise ValueError where a shape and its bytes disagree."""
    if math.prod(shape) * dtype.itemsize != length:
        raise ValueError(
            f"an array of shape {list(shape)[:8]}, {dtype}, needs {math.prod(shape) * dtype.itemsize:,} bytes"
            f" and has {length:,}"
        )


def shaped(flat: np.ndarray, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """Give a flat array its shape; the result is native, C-ordered and owns or shares `flat`'s memory."""
    array = flat.reshape(shape, order="F" if fortran else "C")
    array = np.ascontiguousarray(array) if shape else array
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
