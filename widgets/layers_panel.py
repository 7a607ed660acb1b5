"""Layers: the table of all layers, all feature maps of one on a sheet, one of them large, or three as colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import get_args

import dearpygui.dearpygui as dpg

from app.frame import Frame, LayerView, LoopState, ModelInfo
from app.request import Mode, RenderRequest, Sort, View
from app.studies.pinned_maps import Pin, PinnedMaps
from networks.plan import LayerInfo, on_picture
from widgets import look
from widgets.choices import Choice
from widgets.icons import icon
from widgets.image_view import ImageView
from widgets.layer_table import LayerTable
from widgets.map_controls import MapControls
from widgets.map_cursor import PAGE, MapCursor, is_sheet, tile_at
from widgets.map_figures import MapFigures
from widgets.map_words import headline, tile_words, value_words
from widgets.panel import Panel, Shortcut
from widgets.pin_tray import PinTray
from widgets.rows import Button, Tag, columns, tooltip
from widgets.sheet_marks import SheetMarks

EMPTY = "Pick a layer to see its feature maps."
WORDS_HINT = (
    "What is shown. PCA: the shares of the variance over the picture that the three components stood for when they"
    " were fitted; red, green and blue are -3 to +3 of their standard deviations."
)
MODES = {"maps": "Maps", "rgb": "3 as RGB", "pca": "PCA as RGB"}
MODE_HINT = (
    "All maps on a sheet; three maps of your choice as red, green and blue; or the three directions in which all maps"
    " together vary most (principal components). Their axes are fitted once and kept while you drag, so that a colour"
    " keeps its meaning."
)


class LayersPanel(Panel):
    """Pick a layer, see its maps; click a tile to see it large, right-click to pin it; Backspace for the sheet."""

    title, order, window_id, area = "Layers", 80, 1_000_000_008, "right-top"

    def build(self) -> None:
        self.cursor = MapCursor()
        self.shown: LayerView | None = None
        self.serial = -1
        self.note = ""  # what was wrong with the last search
        self.table = LayerTable(self.pick_layer)
        self._build_header()
        self.mode = Choice("", "maps", MODES, MODE_HINT, on_change=self._mode_changed)
        self._build_views()
        self.below: Tag
        with dpg.group() as self.below:
            self.figures = MapFigures(self.actions.texture)
            self.settings = MapControls(self.cursor.sort_anew, self.search)
        self.close()

    def _build_header(self) -> None:
        with columns(0.5, 0.1, 0.1, 0.1, 0.1, 0.1):
            self.words: Tag = dpg.add_text("")
            look.bind_font(self.words, "small")
            tooltip(self.words, WORDS_HINT)
            self.pin = _icon_button("pin", "Keep this map in sight, whatever layer or model you look at.", self._pin_it)
            to_sheet = "Back from one map to the contact sheet (Backspace)."
            self.sheet = _icon_button("grid-3x3", to_sheet, self._to_sheet)
            self.back = _icon_button("chevron-left", "The map before this one (Page up).", lambda: self.cursor.turn(-1))
            self.forward = _icon_button(
                "chevron-right", "The map after this one, in the order of the sheet (Page down).",
                lambda: self.cursor.turn(1),
            )  # fmt: skip
            self.none = _icon_button("x", "Look at no layer: saves the work of drawing its maps.", self.close)

    def _build_views(self) -> None:
        table: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as table:
            look.bind_style(table, "rows")
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                with dpg.group():
                    self.view = ImageView(
                        self.actions.texture, on_click=self._click, describe=self._describe, smooth=False
                    )
                self.tray = PinTray(self.actions.texture, self._pick_pin)
        self.marks = SheetMarks(self.view)
        self.tip: Tag
        with dpg.tooltip(self.view.canvas, delay=0.4) as self.tip:
            self.tip_words: Tag = dpg.add_text("")

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if self.tray.pins and self.visible():
            request = replace(request, measures=(*request.measures, self._pinned()))
        at = self.cursor
        return request if at.layer is None else replace(request, view=self._view(at, at.layer))

    def _view(self, at: MapCursor, layer: LayerInfo) -> View:
        asked = self.settings
        sort: Sort = next(name for name in get_args(Sort) if name == asked.sort.value)
        return View(
            layer.name,
            self._stage(layer),
            at.channel if at.mode == "maps" else None,
            at.first,
            PAGE,
            asked.normalize.value,
            asked.gain.value,
            sort,
            asked.held,
            at.mode,
            asked.three(layer.channels),
            asked.fit,
            asked.colours.value,
            asked.overlay.value if at.mode != "maps" or at.channel is not None else 0.0,
            asked.crop.value,
        )

    def restore(self, request: RenderRequest) -> None:
        layers = self.model.layers if self.model is not None else ()
        layer = next((layer for layer in layers if layer.name == request.view.layer), None)
        if layer is None:
            self.close()
            return
        if layer != self.cursor.layer:
            self.pick_layer(layer)
        self.cursor.look_at(request.view)
        self.settings.set(request.view)

    def _pinned(self) -> PinnedMaps:
        asked = self.settings
        return PinnedMaps(tuple(self.tray.pins), asked.colours.value, asked.normalize.value, asked.gain.value)

    def _stage(self, layer: LayerInfo) -> str:
        return self.settings.stage.value if self.settings.stage.value in layer.stages else layer.stages[0]

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            if frame.layer_view is not None and self.cursor.layer is not None:
                self._take(frame.layer_view)
            self.tray.take(frame.answer(PinnedMaps) or ())
        self._enable()
        self.settings.update(self.cursor, self.shown)
        self.view.below = dpg.get_item_rect_size(self.below)[1] / look.line_height()
        self.table.height.update()
        self.view.update(busy=self.cursor.layer is not None and not self.cursor.shows(self.shown))
        width, height = self.view.placement.view
        self.figures.update(width + self.tray.width)
        self.tray.update(height)
        self._mouse()

    def _enable(self) -> None:
        at = self.cursor
        self.sheet.enabled = at.channel is not None or at.mode != "maps"
        self.pin.enabled = at.channel is not None and at.mode == "maps"
        self.back.enabled, self.forward.enabled = at.can_turn(-1), at.can_turn(1)
        self.none.enabled = at.layer is not None
        self.mode.set(at.mode)

    def _mouse(self) -> None:
        """Tooltip, frame and right click of the tile under the mouse; the value under it on the histogram."""
        pixel = self._pixel()
        channel = tile_at(self.shown, *pixel) if pixel is not None and self.shown is not None else None
        pins = [pin.channel for pin in self.tray.pins if self.shown is not None and self._is_here(pin, self.shown)]
        self.marks.update(self.shown if self.cursor.layer is not None else None, channel, self.cursor.found, pins)
        dpg.configure_item(self.tip, show=channel is not None)
        if channel is not None and self.shown is not None:
            dpg.set_value(self.tip_words, tile_words(self.shown, channel, self.settings.sort.value))
            if dpg.is_mouse_button_clicked(dpg.mvMouseButton_Right):
                self._toggle_pin(channel)
        self.figures.point_at(self._value(pixel))

    def _pixel(self) -> tuple[int, int] | None:
        """The pixel of the shown maps under the mouse."""
        hovered = self.cursor.layer is not None and dpg.is_item_hovered(self.view.drawlist)
        return self.view.pixel_at(dpg.get_mouse_pos(local=False)) if hovered else None

    def _value(self, pixel: tuple[int, int] | None) -> float | None:
        values = None if self.shown is None or self.shown.histogram is None else self.shown.values
        return None if values is None or pixel is None else float(values[pixel[1], pixel[0]])

    def _is_here(self, pin: Pin, shown: LayerView) -> bool:
        return (pin.layer, pin.stage) == (shown.layer, shown.stage)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.tray.adopt(model)
        if former is None or model.layers != former.layers:
            self.table.show(model.layers)
            same = next((layer for layer in model.layers if layer == self.cursor.layer), None)
            if same is None:
                self.close()

    def pick_layer(self, layer: LayerInfo) -> None:
        """Show the contact sheet of a layer, or what the mode makes of it."""
        self.cursor.pick_layer(layer)
        self.settings.pick_layer(layer)
        self.table.mark(layer.name)
        self.note = ""

    def close(self) -> None:
        """Look at no layer."""
        self.cursor.pick_layer(None)
        self.settings.pick_layer(None)
        self.shown = None
        self.table.mark("")
        self.view.clear(EMPTY)
        self.figures.clear()
        self.note = ""
        dpg.set_value(self.words, "")

    def search(self, text: str) -> None:
        """Mark the map of this number, or say why there is none."""
        layer = self.cursor.layer
        self.note = ""
        if layer is None or not text:
            self.cursor.found = None
        elif not text.isdecimal() or not self.cursor.has(int(text)):
            self.note = f"{layer.name} has maps 0 to {layer.channels - 1}, no {text}."
        else:
            self.cursor.find(int(text))
        self._say()

    def _say(self) -> None:
        words = self.note or (headline(self.shown, self.cursor) if self.shown is not None else "")
        dpg.configure_item(self.words, default_value=words, color=look.WARNING if self.note else (214, 218, 226, 255))

    def _take(self, view: LayerView) -> None:
        if not self.cursor.shows(self.shown):  # another layer, page or map than before
            self.view.fit()
        self.shown = view
        if is_sheet(view) and self.cursor.layer is not None and view.layer == self.cursor.layer.name:
            self.cursor.order = view.order
        height, width = view.size
        self.view.set_picture(view.pixels, None if is_sheet(view) else (width, height))
        self.figures.show(view)
        self._say()

    def _mode_changed(self, value: str) -> None:
        self.cursor.mode = next(mode for mode in get_args(Mode) if mode == value)

    def _to_sheet(self) -> None:
        self.cursor.back_to_sheet()

    def _pin_it(self) -> None:
        if self.cursor.channel is not None:
            self._toggle_pin(self.cursor.channel)

    def _toggle_pin(self, channel: int) -> None:
        if self.cursor.layer is not None:
            self.tray.toggle(Pin(self.cursor.layer.name, self._stage(self.cursor.layer), channel))

    def _pick_pin(self, pin: Pin) -> None:
        """Look at a pinned map large."""
        layer = next((layer for layer in self.model.layers if layer.name == pin.layer), None) if self.model else None
        if layer is not None:
            if layer != self.cursor.layer:
                self.pick_layer(layer)
            self.settings.stage.set(pin.stage)
            self.cursor.pick_channel(pin.channel)

    def _click(self, x: int, y: int) -> None:
        channel = tile_at(self.shown, x, y) if self.shown is not None else None
        if channel is not None and self.cursor.shows(self.shown):
            self.cursor.pick_channel(channel)
        elif self.shown is not None and self.cursor.layer is not None and not is_sheet(self.shown):
            self.actions.point(*on_picture(x, y, self.shown.size, self.cursor.layer.sampling_rate))

    def _describe(self, x: int, y: int) -> str:
        if self.shown is None or self.cursor.layer is None:
            return ""
        if is_sheet(self.shown):
            channel = tile_at(self.shown, x, y)
            return "" if channel is None else f"map {channel}: click to see it large"
        return value_words(self.shown, x, y)

    def dragging(self) -> bool:
        """Nothing here changes the picture: an early, coarser one is of no use."""
        return False

    def reset(self) -> None:
        super().reset()
        self.settings.reset()
        self.tray.clear()
        self.cursor.mode = "maps"
        self.close()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("Back", "From one feature map back to the sheet", self._to_sheet),
            Shortcut(
                "Prior", "The feature map before this one, or the maps before these", lambda: self.cursor.turn(-1)
            ),
            Shortcut("Next", "The feature map after this one, or the maps after these", lambda: self.cursor.turn(1)),
        )


def _icon_button(name: str, hint: str, press: Callable[[], None]) -> Button:
    return Button(icon(name), hint, press, width=-1, theme="ghost")
