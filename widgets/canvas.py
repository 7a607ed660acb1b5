"""Drawings as wide as their panel: bars with names, a colour scale, pictures side by side. `update` once per loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from app.colormaps import table
from widgets import look
from widgets.panel import Texture
from widgets.rows import Tag

TEXT = 15.0  # height of words in screen pixels at scale 1
BRIGHT: look.Colour = (226, 229, 235, 255)
TRACK: look.Colour = (38, 41, 47, 255)
HOVER: look.Colour = (255, 255, 255, 14)
CHOSEN: look.Colour = (112, 174, 255, 38)


class Canvas:
    """A drawlist that takes the panel's width; sub-classes write `height` and `paint`, and may write `place_at`.

    It is painted anew when its size, the scale, the content (`changed`) or the place under the mouse changes.
    """

    def __init__(self, on_pick: Callable[[int], None] | None = None) -> None:
        self.on_pick = on_pick
        self.canvas: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True, height=8) as self.canvas:
            self.drawlist: Tag = dpg.add_drawlist(8, 8)
        look.bind_style(self.canvas, "bare")
        self.width = 8
        self.hovered: int | None = None
        self._size = (8, 8)
        self._drawn: tuple[object, ...] = ()
        self._version = 0

    def height(self) -> int:
        """Screen pixels for the content at `self.width`."""
        raise NotImplementedError

    def paint(self) -> None:
        """Draw the content."""
        raise NotImplementedError

    def place_at(self, x: float, y: float) -> int | None:
        """What lies under a point of the canvas; None: nothing that can be picked."""
        return None

    def changed(self) -> None:
        """The content is another one."""
        self._version += 1

    def update(self) -> None:
        """Follow the panel's width, the scale and the mouse."""
        self.width = max(8, int(dpg.get_item_rect_size(self.canvas)[0]))
        size = (self.width, max(1, self.height()))
        if size != self._size:
            self._size = size
            dpg.configure_item(self.canvas, height=size[1])
            dpg.configure_item(self.drawlist, width=size[0], height=size[1])
        self._follow_mouse()
        state = (self._version, size, look.pixels(1000), self.hovered)
        if state != self._drawn:
            self._drawn = state
            dpg.delete_item(self.drawlist, children_only=True)
            self.paint()

    def _follow_mouse(self) -> None:
        self.hovered = None
        if self.on_pick is None or not dpg.is_item_hovered(self.drawlist):
            return
        left, top = dpg.get_item_rect_min(self.drawlist)
        x, y = dpg.get_mouse_pos(local=False)
        self.hovered = self.place_at(x - left, y - top)
        if self.hovered is not None and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self.on_pick(self.hovered)

    def text(self, x: float, y: float, words: str, colour: look.Colour = BRIGHT, align: float = 0.0) -> None:
        """Words with their upper left corner at (x, y); align 0.5: their middle, 1: their right edge there."""
        dpg.draw_text(
            (x - align * text_width(words), y), words, size=look.pixels(TEXT), color=colour, parent=self.drawlist
        )

    def box(self, left: float, top: float, right: float, bottom: float, fill: look.Colour, rounding: float = 0) -> None:
        """A filled rectangle."""
        dpg.draw_rectangle(
            (left, top), (right, bottom), color=(0, 0, 0, 0), fill=fill, rounding=rounding, parent=self.drawlist
        )


def text_width(words: str) -> float:
    """Screen pixels that words of a canvas take."""
    width, height = dpg.get_text_size(words) or (0.0, 0.0)
    return float(width) * look.pixels(TEXT) / float(height) if height else 0.0


@dataclass(frozen=True)
class Bar:
    """One bar: name to the left, words to the right. value: its length; second: of a thinner line below it."""

    name: str
    value: float
    words: str
    second: float | None = None


