"""Running estimates as lines with their 95 % intervals, and known values as horizontal marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg

from app.studies.estimate import Estimate
from widgets import look
from widgets.rows import Tag

COLOURS: tuple[look.Colour, ...] = (look.ACCENT, look.WARNING, (140, 208, 142, 255), (206, 148, 220, 255))
MARK: look.Colour = (200, 204, 212, 110)
GROUND: look.Colour = (14, 15, 17, 170)  # behind the words of a mark
BAND = 46  # opacity of an interval
CLOSE = 0.09  # share of the axis below which the words of two marks would touch


@dataclass(frozen=True)
class Running:
    """A number over the pictures so far: (how many pictures, estimate) pairs."""

    name: str
    points: tuple[tuple[float, Estimate], ...]


@dataclass(frozen=True)
class Level:
    """A known value, marked across the plot."""

    value: float
    words: str


class IntervalPlot:
    """Up to four running estimates in colours of their own."""

    def __init__(self, across: str, up: str, lines: float) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            dpg.add_plot_legend(horizontal=True, outside=True, location=dpg.mvPlot_Location_North)
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, label=across, no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, label=up)
            self.levels: Tag = dpg.add_inf_line_series([], parent=self.up, horizontal=True)
            self.bands = [dpg.add_shade_series([], [], parent=self.up, show=False) for _ in COLOURS]
            self.lines = [dpg.add_line_series([], [], parent=self.up, show=False) for _ in COLOURS]
        paint(self.levels, dpg.mvPlotCol_Line, MARK)
        for band, line, colour in zip(self.bands, self.lines, COLOURS, strict=True):
            paint(band, dpg.mvPlotCol_Fill, (*colour[:3], BAND))
            paint(line, dpg.mvPlotCol_Line, colour)
        self.height = look.Height(self.tag, lines)
        self.words: list[Tag] = []
        self.shown: tuple[object, ...] = ()

    def show(
        self, running: Sequence[Running | None], end: float, low: float, high: float, levels: Sequence[Level] = ()
    ) -> None:
        """Show these (None: not there) up to `end` pictures, at least from low to high, and these levels."""
        self.height.update()
        state = (tuple(running), end, low, high, tuple(levels))
        if state == self.shown:
            return
        self.shown = state
        for place, (band, line) in enumerate(zip(self.bands, self.lines, strict=True)):
            each = running[place] if place < len(running) else None
            there = each is not None and bool(each.points)
            dpg.configure_item(line, show=there, label=each.name if each is not None else "")
            dpg.configure_item(band, show=there)
            if each is not None and each.points:
                self._curve(each, band, line)
        values = [found.value for each in running if each is not None for _, found in each.points]
        values = [value for value in values if math.isfinite(value)]
        low, high = min([low, *values]), max([high, *values])
        margin = 0.06 * (high - low)
        dpg.set_axis_limits(self.across, 0.0, max(1.0, end))
        dpg.set_axis_limits(self.up, low - margin * (low < 0), high + margin)
        self._mark(levels, end, high - low)

    def _curve(self, each: Running, band: Tag, line: Tag) -> None:
        points = [(x, found) for x, found in each.points if math.isfinite(found.value)]
        x = [at for at, _ in points]
        known = [found if math.isfinite(found.half_width) else Estimate(*[found.value] * 3) for _, found in points]
        dpg.set_value(line, [x, [found.value for _, found in points]])
        dpg.set_value(band, [x, [found.low for found in known], [found.high for found in known]])

    def _mark(self, levels: Sequence[Level], end: float, span: float) -> None:
        dpg.set_value(self.levels, [[level.value for level in levels]])
        for item in self.words:
            dpg.delete_item(item)
        ordered = sorted(levels, key=lambda level: level.value)
        self.words = []
        for place, level in enumerate(ordered):
            above = ordered[place + 1].value - level.value if place + 1 < len(ordered) else span
            side = 1 if above < CLOSE * span else -1  # below its line where the next one is near
            item = dpg.add_plot_annotation(
                parent=self.tag, label=level.words, default_value=(0.0, level.value), clamped=False,
                offset=(look.pixels(8), side * look.pixels(2)), color=GROUND,
            )  # fmt: skip
            self.words.append(item)


def paint(series: Tag, target: int, colour: look.Colour) -> None:
    """Give a series its colour; target: what of it, `mvPlotCol_Line` or `mvPlotCol_Fill`."""
    tag = f"interval.{target}.{colour}"
    if not dpg.does_item_exist(tag):
        with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(target, colour, category=dpg.mvThemeCat_Plots)
    dpg.bind_item_theme(series, tag)
