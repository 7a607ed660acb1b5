"""Equivariance: how exactly the picture follows its moved input, and at which layer that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import Diagnostic, RenderRequest, Transform, View
from widgets import look
from widgets.choices import Choice
from widgets.controls import Control
from widgets.equivariance_metrics import EquivarianceSection
from widgets.layer_probe_view import ProbeSection
from widgets.panel import Panel
from widgets.rows import note
from widgets.study_box import Ask, StudyBox

MODES = {"input": "Moved input", "layers": "Layer by layer"}
MODE_HINT = (
    "Moved input: EQ-T and EQ-R of Karras et al. 2021, where the input takes a transform.\n"
    "Layer by layer: the state behind each layer is moved; for every family."
)
STUDY_HINT = "Draws pictures and their moved twins in the background; the numbers so far are shown as they come."
NO_INPUT = (
    "The input of a {} is a constant and takes no transform, so that there is no EQ-T or EQ-R; 'Layer by layer' works "
    "for every family."
)


class EquivariancePanel(Panel):
    """EQ metrics and the layer probe, one in sight at a time."""

    title, order, window_id, area = "Equivariance", 124, 1_000_000_065, "right-top"

    def build(self) -> None:
        self.mode = Choice("", "input", MODES, MODE_HINT, on_change=lambda mode: self._turn_to())
        self.words = note("Open a model to see how its picture follows its input.", look.MUTED)
        self.study = StudyBox(self.actions, "Measure", STUDY_HINT, self._ask, self._save)
        self.metrics = EquivarianceSection(self.actions)
        self.probe = ProbeSection(self.actions)
        self.frame: Frame | None = None
        self._turn_to()

    @property
    def refused(self) -> str:
        """Why the metrics in sight cannot be measured; '' where they can."""
        if self.model is None:
            return "Open a model to see how its picture follows its input."
        return NO_INPUT.format(self.model.title) if self.mode.value == "input" and not self.model.has_transform else ""

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.study.update()
        self.frame = frame
        if not self.visible():
            return
        running = self.study.running
        for control in (*self.metrics.controls(), *self.probe.controls()):
            control.enabled = not running
        self.study.button.enabled = running or not self.refused
        self.study.save.enabled = self.metrics.answer is not None or self.probe.answer is not None
        if self.mode.value == "input":
            self.metrics.show()
        else:
            self.probe.show(running)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self.study.forget()
        self.metrics.forget()
        self.probe.forget()
        self.metrics.adopt(model)
        self.probe.adopt(model)
        self._turn_to()

    def controls(self) -> Iterator[Control[Any]]:
        yield from (self.mode, self.metrics.metric, *self.metrics.controls(), *self.probe.controls())

    def reset(self) -> None:
        super().reset()
        self.study.stop()

    def _turn_to(self) -> None:
        refused = self.refused
        dpg.configure_item(self.words, default_value=refused, show=bool(refused))
        dpg.configure_item(self.metrics.group, show=self.mode.value == "input" and not refused)
        dpg.configure_item(self.probe.group, show=self.mode.value == "layers" and not refused)

    def _ask(self) -> list[Ask]:
        if self.frame is None or self.refused:
            return []
        request = plain_request(self.frame.request)
        if self.mode.value == "input":
            metrics = self.metrics.question(request)
            self.metrics.begin(metrics)
            return [(metrics, self.metrics.take)]
        probe = self.probe.question(request)
        self.probe.begin(probe)
        return [(probe, self.probe.take)]

    def _save(self) -> None:
        self.actions.save_numbers(
            "equivariance",
            {
                "what": "10 log10(range squared / mean squared error) in dB, with 95 % intervals",
                "moved_input": self.metrics.as_json() or None,
                "layer_probe": self.probe.as_json() or None,
            },
        )


def plain_request(request: RenderRequest) -> RenderRequest:
    """What is on the screen, in full size, without views of it and without the user's own transform."""
    still = Transform(freeze_input=request.transform.freeze_input)
    return replace(request, measures=(), view=View(), diagnostic=Diagnostic(), max_height=None, transform=still)
