"""Marks over and under a picture: the checkerboard, the busy mark, the problem card."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.panel import Texture
from widgets.rows import Tag

CELL = 12  # screen pixels of one square of the checkerboard
TILE = 480  # screen pixels of the checkerboard's texture, a multiple of 2 * CELL
DOTS = 8  # of the busy mark
TURNS_PER_SECOND = 0.9


class Checker:
    """A checkerboard under transparent pictures; made when first shown."""

    def __init__(self, drawlist: Tag, texture: Callable[[], Texture]) -> None:
        self.layer: Tag = dpg.add_draw_layer(parent=drawlist)
        self.make = texture
        self.texture: Texture | None = None
        self.show = False

    def draw(self, corner: tuple[float, float], opposite: tuple[float, float], view: tuple[int, int]) -> None:
        """Tile the visible part of the picture's rectangle."""
        dpg.delete_item(self.layer, children_only=True)
        if not self.show:
            return
        if self.texture is None:
            self.texture = self.make()
            self.texture.upload(checkerboard(TILE))
        left, top = (max(0.0, value) for value in corner)
        right, bottom = (min(float(side), value) for side, value in zip(view, opposite, strict=True))
        for x in np.arange(left, right, TILE):
            for y in np.arange(top, bottom, TILE):
                width, height = min(TILE, right - x), min(TILE, bottom - y)
                u, v = self.texture.uv_max
                dpg.draw_image(
                    self.texture.tag,
                    (x, y),
                    (x + width, y + height),
                    uv_max=(u * width / TILE, v * height / TILE),
                    parent=self.layer,
                )


def checkerboard(side: int) -> np.ndarray:
    """Two greys in squares of CELL pixels: uint8 RGBA [side, side, 4]."""
    index = np.arange(side) // CELL
    grey = np.where((index[:, None] + index) % 2 == 0, *look.CHECKER).astype(np.uint8)
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


class Spinner:
    """A ring of dots in the upper right corner; turns by the clock while busy."""

    def __init__(self, drawlist: Tag) -> None:
        self.layer: Tag = dpg.add_draw_layer(parent=drawlist, show=False)
        self.disc: Tag = dpg.draw_circle((0, 0), 17, color=(0, 0, 0, 0), fill=(14, 15, 17, 170), parent=self.layer)
        self.dots: list[Tag] = [
            dpg.draw_circle((0, 0), 2.2, color=(0, 0, 0, 0), fill=look.ACCENT, parent=self.layer) for _ in range(DOTS)
        ]
        self.shown = False

    def update(self, busy: bool, view_width: int) -> None:
        """Show or hide it at the right edge of a view."""
        if busy != self.shown:
            self.shown = busy
            dpg.configure_item(self.layer, show=busy)
        if not busy:
            return
        x, y = view_width - 30, 30
        dpg.configure_item(self.disc, center=(x, y))
        phase = time.perf_counter() * TURNS_PER_SECOND
        for number, dot in enumerate(self.dots):
            angle = 2 * math.pi * number / DOTS
            age = (phase - number / DOTS) % 1.0
            dpg.configure_item(
                dot,
                center=(x + 10 * math.sin(angle), y - 10 * math.cos(angle)),
                fill=(*look.ACCENT[:3], round(255 * (1 - age) ** 1.5)),
            )


class ProblemCard:
    """What went wrong, over the lower part of the picture: what, the facts, what to do."""

    def __init__(self) -> None:
        self.card: Tag
        with dpg.child_window(border=True, auto_resize_y=True, show=False, width=320) as self.card:
            self.title: Tag = dpg.add_text("", wrap=0, color=look.ERROR)
            self.detail: Tag = dpg.add_text("", wrap=0)
            self.hint: Tag = dpg.add_text("", wrap=0, color=look.MUTED)
        look.bind_style(self.card, "problem")
        look.bind_font(self.title, "semibold")
        self.shown: tuple[str, str, str] | None = None

    def show(self, title: str, detail: str, hint: str) -> None:
        """Show these sentences."""
        if (title, detail, hint) != self.shown:
            self.shown = (title, detail, hint)
            for item, words in zip((self.title, self.detail, self.hint), self.shown, strict=True):
                dpg.configure_item(item, default_value=words, show=bool(words))
            dpg.configure_item(self.card, show=True)

    def hide(self) -> None:
        """Nothing is wrong."""
        if self.shown is not None:
            self.shown = None
            dpg.configure_item(self.card, show=False)

    def place(self, view: tuple[int, int]) -> None:
        """Keep it at the bottom of a view of (W, H) screen pixels."""
        if self.shown is not None:
            margin = 16
            height = dpg.get_item_rect_size(self.card)[1]
            width = max(80, min(620, view[0] - 2 * margin))
            dpg.configure_item(self.card, width=width, pos=(margin, max(margin, view[1] - height - margin)))
