"""EQ-T, EQ-T_frac and EQ-R in the Equivariance panel: running means, published values, the last sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import ModelInfo
from app.request import RenderRequest, Truncation, to_json
from app.studies.equivariance import METRICS, PUBLISHED, Equivariance, EquivarianceAnswer, Metric, MetricAnswer
from widgets.canvas import ColourBar
from widgets.choices import Choice
from widgets.controls import Checkbox, Control, IntField, IntSlider
from widgets.estimates import brightest, heat, percent_of_range, plain, said
from widgets.interval_plot import IntervalPlot, Level, Running
from widgets.panel import Actions
from widgets.picture_grid import PictureGrid, PictureRow
from widgets.readouts import Figures
from widgets.rows import Tag, columns, note

NAMES: dict[Metric, str] = {"eqt": "EQ-T", "eqt_frac": "EQ-T frac", "eqr": "EQ-R"}
WHAT: dict[Metric, str] = {
    "eqt": "Shifts by whole pixels.",
    "eqt_frac": "Shifts by parts of a pixel.",
    "eqr": "Rotations.",
}
TITLES = {"B": "config B (StyleGAN2, Fourier input)", "T": "StyleGAN3-T", "R": "StyleGAN3-R"}
SHOWN_HINT = "Whose last sample is shown, and whose published values are marked in the plot (FFHQ-U, 256 × 256)."
PSI_HINT = "Measure with psi 1, as the published values are; off: with the psi on the screen."
FOLLOWS_HINT = (
    "Noise maps are shifted with the content instead of staying; EQ-R is left out then, for they cannot be turned."
)
MAP = "inferno"
LOW, HIGH = 0.0, 80.0  # dB of the plot


class EquivarianceSection:
    """Only where the input takes a transform; `model` None hides it."""

    def __init__(self, actions: Actions) -> None:
        self.group: Tag
        with dpg.group() as self.group:
            self.figures = Figures({NAMES[metric]: f"{WHAT[metric]} In dB, higher is better." for metric in METRICS})
            self.plot = IntervalPlot("samples", "dB", 12.0)
            self.metric = Choice("", "eqt", {metric: NAMES[metric] for metric in METRICS}, SHOWN_HINT)
            self.grid = PictureGrid(actions.texture, ("Moved picture", "Of the moved input", "Error"), self._describe)
            self.scale = ColourBar(actions.texture)
            self.words = note("")
            with columns(0.6, 0.4):
                self.samples = IntSlider("samples", 64, 2, 1000, "How many latents; the official code takes 50 000.")
                self.first = IntField("seed", 0, "Seeds: this one and those that follow.", buttons=False)
            with columns(0.5, 0.5):
                self.psi = Checkbox("", True, PSI_HINT, beside="psi 1, as published")
                self.follows = Checkbox("", False, FOLLOWS_HINT, beside="noise follows")
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self.answer: EquivarianceAnswer | None = None
        self.asked: Equivariance | None = None
        self.course: dict[Metric, list[MetricAnswer]] = {metric: [] for metric in METRICS}
        self.painted: tuple[MetricAnswer, np.ndarray, float] | None = None

    def adopt(self, model: ModelInfo) -> None:
        """Offer what the model has."""
        noisy = any(layer.has_noise for layer in model.layers)
        if not noisy:
            self.follows.set(False)
        dpg.configure_item(self.follows.tag, show=noisy)

    def controls(self) -> Iterator[Control[Any]]:
        """What decides about a measurement."""
        yield from (self.samples, self.first, self.psi, self.follows)

    def question(self, request: RenderRequest) -> Equivariance:
        """Ask all three metrics; EQ-R only where the noise stays."""
        if self.psi.value:
            request = replace(request, truncation=Truncation(1.0))
        metrics = METRICS[:2] if self.follows.value else METRICS  # noise maps cannot follow a rotation
        return Equivariance(request, metrics, self.samples.value, self.first.value, noise_follows=self.follows.value)

    def begin(self, asked: Equivariance) -> None:
        """This is measured now."""
        self.forget()
        self.asked = asked

    def take(self, answer: EquivarianceAnswer) -> None:
        """What the samples so far say."""
        self.answer = answer
        for part in answer.metrics:
            course = self.course[part.metric]
            if part.db is not None and (not course or course[-1].samples != part.samples):
                course.append(part)

    @property
    def part(self) -> MetricAnswer | None:
        """The chosen metric so far."""
        return self.answer.of(self.chosen) if self.answer is not None else None

    @property
    def chosen(self) -> Metric:
        """The chosen metric."""
        return next(metric for metric in METRICS if metric == self.metric.value)

    def show(self) -> None:
        """Once per turn while the panel is in sight."""
        parts = [self.answer.of(metric) if self.answer is not None else None for metric in METRICS]
        self.figures.show(*(db_words(part) for part in parts))
        running = [self._running(metric) for metric in METRICS]
        end = self.answer.total if self.answer is not None else self.samples.value
        self.plot.show(running, float(end), LOW, HIGH, published(self.chosen))
        self._show_sample()

    def _running(self, metric: Metric) -> Running:
        points = tuple((float(part.samples), part.db) for part in self.course[metric] if part.db is not None)
        return Running(NAMES[metric], points)

    def _show_sample(self) -> None:
        part = self.part
        if part is None:
            self.grid.show([PictureRow("Not measured yet", "", (None, None, None))])
        else:
            if self.painted is None or self.painted[0] is not part:
                error = percent_of_range(part.error)
                top = brightest(error)
                self.painted = (part, heat(error, top, MAP), top)
            _, pixels, top = self.painted
            self.grid.show([PictureRow("Last sample", moved(part), (part.expected, part.found, pixels))])
            self.scale.show(MAP, 0.0, top, "% of the range")
        self.grid.update()
        self.scale.update()
        none = "" if self.chosen in ("eqt", "eqr") else "No values were published for fractional shifts by themselves."
        words = self.grid.under_mouse or none or "Lines across the plot: published for FFHQ-U, 256 × 256 px."
        dpg.set_value(self.words, words)

    def _describe(self, line: int, column: int, x: int, y: int) -> str:
        part = self.part
        if part is None or column != 2:
            return ""
        value = float(part.error[y, x]) * 50.0
        return f"x {x} y {y}   " + ("not compared" if math.isnan(value) else f"error {value:.2f} % of the range")

    def as_json(self) -> dict[str, Any]:
        """The numbers with what was asked."""
        if self.answer is None or self.asked is None:
            return {}
        return {
            "samples": self.answer.samples,
            "first_seed": self.asked.seed,
            "translate_max_widths": self.asked.translate_max,
            "rotate_max_deg": self.asked.rotate_max_deg,
            "noise_follows": self.asked.noise_follows,
            "db": {part.metric: plain(part.db) for part in self.answer.metrics},
            "published_ffhq_u_256_db": {name: {"eqt": t, "eqr": r} for name, (t, r) in PUBLISHED.items()},
            "request": to_json(self.asked.request),
        }


def db_words(part: MetricAnswer | None) -> str:
    """'61.7 ± 0.4 dB'."""
    if part is None or part.db is None:
        return "–"
    return "exact" if math.isinf(part.db.value) else said(part.db, 1, "dB")


def moved(part: MetricAnswer) -> str:
    """By how much the last sample was moved."""
    x, y = part.moved_by
    return f"turned by {x:.1f}°" if part.metric == "eqr" else f"shifted by {x:+.2f}, {y:+.2f} px"


def published(metric: Metric) -> list[Level]:
    """Table 1 of Karras et al. 2021; nothing for fractional shifts."""
    place = {"eqt": 0, "eqr": 1}.get(metric)
    if place is None:
        return []
    return [Level(values[place], f"{TITLES[name]} {values[place]:g}") for name, values in PUBLISHED.items()]
