"""Pictures of models in rows, named, under column heads: the way a figure of a paper shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.canvas import BRIGHT, TRACK, Canvas, text_width
from widgets.panel import Texture

LINE = 20.0  # screen pixels at scale 1 of a line of words
WIDEST = 260.0  # of a picture


@dataclass(frozen=True, eq=False)
class PictureRow:
    """A row: a name, words to its right, and its pictures (None: not there yet)."""

    name: str
    words: str
    pictures: tuple[np.ndarray | None, ...]


class PictureGrid(Canvas):
    """Every picture keeps its proportions; places without one are dark. describe(row, column, x, y): words for the
    pixel under the mouse, which `under_mouse` then holds."""

    def __init__(
        self,
        texture: Callable[[], Texture],
        heads: Sequence[str],
        describe: Callable[[int, int, int, int], str] | None = None,
    ) -> None:
        super().__init__()
        self.make, self.heads, self.describe = texture, tuple(heads), describe
        self.rows: tuple[PictureRow, ...] = ()
        self.textures: dict[tuple[int, int], Texture] = {}
        self.uploaded: dict[tuple[int, int], np.ndarray] = {}
        self.under_mouse = ""

    def show(self, rows: Sequence[PictureRow], heads: Sequence[str] = ()) -> None:
        """Show these rows; heads: other words over the columns."""
        for line, row in enumerate(rows):
            for column, picture in enumerate(row.pictures):
                self._upload((line, column), picture)
        words = [(row.name, row.words) for row in rows], tuple(heads) or self.heads
        if words != ([(row.name, row.words) for row in self.rows], self.heads):
            self.changed()
        self.rows, self.heads = tuple(rows), words[1]

    def _upload(self, place: tuple[int, int], picture: np.ndarray | None) -> None:
        if picture is self.uploaded.get(place):
            return
        self.changed()
        if picture is None:
            self.uploaded.pop(place, None)
            return
        if place not in self.textures:
            self.textures[place] = self.make()
        self.textures[place].upload(picture)
        self.textures[place].set_filter(True)
        self.uploaded[place] = picture

    @property
    def cell(self) -> tuple[float, float]:
        """Width and height of a picture's place in screen pixels."""
        count = len(self.heads)
        wide = min((self.width - (count - 1) * self.gap) / count, float(look.pixels(WIDEST)))
        shapes = [picture.shape for row in self.rows for picture in row.pictures if picture is not None]
        return wide, wide * max((shape[0] / shape[1] for shape in shapes), default=1.0)

    @property
    def gap(self) -> int:
        """Screen pixels between two pictures."""
        return look.pixels(6)

    def height(self) -> int:
        return round(look.pixels(LINE) + len(self.rows) * (self.cell[1] + look.pixels(LINE) + self.gap))

    def corner(self, line: int, column: int) -> tuple[float, float]:
        """Upper left corner of a picture's place, in pixels of the canvas."""
        wide, high = self.cell
        line_y = look.pixels(LINE) + line * (high + look.pixels(LINE) + self.gap)
        return column * (wide + self.gap), line_y + look.pixels(LINE)

    def paint(self) -> None:
        wide, high = self.cell
        for column, head in enumerate(self.heads):
            self.text(self.corner(0, column)[0], look.pixels(2), head, look.MUTED)
        for line, row in enumerate(self.rows):
            y = self.corner(line, 0)[1] - look.pixels(LINE) + look.pixels(1)
            self.text(0, y, row.name)
            end = len(self.heads) * (wide + self.gap) - self.gap
            if text_width(row.name) + text_width(row.words) + look.pixels(12) < end:
                self.text(end, y, row.words, look.MUTED, align=1.0)
            for column, picture in enumerate(row.pictures):
                left, top = self.corner(line, column)
                self.box(left, top, left + wide, top + high, TRACK, 2)
                if picture is not None:
                    texture, (right, bottom) = self.textures[line, column], self._fitted(picture)
                    dpg.draw_image(
                        texture.tag, (left, top), (left + right, top + bottom), uv_max=texture.uv_max,
                        parent=self.drawlist,
                    )  # fmt: skip

    def _fitted(self, picture: np.ndarray) -> tuple[float, float]:
        """Width and height of a picture in its place."""
        wide, high = self.cell
        rows, columns = picture.shape[:2]
        scale = min(wide / columns, high / rows)
        return columns * scale, rows * scale

    def update(self) -> None:
        super().update()
        self.under_mouse = self._under_mouse() if self.describe is not None else ""

    def _under_mouse(self) -> str:
        if self.describe is None or not dpg.is_item_hovered(self.drawlist):
            return ""
        left, top = dpg.get_item_rect_min(self.drawlist)
        mouse_x, mouse_y = dpg.get_mouse_pos(local=False)
        for line, row in enumerate(self.rows):
            for column, picture in enumerate(row.pictures):
                if picture is None:
                    continue
                (x, y), (wide, high) = self.corner(line, column), self._fitted(picture)
                across, down = (mouse_x - left - x) / wide, (mouse_y - top - y) / high
                if 0 <= across < 1 and 0 <= down < 1:
                    return self.describe(
                        line, column, int(across * picture.shape[1]), int(down * picture.shape[0])
                    )  # fmt: skip
        return ""


class ScanStrips(Canvas):
    """x-t pictures below one another, growing to the right as their walks go on."""

    TALL = 92.0  # screen pixels at scale 1

    def __init__(self, texture: Callable[[], Texture]) -> None:
        super().__init__()
        self.make = texture
        self.strips: tuple[tuple[str, str, np.ndarray | None, float], ...] = ()
        self.textures: list[Texture] = []

    def show(self, strips: Sequence[tuple[str, str, np.ndarray | None, float]]) -> None:
        """Each: name, words to its right, picture [h, frames so far, 4], share of the walk that is done."""
        for place, (_, _, scan, _) in enumerate(strips):
            if place == len(self.textures):
                self.textures.append(self.make())
            former = self.strips[place][2] if place < len(self.strips) else None
            if scan is not None and scan is not former:
                self.textures[place].upload(np.ascontiguousarray(scan))
                self.textures[place].set_filter(True)
                self.changed()
        plain = [(name, words, share) for name, words, _, share in strips]
        if plain != [(name, words, share) for name, words, _, share in self.strips]:
            self.changed()
        self.strips = tuple(strips)

    def height(self) -> int:
        return round(len(self.strips) * (look.pixels(self.TALL) + look.pixels(LINE + 6)))

    def paint(self) -> None:
        for place, (name, words, scan, share) in enumerate(self.strips):
            top = place * (look.pixels(self.TALL) + look.pixels(LINE + 6))
            self.text(0, top, name, BRIGHT)
            self.text(self.width, top, words, look.MUTED, align=1.0)
            top += look.pixels(LINE)
            bottom = top + look.pixels(self.TALL)
            self.box(0, top, self.width, bottom, TRACK, 2)
            if scan is not None:
                texture = self.textures[place]
                dpg.draw_image(
                    texture.tag, (0, top), (max(1.0, share * self.width), bottom), uv_max=texture.uv_max,
                    parent=self.drawlist,
                )  # fmt: skip
