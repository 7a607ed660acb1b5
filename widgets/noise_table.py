"""The noise inputs layer by layer: on or off, strength, heard alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg

from networks.plan import LayerInfo, LayerNoise
from widgets import look
from widgets.controls import Checkbox, Drag
from widgets.rows import Button, Tag, buttons


@dataclass
class Row:
    """The controls of one layer."""

    name: str
    on: Checkbox
    strength: Drag
    solo: Button


class NoiseTable:
    """One row per layer with noise; `value` is what differs from 'on with strength 1'."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.layers: tuple[LayerInfo, ...] = ()
        self.solo = ""  # the layer that is heard alone
        self.group: Tag = dpg.add_group()

    def show(self, layers: Sequence[LayerInfo]) -> None:
        """Offer these layers; the same ones again keep their settings."""
        if tuple(layers) == self.layers:
            return
        self.layers, self.rows, self.solo = tuple(layers), [], ""
        dpg.delete_item(self.group, children_only=True)
        if not layers:
            return
        dpg.push_container_stack(self.group)
        self._build_rows()
        buttons(
            ("All on", "Every layer on, none alone.", lambda: self.switch(True)),
            ("All off", "Every layer off.", lambda: self.switch(False)),
            ("Reset", "Every layer on with strength 1, none alone.", self.reset),
        )
        dpg.pop_container_stack()

    @property
    def value(self) -> tuple[LayerNoise, ...]:
        """The layers whose noise is off, or of another strength."""
        return tuple(noise for row in self.rows if (noise := self._noise(row)) != LayerNoise(row.name))

    @property
    def active(self) -> bool:
        """Whether a strength is being dragged."""
        return any(row.strength.active for row in self.rows)

    def switch(self, on: bool) -> None:
        """Every layer on, or off; none alone."""
        self.hear_alone("")
        for row in self.rows:
            row.on.set(on)

    def reset(self) -> None:
        """Every layer on with strength 1."""
        self.switch(True)
        for row in self.rows:
            row.strength.set(1.0)

    def set(self, layers: Sequence[LayerNoise]) -> None:
        """Make `value` this; layers that are not there are left out."""
        asked = {noise.name: noise for noise in layers}
        self.switch(True)
        for row in self.rows:
            noise = asked.get(row.name, LayerNoise(row.name))
            row.on.set(noise.on)
            row.strength.set(noise.strength)

    def hear_alone(self, name: str) -> None:
        """Only this layer's noise; the same one again, or '': all as they are ticked."""
        self.solo = "" if self.solo == name else name
        for row in self.rows:
            look.bind(row.solo.tag, "active" if row.name == self.solo else "")

    def _noise(self, row: Row) -> LayerNoise:
        on = row.name == self.solo if self.solo else row.on.value
        return LayerNoise(row.name, on, row.strength.value)

    def _build_rows(self) -> None:
        table: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as table:
            look.bind_style(table, "stack")
            dpg.add_table_column(width_fixed=True)
            dpg.add_table_column(init_width_or_weight=0.5)
            dpg.add_table_column(init_width_or_weight=0.5)
            dpg.add_table_column(width_fixed=True)
            for layer in self.layers:
                with dpg.table_row():
                    self.rows.append(self._build_row(layer))

    def _build_row(self, layer: LayerInfo) -> Row:
        height, width = layer.size
        on = Checkbox("", True, f"{layer.name}: noise on {width} × {height} px.")
        dpg.add_text(layer.name)
        strength = Drag("", 1.0, f"{layer.name}: factor on noise_strength.", low=-20.0, high=20.0, unit="×")
        solo = Button("S", f"Only {layer.name}; again for all.", lambda: self.hear_alone(layer.name))
        return Row(layer.name, on, strength, solo)
