"""A menu that appears at the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dearpygui.dearpygui as dpg

from widgets.rows import Tag, tooltip

Entry = tuple[str, str, Callable[[], None]]  # label, what it does in a sentence, what happens


class PopupMenu:
    """Made when it is shown first; closes with a click anywhere."""

    def __init__(self) -> None:
        self.tag: Tag = 0
        self.items: dict[str, Tag] = {}

    def show(self, entries: Sequence[Entry]) -> None:
        """Open with these entries at the mouse."""
        if not self.tag or not dpg.does_item_exist(self.tag):
            with dpg.window(
                popup=True, show=False, no_saved_settings=True, autosize=True, min_size=[40, 20]
            ) as self.tag:
                pass
        dpg.delete_item(self.tag, children_only=True)
        self.items = {}
        for label, hint, run in entries:
            self.items[label] = dpg.add_selectable(label=label, parent=self.tag, callback=self._pressed, user_data=run)
            tooltip(self.items[label], hint)
        dpg.configure_item(self.tag, show=True, pos=[int(value) for value in dpg.get_mouse_pos(local=False)])

    def _pressed(self, sender: Tag, app_data: bool, run: Callable[[], None]) -> None:
        dpg.set_value(sender, False)
        run()
