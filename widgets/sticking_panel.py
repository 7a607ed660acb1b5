"""Sticking: does detail stay where it is while the content moves? Karras et al. 2021, Fig. 1, for one model or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Diagnostic, RenderRequest, View
from widgets.ablation_choice import AblationChoice
from widgets.choices import Choice
from widgets.controls import Control
from widgets.overlay import Mark
from widgets.panel import Panel
from widgets.rows import Button, heading
from widgets.second_model import SecondModel, short
from widgets.sticking_mean import MeanSection
from widgets.sticking_patch import PatchSection
from widgets.sticking_results import ResultTable, Side
from widgets.sticking_slit import SlitSection
from widgets.study_box import Ask, StudyBox

OWNER = "sticking"  # of the marks on the picture
MODES = {"mean": "Mean", "slit": "Slit scan", "patch": "Patch track"}
WHAT = {"mean": "neighbourhood mean", "slit": "slit scan", "patch": "patch track"}
MODE_HINT = (
    "Mean, of a neighbourhood: detail that stays sharp in the mean of many close pictures is glued to its place.\n"
    "Slit scan: one column of pixels along a walk; what sticks draws streaks.\n"
    "Patch track: where one patch goes along a walk, at every resolution."
)
STUDY_HINT = "Draws the pictures in the background, around the latent on the screen or along a walk through seeds."
SECOND_HINT = "A second model, measured at the same time with the same seeds, psi and settings, and shown side by side."
IMAGES_HINT = "The mean, the map of S (as coloured here) and the slit scan of each model, beside the saved pictures."
Section = MeanSection | SlitSection | PatchSection


class StickingPanel(Panel):
    """Three measures; each has its section and table, the models and the change are common to them."""

    title, order, window_id, area = "Sticking", 123, 1_000_000_064, "right-top"

    def build(self) -> None:
        self.mode = Choice("", "mean", MODES, MODE_HINT, on_change=lambda mode: self._turn_to(mode))
        self.study = StudyBox(self.actions, "Measure", STUDY_HINT, self._ask, self._save)
        self.sections: dict[str, Section] = {
            "mean": MeanSection(self.actions), "slit": SlitSection(self.actions), "patch": PatchSection(self.actions),
        }  # fmt: skip
        self.tables = {mode: ResultTable() for mode in MODES}
        heading("What is measured")
        self.second = SecondModel(SECOND_HINT, lambda: None)
        for section in self.sections.values():
            section.build_settings()
        heading("Take one suspect away")
        self.ablations = AblationChoice(self._measure_again)
        heading("Pictures")
        self.images = Button("Save as PNG", IMAGES_HINT, self._save_images, width=-1)
        self.frame: Frame | None = None
        self.measured = "mean"  # what runs, or ran last
        self.marked: Sequence[Mark] = ()

    @property
    def section(self) -> Section:
        """The one in sight."""
        return self.sections[self.mode.value]

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.study.update()
        self.frame = frame
        self._mark()
        if not self.visible():
            return
        self.second.offer(state, self.model.path if self.model is not None else "")
        running = self.study.running
        for control in self._settings():
            control.enabled = not running
        self.second.enable(not running and self.mode.value != "patch")
        self.study.button.enabled = self.model is not None
        self.study.save.enabled = bool(self.tables[self.mode.value].rows)
        self.images.enabled = bool(self.section.images())
        self.section.show()
        self.tables[self.mode.value].show(self.section.heads, self.section.head_hints)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.study.forget()
        for mode, section in self.sections.items():
            section.forget()
            self.tables[mode].clear()
        self.ablations.adopt(model)

    def take_point(self, x: float, y: float) -> None:
        if self.visible() and not self.study.running and isinstance(self.section, SlitSection | PatchSection):
            self.section.place(x, y)

    def controls(self) -> Iterator[Control[Any]]:
        yield self.mode
        yield from self._settings()

    def reset(self) -> None:
        super().reset()
        self.study.stop()
        self.second.choice.reset()
        self.ablations.choose("none")

    def _settings(self) -> Iterator[Control[Any]]:
        for section in self.sections.values():
            yield from (value for value in vars(section).values() if isinstance(value, Control))

    def _turn_to(self, mode: str) -> None:
        for name, section in self.sections.items():
            dpg.configure_item(section.group, show=name == mode)
            dpg.configure_item(section.settings_group, show=name == mode)
            dpg.configure_item(self.tables[name].tag, show=name == mode and bool(self.tables[name].rows))

    def _mark(self) -> None:
        """The slit or the patch on the picture, while the panel is in sight."""
        section = self.section
        there = self.visible() and self.model is not None and not isinstance(section, MeanSection)
        marks = section.marks() if there and not isinstance(section, MeanSection) else []
        if marks != self.marked:
            self.marked = marks
            self.actions.mark(OWNER, marks)

    # -- measuring ---------------------------------------------------------------------------------------------------

    def _ask(self) -> list[Ask]:
        if self.frame is None or self.model is None:
            return []
        self.measured = self.mode.value
        section, table = self.section, self.tables[self.measured]
        request = self.frame.request
        asked = replace(request, measures=(), view=View(), diagnostic=Diagnostic(), max_height=None)
        sides = self._sides(asked, self.model)
        table.keep((section.settings(), asked))
        section.begin(sides)
        return [(section.question(side.request), partial(self._take, self.measured, side)) for side in sides]

    def _sides(self, asked: RenderRequest, model: ModelInfo) -> list[Side]:
        """Who is measured: the model on the screen, and the other one."""
        change = self.ablations.value
        sides = [Side("", short(model.path), change(asked), change)]
        if self.second.path and self.mode.value != "patch":
            sides.append(Side("second-", self.second.name, change(self.second.request(asked)), change))
        return sides

    def _take(self, mode: str, side: Side, answer: Any) -> None:
        section = self.sections[mode]
        section.take(side.key, answer)
        result = section.result(side.key)
        if result is not None:
            self.tables[mode].add(side, result)

    def _measure_again(self) -> None:
        """Another change was pressed: where there is something to compare with, measure with it at once."""
        if self.tables[self.mode.value].rows or self.study.running:
            self.study.start()

    # -- saving ------------------------------------------------------------------------------------------------------

    def _save(self) -> None:
        section, table = self.section, self.tables[self.mode.value]
        numbers = [
            {"model": side.name, "change": side.change.name, **values}
            for side in section.sides
            if (values := section.as_json(side.key, side.request)) is not None
        ]
        rows = [
            {"model": side.name, "change": side.change.name, **dict(zip(section.heads, result.cells, strict=True))}
            for side, result in table.rows.values()
        ]
        self.actions.save_numbers(
            f"sticking-{self.mode.value}",
            {"what": WHAT[self.mode.value], "intervals": "95 %", "results": numbers, "table": rows},
        )

    def _save_images(self) -> None:
        for name, pixels in self.section.images().items():
            self.actions.save_pixels(name, pixels)
