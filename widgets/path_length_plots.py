"""Plots of the Path length panel: steps of the last seconds as two curves, lengths of many seeds as a histogram."""

from __future__ import annotations

import math
from collections.abc import Sequence

import dearpygui.dearpygui as dpg
import numpy as np

from app.studies.step_size import SPAN_S, Step
from widgets import look
from widgets.interval_plot import paint
from widgets.rows import Tag, tooltip

MEAN: look.Colour = (226, 229, 235, 150)
LINES = 5.0  # lines of text


class StepCurve:
    """One number of each step over the last SPAN_S seconds; jumps as dots, a known level as a line across."""

    def __init__(self, name: str, hint: str) -> None:
        with dpg.group(horizontal=True):
            tooltip(dpg.add_text(name, color=look.MUTED), hint)
            self.words: Tag = dpg.add_text("")
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, no_gridlines=True)
            dpg.set_axis_limits(self.across, -SPAN_S, 0.04 * SPAN_S)  # room for the last word
            ticks: tuple[tuple[str, float], ...] = (("-10 s", -SPAN_S), ("-5 s", -SPAN_S / 2), ("now", 0.0))
            dpg.set_axis_ticks(self.across, ticks)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis)
            dpg.set_axis_limits(self.up, 0.0, 1.0)
            self.level: Tag = dpg.add_inf_line_series([], parent=self.up, horizontal=True)
            self.line: Tag = dpg.add_line_series([], [], parent=self.up)
            self.dots: Tag = dpg.add_scatter_series([], [], parent=self.up)
        paint(self.level, dpg.mvPlotCol_Line, look.WARNING)
        paint(self.line, dpg.mvPlotCol_Line, look.ACCENT)
        paint(self.dots, dpg.mvPlotCol_MarkerFill, look.ERROR)
        look.bind_style(self.tag, "plot")
        self.height = look.Height(self.tag, LINES)

    def show(
        self, at: np.ndarray, values: np.ndarray, jumps: np.ndarray, words: str, level: float | None = None
    ) -> None:
        """at, values [n]: the curve over seconds before now (0: now); NaN breaks it. jumps: which of them are dots."""
        self.height.update()
        dpg.set_value(self.words, words)
        dpg.set_value(self.line, [at.tolist(), values.tolist()])
        dpg.set_value(self.dots, [at[jumps].tolist(), values[jumps].tolist()])
        dpg.set_value(self.level, [[] if level is None else [level]])
        known = values[np.isfinite(values)]
        top = max([*known.tolist(), level or 0.0], default=0.0)
        dpg.set_axis_limits(self.up, 0.0, 1.12 * top if top > 0 else 1.0)


def curve(steps: Sequence[Step], values: Sequence[float], now: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps and one value of each -> (seconds before now, values); a NaN is put in where the walk rested."""
    at: list[float] = []
    found: list[float] = []
    for place, (each, value) in enumerate(zip(steps, values, strict=True)):
        if place and each.at - each.seconds - steps[place - 1].at > 1e-6:
            at.append(each.at - each.seconds - now)
            found.append(math.nan)
        at.append(each.at - now)
        found.append(value)
    return np.array(at), np.array(found)


class LengthHistogram:
    """Lengths of many points in equal bins, with their mean and the length of the point on the screen."""

    def __init__(self) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            dpg.add_plot_legend(horizontal=True, outside=True, location=dpg.mvPlot_Location_North)
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, label="||J^T y||, of a picture of -1..1 per unit of w")
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, label="seeds", no_gridlines=True)
            self.bars: Tag = dpg.add_bar_series([], [], parent=self.up, label="seeds", weight=1.0)
            self.mean: Tag = dpg.add_inf_line_series([], parent=self.up, label="mean a")
            self.own: Tag = dpg.add_inf_line_series([], parent=self.up, label="this point")
        paint(self.bars, dpg.mvPlotCol_Fill, (*look.ACCENT[:3], 130))
        paint(self.mean, dpg.mvPlotCol_Line, MEAN)
        paint(self.own, dpg.mvPlotCol_Line, look.WARNING)
        self.height = look.Height(self.tag, 9.0)

    def show(self, lengths: np.ndarray, mean: float | None, own: float | None) -> None:
        """lengths [n] of points; None: not known."""
        dpg.configure_item(self.bars, show=len(lengths) > 0)
        dpg.set_value(self.mean, [[] if mean is None else [mean]])
        dpg.set_value(self.own, [[] if own is None else [own]])
        marks = [mark for mark in (mean, own) if mark is not None]
        everything = [*lengths.tolist(), *marks]
        if not everything:
            return
        low, high = min(everything), max(everything)
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        tallest = 1.0
        if len(lengths):
            counts, edges = np.histogram(lengths, bins=bins(lengths))
            wide = float(edges[1] - edges[0])
            middles = ((edges[1:] + edges[:-1]) / 2).tolist()
            dpg.set_value(self.bars, [middles, counts.astype(float).tolist()])
            dpg.configure_item(self.bars, weight=0.92 * wide)
            tallest = float(counts.max())
        dpg.set_axis_limits(self.across, low - margin, high + margin)
        dpg.set_axis_limits(self.up, 0.0, 1.15 * tallest)


def bins(values: np.ndarray) -> int:
    """About the root of how many there are, 5 to 40."""
    return min(40, max(5, round(math.sqrt(len(values)))))
