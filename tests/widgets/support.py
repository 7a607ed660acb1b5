"""A model that is only numbers, pictures that are only ramps, and an app that only takes notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.compare import Pane, PaneState
from app.control.controller import Controller
from app.frame import Frame, LayerView, LoopState, MapStatistics, ModelInfo, RecordingState, Status
from app.request import Latent, RenderRequest
from networks.plan import LayerInfo
from widgets.panel import Panel


def layers() -> tuple[LayerInfo, ...]:
    """The table of a StyleGAN2 of 32 x 32 pixels with 80 channels."""
    rows = [LayerInfo(0, "b4.const", "const", (4, 4), 80)]
    row = 0
    for side in (4, 8, 16, 32):
        if side > 4:
            rows.append(LayerInfo(len(rows), f"b{side}.conv0", "up", (side, side), 80, 80, row, True))
            row += 1
        rows.append(LayerInfo(len(rows), f"b{side}.conv1", "conv", (side, side), 80, 80, row, True))
        row += 1
        rows.append(LayerInfo(len(rows), f"b{side}.torgb", "torgb", (side, side), 3, 80, row))
    return tuple(rows)


def model(**changes: Any) -> ModelInfo:
    """StyleGAN2, 32 x 32 pixels, 8 rows of ws."""
    info = ModelInfo(
        path="/models/small.pkl",
        name="small",
        family="stylegan2",
        title="StyleGAN2",
        format="NVIDIA PyTorch pickle",
        resolution=(32, 32),
        img_channels=3,
        z_dim=64,
        c_dim=0,
        w_dim=64,
        num_ws=8,
        layers=layers(),
        preview_sizes=(8, 16),
        condition="none",
        has_transform=False,
        has_text_encoder=False,
        parameters=1_500_000,
        device="cpu",
        precision="fp32",
        threads=2,
    )
    return replace(info, **changes)


def ramp(width: int, height: int) -> np.ndarray:
    """A picture whose red is x and green is y, blue 200: uint8 [H, W, 4]."""
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., 0] = np.arange(width)[None]
    picture[..., 1] = np.arange(height)[:, None]
    picture[..., 2] = 200
    return picture


def sheet(layer: str = "b32.conv1", first: int = 0, count: int = 64, channels: int = 80) -> LayerView:
    """A contact sheet of 8 columns of tiles of 16 x 16 pixels."""
    rows = -(-count // 8)
    statistics = MapStatistics(0.5, 1.25, -3.0, 4.0, 3.1)
    return LayerView(
        ramp(8 * 16, rows * 16), layer, "output", (32, 32), first, count, 8, channels, None, statistics, tile=(16, 16)
    )


class FakePanes:
    """A comparison that draws nothing: `told` is what was declared last, `frames` and `recording` are set by hand."""

    def __init__(self, log: list[tuple[str, tuple[Any, ...]]]) -> None:
        self.log = log
        self.told: tuple[Pane, ...] = ()
        self.paired = False
        self.frames: tuple[PaneState, ...] = ()
        self.recording = RecordingState()

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.log.append((name, arguments))


class FakeControlDesk:
    """A controller without devices, keys and a file; no monitors."""

    def __init__(self) -> None:
        self.controller = Controller(None)

    def monitors(self) -> dict[str, str]:
        return {}

    def choose_monitor(self, name: str) -> None:
        self.controller.configure(replace(self.controller.options, monitor=name))


class Notes:
    """Actions that are written down: [('open', ('a.pkl',)), ...]; textures are the window's own."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.log: list[tuple[str, tuple[Any, ...]]] = []
        self.panels: list[Panel] = []
        self.compared = FakePanes(self.log)
        self.control_desk = FakeControlDesk()

    def control(self) -> FakeControlDesk:
        return self.control_desk

    def compare(self, panes: Sequence[Pane], paired: bool = False) -> FakePanes:
        self.compared.told, self.compared.paired = tuple(panes), paired
        return self.compared

    def texture(self) -> Any:
        return self.window.textures.create()

    def drag_latent(self, dx: float, dy: float) -> None:
        for panel in self.panels:
            panel.drag_latent(dx, dy)

    def go_to(self, latent: Latent) -> None:
        for panel in self.panels:
            panel.go_to(latent)

    def favour(self, request: RenderRequest) -> None:
        for panel in self.panels:
            panel.take_favourite(request)

    def mark(self, owner: str, marks: Any) -> None:
        for panel in self.panels:
            panel.take_marks(owner, marks)

    def point(self, x: float, y: float) -> None:
        for panel in self.panels:
            panel.take_point(x, y)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.log.append((name, arguments))


class Bench:
    """Panels in windows, folded and shown once per frame, as the app's loop does; no engine: frames are set."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.notes = Notes(window)
        self.frame: Frame | None = None
        self.state = LoopState(8.0, 60.0, 20.0, "gl", Status(), RecordingState())
        self.request = RenderRequest()

    def add(self, *kinds: type[Panel], width: int = 360, height: int = 600) -> list[Any]:
        panels = [kind(self.notes) for kind in kinds]
        left = 0
        for panel in panels:
            with dpg.window(label=panel.title, tag=panel.window_id, width=width, height=height, pos=(left, 0)):
                panel.build()
            left += width
        self.notes.panels += panels
        self.turn(3)
        return panels

    def turn(self, count: int = 1, seconds: float = 0.0) -> RenderRequest:
        for _ in range(count):
            for panel in self.notes.panels:
                panel.tick(seconds)
            self.fold()
            for panel in self.notes.panels:
                panel.show(self.frame, self.state)
            self.window.frame()
        return self.fold()

    def fold(self) -> RenderRequest:
        self.request = RenderRequest()
        for panel in self.notes.panels:
            self.request = panel.contribute(self.request)
        return self.request

    def show(self, **changes: Any) -> RenderRequest:
        """A new frame with these fields arrives."""
        serial = 1 if self.frame is None else self.frame.serial + 1
        base = Frame(serial, self.request, ramp(32, 32), model=model()) if self.frame is None else self.frame
        self.frame = replace(base, **{"serial": serial, **changes})
        return self.turn(2)
