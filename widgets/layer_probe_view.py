"""The layer probe in the Equivariance panel: dB layer by layer as bars, and the error map of one of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.request import RenderRequest, to_json
from app.studies.layer_probe import LayerProbe, ProbeAnswer, ProbedLayer
from widgets.canvas import Bar, BarList, ColourBar
from widgets.choices import Choice
from widgets.controls import Checkbox, Control, IntField, IntSlider
from widgets.estimates import brightest, heat, percent_of_range, plain, said
from widgets.image_view import ImageView
from widgets.panel import Actions
from widgets.readouts import Figures
from widgets.rows import Tag, columns, heading, note, tooltip

INTRO = (
    "The state behind one layer is shifted by part of a sample of its own grid; does the picture move along? Low bars: "
    "what comes behind that layer does not follow."
)
BARS_HINT = "Click a bar for the layer's error map. dB over all pictures, higher is better."
FIGURES = {
    "layer": "The one whose error map is shown.",
    "moved by": "The shift in samples of the layer's own grid, in px of the picture.",
    "error": "10 log10 of the squared range over the mean squared error; higher is better.",
    "stuck": "The error divided by that of a picture that does not move: 0 moves along, 1 stands still.",
}
SHIFTS = {"0.5": "½ sample", "0.25": "¼", "1.5": "1½"}
SHIFT_HINT = "In samples of the layer's own grid. Half a sample is the hardest; whole ones are trivially exact."
MAP = "inferno"
TOP_DB = 100.0  # the longest bar: beyond it, fp32 rounding is all that differs


class ProbeSection:
    """For every family."""

    def __init__(self, actions: Actions) -> None:
        self.group: Tag
        with dpg.group(show=False) as self.group:
            note(INTRO)
            tooltip(heading("dB by layer, first to last"), BARS_HINT)
            self.bars = BarList(self._pick)
            self.view = ImageView(actions.texture, height=13.0, describe=self._describe, empty="Not measured yet.")
            self.scale = ColourBar(actions.texture)
            self.figures = Figures(FIGURES)
            with columns(0.6, 0.4):
                self.count = IntSlider("pictures", 4, 1, 64, "How many latents are probed at every layer.")
                self.first = IntField("seed", 0, "Seeds: this one and those that follow.", buttons=False)
            self.shift = Choice("shift", "0.5", SHIFTS, SHIFT_HINT)
            self.follows = Checkbox(
                "", False, "Noise behind the layer is shifted with the content; what that gains is what noise costs.",
                beside="noise follows",
            )  # fmt: skip
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self.answer: ProbeAnswer | None = None
        self.asked: LayerProbe | None = None
        self.chosen = ""
        self.painted: ProbedLayer | None = None
        self.view.clear("Not measured yet.")
        self.figures.show("", "", "", "")

    def adopt(self, model: ModelInfo) -> None:
        """Offer what the model has."""
        noisy = any(layer.has_noise for layer in model.layers)
        if not noisy:
            self.follows.set(False)
        dpg.configure_item(self.follows.tag, show=noisy)

    def controls(self) -> Iterator[Control[Any]]:
        """What decides about a measurement."""
        yield from (self.count, self.first, self.shift, self.follows)

    def question(self, request: RenderRequest) -> LayerProbe:
        """Probe all layers."""
        seeds = tuple(range(self.first.value, self.first.value + self.count.value))
        return LayerProbe(request, shift=float(self.shift.value), seeds=seeds, noise_follows=self.follows.value)

    def begin(self, asked: LayerProbe) -> None:
        """This is measured now; the chosen layer stays chosen."""
        chosen = self.chosen
        self.forget()
        self.asked, self.chosen = asked, chosen

    def take(self, answer: ProbeAnswer) -> None:
        """What the pictures so far say."""
        self.answer = answer

    @property
    def layer(self) -> ProbedLayer | None:
        """Whose map is shown: the chosen one, else the one with the largest error."""
        layers = self.answer.layers if self.answer is not None else ()
        chosen = next((each for each in layers if each.name == self.chosen), None)
        return chosen or min(layers, key=lambda each: each.db.value, default=None)

    def show(self, running: bool) -> None:
        """Once per turn while the panel is in sight."""
        layers = self.answer.layers if self.answer is not None else ()
        layer = self.layer
        self.bars.show([bar_of(each) for each in layers], layers.index(layer) if layer is not None else None)
        if layer is not None and layer is not self.painted:
            self.painted = layer
            error = percent_of_range(layer.error)
            top = brightest(error)
            self.view.set_picture(heat(error, top, MAP))
            self.scale.show(MAP, 0.0, top, "% of the range")
            self.figures.show(layer.name, f"{layer.moved_px:g} px", db_words(layer), said(layer.stuck, 4))
        self.bars.update()
        self.view.update(busy=running and layer is None)
        self.scale.update()

    def _pick(self, place: int) -> None:
        if self.answer is not None and place < len(self.answer.layers):
            self.chosen = self.answer.layers[place].name

    def _describe(self, x: int, y: int) -> str:
        if self.painted is None:
            return ""
        value = float(self.painted.error[y, x]) * 50.0
        return f"x {x} y {y}   " + (
            "in the margin, not compared" if math.isnan(value) else f"{value:.2f} % of the range"
        )

    def as_json(self) -> dict[str, Any]:
        """The numbers with what was asked."""
        if self.answer is None or self.asked is None:
            return {}
        return {
            "pictures": self.answer.pictures,
            "seeds": list(self.asked.seeds),
            "shift_samples": self.asked.shift,
            "noise_follows": self.asked.noise_follows,
            "layers": [
                {"layer": each.name, "maps_px": list(each.size[::-1]), "moved_px": each.moved_px,
                 "db": plain(each.db), "stuck": plain(each.stuck)}
                for each in self.answer.layers
            ],
            "request": to_json(self.asked.request),
        }  # fmt: skip


def bar_of(layer: ProbedLayer) -> Bar:
    """dB as a bar; nothing below 0 dB, where the error is larger than the range."""
    return Bar(layer.name, max(0.0, min(TOP_DB, layer.db.value)), db_words(layer))


def db_words(layer: ProbedLayer) -> str:
    """'31.2 ± 0.8 dB'."""
    return "exact" if math.isinf(layer.db.value) else said(layer.db, 1, "dB")
