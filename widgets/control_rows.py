"""The bindings as rows: what moves what, how, from which range to which; changed in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import dearpygui.dearpygui as dpg

from app.control.controller import Controller
from app.control.events import ControlError
from app.control.mapping import MODES, Binding, Mode, suggested
from widgets import look
from widgets.icons import icon
from widgets.rows import Button, Tag, columns, tooltip

MODE_HINT = (
    "absolute: the input range sets the output range. relative: each message adds (endless encoders). rate: the value "
    "is a speed per second (sticks, held keys). toggle: a press switches. momentary: the upper end while held."
)
FIELDS = {
    "in_low": "What the knob sends at its lower end.",
    "in_high": "What the knob sends at its upper end.",
    "out_low": "Where the control stands at the lower end (relative: what is added; rate: units per second).",
    "out_high": "Where the control stands at the upper end. Exchange the two to turn the direction round.",
}
HEADS = {
    "mode": MODE_HINT,
    "from": FIELDS["in_low"],
    "to": FIELDS["in_high"],
    "gives": FIELDS["out_low"],
    "up to": FIELDS["out_high"],
}
WIDTHS = (0.36, 0.16, 0.16, 0.16, 0.16)
NOTHING = "Nothing is bound yet. Switch a source on, press Learn."


class BindingRow:
    """One binding in two lines."""

    def __init__(self, binding: Binding, there: bool, change: Callable[[Binding, Binding | None], None]) -> None:
        self.binding, self.change = binding, change
        self.fields: dict[str, Tag] = {}
        group: Tag
        with dpg.group() as group:
            with columns(0.9, 0.1):
                words = f"{binding.source}  {icon('chevron-right')}  {binding.parameter}"
                tag = dpg.add_text(words if there else f"{words} (not there)", wrap=0)
                if not there:
                    dpg.configure_item(tag, color=look.WARNING)
                    tooltip(tag, "No panel has this control now; the binding waits for it.")
                self.delete = Button(icon("x"), "Delete this binding.", lambda: change(self.binding, None), width=-1)
                self.delete.dress("ghost")
            with columns(*WIDTHS):
                self.mode: Tag = dpg.add_combo(
                    list(MODES), default_value=binding.mode, width=-1, callback=self._mode_chosen
                )
                tooltip(self.mode, MODE_HINT)
                for name, hint in FIELDS.items():
                    self.fields[name] = dpg.add_input_double(
                        default_value=getattr(binding, name), step=0, format="%.5g", width=-1, on_enter=False,
                        callback=self._number_typed, user_data=name,
                    )  # fmt: skip
                    tooltip(self.fields[name], hint)
        look.bind_font(group, "small")

    def _mode_chosen(self, sender: Tag, app_data: str, user_data: Any) -> None:
        self.change(self.binding, replace(self.binding, mode=cast(Mode, app_data)))

    def _number_typed(self, sender: Tag, app_data: float, user_data: str) -> None:
        changed: dict[str, Any] = {user_data: app_data}
        self.change(self.binding, replace(self.binding, **changed))


class BindingList:
    """All bindings of a controller, painted anew when they are others."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.group: Tag = dpg.add_group()
        self.rows: list[BindingRow] = []
        self.shown: tuple[object, ...] | None = None
        self.controller: Controller | None = None
        self._own: tuple[Binding, ...] | None = None  # after a number was typed: the field keeps the keyboard

    def update(self, controller: Controller) -> None:
        """Follow the controller; once per loop."""
        self.controller = controller
        state = (controller.bindings, frozenset(controller.parameters))
        if state == self.shown:
            return
        typed = self._own == controller.bindings and len(self.rows) == len(controller.bindings)
        self.shown, self._own = state, None
        if typed:
            for row, binding in zip(self.rows, controller.bindings, strict=True):
                row.binding = binding
            return
        dpg.delete_item(self.group, children_only=True)
        dpg.push_container_stack(self.group)
        if controller.bindings:
            _heads()
        else:
            dpg.add_text(NOTHING, color=look.MUTED, wrap=0)
        self.rows = [BindingRow(each, each.parameter in state[1], self._change) for each in controller.bindings]
        dpg.pop_container_stack()

    def _change(self, binding: Binding, changed: Binding | None) -> None:
        controller = self.controller
        if controller is None:
            return
        if changed is None:
            controller.unbind(binding)
            return
        parameter = controller.parameters.get(binding.parameter)
        if changed.mode != binding.mode and parameter is not None:
            changed = suggested(binding.source, parameter, changed.mode)
        try:
            controller.bind(changed, instead_of=binding)
        except ControlError as error:
            self.say(str(error))
            return
        if changed.mode == binding.mode:
            self._own = controller.bindings


def _heads() -> None:
    """What the numbers of the rows mean."""
    with columns(*WIDTHS):
        for words, hint in HEADS.items():
            tag = dpg.add_text(words, color=look.MUTED)
            look.bind_font(tag, "small")
            tooltip(tag, hint)
