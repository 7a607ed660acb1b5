"""Interventions: change feature maps while the picture is made, by channels (network bending) or by a spot (spikes)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest, View
from app.studies.droplets import DropletMeasure, DropletReport
from networks.plan import PRE_NORM, Disc
from widgets import look
from widgets.controls import Control
from widgets.icons import icon
from widgets.intervention_form import InterventionForm
from widgets.intervention_list import InterventionList
from widgets.intervention_ops import RECIPES, Recipe
from widgets.intervention_rows import InterventionRows
from widgets.overlay import Mark, Ring
from widgets.panel import Panel, Shortcut
from widgets.rows import Button, Tag, buttons, columns, heading, note

OWNER = "interventions"  # of the rings on the picture
NOTHING = "nothing yet"
SPOT_HINT = "Look for the strongest spike in the untouched picture; take its place, its size and its layer."
SPOT_TO_DISC = 2.0  # what is left of a spike's foot, the next norm can make as strong as the spike was
QUIET: look.Colour = (*look.ACCENT[:3], 110)


class InterventionsPanel(Panel):
    """The form describes the chosen intervention, or the next one to add; those of the list act in its order."""

    title, order, window_id, area = "Interventions", 90, 1_000_000_009, "right-top"

    def build(self) -> None:
        self.list = InterventionList()
        self.picked = View()
        self.marked: Sequence[Mark] = ()
        self.asking = False  # for the droplet's spot
        self.recipe: Recipe | None = None  # to be followed there
        self._build_recipes()
        self._build_list()
        self.heading = heading("")
        self.form = InterventionForm()
        self.spot_group: Tag
        with dpg.group(show=False) as self.spot_group, columns(0.45, 0.55):
            self.spot = Button(f"{icon('droplet')}  Droplet's spot", SPOT_HINT, partial(self._ask, None), width=-1)
            dpg.add_text("or click on the picture", color=look.MUTED)
        self.add_button, self.new = buttons(
            ("Add", "Put this at the end of the list; then the controls change it (E).", self.add),
            (
                "Describe another",
                "Leave the chosen one as it is and describe the next.",
                lambda: self.list.choose(None),
            ),
        )
        self.add_button.dress("primary")

    def _build_recipes(self) -> None:
        self.recipe_group: Tag
        with dpg.group(show=False) as self.recipe_group:
            heading("What does the spike do?")
            specs = ((recipe.name, recipe.hint, partial(self._ask, recipe)) for recipe in RECIPES)
            self.recipes = buttons(*specs)
            self.verdict = note()

    def _build_list(self) -> None:
        heading("In effect, in this order")
        with columns(0.61, 0.13, 0.13, 0.13):
            self.count = dpg.add_text(NOTHING, color=look.MUTED)
            self.back = Button(icon("undo-2"), "Undo the last step of this list.", self.undo, width=-1, theme="ghost")
            self.again = Button(icon("redo-2"), "Take it again.", self.redo, width=-1, theme="ghost")
            self.clear = Button(icon("trash-2"), "Remove all.", self.list.clear, width=-1, theme="ghost")
        self.rows = InterventionRows(self.list)

    # -- request -----------------------------------------------------------------------------------------------------

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if request.view.layer and request.view != self.picked:
            self._follow_view(request.view)
        if self.rows.take_choice():
            self.form.describe(self.list.chosen)
        self.form.update()
        described = self.form.value
        if described is not None and self.list.chosen not in (None, described):
            self.list.change(described, held=self.dragging())
        if self.asking:  # the spot in the picture without interventions
            return replace(request, measures=(*request.measures, DropletMeasure()))
        return replace(request, edits=self.list.edits if self._is_ours(request) else ())

    def restore(self, request: RenderRequest) -> None:
        self.list.match(request.edits)
        self.form.describe(self.list.chosen)

    def _is_ours(self, request: RenderRequest) -> bool:
        """Another model is about to open: the list belongs to the one before, or to all snapshots of its run."""
        path = request.model.path
        return self.model is None or not path or Path(path).parent == Path(self.model.path).parent

    def _follow_view(self, view: View) -> None:
        """Another map is looked at: the next intervention is about that one."""
        moved = (view.layer, view.channel) != (self.picked.layer, self.picked.channel)
        self.picked = view
        if moved:
            self.list.choose(None)
            self.form.look_at(view.layer, view.channel)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if self.asking and frame is not None and frame.complete:
            self._take_spot(frame)
        self.rows.show()
        chosen = self.list.now.chosen
        dpg.set_item_label(self.heading, "The next one" if chosen is None else f"Number {chosen + 1} of the list")
        dpg.configure_item(self.spot_group, show=self.form.disc is not None)
        self.add_button.enabled = self.form.info is not None
        self.add_button.rename("Add" if chosen is None else "Add a copy")
        self.new.enabled = chosen is not None
        self.back.enabled, self.again.enabled = self.list.can_undo, self.list.can_redo
        self.clear.enabled = bool(self.list.now.rows)
        dpg.set_value(self.count, f"{len(self.list.edits)} on" if self.list.now.rows else NOTHING)
        self._mark()

    def _mark(self) -> None:
        """Rings on the picture: the disc that is described, and fainter those of the list."""
        marks: list[Mark] = []
        if self._is_open():
            described = self.form.disc
            discs = dict.fromkeys(edit.disc for edit in self.list.edits if edit.disc is not None)
            marks = [Ring(disc.x, disc.y, disc.radius, QUIET) for disc in discs if disc != described]
            if described is not None:
                marks.append(Ring(described.x, described.y, described.radius, look.ACCENT))
        if marks != self.marked:
            self.marked = marks
            self.actions.mark(OWNER, marks)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or model.layers != former.layers:
            self.form.adopt(model.layers)
            self.list.forget()
            dpg.configure_item(self.recipe_group, show=any(PRE_NORM in layer.stages for layer in model.layers))
            self._say("")

    def _is_open(self) -> bool:
        """Whether discs are shown and can be placed: also from behind the Layers panel while one is chosen."""
        return self.visible() or self.list.chosen is not None

    def _say(self, words: str) -> None:
        dpg.configure_item(self.verdict, default_value=words, show=bool(words))

    # -- what the user does ------------------------------------------------------------------------------------------

    def add(self) -> None:
        """Append what the form describes, and go on describing it."""
        described = self.form.value
        if described is not None:
            self.list.add(described)

    def undo(self) -> None:
        """Take the last step back."""
        self.list.undo()
        self.form.describe(self.list.chosen)

    def redo(self) -> None:
        """Take it again."""
        self.list.redo()
        self.form.describe(self.list.chosen)

    def take_point(self, x: float, y: float) -> None:
        if self._is_open() and self.form.disc is not None:
            self.form.place(x, y)

    def reset(self) -> None:
        super().reset()
        self.list.clear()
        self._say("")

    def controls(self) -> Iterator[Control[Any]]:
        return self.form.controls()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (Shortcut("E", "Add the described intervention", self.add),)

    def _ask(self, recipe: Recipe | None) -> None:
        self.asking, self.recipe = self.model is not None, recipe

    def _take_spot(self, frame: Frame) -> None:
        """The droplet's spot is known: put the disc there, and follow the recipe."""
        report = frame.answer(DropletMeasure)
        if report is None and frame.problem is None:
            return  # a frame of before
        self.asking = False
        if report is None or report.strongest is None:
            self._say("No layer of this picture could be searched for a spike.")
            return
        spot = report.strongest
        self._say(report.verdict.text)
        disc = Disc(round(spot.spot[0], 3), round(spot.spot[1], 3), round(SPOT_TO_DISC * spot.radius, 3))
        if self.recipe is not None:
            self.list.put(self.recipe.at(begins(report), disc))
            self.form.describe(self.list.chosen)
        else:
            self.form.place(disc.x, disc.y, disc.radius)
            self.form.layer.set(spot.layer)
            self.form.stage.set(spot.stage)


def begins(report: DropletReport) -> str:
    """The layer where a picture's droplet begins; without a droplet, the one with the strongest spike."""
    return next((layer.layer for layer in report.layers if layer.in_run), report.verdict.strongest)
