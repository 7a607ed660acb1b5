"""The lines through a spectrum: up to three of them over frequency, with the frequencies of the generator's grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dearpygui.dearpygui as dpg

from app.studies.spectrum import Curve
from widgets import look
from widgets.rows import Tag

COLOURS: tuple[look.Colour, ...] = (look.MUTED, look.ACCENT, look.WARNING)
GRID: look.Colour = (255, 255, 255, 46)
NEAREST = 0.045  # share of the axis below which two ticks would touch


@dataclass(frozen=True, eq=False)
class Line:
    """A curve with the words of its legend."""

    words: str
    curve: Curve


class SpectrumPlot:
    """Power in dB over cycles per picture width."""

    def __init__(self, lines: float) -> None:
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            dpg.add_plot_legend(horizontal=True, location=dpg.mvPlot_Location_NorthEast)
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, label="cycles per picture width", no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, label="dB")
            self.grid: Tag = dpg.add_inf_line_series([], parent=self.up)
            self.lines = [dpg.add_line_series([], [], parent=self.up, show=False) for _ in COLOURS]
        for series, colour in ((self.grid, GRID), *zip(self.lines, COLOURS, strict=True)):
            _paint(series, colour)
        self.height = look.Height(self.tag, lines)
        self.shown: tuple[object, ...] = ()

    def show(
        self, lines: Sequence[Line | None], grids: Sequence[float], low_db: float, high_db: float
    ) -> None:  # fmt: skip
        """Show these lines (None: not there) from low_db to high_db, and upright marks at these frequencies."""
        state = (*(line and (line.words, line.curve) for line in lines), tuple(grids), low_db, high_db)
        if state == self.shown:
            return
        self.shown = state
        for series, line in zip(self.lines, lines, strict=True):
            dpg.configure_item(series, show=line is not None, label=line.words if line is not None else "")
            if line is not None:
                dpg.set_value(series, [line.curve.frequency.tolist(), line.curve.power_db.tolist()])
        end = max((float(line.curve.frequency[-1]) for line in lines if line is not None), default=1.0)
        dpg.set_value(self.grid, [[grid for grid in grids if grid <= end]])
        dpg.set_axis_limits(self.across, 0.0, end)
        dpg.set_axis_limits(self.up, low_db, high_db)
        ticks: Any = tuple((f"{tick:.4g}", tick) for tick in sparse([0.0, end, *reversed(grids)], end))
        dpg.set_axis_ticks(self.across, ticks)

    def update(self) -> None:
        """Follow the scale."""
        self.height.update()


def sparse(ticks: Sequence[float], end: float) -> list[float]:
    """Ticks of an axis from 0 to `end` that leave room for their words; earlier ones are kept first."""
    kept: list[float] = []
    for tick in ticks:
        if 0 <= tick <= end and all(abs(tick - other) >= NEAREST * end for other in kept):
            kept.append(tick)
    return sorted(kept)


def _paint(series: Tag, colour: look.Colour) -> None:
    tag = f"spectrum.{colour}"
    if not dpg.does_item_exist(tag):
        with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
            dpg.add_theme_color(dpg.mvPlotCol_Line, colour, category=dpg.mvThemeCat_Plots)
    dpg.bind_item_theme(series, tag)
