"""Layers: the table of all layers, the feature maps of one as a contact sheet, one map large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LayerView, LoopState, ModelInfo
from app.request import RenderRequest, View
from networks.plan import LayerInfo
from widgets import look
from widgets.choices import Choice
from widgets.controls import Checkbox, Slider
from widgets.icons import icon
from widgets.image_view import ImageView
from widgets.layer_table import LayerTable
from widgets.map_cursor import PAGE, MapCursor, tile_at
from widgets.panel import Panel, Shortcut
from widgets.readouts import Figures
from widgets.rows import Button, columns

EMPTY = "Pick a layer to see its feature maps."
STAGES = {"output": "After the layer", "pre_norm": "Before norm"}
STAGE_HINT = "Where the map is taken: after the layer, or before its normalization."
NORMALIZE_HINT = "Scale each map by its own largest magnitude; off: all by the gain alone."
GAIN_HINT = "Brightness of the maps; 20 dB is a factor of ten."
STATISTICS = {
    "mean ± std": "Mean and standard deviation of the values, without unit; on a sheet, of all maps of the layer.",
    "range": "Smallest and largest value, without unit.",
    "kurtosis": "mean((x − mean)⁴) / variance²: far more than 3 where a few values stand out.",
}
LINES_BELOW, LINES_OF_STAGE = 4.7, 1.8  # lines of text that the controls under the maps take


class LayersPanel(Panel):
    """Pick a layer, see its maps; click a tile to see it large; Backspace for the sheet again."""

    title, order, window_id, area = "Layers", 80, 1_000_000_008, "right-top"

    def build(self) -> None:
        self.cursor = MapCursor()
        self.shown: LayerView | None = None
        self.serial = -1
        self.table = LayerTable(self.pick_layer)
        with columns(0.64, 0.09, 0.09, 0.09, 0.09):
            self.words = dpg.add_text("")
            look.bind_font(self.words, "small")
            to_sheet = "Back from one map to the contact sheet (Backspace)."
            self.sheet = _icon_button("grid-3x3", to_sheet, self.cursor.back_to_sheet)
            self.back = _icon_button("chevron-left", "The maps before these (Page up).", lambda: self.cursor.turn(-1))
            self.forward = _icon_button(
                "chevron-right", "The maps after these (Page down).", lambda: self.cursor.turn(1)
            )
            self.none = _icon_button("x", "Look at no layer: saves the work of drawing its maps.", self.close)
        self.view = ImageView(
            self.actions.texture, on_click=self._click, describe=self._describe, smooth=False, below=LINES_BELOW
        )
        with columns(0.36, 0.64):
            self.normalize = Checkbox("", True, NORMALIZE_HINT, beside="normalize")
            self.gain = Slider("", 0.0, -40.0, 40.0, GAIN_HINT, unit="dB", decimals=1, name="gain")
        self.statistics = Figures(STATISTICS)
        self.stage = Choice("", "output", STAGES, STAGE_HINT)
        self.close()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        at = self.cursor
        if at.layer is None:
            return request
        stage = self.stage.value if self.stage.value in at.layer.stages else at.layer.stages[0]
        view = View(at.layer.name, stage, at.channel, at.first, PAGE, self.normalize.value, self.gain.value)
        return replace(request, view=view)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            if frame.layer_view is not None and self.cursor.layer is not None:
                self._take(frame.layer_view)
        self.sheet.enabled = self.cursor.channel is not None
        self.back.enabled, self.forward.enabled = self.cursor.can_turn(-1), self.cursor.can_turn(1)
        self.none.enabled = self.cursor.layer is not None
        self.table.height.update()
        self.view.update(busy=self.cursor.layer is not None and not self.cursor.shows(self.shown))

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or model.layers != former.layers:
            self.table.show(model.layers)
            self.close()

    def pick_layer(self, layer: LayerInfo) -> None:
        """Show the contact sheet of a layer."""
        self.cursor.pick_layer(layer)
        self.table.mark(layer.name)
        self._offer_stages(len(layer.stages) > 1)

    def close(self) -> None:
        """Look at no layer."""
        self.cursor.pick_layer(None)
        self.shown = None
        self.table.mark("")
        self.view.clear(EMPTY)
        self.statistics.show("", "", "")
        self._offer_stages(False)
        dpg.set_value(self.words, "")

    def _offer_stages(self, several: bool) -> None:
        dpg.configure_item(self.stage.tag, show=several)
        self.view.below = LINES_BELOW + LINES_OF_STAGE * several

    def _take(self, view: LayerView) -> None:
        if not self.cursor.shows(self.shown):  # another layer, page or map than before
            self.view.fit()
        self.shown = view
        height, width = view.size
        self.view.set_picture(view.pixels, None if view.channel is None else (width, height))
        last = view.first + view.count - 1
        maps = f"{view.first}–{last}" if view.channel is None else f"map {view.channel}"
        dpg.set_value(self.words, f"{view.layer}: {maps} of {view.channels}")
        values = view.statistics
        self.statistics.show(
            f"{values.mean + 0.0:+.3g} ± {values.std:.3g}",
            f"{values.minimum + 0.0:+.3g} to {values.maximum + 0.0:+.3g}",
            f"{values.kurtosis:.3g}",
        )

    def _click(self, x: int, y: int) -> None:
        channel = tile_at(self.shown, x, y) if self.shown is not None else None
        if channel is not None and self.cursor.shows(self.shown):
            self.cursor.pick_channel(channel)

    def _describe(self, x: int, y: int) -> str:
        if self.shown is None or self.shown.channel is not None:
            return f"x {x}  y {y}"
        channel = tile_at(self.shown, x, y)
        return "" if channel is None else f"map {channel}: click to see it large"

    def reset(self) -> None:
        super().reset()
        self.close()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("Back", "From one feature map back to the sheet", self.cursor.back_to_sheet),
            Shortcut("Prior", "The feature maps before these", lambda: self.cursor.turn(-1)),
            Shortcut("Next", "The feature maps after these", lambda: self.cursor.turn(1)),
        )


def _icon_button(name: str, hint: str, press: Callable[[], None]) -> Button:
    return Button(icon(name), hint, press, width=-1, theme="ghost")
