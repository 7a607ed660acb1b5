"""What the ends of each slider look like: two small pictures, beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Pixels
from widgets import look
from widgets.canvas import BRIGHT, TRACK
from widgets.panel import Texture
from widgets.rows import Tag

SIDE = 72.0  # screen pixels at scale 1
CHIP: look.Colour = (14, 15, 17, 190)


class EndPicture:
    """A square of the panel with one picture of the common texture, and a few words on its edge."""

    def __init__(self) -> None:
        side = look.pixels(SIDE)
        self.tag: Tag = dpg.add_drawlist(side, side)
        self._drawn: tuple[object, ...] = ()

    def show(
        self, texture: Texture, box: tuple[tuple[float, float], tuple[float, float]] | None, words: str, shape: float
    ) -> None:
        """box: (uv_min, uv_max) on the texture, None: no picture yet. shape: height over width."""
        side = look.pixels(SIDE)
        state = (texture.tag, texture.uv_max, box, words, side)
        if state == self._drawn:
            return
        self._drawn = state
        dpg.configure_item(self.tag, width=side, height=side)
        dpg.delete_item(self.tag, children_only=True)
        wide, high = (side, side * shape) if shape <= 1 else (side / shape, side)
        left, top = (side - wide) / 2, (side - high) / 2
        if box is None:
            dpg.draw_rectangle((0, 0), (side, side), color=(0, 0, 0, 0), fill=TRACK, rounding=4, parent=self.tag)
        else:
            dpg.draw_image(
                texture.tag, (left, top), (left + wide, top + high), uv_min=box[0], uv_max=box[1], parent=self.tag
            )  # fmt: skip
        size = look.pixels(13)
        width = len(words) * size * 0.55
        bottom = side - size - 3
        dpg.draw_rectangle(
            (2, bottom - 2), (8 + width, side - 2), color=(0, 0, 0, 0), fill=CHIP, rounding=3, parent=self.tag
        )  # fmt: skip
        dpg.draw_text((5, bottom - 1), words, size=size, color=BRIGHT, parent=self.tag)


class EndTexture:
    """All small pictures on one texture, uploaded when one of them changed."""

    def __init__(self, texture: Callable[[], Texture]) -> None:
        self.texture = texture()
        self.pictures: tuple[Pixels | None, ...] = ()
        self._size = (1, 1)

    def put(self, pictures: Sequence[Pixels | None]) -> None:
        """These pictures, None where there is none yet."""
        same = len(pictures) == len(self.pictures) and all(
            one is other for one, other in zip(pictures, self.pictures, strict=True)
        )
        self.pictures = tuple(pictures)
        there = [picture for picture in pictures if picture is not None]
        if same or not there:
            return
        high, wide = max(p.shape[0] for p in there), max(p.shape[1] for p in there)
        atlas = np.zeros((-(-len(pictures) // 2) * high, 2 * wide, 4), np.uint8)
        for place, picture in enumerate(pictures):
            if picture is not None:
                top, left = place // 2 * high, place % 2 * wide
                atlas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        self._size = high, wide
        self.texture.upload(atlas)
        self.texture.set_filter(True)

    def box(self, place: int) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Where a picture lies on the texture, as (uv_min, uv_max); None where there is none."""
        picture = self.pictures[place] if place < len(self.pictures) else None
        if picture is None:
            return None
        (high, wide), (u, v) = self._size, self.texture.uv_max
        width, height = 2 * wide, -(-len(self.pictures) // 2) * high
        left, top = place % 2 * wide, place // 2 * high
        return (
            (u * left / width, v * top / height),
            (u * (left + picture.shape[1]) / width, v * (top + picture.shape[0]) / height),
        )
