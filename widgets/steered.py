"""A panel's controls as parameters that knobs, faders, pads and keys may move (app/control)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from app.control.parameters import Kind, Parameter
from widgets.choices import Choice
from widgets.controls import Checkbox, Control, Drag, IntField, IntSlider, Slider

if TYPE_CHECKING:
    from widgets.panel import Panel


def parameters(panel: Panel) -> Iterator[Parameter]:
    """Every control with a range, switches, choices (counted from 0), and what the panel's keys do."""
    for control in panel.controls():
        made = parameter(f"{panel.title}/{_label(panel, control)}", control)
        if made is not None:
            yield made
    for shortcut in panel.shortcuts():
        yield trigger(f"{panel.title}/{shortcut.text}", shortcut.run)


def trigger(name: str, run: Callable[[], None]) -> Parameter:
    """Something that is done when a button is pressed."""
    return Parameter(name, lambda: 0.0, lambda value: run(), kind="trigger")


def parameter(name: str, control: Control[Any]) -> Parameter | None:
    """One control; None for text and lists, which have no range."""
    if isinstance(control, Slider):
        step = control.step if isinstance(control, Drag) else (control.high - control.low) / 100
        return _made(name, control, lambda: (control.low, control.high), float, "number", step)
    if isinstance(control, IntSlider | IntField):
        return _made(name, control, lambda: (float(control.low), float(control.high)), round, "whole", 1.0)
    if isinstance(control, Checkbox):
        return _made(name, control, lambda: (0.0, 1.0), bool, "switch", 1.0)
    if isinstance(control, Choice):
        names = list(control.choices)
        made = _made(name, control, lambda: (0.0, len(names) - 1.0), lambda value: names[round(value)], "whole", 1.0)
        return replace(made, get=lambda: float(names.index(control.value)))
    return None


def _made(
    name: str,
    control: Control[Any],
    ends: Callable[[], tuple[float, float]],
    convert: Callable[[float], Any],
    kind: Kind,
    step: float,
) -> Parameter:
    return Parameter(
        name,
        get=lambda: float(control.value),
        set=lambda value: control.move(convert(value)),
        ends=ends,
        kind=kind,
        step=step,
        enabled=lambda: control.enabled,
        held=lambda: control.held,
        steer=partial(setattr, control, "steered"),
    )


def _label(panel: Panel, control: Control[Any]) -> str:
    """What stands before or beside a control; its name in the panel where nothing does."""
    beside = control.beside if isinstance(control, Checkbox) else ""
    return control.label or beside or next((name for name, value in vars(panel).items() if value is control), "value")
