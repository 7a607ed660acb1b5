"""The help page: what the mouse does, and every key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.rows import Button, Tag

MOUSE = (
    ("Drag the picture", "move through W"),
    ("Wheel", "zoom at the cursor"),
    ("Middle button, Space + drag", "move the view"),
    ("Double click", "fit the picture to its window"),
    ("Click on a feature map", "see it large"),
    ("Right click on a control", "back to its default"),
    ("Ctrl + click on a slider", "type a number"),
    ("Double click on a number", "type a number"),
    ("Drop a file", "open it: checkpoint, latent, vector"),
)


WIDE = 1320  # pixels at scale 1 that all three columns take side by side
MARGIN = 16
NAMES = {"Back": "Backspace", "Prior": "Page up", "Next": "Page down"}


class KeyLike(Protocol):
    """A shortcut as this page sees it."""

    @property
    def keys(self) -> str: ...
    @property
    def text(self) -> str: ...


def build_help(shortcuts: Sequence[KeyLike]) -> Callable[[], None]:
    """Build the page, hidden; return what shows it, and hides it when it is shown."""
    page: Tag
    body: Tag
    with dpg.window(
        label="Keys and mouse", show=False, modal=True, no_resize=True, autosize=True, no_saved_settings=True,
        horizontal_scrollbar=True,
    ) as page:  # fmt: skip
        with dpg.group(horizontal=True, horizontal_spacing=look.pixels(36)) as body:
            _column("Mouse", MOUSE)
            rows = [(key_name(shortcut.keys), words) for shortcut in shortcuts if (words := listed(shortcut))]
            half = (len(rows) + 1) // 2
            with dpg.group(horizontal=True, horizontal_spacing=look.pixels(36)):
                _column("Keys", rows[:half])
                _column("", rows[half:])
        dpg.add_spacer(height=4)
        Button("Close", "F1 does the same.", lambda: dpg.hide_item(page))

    def centre() -> None:
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        own_width, own_height = dpg.get_item_rect_size(page)
        dpg.set_item_pos(page, [max(0, (width - own_width) // 2), max(0, (height - own_height) // 3)])

    def toggle() -> None:
        shown = dpg.is_item_shown(page)
        width, height = dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
        dpg.configure_item(body, horizontal=width >= look.pixels(WIDE))
        dpg.configure_item(page, show=not shown, max_size=[width - 2 * MARGIN, height - 2 * MARGIN])
        if not shown:  # its size is known only after it was drawn
            for frames in (2, 3, 4):
                dpg.set_frame_callback(dpg.get_frame_count() + frames, lambda: centre())

    return toggle


def listed(shortcut: KeyLike) -> str:
    """What this page says of a key; '' where another line speaks for it."""
    words: str | None = getattr(shortcut, "listed", None)
    return shortcut.text if words is None else words


def key_name(keys: str) -> str:
    """'Ctrl+S' -> 'Ctrl + S', 'Ctrl++' -> 'Ctrl + +', 'Prior' -> 'Page up'."""
    *modifiers, key = keys[:-1].split("+") if keys.endswith("+") else keys.split("+")
    return " + ".join((*filter(None, modifiers), NAMES.get(key, key or "+")))


def _column(title: str, rows: Sequence[tuple[str, str]]) -> None:
    with dpg.group():
        look.bind_font(dpg.add_text(title), "semibold")
        table: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingFixedFit, no_host_extendX=True) as table:
            look.bind_style(table, "list")
            dpg.add_table_column()
            dpg.add_table_column()
            for keys, words in rows:
                with dpg.table_row():
                    dpg.add_text(keys, color=look.ACCENT)
                    dpg.add_text(words[:1].lower() + words[1:])
