"""A field to drag on: its corners are requests, a place on it is their mixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Pixels
from widgets import look
from widgets.canvas import TRACK, Canvas
from widgets.morph import corner_places
from widgets.panel import Texture

EDGE = 10.0  # screen pixels at scale 1 between the field and what the handle reaches
THUMB = 30.0  # of a corner's picture
GRID: look.Colour = (54, 58, 67, 255)


class MorphPad(Canvas):
    """on_move(x, y): the handle is dragged, in shares of the field; `held` while it is."""

    def __init__(self, texture: Callable[[], Texture], on_move: Callable[[float, float], None]) -> None:
        super().__init__()
        self.on_move = on_move
        self.texture = texture()
        self.room = 80.0
        self.names: tuple[str, ...] = ()
        self.pictures: tuple[Pixels | None, ...] = ()
        self.place: tuple[float, float] | None = None
        self.held = False
        self._side = 1  # of a corner's place on the texture, px

    def show(self, names: Sequence[str], pictures: Sequence[Pixels | None], height: float) -> None:
        """The corners: their letters and pictures; height: what the field may take, in screen pixels."""
        if (tuple(names), round(height)) != (self.names, round(self.room)) or any(
            a is not b for a, b in zip(pictures, self.pictures, strict=False)
        ):
            self.names, self.pictures, self.room = tuple(names), tuple(pictures), height
            self._upload()
            self.changed()

    def move(self, x: float, y: float) -> None:
        """Put the handle somewhere."""
        self.place = (min(1.0, max(0.0, x)), min(1.0, max(0.0, y)))
        self.changed()

    def height(self) -> int:
        return max(1, round(min(self.room, 1.2 * self.width)))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Shares of the field -> pixels of the canvas."""
        edge = look.pixels(EDGE)
        return edge + x * (self.width - 2 * edge), edge + y * (self.height() - 2 * edge)

    def on_window(self, x: float, y: float) -> tuple[float, float]:
        """Shares of the field -> pixels of the window."""
        left, top = dpg.get_item_rect_min(self.drawlist)
        px, py = self.at(x, y)
        return left + px, top + py

    def _upload(self) -> None:
        there = [picture for picture in self.pictures if picture is not None]
        if not there:
            return
        side = max(max(picture.shape[:2]) for picture in there)
        row = np.zeros((side, side * len(self.pictures), 4), np.uint8)
        for number, picture in enumerate(self.pictures):
            if picture is not None:
                row[: picture.shape[0], number * side : number * side + picture.shape[1]] = picture
        self._side = side
        self.texture.upload(row)

    def _follow_mouse(self) -> None:
        down = dpg.is_mouse_button_down(dpg.mvMouseButton_Left)
        if len(self.names) < 2 or not down:
            self.held = False
        elif dpg.is_item_hovered(self.drawlist) and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self.held = True
        if not self.held:
            return
        (left, top), (x, y) = dpg.get_item_rect_min(self.drawlist), dpg.get_mouse_pos(local=False)
        edge = look.pixels(EDGE)
        across = (x - left - edge) / max(1, self.width - 2 * edge)
        down_ = (y - top - edge) / max(1, self.height() - 2 * edge)
        before = self.place
        self.move(across, down_)
        if self.place is not None and self.place != before:
            self.on_move(*self.place)

    def paint(self) -> None:
        width, height = self.width, self.height()
        self.box(0, 0, width, height, TRACK, 4)
        if len(self.names) < 2:
            words = ("Fill two slots,", "then drag here", "between them.")
            for line, part in enumerate(words):
                self.text(width / 2, height / 2 + look.pixels(18 * (line - 1.5)), part, look.MUTED, align=0.5)
            return
        places = corner_places(len(self.names))
        self._lines(places)
        for number, (x, y) in enumerate(places):
            self._corner(number, *self.at(x, y))
        if self.place is not None:
            x, y = self.at(self.place[0], 0.5 if len(self.names) == 2 else self.place[1])
            dpg.draw_circle((x, y), look.pixels(7), color=(14, 15, 17, 255), fill=look.ACCENT, thickness=2,
                            parent=self.drawlist)  # fmt: skip

    def _lines(self, places: Sequence[tuple[float, float]]) -> None:
        """The way between two, or the outline of the field."""
        ends = places if len(places) == 2 else ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
        for a, b in pairwise(ends):
            dpg.draw_line(self.at(*a), self.at(*b), color=GRID, thickness=1, parent=self.drawlist)

    def _corner(self, number: int, x: float, y: float) -> None:
        """A small picture inside of the field, its letter on it."""
        side = look.pixels(THUMB)
        left = min(max(x - side / 2, look.pixels(3)), self.width - side - look.pixels(3))
        top = min(max(y - side / 2, look.pixels(3)), self.height() - side - look.pixels(3))
        picture = self.pictures[number] if number < len(self.pictures) else None
        if picture is not None:
            (u, v), count = self.texture.uv_max, len(self.pictures)
            rows, columns = picture.shape[:2]
            scale, right = side / max(rows, columns), (number + columns / self._side) / count
            dpg.draw_image(
                self.texture.tag, (left, top), (left + columns * scale, top + rows * scale),
                uv_min=(u * number / count, 0), uv_max=(u * right, v * rows / self._side), parent=self.drawlist,
            )  # fmt: skip
        letter = look.pixels(15)
        self.box(left, top, left + letter, top + letter, (14, 15, 17, 200), 3)
        self.text(left + look.pixels(3), top, self.names[number], look.WARNING)
