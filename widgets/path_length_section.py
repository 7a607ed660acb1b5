"""Lengths ||J^T y|| of the point on the screen and of many seeds: starts studies, keeps and shows what they find."""

from __future__ import annotations

import math
from dataclasses import replace

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Frame
from app.studies.path_length import (
    Lengths,
    PathLengths,
    as_json,
    everything_but_latent,
    of_latent,
    quantile,
    summary,
)
from widgets import look
from widgets.canvas import Bar, BarList
from widgets.choices import Choice
from widgets.controls import IntField, IntSlider
from widgets.panel import Actions
from widgets.path_length_plots import LengthHistogram
from widgets.readouts import Figures
from widgets.rows import Tag, columns, heading, note, tooltip
from widgets.study_box import Ask, StudyBox

READINGS = {"rows": "Rows apart", "joint": "One w"}
READING_HINT = (
    "Rows apart: each row of ws is a w of its own, the squares are averaged; the official code regularizes this and "
    "`train` logs it. One w: all rows move together, as in Eq. 4 and on a walk."
)
HINT = (
    "||J^T y||, J the Jacobian of the picture by w, y random pixels (Karras et al. 2020, section 3.2). Path length "
    "regularization pulls all lengths to their mean a. Draws the latent on the screen and many seeds in the background;"
    " what was measured of this model is kept, so more seeds only add to it."
)
FIGURES = {
    "this point": "Mean over the draws of y ± its standard error.",
    "quantile": "Share of the seeds whose length is smaller than this point's.",
    "mean a": "Mean over all seeds and draws ± its standard error.",
    "E(l − a)²": "Mean squared deviation of the single lengths l from a: what the regularizer of Eq. 4 punishes.",
    "from y": "The part of it that the random y make alone; the rest are true differences between points.",
}
ROW_HINT = "Root mean square of ||J_l^T y|| for each row l of ws over the seeds (mark: this point)."
KEPT = 16  # distributions: models, psi, edits, ... that one may come back to


