"""What panels show without asking: small plots over time, tables of names and values."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.rows import Tag, tooltip

FIGURE = 9  # letters of a column of Figures at least: its numbers


class Plot:
    """The last `length` values as a line over time, the newest at the right; name and words above it."""

    def __init__(self, name: str, hint: str, *, length: int = 180, lines: float = 4.0) -> None:
        self.values: deque[float] = deque([0.0] * length, maxlen=length)
        self.places = [float(place) for place in range(length)]
        with dpg.group(horizontal=True):
            tooltip(dpg.add_text(name, color=look.MUTED), hint)
            self.words: Tag = dpg.add_text("")
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            across = dpg.add_plot_axis(dpg.mvXAxis, no_tick_labels=True, no_tick_marks=True, no_gridlines=True)
            dpg.set_axis_limits(across, 0, length - 1)
            self.axis: Tag = dpg.add_plot_axis(dpg.mvYAxis, no_tick_marks=True)
            self.area: Tag = dpg.add_shade_series(self.places, self.places, parent=self.axis)
            self.line: Tag = dpg.add_line_series(self.places, self.places, parent=self.axis)
        look.bind_style(self.area, "area")
        look.bind_style(self.tag, "plot")
        self.height = look.Height(self.tag, lines)

    def add(self, value: float, words: str, top: float) -> None:
        """Append one value; the axis runs from 0 to `top` or to the largest value."""
        self.height.update()
        self.values.append(value)
        values = list(self.values)
        dpg.set_value(self.words, words)
        dpg.set_value(self.line, [self.places, values])
        dpg.set_value(self.area, [self.places, values, [0.0] * len(values)])
        dpg.set_axis_limits(self.axis, 0, max(top, *values) * 1.1)


class KeyValues:
    """Names left, values right; rows come and go with what is shown."""

    def __init__(self) -> None:
        self._shown: tuple[tuple[str, str], ...] = ()
        self.tag: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as self.tag:
            dpg.add_table_column(init_width_or_weight=look.LABEL_SHARE)
            dpg.add_table_column(init_width_or_weight=1 - look.LABEL_SHARE)
        look.bind_style(self.tag, "rows")
        self._cells: list[Tag] = []

    def show(self, values: Mapping[str, str]) -> None:
        """Show these rows instead of the former ones."""
        rows = tuple(values.items())
        if rows == self._shown:
            return
        if [name for name, _ in rows] == [name for name, _ in self._shown]:
            for cell, (_, words) in zip(self._cells, rows, strict=True):
                dpg.set_value(cell, words)
        else:
            self._rebuild(rows)
        self._shown = rows

    def _rebuild(self, rows: Sequence[tuple[str, str]]) -> None:
        dpg.delete_item(self.tag, children_only=True, slot=1)
        self._cells = []
        for name, words in rows:
            with dpg.table_row(parent=self.tag):
                dpg.add_text(name, color=look.MUTED)
                self._cells.append(dpg.add_text(words, wrap=0))


class Figures:
    """A few numbers side by side, each under its name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """names: each with the sentence that explains it."""
        tag: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as tag:
            look.bind_style(tag, "list")
            look.bind_font(tag, "small")
            for name in names:
                dpg.add_table_column(init_width_or_weight=max(len(name), FIGURE))
            with dpg.table_row():
                for name, hint in names.items():
                    tooltip(dpg.add_text(name, color=look.MUTED), hint)
            with dpg.table_row():
                self._cells: list[Tag] = [dpg.add_text("") for _ in names]

    def show(self, *values: str) -> None:
        """Show these values."""
        for cell, words in zip(self._cells, values, strict=True):
            dpg.set_value(cell, words)
