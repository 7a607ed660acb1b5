"""Droplets: where the feature maps of the picture on the screen spike, layer by layer, and a second model beside it."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Diagnostic, Model, RenderRequest, View
from app.studies.droplet_control import DropletControl
from app.studies.droplets import DropletMeasure, DropletReport, DropletRule
from widgets import look
from widgets.controls import Checkbox
from widgets.droplet_beside import Beside, has_instance_norm
from widgets.droplet_charts import RatioBars
from widgets.droplet_column import DropletColumn, Sides
from widgets.droplet_ladder import Legend
from widgets.droplet_table import DropletTable
from widgets.droplet_walk import WalkSection
from widgets.overlay import Mark, Ring
from widgets.panel import Panel
from widgets.rows import columns, heading, note

OWNER = "droplets"
EMPTY = (
    "Open a model. Droplets are blobs that StyleGAN draws into its feature maps, often unseen in the picture, to get "
    "round instance normalization (Karras et al. 2020, section 2); this panel shows where."
)
OFF = "Measuring is switched off."
RULE = DropletRule()


class DropletsPanel(Panel):
    """Measures each picture while it is on the screen; costs nothing behind another tab."""

    title, order, window_id, area = "Droplets", 84, 1_000_000_071, "right-top"

    def build(self) -> None:
        with columns(0.5, 0.5):
            self.measure = Checkbox("", True, "Measure each picture while this panel is in sight.", beside="measure")
            self.mark = Checkbox(
                "", True, "A ring on the picture: the disc around the spot where S peaks. Amber: a droplet.",
                beside="mark",
            )  # fmt: skip
        self.beside = Beside(self.actions)
        self.here = DropletColumn(self.actions.texture, self.pick)
        self.there = DropletColumn(self.actions.texture, lambda layer: None)
        self.sides = Sides(self.here, self.there)
        self.legend = Legend(self.actions.texture)
        self.rule = note(RULE.in_words())
        look.bind_font(self.rule, "small")
        self.more = dpg.add_group(show=False)
        with dpg.group(parent=self.more):
            heading("By layer")
            self.bars = RatioBars()
            self.table = DropletTable(self.pick)
            heading("Along a walk")
            self.walk = WalkSection(self.actions)
        self.serial = -1
        self.report: DropletReport | None = None
        self.picked = ""
        self.marked: tuple[Mark, ...] = ()

    @property
    def active(self) -> bool:
        """Whether pictures are measured now."""
        return self.measure.value and self.visible()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, measures=(*request.measures, DropletMeasure(RULE))) if self.active else request

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if self.active:
            self._take(frame)
            self.beside.offer(state)
            self.beside.ask(frame, self._control)
            self._show_sides()
            self.bars.update()
            self.walk.show(cleaned(frame), self.picked, RULE)
        self._mark()

    def _take(self, frame: Frame | None) -> None:
        if frame is not None and frame.serial != self.serial and frame.picture is not None:
            self.serial = frame.serial
            self.report = frame.answer(DropletMeasure) or self.report
            self.table.show(self.report, self.picked)
        self.table.fit(dpg.get_item_rect_size(self.window_id)[0])
        dpg.configure_item(self.more, show=self.report is not None)

    def _show_sides(self) -> None:
        both = bool(self.beside.model.path)
        if self.report is None or self.model is None:
            self.here.say("", EMPTY if self.model is None else "Waits for the picture.")
        else:
            model = self.model
            self.here.show(f"{model.title}: {model.name}", self.report, model.title, has_instance_norm(model))
        if both:
            self.beside.show(self.there)
        self.here.ladder.picked = self.picked
        self.sides.show(both)
        self.legend.show(self.report is not None, RULE.ratio)
        names = (self.model.title if self.model is not None else "", self.beside.title)
        self.bars.show(self.report, self.beside.report, names)

    def _mark(self) -> None:
        marks = self._marks() if self.active and self.mark.value else ()
        if marks != self.marked:
            self.marked = marks
            self.actions.mark(OWNER, marks)

    def _marks(self) -> tuple[Mark, ...]:
        """The ring around the spot of the picked layer, else of the verdict; the line of the walk."""
        trail = self.walk.trail
        marks: tuple[Mark, ...] = (trail,) if trail is not None else ()
        if self.report is None:
            return marks
        row = (self.report.of(self.picked) if self.picked else None) or self.report.strongest
        if row is None:
            return marks
        flag = self.report.verdict.flag
        colour = look.WARNING if row.in_run or (flag and not self.picked) else look.MUTED
        words = f"{row.ratio:.1f}×"
        return (*marks, Ring(*row.spot, row.radius, colour, words))

    def pick(self, layer: str) -> None:
        """Follow one layer's spot; the same one again: the verdict's."""
        self.picked = "" if self.picked == layer else layer
        self.table.show(self.report, self.picked)

    def _control(self, request: RenderRequest, model: Model) -> DropletControl:
        return DropletControl(request, model, RULE)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or (model.path, model.layers) != (former.path, former.layers):
            self.report = None
            self.picked = ""
            self.walk.forget()

    def reset(self) -> None:
        super().reset()
        self.beside.reset()
        self.walk.reset()
        self.picked = ""


def cleaned(frame: Frame | None) -> RenderRequest | None:
    """The request of a picture without what other panels look at; None where there is no picture."""
    if frame is None or frame.picture is None:
        return None
    return replace(frame.request, view=View(), diagnostic=Diagnostic(), measures=(), max_height=None)
