"""Noise: off, stored or random; each layer apart; and the difference that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Diagnostic, RenderRequest
from networks.plan import Noise, NoiseMode
from widgets.choices import Choice
from widgets.controls import Checkbox, IntField, Slider
from widgets.image_view import ImageView
from widgets.noise_table import NoiseTable
from widgets.panel import Panel, Shortcut
from widgets.rows import heading, note

PHASE_HINT = (
    "Where random noise stands on its loop: cos(2π t) n + sin(2π t) n′ of two draws. It is N(0, 1) all the way, and"
    " after one turn the very same again, so that a film can be repeated without a jump."
)
MODES = {"none": "Off", "const": "Stored", "random": "Random"}


class NoisePanel(Panel):
    """Noise inputs of the synthesis network, layer by layer."""

    title, order, window_id, area = "Noise", 50, 1_000_000_005, "left-bottom"

    def build(self) -> None:
        self.mode = Choice(
            "", "const", MODES, "Off; the maps stored in the checkpoint; or drawn from N(0, 1) by the seed (N)."
        )
        self.seed = IntField("seed", 0, "Seed of random noise: the same seed and layer give the same noise.")
        self.loop_group = dpg.add_group(show=False)
        with dpg.group(parent=self.loop_group):
            self.phase = Slider("loop", 0.0, 0.0, 1.0, PHASE_HINT, unit="turns", decimals=3)
            self.flow = Checkbox("flow", False, "Let random noise go round its loop by itself, by the clock.")
            self.speed = Slider("speed", 0.25, 0.02, 2.0, "Turns per second.", unit="turns / s")
        self.difference = Checkbox("difference", False, "Show |with noise − without noise|, brightened by the gain.")
        self.gain = Slider("gain", 4.0, 1.0, 32.0, "Factor on the difference before it is shown.", unit="×", decimals=1)
        self.view_group = dpg.add_group(show=False)
        with dpg.group(parent=self.view_group):
            self.view = ImageView(self.actions.texture, height=14, empty="No difference picture yet.")
        heading("Layers")
        self.words = note("Open a model to see its noise inputs.")
        self.table = NoiseTable()
        self.serial = -1

    def contribute(self, request: RenderRequest) -> RenderRequest:
        mode: NoiseMode = next(name for name in get_args(NoiseMode) if name == self.mode.value)
        diagnostic = Diagnostic("noise_difference", self.gain.value) if self.difference.value else Diagnostic()
        seed, phase = (self.seed.value, self.phase.value % 1.0) if mode == "random" else (0, 0.0)
        return replace(request, noise=Noise(mode, seed, self.table.value, phase), diagnostic=diagnostic)

    def restore(self, request: RenderRequest) -> None:
        asked = request.noise
        self.mode.set(asked.mode)
        if asked.mode == "random":
            self.seed.set(asked.seed)
            self.phase.set(asked.phase)
        self.flow.set(False)
        self.table.set(asked.layers)
        self.difference.set(request.diagnostic.kind == "noise_difference")
        if self.difference.value:
            self.gain.set(request.diagnostic.gain)

    def tick(self, seconds: float) -> None:
        if self.flow.value and self.mode.value == "random":
            self.phase.set((self.phase.value + self.speed.value * seconds) % 1.0)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        random = self.mode.value == "random"
        self.seed.enabled = random
        dpg.configure_item(self.loop_group, show=random)
        self.gain.enabled = self.difference.value
        dpg.configure_item(self.view_group, show=self.difference.value)
        if self.difference.value:
            if frame is not None and frame.serial != self.serial and frame.difference is not None:
                self.serial = frame.serial
                self.view.set_picture(frame.difference)
            self.view.update(busy=frame is None or frame.difference is None)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        layers = [layer for layer in model.layers if layer.has_noise]
        self.table.show(layers)
        dpg.configure_item(self.words, default_value=f"{model.title} here has no noise inputs.", show=not layers)

    def reset(self) -> None:
        super().reset()
        self.table.reset()

    def dragging(self) -> bool:
        return super().dragging() or self.table.active

    def _next_mode(self) -> None:
        names = list(MODES)
        self.mode.set(names[(names.index(self.mode.value) + 1) % len(names)])

    def shortcuts(self) -> Sequence[Shortcut]:
        return (Shortcut("N", "Noise: off, stored, random", self._next_mode),)
