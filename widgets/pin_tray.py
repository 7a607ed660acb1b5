"""The tray: pinned feature maps, live, whatever layer or model is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import ModelInfo
from app.studies.pinned_maps import Pin, PinnedMap
from widgets import look
from widgets.panel import Texture
from widgets.rows import Tag

TILE, WORDS, GAP = 64, 28, 8  # screen pixels at scale 1: a tile, the two lines under it, what lies between two pins
MOST = 64
CELL = 96  # pixels of a tile on the tray's texture
GREY: look.Colour = (40, 43, 49, 255)


class PinTray:
    """A column of tiles beside the sheet; hidden while nothing is pinned. The oldest leaves when there are too many.

    pick(pin): a tile was clicked. A right click takes a pin out. Which are pinned: `pins`.
    """

    def __init__(self, texture: Callable[[], Texture], pick: Callable[[Pin], None]) -> None:
        self.texture, self.pick = texture(), pick
        self.texture.set_filter(False)
        self.pins: list[Pin] = []
        self.maps: dict[Pin, PinnedMap] = {}
        self.model: ModelInfo | None = None
        self.canvas: Tag
        with dpg.child_window(border=False, show=False) as self.canvas:
            self.drawlist: Tag = dpg.add_drawlist(8, 8)
        look.bind_style(self.canvas, "canvas")
        self.tip: Tag
        with dpg.tooltip(self.canvas, delay=0.4) as self.tip:
            self.words: Tag = dpg.add_text("", wrap=300)
        self._drawn: tuple[object, ...] = ()

    @property
    def width(self) -> int:
        """Screen pixels that it takes, scroll bar included."""
        return look.pixels(TILE + 2 * GAP + 12) if self.pins else 0

    def toggle(self, pin: Pin) -> None:
        """Pin a map, or take its pin out."""
        if pin in self.pins:
            self.pins.remove(pin)
            self.maps.pop(pin, None)
        else:
            self.pins = [*self.pins, pin][-MOST:]
        self._upload()

    def clear(self) -> None:
        """Take all pins out."""
        self.pins, self.maps, self._drawn = [], {}, ()

    def take(self, answer: Sequence[PinnedMap]) -> None:
        """New small pictures; a pin that the picture did not reach keeps its last one."""
        fresh = {found.pin: found for found in answer if found.pin in self.pins}
        if any(self.maps.get(pin) is not found for pin, found in fresh.items()):
            self.maps |= fresh
            self._upload()

    def adopt(self, model: ModelInfo) -> None:
        """Another model: pictures of the former one are gone."""
        self.model, self.maps, self._drawn = model, {}, ()

    def missing(self, pin: Pin) -> str:
        """Why the open model has no such map, in a sentence; '' where it has."""
        if self.model is None:
            return "No model is open."
        layer = next((layer for layer in self.model.layers if layer.name == pin.layer), None)
        if layer is None:
            return f"{self.model.name} has no layer {pin.layer}."
        if pin.stage not in layer.stages:
            return f"{pin.layer} of {self.model.name} normalizes nothing, so there is no map before it."
        if pin.channel >= layer.channels:
            return f"{pin.layer} of {self.model.name} has {layer.channels} maps, so there is no map {pin.channel}."
        return ""

    def _upload(self) -> None:
        """All small pictures below each other on one texture."""
        column = np.zeros((CELL * max(1, len(self.pins)), CELL, 4), np.uint8)
        for number, pin in enumerate(self.pins):
            if (found := self.maps.get(pin)) is not None:
                height, width = found.pixels.shape[:2]
                column[number * CELL : number * CELL + height, :width] = found.pixels
        self.texture.upload(column)
        self._drawn = ()

    def update(self, height: int) -> None:
        """Follow the height of the sheet beside it, the scale and the mouse."""
        wanted = (tuple(self.pins), height, look.pixels(100), self.texture.tag, self.model)
        if wanted != self._drawn:
            self._drawn = wanted
            dpg.configure_item(self.canvas, show=bool(self.pins), width=self.width, height=height)
            self._draw()
        if self.pins:
            self._mouse()
        else:  # the tooltip of a hidden item would stand beside whatever was drawn before it
            dpg.configure_item(self.tip, show=False)

    @property
    def pitch(self) -> int:
        """Screen pixels from one pin to the next."""
        return look.pixels(TILE + WORDS + GAP)

    def _draw(self) -> None:
        dpg.delete_item(self.drawlist, children_only=True)
        side, left = look.pixels(TILE), look.pixels(GAP)
        dpg.configure_item(self.drawlist, width=side + 2 * left, height=max(8, self.pitch * len(self.pins) + left))
        for number, pin in enumerate(self.pins):
            top = left + number * self.pitch
            missing = bool(self.missing(pin))
            if missing or pin not in self.maps:
                dpg.draw_rectangle((left, top), (left + side, top + side), fill=GREY, color=GREY, parent=self.drawlist)
            else:
                self._picture(number, self.maps[pin], left, top, side)
            self._label(pin, missing, left, top + side)

    def _picture(self, number: int, found: PinnedMap, left: int, top: int, side: int) -> None:
        height, width = found.pixels.shape[:2]
        (u, v), rows = self.texture.uv_max, CELL * len(self.pins)
        scale = side / max(width, height)
        dpg.draw_image(
            self.texture.tag, (left, top), (left + width * scale, top + height * scale),
            uv_min=(0, v * number * CELL / rows), uv_max=(u * width / CELL, v * (number * CELL + height) / rows),
            parent=self.drawlist,
        )  # fmt: skip

    def _label(self, pin: Pin, missing: bool, left: int, top: int) -> None:
        size = look.pixels(12)
        colour = look.MUTED if missing else (214, 218, 226, 255)
        stage = " before" if pin.stage != "output" else ""
        dpg.draw_text((left, top + 1), f"map {pin.channel}{stage}", size=size, color=colour, parent=self.drawlist)
        dpg.draw_text((left, top + 1 + size), pin.layer, size=size, color=look.MUTED, parent=self.drawlist)

    def _mouse(self) -> None:
        pin = self._under_mouse()
        dpg.configure_item(self.tip, show=pin is not None)
        if pin is None:
            return
        dpg.set_value(self.words, self.describe(pin))
        if dpg.is_mouse_button_clicked(dpg.mvMouseButton_Right):
            self.toggle(pin)
        elif dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left) and not self.missing(pin):
            self.pick(pin)

    def _under_mouse(self) -> Pin | None:
        if not dpg.is_item_hovered(self.drawlist):
            return None
        number = int((dpg.get_mouse_pos(local=False)[1] - dpg.get_item_rect_min(self.drawlist)[1]) // self.pitch)
        return self.pins[number] if 0 <= number < len(self.pins) else None

    def describe(self, pin: Pin) -> str:
        """What a person wants to know of a pin."""
        where = f"{pin.layer}, map {pin.channel}" + (", before its normalization" if pin.stage != "output" else "")
        if sentence := self.missing(pin):
            return f"{where}\n{sentence} It is kept for models that have it.\nRight click: take the pin out."
        found = self.maps.get(pin)
        values = ""
        if found is not None:
            of = found.statistics
            values = (
                f"\nmean {of.mean:+.3g}   std {of.std:.3g}\nmin {of.minimum:+.3g}   max {of.maximum:+.3g}"
                f"   kurtosis {of.kurtosis:.3g}"
            )
        return f"{where}{values}\nClick: look at it large. Right click: take the pin out."
