"""The models that come with the app, each one click away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dearpygui.dearpygui as dpg

from app.frame import BundledModel
from widgets import look
from widgets.rows import Button, Tag, heading, note

HINT = "Comes with the app: "


class BundledList:
    """One line per model: its family to press, a line about it; the open one is lit. Nothing where there are none."""

    def __init__(self, open_: Callable[[str], None]) -> None:
        self._open = open_
        self._models: Sequence[BundledModel] = ()
        self._shown = ""
        self.buttons: dict[str, Button] = {}  # by path
        self.table: Tag = 0
        self.group: Tag = dpg.add_group()

    def offer(self, models: Sequence[BundledModel]) -> None:
        """Show these models; called every loop."""
        if models == self._models:
            return
        self._models, self.buttons = models, {}
        dpg.delete_item(self.group, children_only=True)
        if not models:
            return
        dpg.push_container_stack(self.group)
        heading("Bundled models")
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as self.table:
            look.bind_style(self.table, "stack")
            dpg.add_table_column(init_width_or_weight=look.LABEL_SHARE)
            dpg.add_table_column(init_width_or_weight=1 - look.LABEL_SHARE)
            for model in models:
                with dpg.table_row():
                    self.buttons[model.path] = self._button(model)
                    note(model.about)
        dpg.pop_container_stack()
        self.mark(self._shown)

    def mark(self, path: str) -> None:
        """Light the model that is open."""
        self._shown = path
        for known, button in self.buttons.items():
            button.dress("active" if known == path else "")

    def _button(self, model: BundledModel) -> Button:
        return Button(model.title, HINT + model.details, lambda: self._open(model.path), width=-1)
