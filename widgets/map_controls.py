"""The settings under the feature maps: order and search, colours and brightness, what goes over the picture, stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import LayerView
from app.request import View
from networks.plan import LayerInfo
from widgets.choices import Choice, Combo
from widgets.controls import Checkbox, Control, IntField, Slider, TextField
from widgets.icons import icon
from widgets.map_cursor import MapCursor, is_sheet
from widgets.map_words import SORTS
from widgets.rows import Button, Tag, columns

COLOURS = {
    "grey": "grey around 0",
    "viridis": "viridis",
    "magma": "magma",
    "inferno": "inferno",
    "berlin": "berlin, 0 dark",
    "vik": "vik, 0 light",
}
COLOURS_HINT = (
    "Colours of the maps: grey, berlin and vik have 0 in the middle, viridis, magma and inferno run from the lowest"
    " value to the highest. All but grey are perceptually uniform."
)
STAGES = {"output": "After the layer", "pre_norm": "Before norm"}
STAGE_HINT = "Where the map is taken: after the layer, or before its normalization."
SORT_HINT = (
    "The order of the maps on the sheet, the largest first. Variance and energy (mean square) of the values; droplet"
    " score: how far the strongest value stands out from the map, max |x − median| / scale; response: mean |map − map"
    " without the edits|, 0 while there are no edits (Edits panel). No units."
)
HOLD_HINT = "Hold the order as it is now, so that tiles stay in their places while you drag."
NORMALIZE_HINT = (
    "Scale each map by its own largest magnitude, as the sheet shows it; off: all by the gain alone, so that strong"
    " and weak maps can be compared."
)
GAIN_HINT = "Brightness of the maps; 20 dB is a factor of ten."
OVERLAY_HINT = "Opacity of the map over the picture; for one large map, three as RGB, or PCA."
CROP_HINT = (
    "Over the picture: leave out the margin that StyleGAN3's and XL's maps carry around it; off: show it beyond the"
    " picture's edges."
)
FIT_HINT = (
    "Fit the principal components to the picture that is shown now. Until then the axes stay those of the first"
    " picture that you looked at, while you drag, so that a colour keeps its meaning."
)


class MapControls:
    """sort_anew: the order is about to change. search(text): a number was typed."""

    def __init__(self, sort_anew: Callable[[], None], search: Callable[[str], None]) -> None:
        self.fit = 0
        self.held: tuple[int, ...] = ()
        self.order: tuple[int, ...] = ()  # of the sheet that is shown
        self.holding = False
        self._several_stages = False
        self.row_sheet: Tag
        self.row_three: Tag
        self.row_fit: Tag
        self.row_overlay: Tag
        with dpg.group() as self.row_sheet, columns(0.52, 0.1, 0.38):
            self.sort = Combo("", "index", SORTS, SORT_HINT, on_change=lambda _: self._sort_changed(sort_anew))
            self.hold = Button(icon("lock-open"), HOLD_HINT, self.toggle_hold, width=-1, theme="ghost")
            self.number = TextField(
                "", "Number of a map, then Enter: marks it on the sheet, or goes there.", placeholder="go to map",
                on_change=search,
            )  # fmt: skip
        with dpg.group(show=False) as self.row_three, columns(1, 1, 1):
            self.channels = [
                IntField("", number, f"The map that is shown as {colour}.", low=0)
                for number, colour in enumerate(("red", "green", "blue"))
            ]
        with dpg.group(show=False) as self.row_fit:
            self.refit = Button("Fit the axes to this picture", FIT_HINT, self._fit_again, width=-1)
        with columns(0.4, 0.29, 0.31):
            self.colours = Combo("", "grey", COLOURS, COLOURS_HINT)
            self.normalize = Checkbox("", True, NORMALIZE_HINT, beside="normalize")
            self.gain = Slider("", 0.0, -40.0, 40.0, GAIN_HINT, unit="dB", decimals=1, name="gain")
        with dpg.group(show=False) as self.row_overlay, columns(0.7, 0.3):
            self.overlay = Slider("", 0.0, 0.0, 1.0, OVERLAY_HINT, name="over the picture")
            self.crop = Checkbox("", True, CROP_HINT, beside="crop")
        self.stage = Choice("", "output", STAGES, STAGE_HINT)

    def set(self, view: View) -> None:
        """Show the settings of a request's view."""
        self.sort.set(view.sort)
        self.colours.set(view.colours)
        self.normalize.set(view.normalize)
        self.gain.set(view.gain_db)
        self.overlay.set(view.overlay)
        self.crop.set(view.crop)
        self.stage.set(view.stage)
        self.fit = view.fit
        for field, channel in zip(self.channels, view.rgb, strict=True):
            field.set(channel)
        self._hold(view.held)

    def three(self, channels: int) -> tuple[int, int, int]:
        """The maps that are red, green and blue."""
        red, green, blue = (min(field.value, channels - 1) for field in self.channels)
        return red, green, blue

    def pick_layer(self, layer: LayerInfo | None) -> None:
        """Another layer: its stages; an order that was held belongs to the former one."""
        self._several_stages = layer is not None and len(layer.stages) > 1
        if self.holding:
            self.toggle_hold()

    def update(self, cursor: MapCursor, shown: LayerView | None) -> None:
        """Show the rows that say something for what is looked at."""
        sheet = cursor.mode == "maps"
        large = cursor.layer is not None and (not sheet or cursor.channel is not None)
        if shown is not None and is_sheet(shown):
            self.order = shown.order
        margin = shown is not None and shown.margin != (0.0, 0.0)
        for row, wanted in (
            (self.row_sheet, not large),
            (self.row_three, cursor.mode == "rgb"),
            (self.row_fit, cursor.mode == "pca"),
            (self.row_overlay, large),
            (self.stage.tag, self._several_stages),
        ):
            dpg.configure_item(row, show=wanted)
        self.hold.enabled = sheet and (self.holding or (bool(self.order) and cursor.channel is None))
        self.normalize.enabled = cursor.mode != "pca"
        self.colours.enabled = sheet
        self.crop.enabled = margin

    def toggle_hold(self) -> None:
        """Keep the places of the tiles, or sort again."""
        self._hold(() if self.holding else self.order)

    def _hold(self, order: tuple[int, ...]) -> None:
        self.holding, self.held = bool(order), order
        self.hold.rename(icon("lock" if self.holding else "lock-open"))
        self.hold.dress("active" if self.holding else "ghost")

    def _sort_changed(self, sort_anew: Callable[[], None]) -> None:
        if self.holding:
            self.toggle_hold()
        sort_anew()

    def _fit_again(self) -> None:
        self.fit += 1

    def reset(self) -> None:
        """Everything back to its default."""
        if self.holding:
            self.toggle_hold()
        self.fit = 0
        fixed = (self.sort, self.number, self.colours, self.normalize, self.gain, self.overlay, self.crop, self.stage)
        controls: list[Control[Any]] = [*fixed, *self.channels]
        for control in controls:
            control.reset()
