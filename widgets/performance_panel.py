"""How fast everything is, and what it runs on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from widgets.choices import Choice, Combo
from widgets.controls import IntSlider, Slider
from widgets.panel import Panel
from widgets.readouts import KeyValues, Plot
from widgets.rows import heading

DEVICES = {"auto": "Auto", "cpu": "CPU", "cuda": "CUDA", "mps": "MPS"}
PRECISIONS = {"auto": "Auto", "fp32": "fp32"}


class PerformancePanel(Panel):
    """Times of the window and of the generator, device and precision, limits of the window."""

    title, order, window_id, area = "Performance", 100, 1_000_000_010, "right-bottom"

    def build(self) -> None:
        self.gui = Plot("window", "Work for one frame of this window in ms; the last 180 frames.")
        self.render = Plot("picture", "Time from request to picture in ms; the last 180 pictures.")
        self.table = KeyValues()
        heading("Generator")
        self.device = Combo("device", "auto", DEVICES, "Where the generator runs; Auto takes a GPU when there is one.")
        self.precision = Choice(
            "precision",
            "auto",
            PRECISIONS,
            "Auto: fp16 in the highest resolutions on a GPU, as the originals do; else fp32.",
        )
        heading("Window")
        self.limit = IntSlider("frame limit", 60, 10, 240, "The window draws at most so often.", unit="frames / s")
        self.limit.on_change = self.actions.set_fps_limit
        self.scale = Slider(
            "scale", 1.0, 0.5, 3.0, "Size of everything in this window; 1 is 96 dpi.", unit="×", decimals=1
        )
        self.scale_known = 1.0
        self.serial = -1
        self.started = False

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if not self.started:  # what the command line asked for is where the controls start
            self.started = True
            self.device.set(request.model.device)
            self.precision.set(request.model.precision)
        precision: Literal["auto", "fp32"] = "fp32" if self.precision.value == "fp32" else "auto"
        return replace(request, model=replace(request.model, device=self.device.value, precision=precision))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.gui.add(state.gui_ms, f"{state.gui_ms:.1f} ms, {state.gui_fps:.0f} frames / s", top=20.0)
        if not self.limit.active:
            self.limit.set(state.fps_limit)
        self._follow_scale(state.ui_scale)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            total = frame.timing.total_ms
            self.render.add(total, f"{total:.1f} ms", top=20.0)
            self.table.show(self._rows(frame, state))

    def _follow_scale(self, scale: float) -> None:
        """Set the scale when the slider is let go, not while it grows under the mouse; else show what holds."""
        if self.scale.active:
            return
        if abs(scale - self.scale_known) > 1e-6:
            self.scale_known = scale
            self.scale.set(round(scale, self.scale.decimals))
        elif self.scale.value != round(scale, self.scale.decimals):
            self.actions.set_ui_scale(self.scale.value)

    def _rows(self, frame: Frame, state: LoopState) -> dict[str, str]:
        timing, model = frame.timing, frame.model
        rows = {
            "mapping": f"{timing.map_ms:.1f} ms",
            "synthesis": f"{timing.synthesis_ms:.1f} ms",
            "views": f"{timing.view_ms:.1f} ms",
            "computed by": timing.backend,
            "pictures to": "OpenGL texture" if state.backend == "gl" else "raw texture (float32)",
        }
        return rows | _machine(model, frame.request.model.precision) if model is not None else rows


def _machine(model: ModelInfo, asked: str) -> dict[str, str]:
    """What the generator really runs on; asked: the precision that the request wants."""
    precision = "fp32" if asked == "fp32" else model.precision
    return {"runs on": f"{model.device}, {precision}", "threads": f"{model.threads}"}
