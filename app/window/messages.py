"""One line at the bottom of the picture that says what just happened, and goes away by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

SHOWN_S = 6.0
PROBLEM_S = 15.0
ABOVE_PX = 48  # over the lower edge, so that the picture's own line of figures stays in sight
GOOD, BAD = (190, 215, 190), (245, 170, 120)
FLAGS: dict[str, Any] = {
    "no_title_bar": True,
    "no_resize": True,
    "no_move": True,
    "no_saved_settings": True,
    "no_focus_on_appearing": True,
    "no_scrollbar": True,
    "autosize": True,
    "min_size": [40, 20],
}


class Messages:
    """Shows the newest message for some seconds; a problem longer, in another colour."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0
        self.text = ""
        self.over = 0  # the window at whose lower edge messages are shown; 0: the whole viewport
        self._window = dpg.add_window(show=False, **FLAGS)
        self._label = dpg.add_text("", parent=self._window)

    def say(self, text: str, problem: bool = False) -> None:
        """Show a sentence."""
        self.text = text
        self._until = self._clock() + (PROBLEM_S if problem else SHOWN_S)
        dpg.set_value(self._label, text)
        dpg.configure_item(self._label, color=BAD if problem else GOOD, wrap=max(300, dpg.get_viewport_width() - 120))
        dpg.configure_item(self._window, show=True)

    def update(self) -> None:
        """Keep the line at the bottom, or hide it when its time is over; once per frame."""
        if not dpg.is_item_shown(self._window):
            return
        if self._clock() > self._until:
            dpg.configure_item(self._window, show=False)
            return
        width, height = dpg.get_item_rect_size(self._window)
        left, top, room, below = self._place()
        above = ABOVE_PX * dpg.get_global_font_scale()
        dpg.set_item_pos(self._window, [max(0, left + (room - width) // 2), max(0, top + below - height - above)])

    def _place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of where messages are shown."""
        if self.over and dpg.does_item_exist(self.over) and dpg.is_item_visible(self.over):
            (left, top), (width, height) = dpg.get_item_pos(self.over), dpg.get_item_rect_size(self.over)
            return left, top, width, height
        return 0, 0, dpg.get_viewport_client_width(), dpg.get_viewport_client_height()
