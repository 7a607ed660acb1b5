"""Plots of the Projection panel: the distance over the steps, and the photo among the model's own pictures."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import numpy as np

from app.studies.projection import AttributionAnswer
from widgets import look
from widgets.canvas import BRIGHT, TRACK, Canvas
from widgets.interval_plot import paint
from widgets.rows import Tag

POINTS = 400  # of the curve: a plot is not wider
LINES = 6.0  # lines of text


class DistanceCurve:
    """Distance of every step on a logarithmic scale, a dot at the best one."""

    def __init__(self) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, label="step", no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, scale=dpg.mvPlotScale_Log10)
            self.line: Tag = dpg.add_line_series([], [], parent=self.up)
            self.dot: Tag = dpg.add_scatter_series([], [], parent=self.up)
        dpg.set_axis_limits(self.up, 0.01, 1.0)
        dpg.set_axis_limits(self.across, 0.0, 1.0)
        paint(self.line, dpg.mvPlotCol_Line, look.ACCENT)
        paint(self.dot, dpg.mvPlotCol_MarkerFill, look.WARNING)
        look.bind_style(self.tag, "plot")
        self.height = look.Height(self.tag, LINES)

    def show(self, distances: np.ndarray, best: int, steps: int) -> None:
        """distances [n] of the steps so far, the number of the best one, and how many there will be."""
        self.height.update()
        x, y = thinned(distances, POINTS)
        dpg.set_value(self.line, [(x + 1).tolist(), y.tolist()])
        dpg.set_value(self.dot, [[best + 1.0], [float(distances[best])]] if len(distances) else [[], []])
        low, high = (float(y.min()), float(y.max())) if len(y) else (0.01, 1.0)
        dpg.set_axis_limits(self.up, max(low, 1e-9) * 0.8, max(high, 1e-9) * 1.25)
        dpg.set_axis_limits(self.across, 1.0, max(2.0, float(steps)))


def thinned(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and values of at most `most` points of a curve [n]; the first, the last and the smallest are kept."""
    if len(values) <= most:
        return np.arange(len(values), dtype=np.float64), values.astype(np.float64)
    places = np.unique([*np.linspace(0, len(values) - 1, most - 1).round().astype(int), int(values.argmin())])
    return places.astype(np.float64), values[places].astype(np.float64)


class OwnDistances(Canvas):
    """Own pictures as dots, the photo as a line, on one logarithmic axis of distance."""

    def __init__(self) -> None:
        super().__init__()
        self.answer: AttributionAnswer | None = None

    def show(self, answer: AttributionAnswer | None) -> None:
        """Show these distances; None: nothing."""
        if answer is not self.answer:
            self.answer = answer
            self.changed()

    def height(self) -> int:
        return look.pixels(64) if self.answer is not None and len(self.answer.own) else 1

    def paint(self) -> None:
        answer = self.answer
        if answer is None or not len(answer.own):
            return
        known = [*answer.own.tolist(), *([] if answer.given is None else [answer.given])]
        x, low, high = places(np.array(known), look.pixels(6), self.width - look.pixels(6))
        top, bottom, r = look.pixels(18), look.pixels(42), look.pixels(4)
        self.box(0, top, self.width, bottom, TRACK, 3)
        for place in x[: len(answer.own)]:
            dpg.draw_circle((place, (top + bottom) / 2), r, color=look.ACCENT, thickness=2, parent=self.drawlist)
        if answer.given is not None:
            dpg.draw_line(
                (x[-1], top - look.pixels(3)), (x[-1], bottom + look.pixels(3)), color=look.WARNING,
                thickness=look.pixels(3), parent=self.drawlist,
            )  # fmt: skip
            self.text(float(x[-1]), 0, "photo", look.WARNING, align=float(x[-1]) / self.width)
        y = bottom + look.pixels(5)
        self.text(0, y, f"{low:.3g}", look.MUTED)
        self.text(self.width / 2, y, "distance", BRIGHT, align=0.5)
        self.text(self.width, y, f"{high:.3g}", look.MUTED, align=1.0)


def places(values: np.ndarray, left: float, right: float) -> tuple[np.ndarray, float, float]:
    """values [n] on a logarithmic axis from the smallest at `left` to the largest at `right`; and these two."""
    logs = np.log(np.maximum(values, 1e-12))
    low, high = float(logs.min()), float(logs.max())
    share = (logs - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return left + share * (right - left), float(values.min()), float(values.max())
