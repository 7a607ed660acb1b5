"""The list of interventions on the screen: on or off, choose, earlier, remove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.controls import Checkbox
from widgets.icons import icon
from widgets.intervention_list import InterventionList, Items
from widgets.intervention_ops import in_full, in_one_line
from widgets.rows import Button, Tag


@dataclass
class Row:
    """The items of one line."""

    on: Checkbox
    words: Tag
    full: Tag


class InterventionRows:
    """Shows an InterventionList; `show` once per loop."""

    def __init__(self, shown: InterventionList) -> None:
        self.list = shown
        self.rows: list[Row] = []
        self._drawn = Items()
        self._chosen = False
        self.tag: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as self.tag:
            dpg.add_table_column(width_fixed=True)
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            dpg.add_table_column(width_fixed=True)
        look.bind_style(self.tag, "stack")

    def take_choice(self) -> bool:
        """Whether the user chose another row since the last call."""
        chosen, self._chosen = self._chosen, False
        return chosen

    def show(self) -> None:
        """Follow the list."""
        now = self.list.now
        if now == self._drawn:
            return
        if len(now.rows) != len(self.rows):
            dpg.delete_item(self.tag, children_only=True, slot=1)
            self.rows = [self._build(number) for number in range(len(now.rows))]
        for number, (row, item) in enumerate(zip(self.rows, now.rows, strict=True)):
            row.on.set(item.on)
            dpg.configure_item(row.words, label=f"{in_one_line(item.edit)}###words{number}")
            dpg.set_value(row.words, number == now.chosen)
            look.bind(row.words, "" if item.on else "muted")
            dpg.set_value(row.full, in_full(item.edit))
        self._drawn = now

    def _build(self, number: int) -> Row:
        with dpg.table_row(parent=self.tag):
            on = Checkbox("", True, "On, or kept without effect.")
            on.on_change = lambda value: self.list.switch(number, value)
            words = dpg.add_selectable(callback=self._clicked, user_data=number)
            with dpg.tooltip(words, delay=0.5, hide_on_activity=True):
                full: Tag = dpg.add_text("")
            Button(icon("chevron-up"), "Let it act earlier.", lambda: self.list.lift(number), theme="ghost")
            Button(icon("x"), "Remove it.", lambda: self.list.remove(number), theme="ghost")
        return Row(on, words, full)

    def _clicked(self, sender: Tag, app_data: Any, user_data: int) -> None:
        self.list.choose(None if self.list.now.chosen == user_data else user_data)
        dpg.set_value(sender, self.list.now.chosen == user_data)
        self._chosen = True
