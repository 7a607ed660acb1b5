"""Ask the user for a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.rows import Button, Tag, columns


def ask_name(title: str, name: str, then: Callable[[str], None]) -> None:
    """A small window at the mouse with the present name; Enter or OK hands the new one to `then`."""
    x, y = dpg.get_mouse_pos(local=False)
    window: Tag
    with dpg.window(
        label=title, modal=True, no_saved_settings=True, no_resize=True, width=look.pixels(280),
        pos=[max(0, int(x) - look.pixels(140)), max(0, int(y) - look.pixels(100))],
    ) as window:  # fmt: skip

        def accept(*_: Any) -> None:
            words = str(dpg.get_value(field))
            dpg.delete_item(window)
            then(words)

        field: Tag = dpg.add_input_text(default_value=name, width=-1, on_enter=True, callback=accept)
        dpg.focus_item(field)
        with columns(0.5, 0.5):
            Button("OK", "", accept, width=-1, theme="primary")
            Button("Cancel", "", lambda: dpg.delete_item(window), width=-1)
