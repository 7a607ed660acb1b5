"""Patch tracking in the Sticking panel: the path of one patch along a walk, at every resolution, and how it snaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.request import RenderRequest, to_json
from app.studies.patch_track import PatchTrack, Path, TrackAnswer
from widgets import look
from widgets.choices import Choice
from widgets.controls import IntField, IntSlider, Slider
from widgets.interval_plot import paint
from widgets.overlay import Mark, Trail
from widgets.panel import Actions
from widgets.rows import Tag, columns, note
from widgets.sticking_results import Result, Side
from widgets.sticking_slit import FRAMES_HINT, STATIONS_HINT

COLOURS: tuple[look.Colour, ...] = (
    (94, 79, 162, 255), (60, 120, 190, 255), (72, 165, 170, 255), (140, 200, 130, 255), (215, 215, 110, 255),
    (245, 175, 95, 255), (240, 120, 80, 255), (225, 80, 100, 255), (205, 130, 200, 255),
)  # fmt: skip
COARSE: look.Colour = (225, 228, 234, 200)
ALONG = {"0": "Along x", "1": "Along y"}
ABOUT = (
    "Where the patch goes, px from its start. White: the coarse content. A path that has steps where the white one "
    "is smooth keeps to preferred places (progressive growing)."
)
PLACE_HINT = "The patch's centre in the first frame; a click on the picture moves it there."


class PatchSection:
    """One line for each resolution, the coarse content's in white; the model on the screen only."""

    def __init__(self, actions: Actions) -> None:
        self.group: Tag
        with dpg.group(show=False) as self.group:
            self.axis = Choice("", "0", ALONG, "Which coordinate of the path is plotted.")
            self.plot = PathPlot(11.0)
            note(ABOUT)
            self.words = note("")
        self.forget()

    def build_settings(self) -> None:
        """What decides about a measurement."""
        self.settings_group: Tag
        with dpg.group(show=False) as self.settings_group:
            with columns(0.5, 0.5):
                self.x = Slider("centre x", 0.5, 0.0, 1.0, PLACE_HINT)
                self.y = Slider("y", 0.5, 0.0, 1.0, PLACE_HINT)
            self.size = Slider("size", 0.25, 0.05, 0.6, "Side of the square patch, as a share of the picture's width.")
            with columns(0.5, 0.5):
                self.first = IntField("first seed", 0, STATIONS_HINT, buttons=False)
                self.stations = IntSlider("seeds", 2, 2, 12, STATIONS_HINT)
            self.frames = IntSlider("frames", 120, 16, 600, FRAMES_HINT)

    def forget(self) -> None:
        """Show nothing."""
        self.answer: TrackAnswer | None = None
        self.sides: Sequence[Side] = ()

    def question(self, request: RenderRequest) -> PatchTrack:
        """What is asked."""
        seeds = tuple(range(self.first.value, self.first.value + self.stations.value))
        return PatchTrack(request, seeds, self.x.value, self.y.value, self.size.value, self.frames.value)

    def settings(self) -> object:
        """What results must share to stand in one table."""
        return replace(self.question(RenderRequest()), request=RenderRequest())

    def begin(self, sides: Sequence[Side]) -> None:
        """These are measured now."""
        self.forget()
        self.sides = sides

    def take(self, key: str, answer: TrackAnswer) -> None:
        """The paths so far."""
        self.answer = answer

    def place(self, x: float, y: float) -> None:
        """Move the patch."""
        self.x.set(round(x, 2))
        self.y.set(round(y, 2))

    def marks(self) -> list[Mark]:
        """The patch on the picture."""
        half, x, y = self.size.value / 2, self.x.value, self.y.value
        corners = ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))
        return [Trail(tuple((x + half * right, y + half * down) for right, down in corners))]

    def result(self, key: str) -> Result | None:
        """The strongest snap, for the table."""
        if self.answer is None:
            return None
        found = strongest(self.answer)
        if found is None:
            return Result(("–", "–"))
        path, pitch, value = found
        return Result((f"{value:.2f}", f"{path.height} px picture, grid {pitch:g} px"))

    heads = ("snap", "where")
    head_hints = (
        "The largest of all: 0 keeps to a grid's places no more than the coarse content does, 1 stays at them alone.",
        "Resolution of the picture that was followed, and pitch of the grid in px of the full picture.",
    )

    def show(self) -> None:
        """Once per turn while the panel is in sight."""
        self.plot.show(self.answer, int(self.axis.value), self.frames.value)
        told = sentence(self.answer) if self.answer is not None else ""
        dpg.configure_item(self.words, default_value=told, show=bool(told))

    def images(self) -> Mapping[str, np.ndarray]:
        """What can be saved as PNG: nothing, the plot is numbers."""
        return {}

    def as_json(self, key: str, request: RenderRequest) -> dict[str, Any] | None:
        """Paths and snaps with what was asked."""
        if self.answer is None:
            return None
        return {
            "frames": self.answer.count,
            "paths": [path_json(path) for path in (*self.answer.paths, self.answer.coarse)],
            "ended_early_because": self.answer.left or None,
            "request": to_json(request),
        }


