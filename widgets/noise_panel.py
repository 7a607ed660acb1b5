"""Noise: off, stored or random; each layer apart; and the difference that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Diagnostic, RenderRequest
from networks.plan import LayerInfo, LayerNoise, Noise, NoiseMode
from widgets import look
from widgets.choices import Choice
from widgets.controls import Checkbox, Drag, IntField, Slider
from widgets.image_view import ImageView
from widgets.panel import Panel, Shortcut
from widgets.rows import Button, Tag, buttons, heading, note

MODES = {"none": "Off", "const": "Stored", "random": "Random"}


@dataclass
class Row:
    """The controls of one layer."""

    name: str
    on: Checkbox
    strength: Drag
    solo: Button


class NoisePanel(Panel):
    """Noise inputs of the synthesis network, layer by layer."""

    title, order, window_id, area = "Noise", 50, 1005, "left-bottom"

    def build(self) -> None:
        self.mode = Choice(
            "", "const", MODES, "Off; the maps stored in the checkpoint; or drawn from N(0, 1) by the seed (N)."
        )
        self.seed = IntField("seed", 0, "Seed of random noise: the same seed and layer give the same noise.")
        self.difference = Checkbox("difference", False, "Show |with noise − without noise|, brightened by the gain.")
        self.gain = Slider("gain", 4.0, 1.0, 32.0, "Factor on the difference before it is shown.", unit="×", decimals=1)
        self.view_group = dpg.add_group(show=False)
        with dpg.group(parent=self.view_group):
            self.view = ImageView(self.actions.texture, height=14, empty="No difference picture yet.")
        self.heading = heading("Layers")
        self.rows: list[Row] = []
        self.solo = ""
        self.layers: tuple[LayerInfo, ...] = ()
        self.words = note("Open a model to see its noise inputs.")
        self.table = dpg.add_group()
        self.serial = -1

    def contribute(self, request: RenderRequest) -> RenderRequest:
        changed = tuple(noise for row in self.rows if (noise := self._layer(row)) != LayerNoise(row.name))
        mode: NoiseMode = next(name for name in get_args(NoiseMode) if name == self.mode.value)
        diagnostic = Diagnostic("noise_difference", self.gain.value) if self.difference.value else Diagnostic()
        seed = self.seed.value if mode == "random" else 0
        return replace(request, noise=Noise(mode, seed, changed), diagnostic=diagnostic)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.seed.enabled = self.mode.value == "random"
        self.gain.enabled = self.difference.value
        dpg.configure_item(self.view_group, show=self.difference.value)
        if self.difference.value:
            if frame is not None and frame.serial != self.serial and frame.difference is not None:
                self.serial = frame.serial
                self.view.set_picture(frame.difference)
            self.view.update(busy=frame is None or frame.difference is None)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        layers = tuple(layer for layer in model.layers if layer.has_noise)
        if layers == self.layers:
            return
        self.layers, self.rows, self.solo = layers, [], ""
        dpg.delete_item(self.table, children_only=True)
        dpg.set_value(self.words, "" if layers else f"{model.title} has no noise inputs.")
        dpg.configure_item(self.words, show=not layers)
        if layers:
            dpg.push_container_stack(self.table)
            self._build_table()
            buttons(
                ("All on", "Every layer on, no solo.", lambda: self._switch(True)),
                ("All off", "Every layer off.", lambda: self._switch(False)),
                ("Reset", "Every layer on, strength 1, no solo.", self.reset_layers),
            )
            dpg.pop_container_stack()

    def _build_table(self) -> None:
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
        solo = Button("S", f"Only {layer.name}; again for all.", lambda: self._toggle_solo(layer.name))
        return Row(layer.name, on, strength, solo)

    def _layer(self, row: Row) -> LayerNoise:
        on = row.name == self.solo if self.solo else row.on.value
        return LayerNoise(row.name, on, row.strength.value)

    def _toggle_solo(self, name: str) -> None:
        self.solo = "" if self.solo == name else name
        for row in self.rows:
            look.bind(row.solo.tag, "active" if row.name == self.solo else "")

    def _switch(self, on: bool) -> None:
        self._toggle_solo(self.solo)
        for row in self.rows:
            row.on.set(on)

    def reset_layers(self) -> None:
        """Every layer on with strength 1."""
        self._switch(True)
        for row in self.rows:
            row.strength.set(1.0)

    def reset(self) -> None:
        super().reset()
        self.reset_layers()

    def dragging(self) -> bool:
        return super().dragging() or any(row.strength.active for row in self.rows)

    def _next_mode(self) -> None:
        names = list(MODES)
        self.mode.set(names[(names.index(self.mode.value) + 1) % len(names)])

    def shortcuts(self) -> Sequence[Shortcut]:
        return (Shortcut("N", "Noise: off, stored, random", self._next_mode),)
