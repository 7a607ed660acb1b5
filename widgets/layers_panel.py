"""Layers: the table of all layers, the feature maps of one as a contact sheet, one map large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LayerView, LoopState, ModelInfo
from app.request import RenderRequest, View
from networks.plan import LayerInfo
from widgets.choices import Choice
from widgets.controls import Checkbox, Slider
from widgets.icons import icon
from widgets.image_view import ImageView
from widgets.layer_table import LayerTable
from widgets.panel import Panel, Shortcut
from widgets.readouts import Figures
from widgets.rows import Button, columns

STAGES = {"output": "After the layer", "pre_norm": "Before norm"}
PAGE = 64  # maps on one sheet
EMPTY = "Pick a layer to see its feature maps."
STATISTICS = {
    "mean ± std": "Mean and standard deviation of the values, without unit; on a sheet, of all maps of the layer.",
    "range": "Smallest and largest value, without unit.",
    "kurtosis": "mean((x − mean)⁴) / variance²: 3 for a normal distribution, far more where a few values stand out.",
}
NORMALIZE_HINT = "Scale each map by its own largest magnitude; off: all by the gain alone."
GAIN_HINT = "Brightness of the maps; 20 dB is a factor of ten."


class LayersPanel(Panel):
    """Pick a layer, see its maps; click a tile to see it large; Backspace for the sheet again."""

    title, order, window_id, area = "Layers", 80, 1008, "right-top"

    def build(self) -> None:
        self.table = LayerTable(self.pick_layer)
        self.layer: LayerInfo | None = None
        self.channel: int | None = None
        self.first = 0
        self.shown: LayerView | None = None
        with columns(0.56, 0.11, 0.11, 0.11, 0.11):
            self.words = dpg.add_text("")
            self.sheet = _icon_button(
                "grid-3x3", "Back from one map to the contact sheet (Backspace).", self.back_to_sheet
            )
            self.back = _icon_button("chevron-left", "The maps before these (Page up).", lambda: self.turn(-1))
            self.forward = _icon_button("chevron-right", "The maps after these (Page down).", lambda: self.turn(1))
            self.none = _icon_button("x", "Look at no layer: saves the work of drawing its maps.", self.close)
        self.view = ImageView(
            self.actions.texture,
            on_click=self._click,
            describe=self._describe,
            smooth=False,
            below=4.7,
            empty=EMPTY,
        )
        with columns(0.36, 0.64):
            self.normalize = Checkbox("", True, NORMALIZE_HINT, beside="normalize")
            self.gain = Slider("", 0.0, -40.0, 40.0, GAIN_HINT, unit="dB", decimals=1, name="gain")
        self.statistics = Figures(STATISTICS)
        self.stage = Choice(
            "", "output", STAGES, "Where the map is taken: after the layer, or before its normalization."
        )
        dpg.configure_item(self.stage.tag, show=False)
        self.serial = -1

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if self.layer is None:
            return request
        stage = self.stage.value if self.stage.value in self.layer.stages else self.layer.stages[0]
        view = View(self.layer.name, stage, self.channel, self.first, PAGE, self.normalize.value, self.gain.value)
        return replace(request, view=view)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            if frame.layer_view is not None and self.layer is not None:
                self._take(frame.layer_view)
        self._show_buttons()
        self.table.height.update()
        behind = self.layer is not None and (self.shown is None or not self._matches(self.shown))
        self.view.update(busy=behind)

    def _matches(self, view: LayerView) -> bool:
        return self.layer is not None and (view.layer, view.channel) == (self.layer.name, self.channel)

    def _take(self, view: LayerView) -> None:
        if self._matches(view) and (
            self.shown is None or (view.layer, view.channel, view.first) != self._place(self.shown)
        ):
            self.view.fit()
        self.shown = view
        height, width = view.size
        self.view.set_picture(view.pixels, (width, height) if view.channel is not None else None)
        maps = (
            f"map {view.channel}" if view.channel is not None else f"maps {view.first} to {view.first + view.count - 1}"
        )
        dpg.set_value(self.words, f"{view.layer}: {maps} of {view.channels}")
        values = view.statistics
        self.statistics.show(
            f"{values.mean:+.3g} ± {values.std:.3g}",
            f"{values.minimum:+.3g} to {values.maximum:+.3g}",
            f"{values.kurtosis:.3g} (normal: 3)",
        )

    @staticmethod
    def _place(view: LayerView) -> tuple[str, int | None, int]:
        return view.layer, view.channel, view.first

    def _show_buttons(self) -> None:
        last = self.layer.channels - 1 if self.layer is not None else 0
        self.sheet.enabled = self.channel is not None
        self.none.enabled = self.layer is not None
        self.back.enabled = self.layer is not None and (self.channel or self.first) > 0
        self.forward.enabled = self.layer is not None and (
            self.channel < last if self.channel is not None else self.first + PAGE <= last
        )

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or model.layers != former.layers:
            self.table.show(model.layers)
            self.close()

    def pick_layer(self, layer: LayerInfo) -> None:
        """Show the contact sheet of a layer."""
        self.layer, self.channel, self.first = layer, None, 0
        self.table.mark(layer.name)
        self._offer_stages(len(layer.stages) > 1)

    def _offer_stages(self, several: bool) -> None:
        dpg.configure_item(self.stage.tag, show=several)
        self.view.below = 6.5 if several else 4.7

    def pick_channel(self, channel: int) -> None:
        """Show one map large."""
        if self.layer is not None and 0 <= channel < self.layer.channels:
            self.channel = channel

    def back_to_sheet(self) -> None:
        """Show the contact sheet on which the map was."""
        if self.channel is not None:
            self.first = self.channel // PAGE * PAGE
            self.channel = None

    def turn(self, step: int) -> None:
        """The next or former page of the sheet, or the next or former map."""
        if self.layer is None:
            return
        if self.channel is not None:
            self.pick_channel(self.channel + step)
        elif 0 <= self.first + step * PAGE < self.layer.channels:
            self.first += step * PAGE

    def close(self) -> None:
        """Look at no layer."""
        self.layer = self.channel = self.shown = None
        self.first = 0
        self.table.mark("")
        self.view.clear(EMPTY)
        self.statistics.show("", "", "")
        dpg.set_value(self.words, "")

    def _click(self, x: int, y: int) -> None:
        channel = tile_at(self.shown, x, y) if self.shown is not None else None
        if channel is not None and self.channel is None:
            self.pick_channel(channel)

    def _describe(self, x: int, y: int) -> str:
        if self.shown is None:
            return ""
        if self.shown.channel is not None:
            return f"x {x}  y {y}"
        channel = tile_at(self.shown, x, y)
        return "" if channel is None else f"map {channel}: click to see it large"

    def reset(self) -> None:
        super().reset()
        self.close()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("Back", "From one feature map back to the sheet", self.back_to_sheet),
            Shortcut("Prior", "The feature maps before these", lambda: self.turn(-1)),
            Shortcut("Next", "The feature maps after these", lambda: self.turn(1)),
        )


def _icon_button(name: str, hint: str, press: Callable[[], None]) -> Button:
    return Button(icon(name), hint, press, width=-1, theme="ghost")


def tile_at(view: LayerView, x: int, y: int) -> int | None:
    """The channel whose tile covers the pixel (x, y) of a contact sheet; None in an empty tile or on one large map."""
    if view.channel is not None:
        return None
    columns, width = view.columns, view.pixels.shape[1]
    gap = (width - columns * view.tile[1]) // (columns - 1) if columns > 1 else 0  # pixels between two tiles
    number = y // (view.tile[0] + gap) * columns + x // (view.tile[1] + gap)
    return view.first + number if number < view.count else None
