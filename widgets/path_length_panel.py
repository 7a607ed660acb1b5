"""Path length: how far the picture moves with w - frame by frame along a walk, and as ||J^T y|| over many seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from app.studies.step_size import StepMeter, WalkPoint, WalkSample
from widgets.choices import Choice
from widgets.controls import Control
from widgets.panel import Panel
from widgets.path_length_plots import StepCurve, curve
from widgets.path_length_section import LengthSection
from widgets.readouts import Figures
from widgets.rows import Tag, note

MODES = {"steps": "Steps", "lengths": "Lengths"}
MODE_HINT = (
    "Steps: how much the picture changes from each frame to the next while you drag or walk. Lengths: how strongly it "
    "follows w at this point and at many seeds, ||J^T y||."
)
STEP_FIGURES = {
    "RMS": "Root mean square change of the picture per second, in % of the range from black to white; last 10 s.",
    "mean": "Mean absolute change of the picture per second, in % of the range; last 10 s.",
    "per unit of w": "RMS change in % for each unit of the distance that w moved; last 10 s.",
    "speed in W": "Distance that w moves per second; last 10 s.",
}
SPEED_HINT = "RMS change of the picture from frame to frame, in % of the range per second. It depends on your speed."
RATE_HINT = (
    "RMS change in % of the range, divided by the distance that w moved: it does not depend on your speed. Red dots: "
    "jumps, more than 4 times the median. Yellow: a step in a random direction from the point that Lengths measured."
)
REPAINT_S = 0.1  # curves of 10 s are not painted anew for each of 60 frames a second
STAND = "Drag the picture or walk (W) to see its steps."


class PathLengthPanel(Panel):
    """A step meter, and path lengths of the point and of many seeds."""

    title, order, window_id, area = "Path length", 125, 1_000_000_041, "right-top"

    def build(self) -> None:
        self.mode = Choice("", "steps", MODES, MODE_HINT, on_change=lambda _: self._turn_to())
        self.steps: Tag
        with dpg.group() as self.steps:
            self.figures = Figures(STEP_FIGURES)
            self.speed = StepCurve("change", SPEED_HINT)
            self.rate = StepCurve("per unit of w", RATE_HINT)
            self.words = note(STAND)
        self.lengths = LengthSection(self.actions)
        self.meter = StepMeter()
        self.now = 0.0
        self.painted = -1.0  # when the curves were painted last
        self.serial = -1
        self._turn_to()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if self.model is None or self.mode.value != "steps" or not self.visible():
            return request
        return replace(request, measures=(*request.measures, WalkSample()))

    def tick(self, seconds: float) -> None:
        self.now += seconds

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.lengths.study.update()
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            self.lengths.follow(frame)
            point = frame.answer(WalkSample)
            if isinstance(point, WalkPoint):
                self.meter.add(point, self.now, frame.timing.total_ms / 1000)
        if not self.visible():
            return
        if self.mode.value == "lengths":
            self.lengths.show()
        elif self.now - self.painted >= REPAINT_S:
            self.painted = self.now
            self._show_steps()

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.meter.clear()
        self.lengths.forget()

    def controls(self) -> Iterator[Control[Any]]:
        yield from (self.mode, self.lengths.count, self.lengths.draws, self.lengths.first, self.lengths.reading)

    def recall(self, kept: Mapping[str, Any]) -> None:
        super().recall(kept)
        self._turn_to()

    def reset(self) -> None:
        super().reset()
        self.lengths.study.stop()

    def _turn_to(self) -> None:
        dpg.configure_item(self.steps, show=self.mode.value == "steps")
        dpg.configure_item(self.lengths.group, show=self.mode.value == "lengths")

    def _show_steps(self) -> None:
        self.meter.forget(self.now)
        steps, totals, jumps = list(self.meter.steps), self.meter.totals(), self.meter.jumps()
        dpg.configure_item(self.words, show=not steps)
        self.figures.show(
            with_unit(totals["rms"], "% / s"), with_unit(totals["mean_abs"], "% / s"),
            with_unit(totals["per_w"], "%"), with_unit(totals["speed"], "/ s"),
        )  # fmt: skip
        at, speed = curve(steps, [each.per_second for each in steps], self.now)
        rate = curve(steps, [each.per_w for each in steps], self.now)[1]
        jumped = np.isin(at, [each.at - self.now for each in jumps]) & np.isfinite(rate)
        self.speed.show(at, speed, jumped, with_unit(steps[-1].per_second, "% / s") if steps else "")
        words = [with_unit(steps[-1].per_w, "%")] if steps and steps[-1].moved else []
        words += [f"{len(jumps)} jump{'s' if len(jumps) > 1 else ''}"] if jumps else []
        own = self.lengths.own
        self.rate.show(at, rate, jumped, ", ".join(words), None if own is None else own.random_step)


def with_unit(value: float, unit: str) -> str:
    """'12.3 % / s'; '' for what is not known."""
    return "" if math.isnan(value) else f"{value:.3g} {unit}"
