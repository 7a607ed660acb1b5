"""Plots of the droplets: peak ratio by layer with the rule's threshold, and the spot's way along a walk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dearpygui.dearpygui as dpg

from app.studies.droplets import DropletReport, DropletRule, DropletSearchAnswer, DropletTrackAnswer, TrackPoint
from widgets import look
from widgets.droplet_ladder import by_resolution
from widgets.rows import Tag, note

BESIDE: look.Colour = (170, 140, 240, 255)  # the model beside
BESIDE_HOT: look.Colour = (240, 120, 170, 255)
LINE: look.Colour = (228, 230, 235, 130)  # the threshold
RATIO: look.Colour = (240, 164, 88, 255)
ACROSS: look.Colour = look.ACCENT
DOWN: look.Colour = (108, 200, 152, 255)
GROUP = 0.8  # of the distance between two resolutions that their bars take


class RatioBars:
    """A bar per layer, grouped by resolution; those over the threshold in another colour."""

    def __init__(self) -> None:
        self.key = note()
        look.bind_font(self.key, "small")
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, no_gridlines=True, no_tick_marks=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis)
            self.series = [bars(colour, self.up) for colour in (look.ACCENT, look.WARNING, BESIDE, BESIDE_HOT)]
            self.threshold: Tag = dpg.add_inf_line_series([4.0], horizontal=True, parent=self.up)
        paint(self.threshold, LINE, line=True)
        self.height = look.Height(self.tag, 8.5)
        self.shown: tuple[object, ...] = ()

    def show(self, report: DropletReport | None, beside: DropletReport | None, names: tuple[str, str]) -> None:
        """Show the layers of one or two models; names: theirs."""
        wanted = (report, beside, names)
        if wanted == self.shown:
            return
        self.shown = wanted
        shown = [each for each in (report, beside) if each is not None]
        rule = shown[0].rule if shown else DropletRule()
        values = bar_groups(shown)
        for number, series in enumerate(self.series):
            model, hot = divmod(number, 2)
            mine = [bar for bar in values if bar.model == model and bar.hot == bool(hot)]
            dpg.set_value(series, [[bar.x for bar in mine], [bar.ratio for bar in mine]])
            width = min((bar.width for bar in values), default=0.2)
            dpg.configure_item(series, weight=width * 0.9, show=bool(mine))
        words = f"Peak ratio by resolution in px, a bar per layer. Blue: {names[0]}"
        words += "; amber where ratio, agreement and prominence pass"
        words += f"; violet: {names[1]}, there pink" if len(shown) > 1 else ""
        dpg.set_value(self.key, f"{words}. Line: the threshold, {rule.ratio:g}.")
        steps = sorted({round(row.resolution) for each in shown for row in each.layers})
        ticks: Any = tuple((str(step), math.log2(step)) for step in steps) or (("", 0.0),)
        dpg.set_axis_ticks(self.across, ticks)
        low, high = (math.log2(step) for step in (steps[0], steps[-1])) if steps else (0.0, 1.0)
        dpg.set_axis_limits(self.across, low - 0.6, high + 0.6)
        dpg.set_value(self.threshold, [[rule.ratio]])
        dpg.set_axis_limits(self.up, 0, 1.1 * max([rule.ratio * 1.3, *(bar.ratio for bar in values)]))

    def update(self) -> None:
        """Follow the scale."""
        self.height.update()


class Bar:
    """One layer of a model (0: the one on the screen, 1: the one beside) at x = log2(resolution) or near by."""

    def __init__(self, model: int, x: float, width: float, ratio: float, hot: bool) -> None:
        self.model, self.x, self.width, self.ratio, self.hot = model, x, width, ratio, hot


def bar_groups(reports: Sequence[DropletReport]) -> list[Bar]:
    """The bars of one or two reports: of each resolution side by side, the first model's at the left."""
    groups: dict[int, list[tuple[int, float, bool]]] = {}
    for model, report in enumerate(reports):
        for step, rows in by_resolution(report.layers).items():
            groups.setdefault(step, []).extend((model, row.ratio, row.hot) for row in rows)
    made: list[Bar] = []
    for step, members in groups.items():
        width = GROUP / max(len(group) for group in groups.values())
        first = math.log2(step) - width * (len(members) - 1) / 2
        made += [Bar(model, first + place * width, width, ratio, hot) for place, (model, ratio, hot) in
                 enumerate(members)]  # fmt: skip
    return made


