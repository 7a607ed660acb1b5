"""Is a request from a file what its types say? A file may hold anything; the app draws what this lets pass."""

from __future__ import annotations

import dataclasses
import math
import types
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from app.errors import InputError
from app.request import RenderRequest, from_json

LONGEST = 100_000  # entries of a tuple (seeds, channels, edits)
LARGEST = 2**64  # of a whole number: far beyond every seed, row and channel


def request_from(values: Any, name: str) -> RenderRequest:
    """Plain JSON values -> a request whose every part has its type; raises InputError that names the file."""
    try:
        request = from_json(values)
        _check(request, RenderRequest, "request")
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise InputError(f"{name}: the state in it is damaged ({error})") from error
    return request


def _check(value: Any, hint: Any, where: str) -> None:
    """Raises ValueError unless the value is what the type hint says; floats are finite, tuples not endless."""
    if not _fits(value, hint, where):
        raise ValueError(f"{where} is {_shortened(value)}")


def _fits(value: Any, hint: Any, where: str) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits_quietly(value, kind, where) for kind in inner)
    if origin is Literal:
        return value in inner and isinstance(value, str)
    if origin is tuple:
        return _fits_tuple(value, inner, where)
    if dataclasses.is_dataclass(hint):
        return isinstance(value, hint) and _fits_parts(value, where)  # type: ignore[arg-type]
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
    if hint is type(None):
        return value is None
    return isinstance(value, hint)


def _fits_quietly(value: Any, hint: Any, where: str) -> bool:
    try:
        return _fits(value, hint, where)
    except ValueError:
        return False


def _fits_tuple(value: Any, inner: tuple[Any, ...], where: str) -> bool:
    if not isinstance(value, tuple) or len(value) > LONGEST:
        return False
    if len(inner) == 2 and inner[1] is Ellipsis:
        inner = (inner[0],) * len(value)
    if len(inner) != len(value):
        return False
    for item, kind in zip(value, inner, strict=True):
        _check(item, kind, where)
    return True


def _fits_parts(value: Any, where: str) -> bool:
    kind: Any = type(value)
    for name, hint in _hints(kind).items():
        _check(getattr(value, name), hint, f"{where}.{name}")
    return True


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """Resolved type hints of a dataclass; measures are never part of a file."""
    hints = get_type_hints(kind, localns={"Measure": type(None)})
    return {item.name: hints[item.name] for item in dataclasses.fields(kind)}


def _shortened(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}..."
