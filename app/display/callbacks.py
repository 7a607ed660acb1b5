"""Runs Dear PyGui's queued callbacks in our own loop, each in its own try: one that raises must not drop the others."""

import inspect
from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

ErrorHandler = Callable[[Exception], None]


def run_queued_callbacks(on_error: ErrorHandler) -> int:
    """Calls what happened since the last frame, in order; returns how many. Needs manual_callback_management."""
    jobs = dpg.get_callback_queue() or ()
    for callback, *arguments in jobs:
        if callback is not None:
            guarded(on_error, callback, *arguments[: positional_count(callback)])
    return len(jobs)


def guarded(on_error: ErrorHandler, callback: Callable[..., object], *arguments: object) -> None:
    """Calls back; an exception goes to on_error instead of to the caller."""
    try:
        callback(*arguments)
    except Exception as error:
        on_error(error)


def positional_count(callback: Callable[..., Any]) -> int:
    """How many of (sender, app_data, user_data) a callback takes, 0 to 3."""
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return 3
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return 3
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(3, sum(parameter.kind in positional for parameter in parameters))