class TrackPlots:
    """Above: x and y of the spot; below: its peak ratio; both along the walk, with the seeds as ticks."""

    def __init__(self) -> None:
        self.group: Tag = dpg.add_group(show=False)
        self.heights: list[look.Height] = []
        with dpg.group(parent=self.group):
            self.places = self._plot(("x", ACROSS), ("y", DOWN), height=6.5)
            self.ratios = self._plot(("peak ratio", RATIO), height=6.0)
        self.threshold: Tag = dpg.add_inf_line_series([4.0], horizontal=True, parent=self.ratios[2])
        paint(self.threshold, LINE, line=True)
        dpg.set_axis_limits(self.places[2], 0.0, 1.0)
        dpg.configure_item(self.places[2], invert=True)  # y goes down, as on the picture
        self.shown: DropletTrackAnswer | None = None

    def _plot(self, *series: tuple[str, look.Colour], height: float) -> tuple[list[Tag], Tag, Tag]:
        """(series, horizontal axis, vertical axis) of a new plot."""
        plot: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as plot:
            dpg.add_plot_legend(horizontal=True, location=dpg.mvPlot_Location_NorthEast)
            across = dpg.add_plot_axis(dpg.mvXAxis, no_tick_marks=True)
            up = dpg.add_plot_axis(dpg.mvYAxis)
            lines: list[Tag] = [dpg.add_line_series([], [], label=name, parent=up) for name, _ in series]
        for line, (_, colour) in zip(lines, series, strict=True):
            paint(line, colour, line=True)
        self.heights.append(look.Height(plot, height))
        return lines, across, up

    def show(self, answer: DropletTrackAnswer | None, seeds: Sequence[int], loop: bool) -> None:
        """Show what is known so far; a walk along `seeds`."""
        for height in self.heights:
            height.update()
        if answer is self.shown:
            return
        self.shown = answer
        dpg.configure_item(self.group, show=answer is not None)
        if answer is None:
            return
        along = [point.position for point in answer.points]
        for line, values in zip((*self.places[0], *self.ratios[0]), columns_of(answer.points), strict=True):
            dpg.set_value(line, [along, values])
        stations = [*seeds, seeds[0]] if loop else list(seeds)
        ticks: Any = tuple((str(seed), float(place)) for place, seed in enumerate(stations))
        for _, across, _ in (self.places, self.ratios):
            dpg.set_axis_ticks(across, ticks)
            dpg.set_axis_limits(across, 0.0, float(len(stations) - 1))
        dpg.set_value(self.threshold, [[answer.rule.ratio]])
        highest = max([answer.rule.ratio * 1.3, *(point.ratio for point in answer.points)])
        dpg.set_axis_limits(self.ratios[2], 0.0, 1.25 * highest)


class StrengthHistogram:
    """How many seeds have which strength, in equal bins; the threshold as a line."""

    def __init__(self) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, no_tick_marks=True)
            self.series = [bars(colour, self.up) for colour in (look.ACCENT, look.WARNING)]
            self.threshold: Tag = dpg.add_inf_line_series([4.0], parent=self.up)
        paint(self.threshold, LINE, line=True)
        self.height = look.Height(self.tag, 4.0)
        self.key = note()
        look.bind_font(self.key, "small")
        self.shown: DropletSearchAnswer | None = None

    def show(self, answer: DropletSearchAnswer) -> None:
        """Show the strengths of all seeds."""
        self.height.update()
        if answer is self.shown:
            return
        self.shown = answer
        limit = answer.rule.ratio
        centres, counts, width = histogram([row.strength for row in answer.rows], limit)
        for series, hot in zip(self.series, (False, True), strict=True):
            mine = [(x, float(count)) for x, count in zip(centres, counts, strict=True) if (x > limit) == hot]
            dpg.set_value(series, [[x for x, _ in mine], [count for _, count in mine]])
            dpg.configure_item(series, weight=width * 0.92)
        dpg.set_value(self.key, f"How many seeds have which strength; amber: above {limit:g}, a droplet.")
        dpg.set_value(self.threshold, [[limit]])
        dpg.set_axis_limits(self.across, 0.0, width * len(centres))
        most: Any = (("0", 0.0), (str(max(1, *counts)), float(max(1, *counts))))
        dpg.set_axis_ticks(self.up, most)
        dpg.set_axis_limits(self.up, 0.0, 1.15 * max(1, *counts))


def histogram(values: Sequence[float], limit: float, bins: int = 32) -> tuple[list[float], list[int], float]:
    """Values >= 0 -> (centres, counts, width) of equal bins from 0 on, `limit` being an edge: no bin straddles it."""
    top = min(max([2 * limit, *values]), 64 * limit)  # what lies further out counts in the last bin
    below = max(1, round(bins * limit / top))
    width = limit / below
    count = math.floor(top / width) + 1
    counts = [0] * count
    for value in values:
        counts[min(count - 1, max(0, math.ceil(value / width) - 1))] += 1  # the limit itself is not exceeded
    return [width * (number + 0.5) for number in range(count)], counts, width


def columns_of(points: Sequence[TrackPoint]) -> tuple[list[float], list[float], list[float]]:
    """x, y, ratio of each point."""
    return (
        [point.spot[0] for point in points],
        [point.spot[1] for point in points],
        [point.ratio for point in points],
    )


def bars(colour: look.Colour, axis: Tag) -> Tag:
    """A bar series of one colour."""
    series: Tag = dpg.add_bar_series([], [], parent=axis)
    paint(series, colour)
    return series


def paint(series: Tag, colour: look.Colour, *, line: bool = False) -> None:
    """Give one series its colour."""
    tag = f"droplet.{colour}.{line}"
    if not dpg.does_item_exist(tag):
        with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
            if not line:
                dpg.add_theme_color(dpg.mvPlotCol_Fill, colour, category=dpg.mvThemeCat_Plots)
    dpg.bind_item_theme(series, tag)
