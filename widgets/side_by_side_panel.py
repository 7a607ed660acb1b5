"""Before and after: the picture without interventions, with them, and the difference, under one zoom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Frame, LoopState
from app.request import RenderRequest
from app.studies.interventions import Comparison, Untouched
from widgets.controls import Checkbox, Slider
from widgets.overlay import Mark
from widgets.pane import Pane, PaneGroup, Pixel, levels
from widgets.panel import Panel
from widgets.readouts import Figures
from widgets.rows import Button, columns

EMPTY = "Nothing is changed yet. Add an intervention in the Interventions panel (E)."
PANES = {
    "untouched": "What the checkpoint makes.",
    "changed": "The same latent under the interventions that are on.",
    "|difference|": "|Changed − untouched| of each colour, times the gain, on black.",
    "signed difference": "Changed − untouched, mean over the colours, times the gain: blue is darker, red brighter.",
}
FIGURES = {
    "largest": "Largest |changed − untouched| of a colour, in % of black to white.",
    "mean": "Mean of |changed − untouched| over pixels and colours, in % of black to white.",
    "pixels changed": "Share of the pixels of which a colour moved by 1/255 or more.",
    "in the disc": "Mean |changed − untouched| of the pixels in the discs of the interventions.",
    "outside": "The same of all other pixels. What a spike drew is inside; what it did through sigma is outside.",
}
LINES_BELOW = 4.6  # lines of text of the controls under the pictures


class SideBySidePanel(Panel):
    """Four pictures; asks for the untouched one only while it is looked at and something is changed."""

    title, order, window_id, area = "Before and after", 93, 1_000_000_033, "centre"

    def build(self) -> None:
        self.serial = -1
        self.marks: dict[str, Sequence[Mark]] = {}
        self.group = PaneGroup(LINES_BELOW)
        dpg.push_container_stack(self.group.tag)
        self.group.panes = [Pane(self.actions.texture, name, hint, self._click) for name, hint in PANES.items()]
        dpg.pop_container_stack()
        self.untouched, self.changed, self.amount, self.signed = self.group.panes
        self.amount.words_at = self.signed.words_at = self._change_at
        self.figures = Figures(FIGURES)
        with columns(0.53, 0.23, 0.12, 0.12):
            self.gain = Slider(
                "", 4.0, 1.0, 64.0, "Factor on the difference picture.", unit="×", decimals=1, name="gain"
            )
            self.smooth = Checkbox("", True, "Between pixels: smooth, or hard edges.", beside="smooth")
            Button("Fit", "Show the whole pictures. Double click does the same.", self.group.fit, width=-1)
            Button("1:1", "One picture pixel per screen pixel.", self.group.one_to_one, width=-1)
        self._clear()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if not request.edits or not self.visible():
            return request
        return replace(request, measures=(*request.measures, Untouched(self.gain.value)))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.serial != self.serial:
            self.serial = frame.serial
            if not frame.request.edits:
                self._clear()
            elif (answer := frame.answer(Untouched)) is not None and frame.picture is not None:
                self._take(frame, answer, frame.picture)
        self.group.smooth(self.smooth.value)
        self.group.marks = [mark for owned in self.marks.values() for mark in owned]
        self.group.update(busy=frame is not None and not frame.complete)

    def _take(self, frame: Frame, answer: Comparison, picture: np.ndarray) -> None:
        assert frame.model is not None
        height, width = frame.model.resolution
        transparent = frame.model.img_channels in (2, 4)
        self.untouched.set_picture(answer.untouched, (width, height), transparent=transparent)
        self.changed.set_picture(picture, (width, height), transparent=transparent)
        self.amount.set_picture(answer.amount, (width, height))
        self.signed.set_picture(answer.signed, (width, height))
        shares = (answer.largest, answer.mean, answer.changed, answer.inside, answer.outside)
        self.figures.show(*("–" if share is None else in_percent(share) for share in shares))

    def _clear(self) -> None:
        for pane in self.group.panes:
            pane.clear()
        self.untouched.empty = EMPTY
        self.figures.show(*("–" for _ in FIGURES))

    def _change_at(self, pixel: Pixel) -> str:
        """The difference of the two pictures, not the colour of the picture of it."""
        before, after = self.untouched.pixels, self.changed.pixels
        if before is None or after is None:
            return ""
        red, green, blue = levels(after, before, pixel, self.changed.shown_size)
        return f"x {pixel[0]} y {pixel[1]}   r {red:+} g {green:+} b {blue:+}"

    def _click(self, x: int, y: int) -> None:
        width, height = self.changed.shown_size
        self.actions.point((x + 0.5) / width, (y + 0.5) / height)

    def take_marks(self, owner: str, marks: Sequence[Mark]) -> None:
        self.marks[owner] = marks

    def reset(self) -> None:
        super().reset()
        self.group.fit()


def in_percent(share: float) -> str:
    """'0 %', '0.03 %', '2.4 %', '37 %'."""
    if share == 0:
        return "0 %"
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