class BarList(Canvas):
    """Bars below one another on a common scale from 0; a click picks one."""

    def __init__(self, on_pick: Callable[[int], None] | None = None) -> None:
        super().__init__(on_pick)
        self.bars: tuple[Bar, ...] = ()
        self.chosen: int | None = None

    def show(self, bars: Sequence[Bar], chosen: int | None = None) -> None:
        """Show these bars, one of them lit."""
        if (tuple(bars), chosen) != (self.bars, self.chosen):
            self.bars, self.chosen = tuple(bars), chosen
            self.changed()

    def height(self) -> int:
        return len(self.bars) * self.row

    @property
    def row(self) -> int:
        """Height of one bar's line in screen pixels."""
        return look.pixels(20)

    def place_at(self, x: float, y: float) -> int | None:
        place = int(y // self.row)
        return place if 0 <= place < len(self.bars) else None

    def extent(self) -> tuple[float, float]:
        """Where bars begin, and where the longest one ends, in pixels of the canvas."""
        gap = look.pixels(8)
        names = max((text_width(bar.name) for bar in self.bars), default=0.0)
        words = max((text_width(bar.words) for bar in self.bars), default=0.0)
        return names + 2 * gap, max(names + 2 * gap + 8, self.width - words - 2 * gap)

    def paint(self) -> None:
        left, right = self.extent()
        top = max((max(bar.value, bar.second or 0.0) for bar in self.bars), default=0.0) or 1.0
        for place, bar in enumerate(self.bars):
            self._bar(place, bar, left, right, top)

    def _bar(self, place: int, bar: Bar, left: float, right: float, top: float) -> None:
        y, unit = place * self.row, look.pixels(100) / 100
        if place in (self.chosen, self.hovered):
            self.box(0, y, self.width, y + self.row, CHOSEN if place == self.chosen else HOVER, 3)
        middle, half = y + self.row / 2, 5 * unit
        words = y + (self.row - look.pixels(TEXT)) / 2
        self.text(look.pixels(6), words, bar.name, BRIGHT if place == self.chosen else look.MUTED)
        self.text(self.width - look.pixels(6), words, bar.words, BRIGHT, align=1.0)
        self.box(left, middle - half, right, middle + half, TRACK, 2)
        if bar.value > 0:
            self.box(left, middle - half, max(left + 1, left + (right - left) * bar.value / top), middle + half,
                     look.ACCENT, 2)  # fmt: skip
        if bar.second is not None:
            x = left + (right - left) * min(1.0, max(0.0, bar.second / top))
            self.box(x - unit, middle - half - 2 * unit, x + unit, middle + half + 2 * unit, look.WARNING)


class ColourBar(Canvas):
    """The scale of a colour map: a strip, the values at its ends and its middle, the unit."""

    def __init__(self, texture: Callable[[], Texture]) -> None:
        super().__init__()
        self.texture = texture()
        self.shown: tuple[str, float, float, str] | None = None

    def show(self, name: str, low: float, high: float, unit: str) -> None:
        """A map of app.colormaps from low to high."""
        if (name, low, high, unit) != self.shown:
            if self.shown is None or name != self.shown[0]:
                self.texture.upload(np.ascontiguousarray(table(name)[None]))
            self.shown = (name, low, high, unit)
            self.changed()

    def height(self) -> int:
        return look.pixels(30) if self.shown is not None else 1

    def paint(self) -> None:
        if self.shown is None:
            return
        _, low, high, unit = self.shown
        bottom = look.pixels(10)
        dpg.draw_image(
            self.texture.tag, (0, 0), (self.width, bottom), uv_max=self.texture.uv_max, parent=self.drawlist
        )  # fmt: skip
        for share in (0.0, 0.5, 1.0):
            words = f"{low + share * (high - low):.3g} {unit}"
            self.text(share * self.width, bottom + look.pixels(4), words, look.MUTED, align=share)


@dataclass(frozen=True)
class Caption:
    """Two short lines under a picture of a strip."""

    name: str
    words: str = ""


class PictureStrip(Canvas):
    """Small pictures of one size side by side, in as many lines as they need; a click picks one."""

    NARROWEST = 68.0  # screen pixels at scale 1 that a picture gets at least
    WIDEST = 150.0

    def __init__(self, texture: Callable[[], Texture], on_pick: Callable[[int], None] | None = None) -> None:
        super().__init__(on_pick)
        self.texture = texture()
        self.captions: tuple[Caption, ...] = ()
        self.chosen: int | None = None
        self.tile = (1, 1)  # (H, W) in pixels
        self.pictures: tuple[np.ndarray, ...] = ()

    def show(self, pictures: Sequence[np.ndarray], captions: Sequence[Caption], chosen: int | None) -> None:
        """Show uint8 pictures [h, w, 4], all of one size."""
        if len(pictures) != len(self.pictures) or any(a is not b for a, b in zip(pictures, self.pictures, strict=True)):
            self.pictures = tuple(pictures)
            if pictures:
                self.tile = (pictures[0].shape[0], pictures[0].shape[1])
                self.texture.upload(np.concatenate(list(pictures), axis=1))
            self.changed()
        if (tuple(captions), chosen) != (self.captions, self.chosen):
            self.captions, self.chosen = tuple(captions), chosen
            self.changed()

    @property
    def grid(self) -> tuple[int, float, float]:
        """(pictures per line, width and height of one with its gap), in screen pixels."""
        count = max(1, len(self.pictures))
        columns = max(1, min(count, int(self.width // look.pixels(self.NARROWEST))))
        columns = -(-count // -(-count // columns))  # lines of about equal length
        wide = min(self.width / columns, float(look.pixels(self.WIDEST)))
        words = 2 if any(caption.words for caption in self.captions) else 1
        return columns, wide, (wide - self.gap) * self.tile[0] / self.tile[1] + words * look.pixels(16) + 2 * self.gap

    @property
    def gap(self) -> int:
        """Screen pixels between two pictures."""
        return look.pixels(6)

    def height(self) -> int:
        if not self.pictures:
            return 1
        columns, _, high = self.grid
        return round(-(-len(self.pictures) // columns) * high)

    def place_at(self, x: float, y: float) -> int | None:
        columns, wide, high = self.grid
        column, line = int(x // wide), int(y // high)
        place = line * columns + column
        return place if column < columns and place < len(self.pictures) else None

    def paint(self) -> None:
        columns, wide, high = self.grid
        for place, caption in enumerate(self.captions[: len(self.pictures)]):
            self._picture(place, caption, place % columns * wide, place // columns * high, wide - self.gap)

    def _picture(self, place: int, caption: Caption, x: float, y: float, wide: float) -> None:
        (u, v), count = self.texture.uv_max, len(self.pictures)
        bottom = y + wide * self.tile[0] / self.tile[1]
        dpg.draw_image(
            self.texture.tag, (x, y), (x + wide, bottom), uv_min=(u * place / count, 0),
            uv_max=(u * (place + 1) / count, v), parent=self.drawlist,
        )  # fmt: skip
        lit = place in (self.chosen, self.hovered)
        if lit:
            colour = look.ACCENT if place == self.chosen else look.MUTED
            dpg.draw_rectangle((x, y), (x + wide, bottom), color=colour, thickness=2, parent=self.drawlist)
        for line, words in enumerate((caption.name, caption.words)):
            tone = BRIGHT if place == self.chosen and line == 0 else look.MUTED
            self.text(x + wide / 2, bottom + look.pixels(2 + 16 * line), words, tone, align=0.5)
