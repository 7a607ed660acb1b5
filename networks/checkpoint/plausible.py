"""A checkpoint's own words are not trusted: odd values end in a sentence, absurd sizes before anything is allocated."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from networks.base import Spec
from networks.checkpoint.errors import CheckpointError

MAX_SIZE = 1 << 16  # pixels, channels, classes; the largest known is 1024, 4096 and 21,841
MAX_ENTRIES = 256  # layers; the largest known is 26
MAX_DETAIL = 160  # letters
SPARE = 64 << 20  # elements that a network may have beside its weights: filters, noise, constants
FACTORIES = frozenset((torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn))
# What code meets when a file says "three" where a number belongs, or leaves a layer out.
UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def understood(file: str, what: str) -> Iterator[None]:
    """Turn the errors of code that met unexpected data into one CheckpointError; the cause stays chained."""
    try:
        yield
    except UNEXPECTED as error:
        detail = " ".join(f"{type(error).__name__}: {error}".split())[:MAX_DETAIL]
        raise CheckpointError(
            f"{file}: cannot be understood as {what} ({detail}); it is damaged, or of a layout that is not known here"
        ) from error


def check_spec(file: str, spec: Spec) -> None:
    """Raise CheckpointError for a configuration that no network has, such as a picture of 2^30 pixels a side."""
    for field in dataclasses.fields(spec):
        for value in _leaves(file, field.name, getattr(spec, field.name)):
            if isinstance(value, float) and not math.isfinite(value):
                raise CheckpointError(f"{file}: its configuration says {field.name} = {value}; the file is damaged")
            if isinstance(value, int) and abs(value) > MAX_SIZE:
                raise CheckpointError(
                    f"{file}: its configuration says {field.name} = {value:,}, more than {MAX_SIZE:,};"
                    " it is damaged or was made to exhaust memory"
                )


def _leaves(file: str, name: str, value: Any) -> Iterator[Any]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = tuple(getattr(value, field.name) for field in dataclasses.fields(value))
    if isinstance(value, dict):
        value = tuple(value.values())
    if not isinstance(value, tuple | list):
        yield value
        return
    if len(value) > MAX_ENTRIES:
        raise CheckpointError(
            f"{file}: its configuration has {len(value):,} entries of {name}, more than {MAX_ENTRIES}; it is damaged"
            " or was made to exhaust memory"
        )
    for item in value:
        yield from _leaves(file, name, item)


class Allocations(TorchFunctionMode):
    """While it is entered, torch makes at most `most` new elements: a configuration cannot ask for all memory.

    The weights replace what a network is built with, so a network needs hardly more than its file holds.
    """

    def __init__(self, file: str, most: int) -> None:
        super().__init__()
        self._file, self._left, self._most = file, most, most

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in FACTORIES:
            size = (kwargs or {}).get("size", args[0] if args and not isinstance(args[0], int) else args)
            self._left -= math.prod(n for n in size if isinstance(n, int))
            if self._left < 0:
                raise CheckpointError(
                    f"{self._file}: its configuration asks for more than {self._most:,} numbers, far more than the"
                    " file holds; it is damaged or was made to exhaust memory"
                )
        return func(*args, **(kwargs or {}))