class PathPlot:
    """One coordinate of every path over frames."""

    def __init__(self, lines: float) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            dpg.add_plot_legend(horizontal=True, outside=True, location=dpg.mvPlot_Location_North)
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, label="frame", no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, label="px")
            self.lines = [dpg.add_line_series([], [], parent=self.up, show=False) for _ in (*COLOURS, COARSE)]
        for line, colour in zip(self.lines, (*COLOURS, COARSE), strict=True):
            paint(line, dpg.mvPlotCol_Line, colour)
        self.height = look.Height(self.tag, lines)
        self.shown: tuple[object, ...] | None = None

    def show(self, answer: TrackAnswer | None, axis: int, frames: int) -> None:
        """axis: 0 along x, 1 along y."""
        self.height.update()
        state = (answer, axis, frames)
        if state == self.shown:
            return
        self.shown = state
        paths = [] if answer is None else list(answer.paths[-len(COLOURS) :])
        low, high = 0.0, 1.0
        for place, line in enumerate(self.lines):
            coarse = place == len(COLOURS)
            path = answer.coarse if coarse and answer is not None else paths[place] if place < len(paths) else None
            there = path is not None and len(path.positions) > 0
            dpg.configure_item(line, show=there)
            if path is not None and there:
                moved = path.positions[:, axis] - path.positions[0, axis]
                dpg.configure_item(line, label="coarse" if coarse else f"{path.height} px")
                dpg.set_value(line, [list(map(float, range(len(moved)))), moved.tolist()])
                low, high = min(low, float(np.nanmin(moved))), max(high, float(np.nanmax(moved)))
        margin = 0.06 * (high - low)
        dpg.set_axis_limits(self.across, 0.0, float(answer.total - 1 if answer is not None else frames - 1))
        dpg.set_axis_limits(self.up, low - margin, high + margin)


def strongest(answer: TrackAnswer) -> tuple[Path, float, float] | None:
    """(path, grid's pitch in px, snap) of the largest snap; None where the content went less far than every grid."""
    found = [(path, snap.grid_px, snap.value) for path in answer.paths for snap in path.snaps if snap.value is not None]
    return max(found, key=lambda each: each[2], default=None)


def sentence(answer: TrackAnswer) -> str:
    """What the paths say."""
    found = strongest(answer)
    if found is None:
        words = "No snap number: the coarse content went less far than the pitch of any grid; take more seeds."
    else:
        path, pitch, value = found
        words = f"Largest snap {value:.2f}, at {path.height} px, to the places of a grid of {pitch:g} px."
    return f"{words} {answer.left}".strip()


def path_json(path: Path) -> dict[str, Any]:
    """One path with its snaps."""
    return {
        "height_px": path.height,
        "source": path.source,
        "positions_px": [[number(x), number(y)] for x, y in path.positions],
        "confidence": [number(value) for value in path.confidence],
        "snaps": [{"grid_px": snap.grid_px, "snap": snap.value} for snap in path.snaps],
    }


def number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return float(value) if np.isfinite(value) else None
