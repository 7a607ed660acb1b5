"""Marks over the contact sheet: numbers, the tile under the mouse, the one searched for, pins; the margin."""

from __future__ import annotations

from collections.abc import Collection

import dearpygui.dearpygui as dpg

from app.frame import LayerView
from widgets import look
from widgets.image_view import ImageView
from widgets.map_cursor import Box, box_of, is_sheet
from widgets.rows import Tag

NUMBERED_PX = 30  # screen pixels at scale 1 that a tile must be wide to carry its number
TEXT = 11  # height of the numbers at scale 1
HOVER: look.Colour = (235, 238, 243, 255)
SHADE: look.Colour = (0, 0, 0, 190)
PLATE: look.Colour = (0, 0, 0, 130)  # under the numbers
Rect = tuple[float, float, float, float]


class SheetMarks:
    """Drawn over an ImageView; what did not change is not drawn again."""

    def __init__(self, view: ImageView) -> None:
        self.view = view
        self.layer: Tag = dpg.add_draw_layer(parent=view.drawlist)
        self._drawn: tuple[object, ...] = ()

    def update(self, shown: LayerView | None, hovered: int | None, found: int | None, pins: Collection[int]) -> None:
        """hovered, found, pins: channels of the shown layer."""
        placement = self.view.placement
        wanted = (id(shown), placement, hovered, found, tuple(pins), look.pixels(100), self.view.pixels is None)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        dpg.delete_item(self.layer, children_only=True)
        if shown is None or self.view.pixels is None:
            return
        if not is_sheet(shown):
            self._margin(shown)
            return
        places = {channel: place for place, channel in enumerate(shown.order)}
        self._numbers(shown)
        for channel in pins:
            self._pin(self._rect(box_of(shown, places.get(channel, channel))))
        for marked, colour in ((found, look.ACCENT), (hovered, HOVER)):
            if marked is not None:
                self._frame(self._rect(box_of(shown, places.get(marked, marked))), colour)

    def _rect(self, box: Box | None) -> Rect | None:
        """Pixels of the sheet -> pixels of the view; None where nothing of it is visible."""
        if box is None:
            return None
        (left, top), _ = self.view.placement.corners()
        zoom, (width, height) = self.view.placement.zoom, self.view.placement.view
        rect = (left + box[0] * zoom, top + box[1] * zoom, left + box[2] * zoom, top + box[3] * zoom)
        return rect if rect[2] > 0 and rect[3] > 0 and rect[0] < width and rect[1] < height else None

    def _frame(self, rect: Rect | None, colour: look.Colour) -> None:
        if rect is not None:
            for grow, line, paint in ((1.5, 4.0, SHADE), (1.5, 2.0, colour)):
                dpg.draw_rectangle(
                    (rect[0] - grow, rect[1] - grow), (rect[2] + grow, rect[3] + grow), color=paint, thickness=line,
                    parent=self.layer,
                )  # fmt: skip

    def _pin(self, rect: Rect | None) -> None:
        if rect is not None:
            size = max(3.0, min(look.pixels(5), (rect[2] - rect[0]) / 4))
            at = (rect[2] - size - 1, rect[1] + size + 1)
            dpg.draw_circle(at, size, color=SHADE, fill=look.WARNING, parent=self.layer)

    def _numbers(self, shown: LayerView) -> None:
        """On each tile that is wide enough and in sight."""
        if shown.tile[1] * self.view.zoom < look.pixels(NUMBERED_PX):
            return
        size = look.pixels(TEXT)
        for place in range(shown.first, shown.first + shown.count):
            rect = self._rect(box_of(shown, place))
            if rect is not None:
                words = str(shown.order[place] if shown.order else place)
                end = (rect[0] + 5 + 0.56 * size * len(words), rect[1] + size + 2)
                dpg.draw_rectangle(rect[:2], end, color=PLATE, fill=PLATE, parent=self.layer)
                dpg.draw_text((rect[0] + 2, rect[1] + 1), words, size=size, color=HOVER, parent=self.layer)

    def _margin(self, shown: LayerView) -> None:
        """Where the picture ends on one large map of an alias-free generator."""
        rows, columns = (round(side) for side in shown.margin)
        height, width = shown.size
        rect = self._rect((columns, rows, width - columns, height - rows)) if rows or columns else None
        if rect is not None:
            for line, paint in ((3.0, SHADE), (1.2, look.WARNING)):
                dpg.draw_rectangle(rect[:2], rect[2:], color=paint, thickness=line, parent=self.layer)
