"""Run one measurement in a fresh process, so that none inherits the memory, the threads or the warmth of another."""

from __future__ import annotations

import importlib
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from app import process

T = TypeVar("T")


def alone(measure: Callable[..., T], *arguments: Any, tuned: bool = True) -> T:
    """Call a module's function in a new process. tuned False: without the allocator settings of app/memory.py.

    Raises what the function raises, and BrokenProcessPool when the process was killed.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_call, measure.__module__, measure.__qualname__, arguments, tuned).result()


def _call(module: str, name: str, arguments: tuple[Any, ...], tuned: bool) -> Any:
    """In the new process: set the allocator before torch is imported, then measure."""
    if tuned:
        process.prepare()
    return getattr(importlib.import_module(module), name)(*arguments)


def launch(measure: Callable[..., T], *arguments: Any) -> T:
    """`alone`, with the wall-clock time of the launch as first argument, to measure start-up from."""
    return alone(measure, time.time(), *arguments)
