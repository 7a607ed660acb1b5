"""Marks over the picture that panels ask for (`Actions.mark`): rings and trails, placed in shares of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.rows import Tag
from widgets.view_math import Placement

SHADE: look.Colour = (0, 0, 0, 150)  # under every line, so that it stands out from any picture
GROUND: look.Colour = (14, 15, 17, 205)  # behind words
SMALLEST_RING, LINE, TEXT = 7.0, 1.8, 17.0  # screen pixels at scale 1: radius, thickness, height of a label


@dataclass(frozen=True)
class Ring:
    """A circle around (x, y), shares of the picture's width and height from its upper left corner.

    radius: in picture heights; never drawn smaller than a ring that one can see.
    """

    x: float
    y: float
    radius: float = 0.0
    colour: look.Colour = look.WARNING
    label: str = ""


@dataclass(frozen=True)
class Trail:
    """A line through points (x, y), shares of the picture's width and height."""

    points: tuple[tuple[float, float], ...]
    colour: look.Colour = look.WARNING


Mark = Ring | Trail
Point = tuple[float, float]


class Overlay:
    """Draws marks where a picture lies; what did not change is not drawn again."""

    def __init__(self, drawlist: Tag) -> None:
        self.layer: Tag = dpg.add_draw_layer(parent=drawlist)
        self.marks: Sequence[Mark] = ()
        self._drawn: tuple[object, ...] = ()

    def draw(self, placement: Placement | None) -> None:
        """Draw on a picture placed so; None: there is no picture, so there are no marks."""
        marks = tuple(self.marks) if placement is not None else ()
        wanted = (marks, placement if marks else None, look.pixels(100))
        if wanted == self._drawn:
            return
        self._drawn = wanted
        dpg.delete_item(self.layer, children_only=True)
        for mark in marks:
            assert placement is not None
            if isinstance(mark, Ring):
                self._ring(mark, placement)
            else:
                self._trail(mark, placement)

    def _ring(self, ring: Ring, placement: Placement) -> None:
        centre = on_view(placement, ring.x, ring.y)
        radius = max(float(look.pixels(SMALLEST_RING)), ring.radius * placement.picture[1] * placement.zoom)
        line = max(1.0, LINE * look.pixels(100) / 100)
        dpg.draw_circle(centre, radius, color=SHADE, thickness=line + 2.5, segments=48, parent=self.layer)
        dpg.draw_circle(centre, radius, color=ring.colour, thickness=line, segments=48, parent=self.layer)
        if ring.label:
            self._label(ring, centre, radius)

    def _label(self, ring: Ring, centre: Point, radius: float) -> None:
        """Words beside a ring, on a dark ground; at its left in the right half of the picture, where there is room."""
        size, gap, pad = look.pixels(TEXT), look.pixels(6), look.pixels(4)
        known = dpg.get_text_size(ring.label) or (0.0, 0.0)  # at the body font's size
        width = known[0] * size / max(1.0, known[1])
        x, y = centre[0] + radius + gap + pad, centre[1] - size / 2
        if ring.x > 0.5:
            x = centre[0] - radius - gap - pad - width
        corners = (x - pad, y - pad / 2), (x + width + pad, y + size + pad / 2)
        dpg.draw_rectangle(*corners, color=GROUND, fill=GROUND, rounding=pad, parent=self.layer)
        dpg.draw_text((x, y), ring.label, size=size, color=ring.colour, parent=self.layer)

    def _trail(self, trail: Trail, placement: Placement) -> None:
        points = [list(on_view(placement, x, y)) for x, y in trail.points]
        line = max(1.0, LINE * look.pixels(100) / 100)
        if len(points) > 1:
            dpg.draw_polyline(points, color=SHADE, thickness=line + 2.5, parent=self.layer)
            dpg.draw_polyline(points, color=trail.colour, thickness=line, parent=self.layer)
        for point in points:
            dpg.draw_circle(point, line + 1, color=SHADE, fill=trail.colour, parent=self.layer)


def on_view(placement: Placement, x: float, y: float) -> Point:
    """A point given in shares of the picture -> view pixels."""
    (left, top), (right, bottom) = placement.corners()
    return left + x * (right - left), top + y * (bottom - top)
