"""Noise study: where and how much the picture changes when its noise is drawn anew, layer by layer."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.colormaps import colourize
from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from app.studies.noise_study import ALL, NO_NOISE, LayerSpread, NoiseAnswer, NoiseSpread, as_json, layer_name
from networks.plan import Noise
from widgets import look
from widgets.canvas import Bar, BarList, ColourBar
from widgets.choices import Choice
from widgets.controls import Checkbox, IntField, IntSlider
from widgets.image_view import ImageView
from widgets.panel import Panel
from widgets.readouts import Figures
from widgets.rows import Tag, columns, heading, note, tooltip
from widgets.study_box import Ask, StudyBox

HINT = (
    "Draws the latent on the screen again and again with fresh noise, in the background: of all layers at once, then "
    "of one layer while the others keep their stored noise. The map is the standard deviation of each pixel (Karras "
    "et al. 2019, Fig. 4c). Strengths and switched-off layers are those of the Noise panel."
)
NOT_YET = "Press Measure: what does the noise of each layer change?"
BAR_HINT = "Mean over all pixels, in % of the range from black to white. Click a bar for its heat map."
SCALES = {"own": "Scale to this map", "common": "Same scale for all"}
FIGURES = {
    "mean": "Mean of the standard deviation over all pixels, in % of the range from black to white.",
    "largest": "Its largest value.",
    "draws": "How often the noise was drawn.",
}
MAP = "inferno"
VIEW_LINES = 15.0


class NoiseStudyPanel(Panel):
    """A heat map, and a bar for each layer that shows its own when clicked."""

    title, order, window_id, area = "Noise study", 122, 1_000_000_063, "right-top"

    def build(self) -> None:
        self.words = note("Open a model to see what its noise inputs change.")
        self.body: Tag = dpg.add_group(show=False)
        with dpg.group(parent=self.body):
            with columns(0.6, 0.4):
                self.draws = IntSlider("draws", 16, 2, 100, "Draws of the noise for each layer; the paper takes 100.")
                self.first = IntField("seed", 0, "Seeds of the noise: this one and those that follow.", buttons=False)
            self.by_layer = Checkbox("", True, "Off: all layers at once only, which is quicker.", beside="each layer")
            self.study = StudyBox(self.actions, "Measure", HINT, self._ask, self._save)
            self.changed = note("", look.WARNING)
            self.view = ImageView(self.actions.texture, height=VIEW_LINES, describe=self._describe, empty=NOT_YET)
            self.scale_bar = ColourBar(self.actions.texture)
            self.scale = Choice("", "own", SCALES, "Where the brightest colour lies.")
            self.figures = Figures(FIGURES)
            tooltip(heading("Mean change by layer"), BAR_HINT)
            self.bars = BarList(self._pick)
        self.frame: Frame | None = None
        self.answer: NoiseAnswer | None = None
        self.question: NoiseSpread | None = None
        self.chosen = ALL
        self.painted: tuple[LayerSpread, float] | None = None

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.study.update()
        self.frame = frame
        if not self.visible():
            return
        running = self.study.running
        self.study.save.enabled = self.answer is not None and bool(self.answer.rows)
        self.draws.enabled = self.first.enabled = self.by_layer.enabled = not running
        self._show_map()
        self.bars.update()
        self.scale_bar.update()
        self.view.update(busy=running)
        self._comment()

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.study.forget()
        self.answer = self.painted = None
        self.chosen = ALL
        noisy = any(layer.has_noise for layer in model.layers)
        dpg.configure_item(self.body, show=noisy)
        words = "" if noisy else f"{model.title}: {NO_NOISE[0].lower()}{NO_NOISE[1:]}"
        dpg.configure_item(self.words, default_value=words, show=not noisy)
        self.view.clear(NOT_YET)
        self.bars.show(())
        self.figures.show("", "", "")

    @property
    def row(self) -> LayerSpread | None:
        """What the heat map shows: the chosen row, the whole until that one is there."""
        rows = self.answer.rows if self.answer is not None else ()
        return next((row for row in rows if row.layer == self.chosen), rows[0] if rows else None)

    @property
    def top(self) -> float:
        """The value of the brightest colour, in %."""
        rows = self.answer.rows if self.answer is not None else ()
        shown = rows if self.scale.value == "common" else (self.row,)
        return max((row.largest for row in shown if row is not None), default=0.0) or 1.0

    def _show_map(self) -> None:
        row = self.row
        if row is None or self.answer is None:
            return
        if self.painted is None or (row, self.top) != self.painted:
            self.painted = (row, self.top)
            self.view.set_picture(colourize(row.spread, 0.0, self.top, MAP))
            self.scale_bar.show(MAP, 0.0, self.top, "%")
            self.figures.show(f"{row.mean:.3g} %", f"{row.largest:.3g} %", str(row.draws))
        rows = self.answer.rows
        bars = [Bar(layer_name(each.layer), each.mean, f"{each.mean:.3g} %") for each in rows]
        self.bars.show(bars, next(place for place, each in enumerate(rows) if each is row))

    def _comment(self) -> None:
        """Say where the answer is not that of the picture on the screen, or is nothing."""
        stale = self.question is not None and self.frame is not None and (
            decisive(self.frame.request) != decisive(self.question.request)
        )  # fmt: skip
        words = "The picture has changed since; measure again for this one." if stale and self.answer else ""
        row = self.row
        if not words and row is not None and row.layer == ALL and row.largest == 0:
            words = "Noise changes nothing: the strengths are 0 in this checkpoint, or switched off in the Noise panel."
        dpg.configure_item(self.changed, default_value=words, show=bool(words))

    def _describe(self, x: int, y: int) -> str:
        row = self.row
        return f"x {x} y {y}   ± {row.spread[y, x]:.3g} % of the range" if row is not None else ""

    def _pick(self, place: int) -> None:
        if self.answer is not None and place < len(self.answer.rows):
            self.chosen = self.answer.rows[place].layer

    def _ask(self) -> list[Ask]:
        if self.frame is None or self.frame.model is None:
            return []
        self.question = NoiseSpread(
            replace(self.frame.request, measures=()), self.draws.value, self.first.value, self.by_layer.value
        )
        return [(self.question, self._take)]

    def _take(self, answer: NoiseAnswer) -> None:
        self.answer = answer

    def _save(self) -> None:
        if self.answer is not None and self.question is not None:
            self.actions.save_numbers("noise-study", as_json(self.answer, self.question))


def decisive(request: RenderRequest) -> RenderRequest:
    """What the spread depends on, for comparison."""
    plain = RenderRequest()
    return replace(
        request, view=plain.view, diagnostic=plain.diagnostic, measures=(), max_height=None,
        noise=Noise(layers=request.noise.layers),
    )  # fmt: skip
