"""The picture: drag anywhere on it to move through W."""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.frame import Frame, LoopState
from widgets.image_view import ImageView
from widgets.map_overlay import MapOverlay
from widgets.overlay import Mark
from widgets.panel import Panel, Shortcut

WELCOME = "Drop a checkpoint on the window, or press Ctrl+O."
BUSY_AFTER_S = 0.3  # a picture that takes longer gets the busy mark


class PicturePanel(Panel):
    """Shows the newest picture, and keeps the last good one when something goes wrong."""

    title, order, window_id, area = "Picture", 10, 1_000_000_001, "centre"

    def build(self) -> None:
        self.view = ImageView(
            self.actions.texture, on_drag=self.actions.drag_latent, on_click=self._click, empty=WELCOME
        )
        self.map = MapOverlay(self.view, self.actions.texture)
        self.serial = -1
        self.marks: dict[str, Sequence[Mark]] = {}

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            self._take(frame)
        waiting = state.status.busy and time.perf_counter() - state.status.since > BUSY_AFTER_S
        if self.view.pixels is None:
            self.view.empty = state.status.text or WELCOME
        self.view.update(busy=waiting or (frame is not None and not frame.complete))
        self.map.update()

    def _take(self, frame: Frame) -> None:
        if frame.picture is not None and frame.model is not None:
            height, width = frame.model.resolution
            self.view.set_picture(frame.picture, (width, height), transparent=frame.model.img_channels in (2, 4))
            self.map.take(frame)
        if frame.problem is None:
            self.view.problem.hide()
        else:
            self.view.problem.show(frame.problem.title, frame.problem.detail, frame.problem.hint)

    def _click(self, x: int, y: int) -> None:
        width, height = self.view.shown_size
        self.actions.point((x + 0.5) / width, (y + 0.5) / height)

    def take_marks(self, owner: str, marks: Sequence[Mark]) -> None:
        self.marks[owner] = marks
        self.view.overlay.marks = [mark for owned in self.marks.values() for mark in owned]

    def dragging(self) -> bool:
        return self.view.dragging

    def reset(self) -> None:
        self.view.fit()

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("F", "Fit the picture to its window", self.view.fit),
            Shortcut("1", "One picture pixel per screen pixel", self.view.one_to_one),
            Shortcut("P", "Smooth picture, or hard pixel edges", self.view.toggle_smooth),
        )