class LengthSection:
    """The lower half of the Path length panel."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.group: Tag
        with dpg.group() as self.group:
            with columns(0.5, 0.5):
                self.count = IntSlider("seeds", 256, 16, 4096, "Seeds of the distribution.")
                self.draws = IntSlider("draws", 4, 1, 32, "Draws of y for each point.")
            self.first = IntField("first seed", 0, "Seeds count up from here.", buttons=False)
            self.study = StudyBox(actions, "Measure", HINT, self._ask, self._save)
            self.reading = Choice("", "rows", READINGS, READING_HINT, on_change=lambda _: self.paint())
            self.changed = note("", look.WARNING)
            self.figures = Figures(FIGURES)
            self.histogram = LengthHistogram()
            tooltip(heading("By row of ws"), ROW_HINT)
            self.bars = BarList()
        self.frame: Frame | None = None
        self.known: dict[PathLengths, Lengths] = {}  # what was asked, count left out -> what is known of it
        self.points: dict[PathLengths, Lengths] = {}  # the same of single points
        self.asked: PathLengths | None = None  # of these two the numbers are shown
        self.asked_point: PathLengths | None = None

    def follow(self, frame: Frame) -> None:
        """A new frame: show what is known of it."""
        self.frame = frame
        questions = self._questions()
        if questions is None or self.study.running:
            return
        before = self.asked, self.asked_point
        self.asked = questions[0] if questions[0] in self.known else self.asked
        self.asked_point = questions[1] if questions[1] in self.points else self.asked_point
        if before != (self.asked, self.asked_point):
            self.paint()

    def forget(self) -> None:
        """Another model: stop; what is known of the former one stays for its return."""
        self.study.forget()
        self.asked = self.asked_point = None
        self.paint()

    def show(self) -> None:
        """Once per loop, while the section is in sight."""
        running = self.study.running
        self.count.enabled = self.draws.enabled = self.first.enabled = not running
        self.study.save.enabled = self.asked is not None and self.asked in self.known
        self.histogram.height.update()
        self.bars.update()
        self._comment()

    @property
    def own(self) -> Lengths | None:
        """What is known of the point that was measured last."""
        return None if self.asked_point is None else self.points.get(self.asked_point)

    @property
    def many(self) -> Lengths | None:
        """What is known of the seeds, as many as are asked for."""
        found = None if self.asked is None else self.known.get(self.asked)
        return None if found is None else found.first(self.count.value)

    def _questions(self) -> tuple[PathLengths, PathLengths] | None:
        """What belongs to the picture on the screen: of many seeds (how many: left out), and of this point."""
        if self.frame is None or self.frame.model is None:
            return None
        request, draws = self.frame.request, self.draws.value
        many = PathLengths(everything_but_latent(request), self.first.value, 0, draws)
        return many, PathLengths(of_latent(request), None, 1, draws)

    def _ask(self) -> list[Ask]:
        questions = self._questions()
        if questions is None:
            return []
        self.asked, self.asked_point = many, point = questions
        asks: list[Ask] = []
        if point not in self.points:
            asks.append((point, lambda answer: self._take(self.points, point, None, answer)))
        before = self.known.get(many)
        measured = 0 if before is None else len(before)
        if measured < self.count.value:
            missing = replace(many, first=(self.first.value + measured) % 2**32, count=self.count.value - measured)
            asks.append((missing, lambda answer: self._take(self.known, many, before, answer)))
        self.paint()
        return asks

    def _take(
        self, into: dict[PathLengths, Lengths], key: PathLengths, before: Lengths | None, answer: Lengths
    ) -> None:
        """Keep what was measured with what was known before."""
        into.pop(key, None)
        into[key] = answer if before is None else before + answer
        while len(into) > KEPT:
            del into[next(iter(into))]
        self.paint()

    def paint(self) -> None:
        """Show the numbers that are known."""
        joint = self.reading.value == "joint"
        own, many = self.own, self.many
        mine = None if own is None else summary(own.joint if joint else own.rows)
        everyone = None if many is None else summary(many.joint if joint else many.rows)
        points = np.empty(0) if many is None else many.points(joint)
        self.figures.show(
            "" if mine is None else plus_minus(mine.mean, mine.error),
            "" if mine is None or many is None else f"{100 * quantile(mine.mean, points):.0f} %",
            "" if everyone is None else plus_minus(everyone.mean, everyone.error),
            "" if everyone is None else f"{everyone.penalty:.3g}",
            "" if everyone is None else part(everyone.within, everyone.penalty),
        )
        self.histogram.show(points, None if everyone is None else everyone.mean, None if mine is None else mine.mean)
        self._paint_rows(own, many)

    def _paint_rows(self, own: Lengths | None, many: Lengths | None) -> None:
        shown = many if many is not None else own
        if shown is None:
            self.bars.show(())
            return
        mean = np.sqrt(np.square(shown.by_row).mean(axis=0)).tolist()
        marks = [None] * len(mean) if own is None or many is None else own.by_row[0].tolist()
        rows = enumerate(zip(mean, marks, strict=True))
        self.bars.show([Bar(f"row {row}", value, f"{value:.3f}", mark) for row, (value, mark) in rows])

    def _comment(self) -> None:
        """Say where the numbers are not those of the picture on the screen."""
        questions = self._questions()
        words = ""
        if questions is not None and self.own is not None and not self.study.running:
            if questions[0] != self.asked:
                words = "The seed, the draws or another setting has changed; measure again."
            elif questions[1] != self.asked_point:
                words = "You have moved since; measure again for this point (the seeds are kept)."
            elif self.many is not None and len(self.many) < self.count.value:
                words = f"{len(self.many)} of {self.count.value} seeds; Measure goes on."
        dpg.configure_item(self.changed, default_value=words, show=bool(words))

    def _save(self) -> None:
        many, own = self.many, self.own
        if many is None or self.asked is None:
            return
        values = as_json(many, replace(self.asked, count=len(many)))
        if own is not None and self.asked_point is not None:
            values["this_point"] = as_json(own, self.asked_point)
        self.actions.save_numbers("path-length", values)


def plus_minus(value: float, error: float) -> str:
    """'1.05 ± 0.03', the error with one figure."""
    if not math.isfinite(error) or error == 0:
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def part(share: float, whole: float) -> str:
    """'38 %', at most 100: both are estimates; '' where one is not known."""
    return f"{min(100.0, 100 * share / whole):.0f} %" if whole > 0 and not math.isnan(share) else ""
