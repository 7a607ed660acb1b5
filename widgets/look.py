"""How controls look: the app's item themes by tag, colours for drawings, and the few paddings that rows need.

The global theme belongs to app/display/theme.py; without it (a bare context) everything still works, only plainer.
"""

from __future__ import annotations

import dearpygui.dearpygui as dpg

Colour = tuple[int, int, int, int]
ACCENT: Colour = (112, 174, 255, 255)  # what is on, chosen, or moving
MUTED: Colour = (139, 145, 157, 255)  # labels, units, explanations
WARNING: Colour = (232, 178, 88, 255)
ERROR: Colour = (236, 108, 100, 255)
CANVAS: Colour = (14, 15, 17, 255)
CHECKER: tuple[int, int] = (52, 64)  # the two greys under transparent pictures
LABEL_SHARE = 0.35  # of a row's width

STYLES: dict[str, dict[int, tuple[float, float]]] = {
    "rows": {dpg.mvStyleVar_CellPadding: (3, 0)},
    "segments": {dpg.mvStyleVar_CellPadding: (1, 0)},
    "canvas": {dpg.mvStyleVar_WindowPadding: (0, 0), dpg.mvStyleVar_ChildRounding: (4, 0)},
    "problem": {dpg.mvStyleVar_WindowPadding: (14, 12)},
    "bare": {dpg.mvStyleVar_WindowPadding: (0, 0)},
    "sides": {dpg.mvStyleVar_CellPadding: (9, 2)},
    "stack": {dpg.mvStyleVar_CellPadding: (3, 2)},
    "list": {dpg.mvStyleVar_CellPadding: (5, 2), dpg.mvStyleVar_FramePadding: (4, 0)},
    "tools": {dpg.mvStyleVar_FramePadding: (6, 3), dpg.mvStyleVar_CellPadding: (2, 0)},
    "letters": {dpg.mvStyleVar_FramePadding: (0, 4), dpg.mvStyleVar_CellPadding: (1, 0)},
    "small": {dpg.mvStyleVar_FramePadding: (5, 2), dpg.mvStyleVar_CellPadding: (4, 2)},
}


COLOURS: dict[str, dict[int, Colour]] = {
    "canvas": {dpg.mvThemeCol_ChildBg: CANVAS},
    "problem": {dpg.mvThemeCol_ChildBg: (28, 24, 26, 244), dpg.mvThemeCol_Border: (132, 62, 60, 255)},
}


def bind(item: int | str, name: str) -> None:
    """Give one item the app's theme 'primary', 'danger', 'ghost', 'active', 'card', 'muted', 'good', ...; '' none."""
    tag = f"theme.{name}"
    dpg.bind_item_theme(item, tag if name and dpg.does_item_exist(tag) else 0)


def bind_font(item: int | str, name: str) -> None:
    """Give one item the app's font 'semibold', 'small' or 'title'."""
    if dpg.does_item_exist(f"font.{name}"):
        dpg.bind_item_font(item, f"font.{name}")


PLOT_STYLES: dict[str, dict[int, tuple[float, float]]] = {"plot": {dpg.mvPlotStyleVar_PlotPadding: (0, 0)}}
PLOT_COLOURS: dict[str, dict[int, Colour]] = {
    "area": {dpg.mvPlotCol_Fill: (*ACCENT[:3], 45)},
    "band-0": {dpg.mvPlotCol_Fill: (*ACCENT[:3], 45)},
    "band-1": {dpg.mvPlotCol_Fill: (*WARNING[:3], 40)},
    "line-0": {dpg.mvPlotCol_Line: ACCENT},
    "line-1": {dpg.mvPlotCol_Line: WARNING},
    "marker": {dpg.mvPlotCol_Line: (235, 238, 243, 200)},
}


def bind_style(item: int | str, name: str) -> None:
    """Give one item the paddings and colours that stand above under this name."""
    tag = f"look.{name}"
    if not dpg.does_item_exist(tag):
        with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
            for target, (x, y) in STYLES.get(name, {}).items():
                dpg.add_theme_style(target, x, y)
            for target, colour in COLOURS.get(name, {}).items():
                dpg.add_theme_color(target, colour)
            for target, (x, y) in PLOT_STYLES.get(name, {}).items():
                dpg.add_theme_style(target, x, y, category=dpg.mvThemeCat_Plots)
            for target, colour in PLOT_COLOURS.get(name, {}).items():
                dpg.add_theme_color(target, colour, category=dpg.mvThemeCat_Plots)
    dpg.bind_item_theme(item, tag)


def pixels(at_scale_one: float) -> int:
    """A length in screen pixels at the user's scale."""
    return round(at_scale_one * dpg.get_global_font_scale())


class Height:
    """Keeps an item so many lines of text high, also when the user changes the scale; call `update` once per frame."""

    def __init__(self, item: int | str, lines: float) -> None:
        self.item, self.lines, self.shown = item, lines, 0
        self.update()

    def update(self) -> None:
        """Follow the scale."""
        height = round(self.lines * line_height())
        if height != self.shown:
            self.shown = height
            dpg.configure_item(self.item, height=height)


def line_height() -> int:
    """Height of a line of body text in screen pixels."""
    return pixels(18)
