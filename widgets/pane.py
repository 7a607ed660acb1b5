"""Pictures that are looked at together: one zoom and pan for all, and the pixel under the mouse in each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.image_view import ImageView
from widgets.overlay import Mark, Ring
from widgets.panel import Texture
from widgets.rows import Tag, tooltip
from widgets.view_math import Placement

CURSOR: look.Colour = (255, 255, 255, 130)
GAP = 8  # screen pixels between two panes
Pixel = tuple[int, int]


class Pane(ImageView):
    """A picture under a caption, with its read-out below; lies in a rectangle that its group gives it."""

    def __init__(
        self, texture: Callable[[], Texture], caption: str, hint: str, click: Callable[[int, int], None]
    ) -> None:
        self.caption, self.hint = caption, hint
        self.pointed: Pixel | None = None  # by the mouse, in this pane or in another one
        self.words_at: Callable[[Pixel], str] = self._colour_words
        self.frame: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.frame:
            tooltip(dpg.add_text(caption), hint)
            super().__init__(texture, on_click=click)
        look.bind_style(self.frame, "bare")

    def _build_footer(self) -> None:
        self.status: Tag = dpg.add_text("", color=look.MUTED)
        look.bind_font(self.status, "small")

    def place(self, left: int, top: int, width: int, height: int) -> None:
        """Lie in this rectangle of the group, in screen pixels."""
        dpg.configure_item(self.frame, pos=(left, top), width=width, height=height)

    @property
    def hovered(self) -> bool:
        """Whether the mouse is over the picture."""
        return self._hovered

    def pixel_under_mouse(self) -> Pixel | None:
        """The picture pixel under the mouse, if the mouse is over this pane."""
        return self.pixel_at(dpg.get_mouse_pos(local=False)) if self.hovered else None

    def read_out(self) -> str:
        """The pixel that is pointed at, else size and zoom."""
        if self.pixels is None:
            return ""
        if self.pointed is not None:
            return self.words_at(self.pointed)
        return f"{self.shown_size[0]} × {self.shown_size[1]} px   {self.zoom * 100:.0f} %"

    def _colour_words(self, pixel: Pixel) -> str:
        red, green, blue, _ = self.colour_at(pixel)
        return f"x {pixel[0]} y {pixel[1]}   r {red} g {green} b {blue}"


class PaneGroup:
    """Panes side by side, or two above one where that shows the pictures larger; `update` once per loop."""

    def __init__(self, below: float) -> None:
        """below: lines of text that are kept free under the panes."""
        self.below = below
        self.panes: list[Pane] = []
        self.marks: Sequence[Mark] = ()
        self.tag: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.tag:
            pass
        look.bind_style(self.tag, "bare")
        self._laid: tuple[object, ...] = ()
        self._placed: dict[Pane, Placement] = {}

    def update(self, busy: bool) -> None:
        """Follow the window and the mouse; hand the zoom of the pane that was moved to the others."""
        self._lay_out()
        pixel = next((found for pane in self.panes if (found := pane.pixel_under_mouse()) is not None), None)
        for pane in self.panes:
            pane.pointed = pixel
            pane.overlay.marks = [*self.marks, *self._cursor(pane, pixel)]
            pane.update(busy)
        self._share()

    def fit(self) -> None:
        """Show the whole pictures."""
        for pane in self.panes:
            pane.fit()

    def one_to_one(self) -> None:
        """One picture pixel per screen pixel."""
        for pane in self.panes:
            pane.one_to_one()

    def smooth(self, smooth: bool) -> None:
        """Interpolate between pixels, or show them as squares."""
        for pane in self.panes:
            pane.smooth = smooth

    def _cursor(self, pane: Pane, pixel: Pixel | None) -> list[Mark]:
        """Where the mouse points at in another pane."""
        if pixel is None or pane.hovered:
            return []
        width, height = pane.shown_size
        return [Ring((pixel[0] + 0.5) / width, (pixel[1] + 0.5) / height, 0.0, CURSOR)]

    def _share(self) -> None:
        """The pane that the user zoomed or panned leads; views of the same size get the very same look."""
        moved = [pane for pane in self.panes if pane.hovered and pane.placement != self._placed.get(pane)]
        for pane in self.panes if moved else ():
            lead = moved[0].placement
            pane.placement = replace(pane.placement, zoom=lead.zoom, centre=lead.centre, fitted=lead.fitted)
        self._placed = {pane: pane.placement for pane in self.panes}

    def _lay_out(self) -> None:
        line = look.line_height()
        dpg.configure_item(self.tag, height=-round(self.below * line))
        width, height = (max(8, int(side)) for side in dpg.get_item_rect_size(self.tag))
        shape = next((pane.shown_size for pane in self.panes if pane.pixels is not None), (1, 1))
        if (width, height, shape, line) == self._laid:
            return
        self._laid = (width, height, shape, line)
        for pane, rectangle in zip(self.panes, arrange(len(self.panes), (width, height), shape, 3 * line), strict=True):
            pane.place(*rectangle)


def arrange(
    count: int, view: tuple[int, int], picture: tuple[int, int], text: int, gap: int = GAP
) -> list[tuple[int, int, int, int]]:
    """(left, top, width, height) of each of `count` panes in a view (W, H): as many columns as make the pictures
    largest, `text` pixels of each pane's height being words; of two equals the fewer rows."""

    def scale(columns: int) -> float:
        width, height = cell(columns)
        return min(width / picture[0], (height - text) / picture[1])

    def cell(columns: int) -> tuple[int, int]:
        rows = -(-count // columns)
        return (view[0] - gap * (columns - 1)) // columns, (view[1] - gap * (rows - 1)) // rows

    columns = max(range(count, 0, -1), key=scale)
    width, height = cell(columns)
    places = ((number % columns, number // columns) for number in range(count))
    return [(column * (width + gap), row * (height + gap), width, height) for column, row in places]


def levels(after: np.ndarray, before: np.ndarray, pixel: Pixel, size: tuple[int, int]) -> tuple[int, ...]:
    """after - before, RGBA each, in levels of 0..255 at a pixel of a picture of `size` (W, H) that they stand for."""

    def at(pixels: np.ndarray) -> np.ndarray:
        rows, columns = pixels.shape[:2]
        return pixels[pixel[1] * rows // size[1], pixel[0] * columns // size[0], :3].astype(int)

    return tuple(int(value) for value in at(after) - at(before))
