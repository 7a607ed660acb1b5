"""Channel edits: scale, shift, clamp or silence feature maps while the picture is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest, View
from networks.plan import EditOp, Intervention
from widgets.choices import Combo
from widgets.controls import Drag, IntField
from widgets.icons import icon
from widgets.panel import Panel, Shortcut
from widgets.rows import Button, buttons, columns, heading, note, tooltip

OPS = {"zero": "silence (× 0)", "scale": "scale", "shift": "shift", "clamp": "clamp"}
UNITS = {"scale": "×", "shift": "+", "clamp": "±"}


class EditsPanel(Panel):
    """What is done to the maps of one layer, on one channel or on all; edits act in the order of the list."""

    title, order, window_id, area = "Edits", 90, 1_000_000_009, "right-top"

    def build(self) -> None:
        self.layer = Combo("layer", "", {}, "The layer whose maps are changed; follows the Layers panel.")
        self.channel = IntField("map (−1: all)", -1, "Which feature map; −1 for all. Follows the Layers panel.", low=-1)
        self.op = Combo("edit", "zero", OPS, "What is done to the values of the map.")
        self.amount = Drag(
            "amount", 2.0, "Factor, summand or largest magnitude (no unit).", step=0.02, low=-1e4, high=1e4
        )
        add, self.clear = buttons(
            ("Add edit", "Put this edit at the end of the list (E).", self.add),
            ("Clear", "Remove all edits.", self.remove_all),
        )
        add.dress("primary")
        heading("In effect")
        self.words = note("No edits: the picture is what the checkpoint makes.")
        self.list = dpg.add_group()
        self.edits: list[Intervention] = []
        self.amounts: list[Drag] = []
        self.picked = View()
        self.add_button = add

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if request.view.layer and request.view != self.picked:
            self._follow_view(request.view)
        edits = [replace(edit, value=amount.value) for edit, amount in zip(self.edits, self.amounts, strict=True)]
        return replace(request, edits=tuple(edits))

    def _follow_view(self, view: View) -> None:
        moved = (view.layer, view.channel) != (self.picked.layer, self.picked.channel)
        self.picked = view
        if moved and view.layer in self.layer.choices:
            self.layer.set(view.layer)
            self.channel.set(-1 if view.channel is None else view.channel)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.amount.enabled = self.op.value != "zero"
        self.clear.enabled = bool(self.edits)
        self.add_button.enabled = bool(self.layer.value)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if former is None or model.layers != former.layers:
            self.layer.offer({layer.name: f"{layer.name}   {layer.channels} maps" for layer in model.layers})
            self.layer.set(model.layers[0].name)
            self.remove_all()

    def add(self) -> None:
        """Append the edit that the controls describe."""
        if not self.layer.value or self.model is None:
            return
        info = next(layer for layer in self.model.layers if layer.name == self.layer.value)
        zero = self.op.value == "zero"
        op: EditOp = "scale" if zero else next(name for name in get_args(EditOp) if name == self.op.value)
        channel = None if self.channel.value < 0 else min(self.channel.value, info.channels - 1)
        stage = self.picked.stage if self.picked.layer == info.name else info.stages[0]
        edit = Intervention(
            info.name, op, 0.0 if zero else self.amount.value, None if channel is None else (channel,), stage
        )
        self._rebuild([*self._current(), edit])

    def remove_all(self) -> None:
        """No edits."""
        self._rebuild([])

    def _current(self) -> list[Intervention]:
        return [replace(edit, value=amount.value) for edit, amount in zip(self.edits, self.amounts, strict=True)]

    def _rebuild(self, edits: list[Intervention]) -> None:
        self.edits, self.amounts = edits, []
        dpg.configure_item(self.words, show=not edits)
        dpg.delete_item(self.list, children_only=True)
        dpg.push_container_stack(self.list)
        for number, edit in enumerate(edits):
            self._build_row(number, edit)
        dpg.pop_container_stack()

    def _build_row(self, number: int, edit: Intervention) -> None:
        channel = "all" if edit.channels is None else f"#{edit.channels[0]}"
        with columns(0.55, 0.35, 0.1):
            where = dpg.add_text(f"{edit.layer} {channel}")
            tooltip(where, f"{edit.layer}, stage {edit.stage}, channel {channel}: {edit.op}")
            amount = Drag(
                "", edit.value, "The amount of this edit.", step=0.02, low=-1e4, high=1e4, unit=UNITS[edit.op]
            )
            self.amounts.append(amount)
            Button(icon("x"), "Remove this edit.", lambda: self._remove(number), width=-1, theme="ghost")

    def _remove(self, number: int) -> None:
        self._rebuild([edit for position, edit in enumerate(self._current()) if position != number])

    def dragging(self) -> bool:
        return super().dragging() or any(amount.active for amount in self.amounts)

    def reset(self) -> None:
        super().reset()
        self.remove_all()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (Shortcut("E", "Add the described channel edit", self.add),)
