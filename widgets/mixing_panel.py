"""Style mixing: some rows of ws from a second seed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Mix, RenderRequest
from app.studies.style_rows import groups as groups  # other panels and tests have it from here
from networks.plan import LayerInfo
from widgets.controls import Checkbox, IntField
from widgets.panel import Panel
from widgets.rows import Button, buttons, columns, heading, note, tooltip

PER_LINE = 4


class MixingPanel(Panel):
    """The second seed styles the rows that are ticked: coarse rows set pose and shape, fine ones colour and texture."""

    title, order, window_id, area = "Mixing", 91, 1_000_000_006, "right-bottom"

    def build(self) -> None:
        self.seed = IntField("second seed", 1, "The seed whose w styles the ticked rows.")
        self.words = note("Open a model to see its rows of ws.")
        self.table = dpg.add_group()
        self.rows: list[Checkbox] = []
        self.layers: tuple[LayerInfo, ...] = ()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        ticked = tuple(number for number, row in enumerate(self.rows) if row.value)
        return replace(request, mix=Mix(self.seed.value, ticked) if ticked else Mix())

    def restore(self, request: RenderRequest) -> None:
        if request.mix.seed is not None:
            self.seed.set(request.mix.seed)
        self.tick_rows(request.mix.rows if request.mix.seed is not None else ())

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        if model.layers == self.layers:
            return
        self.layers, self.rows = model.layers, []
        dpg.configure_item(self.words, show=False)
        dpg.delete_item(self.table, children_only=True)
        dpg.push_container_stack(self.table)
        heading("Rows of ws")
        for name, members in groups(model.layers, model.num_ws).items():
            self._build_group(name, members)
        buttons(
            ("All", "Every row from the second seed.", lambda: self.tick_rows(range(model.num_ws))),
            ("None", "No mixing.", lambda: self.tick_rows(range(0))),
            ("Swap", "Tick the other rows instead.", self._swap),
        )
        dpg.pop_container_stack()

    def _build_group(self, name: str, members: range) -> None:
        hint = f"Rows {members.start} to {members.stop - 1}: only these from the second seed."
        for start in range(members.start, members.stop, PER_LINE):
            with columns(1.4, *(1.0 for _ in range(PER_LINE))):
                if start == members.start:
                    Button(name, hint, lambda: self.tick_rows(members), width=-1)
                else:
                    dpg.add_text("")
                for number in range(start, min(start + PER_LINE, members.stop)):
                    self._build_row(number)

    def _build_row(self, number: int) -> None:
        styled = ", ".join(layer.name for layer in self.layers if layer.w_index == number) or "no layer"
        with dpg.group(horizontal=True, horizontal_spacing=4):
            self.rows.append(Checkbox("", False, f"Row {number} of ws: styles {styled}."))
            tooltip(dpg.add_text(str(number)), f"Row {number} of ws: styles {styled}.")

    def tick_rows(self, members: Collection[int]) -> None:
        """Tick exactly these rows."""
        for number, row in enumerate(self.rows):
            row.set(number in members)

    def _swap(self) -> None:
        for row in self.rows:
            row.set(not row.value)

    def reset(self) -> None:
        super().reset()
        self.tick_rows(range(0))
