"""Shift and turn the picture through the generator's own input, where the family takes it."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Matrix, RenderRequest, Transform
from widgets.controls import Checkbox, Slider
from widgets.panel import Panel
from widgets.rows import buttons, heading, note

FREEZE_HINT = (
    "Let the input's own shift and turn, which StyleGAN3, XL and T learn from w, be those of the mean w: what then"
    " still moves is drawn by the layers."
)
MATRIX_WORDS = "A whole matrix is in effect in place of shift and turn; Reset drops it."


class TransformPanel(Panel):
    """StyleGAN3's user transform: the Fourier features are sampled at shifted and turned places."""

    title, order, window_id, area = "Transform", 110, 1_000_000_007, "right-bottom"

    def build(self) -> None:
        self.words = note("Open a model first.")
        self.x = Slider("shift x", 0.0, -1.0, 1.0, "To the right, in picture widths.", unit="widths", decimals=3)
        self.y = Slider("shift y", 0.0, -1.0, 1.0, "Downwards, in picture heights.", unit="heights", decimals=3)
        self.angle = Slider("turn", 0.0, -180.0, 180.0, "Rotation about the middle.", unit="°", decimals=1)
        heading("Motion")
        self.animate = Checkbox("move", False, "Shift and turn by itself, by the clock.")
        self.speed_x = Slider("speed x", 0.05, -0.5, 0.5, "Shift to the right per second.", unit="widths / s")
        self.speed_y = Slider("speed y", 0.0, -0.5, 0.5, "Shift downwards per second.", unit="heights / s")
        self.speed_angle = Slider("speed turn", 0.0, -1.0, 1.0, "Revolutions per second.", unit="rev / s")
        buttons(("Reset", "No shift, no turn, standing still.", self.reset))
        self.freeze = Checkbox("freeze input", False, FREEZE_HINT)
        self.matrix: Matrix | None = None  # of a request that was restored
        self.matrix_words = note()
        self.available = True
        self._enable(False)

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if not self.available:
            return request
        moved = Transform(self.x.value, self.y.value, self.angle.value, self.matrix, self.freeze.value)
        return replace(request, transform=moved)

    def restore(self, request: RenderRequest) -> None:
        asked = request.transform
        self.animate.set(False)
        for control, value in ((self.x, asked.x), (self.y, asked.y), (self.angle, asked.angle_deg)):
            control.set(value)
        self.freeze.set(asked.freeze_input)
        self.matrix = asked.matrix

    def reset(self) -> None:
        super().reset()
        self.matrix = None

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if self.model is not None:
            self._offer(self.model, any(model.has_transform for model in state.compared))
        dpg.configure_item(self.matrix_words, default_value=MATRIX_WORDS, show=self.matrix is not None)

    def _offer(self, model: ModelInfo, beside: bool) -> None:
        """Take input where the open model has a transform, or one beside it in a comparison."""
        available = model.has_transform or beside
        if available != self.available:
            self._enable(available)
        words = f"{model.title} has no input that could be shifted or turned; StyleGAN3 has."
        if beside:
            words = f"{model.title} has no such input; models beside it in the comparison are shifted and turned."
        dpg.configure_item(self.words, default_value=words, show=not model.has_transform)

    def tick(self, seconds: float) -> None:
        if self.animate.value and self.available:
            self.x.set(wrapped(self.x.value + self.speed_x.value * seconds, 1.0))
            self.y.set(wrapped(self.y.value + self.speed_y.value * seconds, 1.0))
            self.angle.set(wrapped(self.angle.value + self.speed_angle.value * 360 * seconds, 180.0))

    def _enable(self, enabled: bool) -> None:
        self.available = enabled
        for control in self.controls():
            control.enabled = enabled


def wrapped(value: float, limit: float) -> float:
    """value moved by whole turns of 2 limit into [-limit, limit)."""
    return (value + limit) % (2 * limit) - limit
