"""Interventions: change feature maps while the picture is made, by channels (network bending) or by a spot (spikes)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest, View
from app.studies.droplets import DropletMeasure, DropletReport
from networks.plan import DISC_OPS, NORM_OPS, OUTPUT, PRE_NORM, Disc, Intervention, LayerInfo
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.choices import Choice, Combo
from widgets.controls import Checkbox, Control, Drag, Slider, TextField
from widgets.icons import icon
from widgets.intervention_list import InterventionList
from widgets.intervention_ops import NORM_TAKES_IT, OPS, RECIPES, Op, Recipe, fitting, key_of, maps_in_words
from widgets.intervention_rows import InterventionRows
from widgets.overlay import Mark, Ring
from widgets.panel import Panel, Shortcut
from widgets.rows import Button, Tag, buttons, columns, heading, note

OWNER = "interventions"  # of the rings on the picture
STAGES = {PRE_NORM: "Before norm", OUTPUT: "After the layer"}
STAGE_HINT = (
    "Where the map is changed: before its instance norm, which then measures the changed map, or after the layer."
)
NONE_YET = "nothing"
SPOT_TO_DISC = 1.5  # the foot of a spike is wider than the disc that it is measured in
QUIET: look.Colour = (*look.ACCENT[:3], 110)


class InterventionsPanel(Panel):
    """The controls describe the chosen intervention, or the next one to add; those of the list act in its order."""

    title, order, window_id, area = "Interventions", 90, 1_000_000_009, "right-top"

    def build(self) -> None:
        self.list = InterventionList()
        self.picked = View()
        self.marked: Sequence[Mark] = ()
        self.asking = False  # for the droplet's spot
        self.recipe: Recipe | None = None  # to be followed there
        self.layer = Combo("layer", "", {}, "The layer whose maps are changed; follows the Layers panel.")
        self.op = Combo("what", "silence", fitting(None), "What is done to the values of each map.")
        self.op.on_change = self._suit_stage
        self.words = note()
        self.stage_group = dpg.add_group()
        with dpg.group(parent=self.stage_group):
            self.stage = Choice("where", OUTPUT, STAGES, STAGE_HINT)
            self.onward = Checkbox(
                "", False, "To-RGBs excepted. A spike that is taken out of one layer is drawn anew by the next.",
                beside="and in every later layer",
            )  # fmt: skip
        self.maps = TextField(
            "maps",
            "Which maps of the layer, for instance 3, 7-12; empty for all. Follows the Layers panel.",
            placeholder="all, or 3, 7-12",
            on_enter=False,
        )
        self.complaint = note("", look.WARNING)
        self._build_amounts()
        self._build_disc()
        self.add_button, self.new = buttons(
            ("Add", "Put this at the end of the list; then the controls change it (E).", self.add),
            (
                "Describe another",
                "Leave the chosen one as it is and describe the next.",
                lambda: self.list.choose(None),
            ),
        )
        self.add_button.dress("primary")
        self._build_list()
        self._build_recipes()
        self.channels: tuple[int, ...] | None = None  # the last that could be read
        with dpg.handler_registry():
            dpg.add_key_press_handler(dpg.mvKey_Z, callback=self._key, user_data=self.undo)
            dpg.add_key_press_handler(dpg.mvKey_Y, callback=self._key, user_data=self.redo)

    def _build_amounts(self) -> None:
        """One control for each kind of amount; the op's one is shown."""
        self.amounts: dict[str, Slider] = {}
        self.amount_groups: dict[str, Tag] = {}
        drag = partial(Drag, step=0.02, low=-1e4, high=1e4)
        makers: dict[str, Callable[[], Slider]] = {
            "factor": lambda: drag("factor", 2.0, "What each value is multiplied by.", unit="×"),
            "summand": lambda: drag("summand", 1.0, "What is added to each value, without unit.", unit="+"),
            "bound": lambda: drag("bound", 2.0, "Largest magnitude that is left, without unit.", unit="±"),
            "k": lambda: Slider(
                "k",
                4.0,
                0.5,
                12.0,
                "Distance from the median in robust deviations, 1.4826 MAD.",
                unit="MAD",
                decimals=1,
            ),
            "strength": lambda: Slider("strength", 100.0, 0.0, 100.0, "0 % does nothing.", unit="%", decimals=0),
        }
        for name, make in makers.items():
            group: Tag
            with dpg.group(show=False) as group:
                self.amounts[name] = make()
            self.amount_groups[name] = group

    def _build_disc(self) -> None:
        self.disc_group: Tag
        with dpg.group(show=False) as self.disc_group:
            self.x = Slider("disc, x", 50.0, 0.0, 100.0, "Centre, in % of the picture's width.", unit="%", decimals=1)
            self.y = Slider(
                "disc, y", 50.0, 0.0, 100.0, "Centre, in % of its height from the top.", unit="%", decimals=1
            )
            self.radius = Slider("radius", 4.0, 0.2, 25.0, "In % of the picture's height.", unit="%", decimals=1)
            note("Click on the picture to place the disc.")
            self.spot = Button(
                f"{icon('droplet')}  Take the droplet's spot",
                "Look for the strongest spike in the untouched picture; take its place, its size and its layer.",
                partial(self._ask, None),
                width=-1,
            )

    def _build_list(self) -> None:
        heading("In effect, in this order")
        with columns(0.61, 0.13, 0.13, 0.13):
            self.empty = dpg.add_text(NONE_YET, color=look.MUTED)
            self.back = Button(icon("undo-2"), "Undo (Ctrl+Z in this panel).", self.undo, width=-1, theme="ghost")
            self.again = Button(icon("redo-2"), "Redo (Ctrl+Y in this panel).", self.redo, width=-1, theme="ghost")
            self.clear = Button(icon("trash-2"), "Remove all.", self.list.clear, width=-1, theme="ghost")
        self.rows = InterventionRows(self.list)

    def _build_recipes(self) -> None:
        self.recipe_group: Tag
        with dpg.group(show=False) as self.recipe_group:
            heading("What does the spike do?")
            specs = ((recipe.name, recipe.hint, partial(self._ask, recipe)) for recipe in RECIPES)
            self.recipes = buttons(*specs)

    # -- request -----------------------------------------------------------------------------------------------------

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if request.view.layer and request.view != self.picked:
            self._follow_view(request.view)
        if self.rows.take_choice():
            self._describe(self.list.chosen)
        draft = self._draft()
        if draft is not None and self.list.chosen not in (None, draft):
            self.list.change(draft, held=self.dragging())
        if self.asking:  # the spot in the picture without interventions
            return replace(request, measures=(*request.measures, DropletMeasure()))
        return replace(request, edits=self.list.edits if self._is_ours(request) else ())

    def _is_ours(self, request: RenderRequest) -> bool:
        """Another model is about to open: the list belongs to the one before, or to all snapshots of its run."""
        path = request.model.path
        return self.model is None or not path or Path(path).parent == Path(self.model.path).parent

    def _follow_view(self, view: View) -> None:
        """Another map is looked at: the next intervention is about that one."""
        moved = (view.layer, view.channel) != (self.picked.layer, self.picked.channel)
        self.picked = view
        if moved and view.layer in self.layer.choices:
            self.list.choose(None)
            self.layer.set(view.layer)
            self.maps.set("" if view.channel is None else str(view.channel))

    def _draft(self) -> Intervention | None:
        """What the controls describe; None while there is no layer."""
        info = self._info()
        if info is None:
            return None
        op = OPS[self.op.value]
        value = {"none": 0.0, "strength": self.amounts["strength"].value / 100}.get(op.amount)
        return Intervention(
            layer=info.name,
            op=op.op,
            value=self.amounts[op.amount].value if value is None else value,
            channels=self._channels(info),
            stage=self.stage.value if self.stage.value in info.stages else info.stages[0],
            disc=self._disc() if op.op in DISC_OPS else None,
            onward=self.onward.value and op.for_spikes,
        )

    def _disc(self) -> Disc:
        return Disc(self.x.value / 100, self.y.value / 100, self.radius.value / 100)

    def _channels(self, info: LayerInfo) -> tuple[int, ...] | None:
        """The maps as typed; what cannot be read, or is not there, is complained of and changes nothing."""
        text = self.maps.value.replace("–", "-")
        numbers = None if text in ("", "all") else parse_seeds(text)
        words = ""
        if numbers is None and text not in ("", "all"):
            words = f"'{text}' is no list of maps; for instance 3, 7-12."
        elif numbers and max(numbers) >= info.channels:
            words = f"{info.name} has maps 0 to {info.channels - 1}; {max(numbers)} is not there."
        dpg.configure_item(self.complaint, default_value=words, show=bool(words))
        if not words:
            self.channels = None if numbers is None else tuple(dict.fromkeys(numbers))
        kept = self.channels
        return kept if kept is None else tuple(channel for channel in kept if channel < info.channels)

    # -- what is shown -----------------------------------------------------------------------------------------------

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if self.asking and frame is not None and frame.complete:
            self._take_spot(frame)
        info, op = self._info(), OPS[self.op.value]
        self.op.offer(fitting(info))
        if not self.op.value:
            self.op.set("silence")
        self._show_controls(info, op)
        self.rows.show()
        self._mark(op)

    def _show_controls(self, info: LayerInfo | None, op: Op) -> None:
        several = info is not None and len(info.stages) > 1
        dpg.configure_item(self.stage_group, show=several)
        dpg.configure_item(self.recipe_group, show=several)
        self.onward.enabled = op.for_spikes
        idle = several and self.stage.value == PRE_NORM and op.op in ("scale", "shift")
        dpg.set_value(self.words, f"{op.sentence} {NORM_TAKES_IT}" if idle else op.sentence)
        self.stage.enabled = op.op not in NORM_OPS
        for name, group in self.amount_groups.items():
            dpg.configure_item(group, show=name == op.amount)
        dpg.configure_item(self.disc_group, show=op.op in DISC_OPS)
        chosen = self.list.now.chosen
        self.add_button.enabled = info is not None
        self.add_button.rename("Add" if chosen is None else "Add a copy")
        self.new.enabled = chosen is not None
        self.back.enabled, self.again.enabled = self.list.can_undo, self.list.can_redo
        self.clear.enabled = bool(self.list.now.rows)
        dpg.set_value(self.empty, NONE_YET if not self.list.now.rows else f"{len(self.list.edits)} on")

    def _mark(self, op: Op) -> None:
        """Rings on the picture: the disc that is described, and fainter those of the list."""
        marks: list[Mark] = []
        if self.visible():
            discs = [edit.disc for edit in self.list.edits if edit.disc is not None]
            described = self._disc() if op.op in DISC_OPS else None
            marks = [Ring(disc.x, disc.y, disc.radius, QUIET) for disc in dict.fromkeys(discs) if disc != described]
            if described is not None:
                marks.append(Ring(described.x, described.y, described.radius, look.ACCENT))
        if marks != self.marked:
            self.marked = marks
            self.actions.mark(OWNER, marks)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or model.layers != former.layers:
            self.layer.offer({layer.name: f"{layer.name}   {layer.channels} maps" for layer in model.layers})
            self.layer.set(model.layers[0].name)
            self.maps.set("")
            self.list.forget()

    # -- what the user does ------------------------------------------------------------------------------------------

    def add(self) -> None:
        """Append what the controls describe, and go on describing it."""
        draft = self._draft()
        if draft is not None:
            self.list.add(draft)

    def undo(self) -> None:
        """Take the last step back."""
        self.list.undo()
        self._describe(self.list.chosen)

    def redo(self) -> None:
        """Take it again."""
        self.list.redo()
        self._describe(self.list.chosen)

    def take_point(self, x: float, y: float) -> None:
        if self.visible() and OPS[self.op.value].op in DISC_OPS:
            self.x.set(round(100 * min(max(x, 0.0), 1.0), 1))
            self.y.set(round(100 * min(max(y, 0.0), 1.0), 1))

    def reset(self) -> None:
        super().reset()
        self.list.clear()

    def controls(self) -> Iterator[Control[Any]]:
        yield from super().controls()
        yield from self.amounts.values()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (Shortcut("E", "Add the described intervention", self.add),)

    def _describe(self, edit: Intervention | None) -> None:
        """Set the controls to an intervention."""
        if edit is None:
            return
        key = key_of(edit)
        self.layer.set(edit.layer)
        self.op.offer(fitting(self._info()))
        self.op.set(key)
        self.stage.set(edit.stage)
        self.onward.set(edit.onward)
        self.maps.set("" if edit.channels is None else maps_in_words(edit.channels))
        self.channels = edit.channels
        if OPS[key].amount in self.amounts:
            self.amounts[OPS[key].amount].set(round(edit.value * (100 if OPS[key].amount == "strength" else 1), 2))
        if edit.disc is not None:
            for control, value in ((self.x, edit.disc.x), (self.y, edit.disc.y), (self.radius, edit.disc.radius)):
                control.set(round(100 * value, 1))

    def _suit_stage(self, key: str) -> None:
        """Spikes are met before the norm; scaled, shifted or silenced, a map must be met after it."""
        self.stage.set(PRE_NORM if OPS[key].for_spikes else OUTPUT)

    def _ask(self, recipe: Recipe | None) -> None:
        self.asking, self.recipe = self.model is not None, recipe

    def _take_spot(self, frame: Frame) -> None:
        report = frame.answer(DropletMeasure)
        if report is None and frame.problem is None:
            return  # a frame of before
        self.asking = False
        strongest = None if report is None else report.strongest
        if strongest is not None and strongest.layer in self.layer.choices:
            self.layer.set(strongest.layer)
            self.stage.set(strongest.stage)
            self.x.set(round(100 * strongest.spot[0], 1))
            self.y.set(round(100 * strongest.spot[1], 1))
            self.radius.set(round(100 * SPOT_TO_DISC * strongest.radius, 1))
            if self.recipe is not None:
                self.list.put(self.recipe.at(begins(report), self._disc()))
                self._describe(self.list.chosen)

    def _info(self) -> LayerInfo | None:
        layers = () if self.model is None else self.model.layers
        return next((layer for layer in layers if layer.name == self.layer.value), None)

    def _key(self, sender: Tag, app_data: Any, user_data: Callable[[], None]) -> None:
        held = dpg.is_key_down(dpg.mvKey_LControl) or dpg.is_key_down(dpg.mvKey_RControl)
        if held and dpg.get_active_window() == self.window_id:
            user_data()


def begins(report: DropletReport) -> str:
    """The layer where a picture's droplet begins; without a droplet, the one with the strongest spike."""
    return next((layer.layer for layer in report.layers if layer.in_run), report.verdict.strongest)
