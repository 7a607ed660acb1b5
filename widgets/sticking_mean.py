"""The neighbourhood mean in the Sticking panel: pictures, sharpness maps and S of one or two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.request import RenderRequest, to_json
from app.studies.sticking import NeighbourhoodAnswer, NeighbourhoodMean
from widgets import look
from widgets.canvas import ColourBar
from widgets.controls import IntField, IntSlider, Slider
from widgets.estimates import heat, plain, said
from widgets.interval_plot import IntervalPlot, Running
from widgets.panel import Actions
from widgets.picture_grid import PictureGrid, PictureRow
from widgets.rows import Tag, columns, note
from widgets.sticking_results import Result, Side

COLOURS = "viridis"
MAP = 2  # its column
COUNT_HINT = "How many pictures the mean has. More narrow the interval."
SIGMA_HINT = (
    "Size of the neighbourhood in standard deviations of each coordinate of w. Too small and nothing moves (coarse S "
    "near 1); too large and the pictures have little in common."
)
PERIOD_HINT = "Detail is what has a shorter period than this; what is longer counts as coarse content."
SEED_HINT = "Of the random steps in W."


class MeanSection:
    """Rows: one picture, the mean so far, the map of S; below, S over the pictures with its interval."""

    def __init__(self, actions: Actions) -> None:
        self.group: Tag
        with dpg.group() as self.group:
            self.grid = PictureGrid(actions.texture, ("Picture", "Mean", "S, glued share"), self._describe)
            self.scale = ColourBar(actions.texture)
            self.about = note("")
            self.verdicts = note("")
            self.plot = IntervalPlot("pictures", "S", 9.0)
        self.forget()

    def build_settings(self) -> None:
        """What decides about a measurement."""
        self.settings_group: Tag
        with dpg.group() as self.settings_group:
            with columns(0.5, 0.5):
                self.count = IntSlider("pictures", 64, 2, 512, COUNT_HINT)
                self.sigma = Slider("sigma", 0.5, 0.05, 2.0, SIGMA_HINT)
            with columns(0.5, 0.5):
                self.period = Slider("period", 8.0, 3.0, 32.0, PERIOD_HINT, unit="px", decimals=1)
                self.seed = IntField("seed", 0, SEED_HINT, buttons=False)

    def forget(self) -> None:
        """Show nothing."""
        self.answers: dict[str, NeighbourhoodAnswer] = {}
        self.course: dict[str, list[NeighbourhoodAnswer]] = {}
        self.maps: dict[str, np.ndarray] = {}
        self.sides: Sequence[Side] = ()

    def question(self, request: RenderRequest) -> NeighbourhoodMean:
        """What is asked of one model."""
        return NeighbourhoodMean(request, self.count.value, self.sigma.value, self.period.value, seed=self.seed.value)

    def settings(self) -> object:
        """What results must share to stand in one table."""
        return replace(self.question(RenderRequest()), request=RenderRequest())

    def begin(self, sides: Sequence[Side]) -> None:
        """These are measured now."""
        self.forget()
        self.sides = sides
        self.course = {side.key: [] for side in sides}

    def take(self, key: str, answer: NeighbourhoodAnswer) -> None:
        """What the pictures of one side say so far."""
        self.answers[key] = answer
        self.maps[key] = heat(answer.sharpness, 1.0, COLOURS)
        self.course[key].append(answer)

    def result(self, key: str) -> Result | None:
        """The numbers of one side, for the table."""
        answer = self.answers.get(key)
        if answer is None:
            return None
        return Result((said(answer.score), said(answer.coarse)), answer.model)

    heads = ("S", "coarse S")
    head_hints = (
        "Glued share of the detail's energy: 0 moves freely, 1 stays where it is. With its 95 % interval.",
        "The same of what the high-pass removes. Sticking is an S above the coarse S.",
    )

    def show(self) -> None:
        """Once per turn while the panel is in sight."""
        rows = [self._row(side) for side in self.sides] or [PictureRow("Not measured yet", "", (None, None, None))]
        self.grid.show(rows)
        self.grid.update()
        self.scale.show(COLOURS, 0.0, 1.0, "")
        self.scale.update()
        self.plot.show([self._running(side) for side in self.sides], float(self.count_end), 0.0, 1.0)
        words = self.grid.under_mouse or "S 0: detail moves freely.  S 1: glued to its place.  Grey: hardly any detail."
        dpg.set_value(self.about, words)
        told = "\n".join(
            f"{side.name}: {verdict(self.answers[side.key])}" for side in self.sides if side.key in self.answers
        )
        dpg.configure_item(self.verdicts, default_value=told, show=bool(told), color=look.MUTED)

    @property
    def count_end(self) -> int:
        """Right end of the plot."""
        return max((answer.total for answer in self.answers.values()), default=self.count.value)

    def _row(self, side: Side) -> PictureRow:
        answer = self.answers.get(side.key)
        if answer is None:
            return PictureRow(side.title, "", (None, None, None))
        words = f"S {said(answer.score)}   coarse {said(answer.coarse)}"
        return PictureRow(side.title, words, (answer.centre, answer.mean, self.maps[side.key]))

    def _running(self, side: Side) -> Running:
        points = [(float(answer.count), answer.score) for answer in self.course.get(side.key, ())]
        return Running(side.title, tuple((at, score) for at, score in points if score is not None))

    def _describe(self, line: int, column: int, x: int, y: int) -> str:
        if line >= len(self.sides) or column != MAP:
            return ""
        value = float(self.answers[self.sides[line].key].sharpness[y, x])
        return f"x {x} y {y}   " + ("hardly any detail" if np.isnan(value) else f"S {value:.2f}")

    def images(self) -> Mapping[str, np.ndarray]:
        """What can be saved as PNG, by name."""
        made: dict[str, np.ndarray] = {}
        for side in self.sides:
            if side.key in self.answers:
                made[f"{side.key}mean"] = self.answers[side.key].mean
                made[f"{side.key}sharpness"] = self.maps[side.key]
        return made

    def as_json(self, key: str, request: RenderRequest) -> dict[str, Any] | None:
        """The numbers of one side with what was asked."""
        answer = self.answers.get(key)
        if answer is None:
            return None
        return {
            "pictures": answer.count,
            "sigma_std_of_w": answer.sigma,
            "detail_below_px": answer.period_px,
            "score": plain(answer.score),
            "coarse_score": plain(answer.coarse),
            "telling": answer.telling,
            "score_by_pictures": [plain(each.score) for each in self.course[key]],
            "request": to_json(request),
        }


def verdict(answer: NeighbourhoodAnswer) -> str:
    """What S says, in a sentence (docs/sticking.md)."""
    S, coarse = answer.score, answer.coarse
    if S is None or coarse is None:
        return "no S before the second picture, and none where there is no detail."
    if not answer.telling:
        return f"nothing moved (coarse S {coarse.value:.2f} is above 0.9), so S tells nothing; raise sigma."
    if S.low > coarse.high:
        return "detail sticks: S is above the coarse S."
    if S.high < coarse.low:
        return "no sticking seen: S is below the coarse S, detail moves as the content does."
    return "not decided: the intervals of S and the coarse S overlap; take more pictures."
