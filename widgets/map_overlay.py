"""A feature map over the picture: half transparent, in its place, with or without the margin around it."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg

from app.frame import Frame, LayerView
from widgets.image_view import ImageView
from widgets.map_cursor import is_sheet
from widgets.panel import Texture
from widgets.rows import Tag

Corners = tuple[tuple[float, float], tuple[float, float]]


class MapOverlay:
    """Drawn over an ImageView's picture, below its marks. Its texture is made when it is first needed."""

    def __init__(self, view: ImageView, texture: Callable[[], Texture]) -> None:
        self.view, self.make = view, texture
        self.texture: Texture | None = None
        self.layer: Tag = dpg.add_draw_layer(parent=view.drawlist, before=view.overlay.layer)
        self.shown: LayerView | None = None
        self.opacity, self.crop = 0.0, True
        self._drawn: tuple[object, ...] = ()

    def take(self, frame: Frame) -> None:
        """Follow a frame: one map, or three as colours, with the opacity that was asked for; a sheet is no overlay."""
        view, asked = frame.layer_view, frame.request.view
        self.opacity, self.crop = asked.overlay, asked.crop
        wanted = view if view is not None and asked.overlay > 0 and not is_sheet(view) else None
        if wanted is not None and (self.shown is None or wanted.pixels is not self.shown.pixels):
            self.texture = self.texture or self.make()
            self.texture.upload(wanted.pixels)
        self.shown = wanted

    def update(self) -> None:
        """Follow the picture's place; call it after the view's own update."""
        tag = None if self.texture is None else self.texture.tag
        wanted = (id(self.shown), self.opacity, self.crop, self.view.placement, tag, self.view.smooth)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        dpg.delete_item(self.layer, children_only=True)
        if self.shown is None or self.texture is None or self.view.pixels is None:
            return
        self.texture.set_filter(self.view.smooth)
        (left, top), (right, bottom) = place(self.shown, self.view.placement.corners(), self.crop)
        uv_min, uv_max = texture_part(self.shown, self.crop)
        (u0, v0), (u1, v1), (u, v) = uv_min, uv_max, self.texture.uv_max
        dpg.draw_image(
            self.texture.tag, (left, top), (right, bottom), uv_min=(u0 * u, v0 * v), uv_max=(u1 * u, v1 * v),
            color=(255, 255, 255, round(255 * self.opacity)), parent=self.layer,
        )  # fmt: skip


def place(shown: LayerView, picture: Corners, crop: bool) -> Corners:
    """Where the map lies, given the corners of the picture: on it, or beyond its edges by the margin."""
    (left, top), (right, bottom) = picture
    if crop:
        return picture
    (height, width), (rows, columns) = shown.size, shown.margin
    dx = (right - left) * columns / (width - 2 * columns)
    dy = (bottom - top) * rows / (height - 2 * rows)
    return (left - dx, top - dy), (right + dx, bottom + dy)


def texture_part(shown: LayerView, crop: bool) -> Corners:
    """The part of the map that is drawn, in shares of it."""
    if not crop:
        return (0.0, 0.0), (1.0, 1.0)
    (height, width), (rows, columns) = shown.size, shown.margin
    return (columns / width, rows / height), (1 - columns / width, 1 - rows / height)
