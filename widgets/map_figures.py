"""What is known of the shown maps: numbers, the histogram of one map, the colours and the values at their ends."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Histogram, LayerView
from widgets import look
from widgets.map_cursor import is_sheet
from widgets.panel import Texture
from widgets.readouts import Figures
from widgets.rows import Tag, tooltip

STATISTICS = {
    "mean": "Mean of the values (no unit); on a sheet, of all maps of the layer.",
    "std": "Standard deviation of the values (no unit); on a sheet, of all maps together.",
    "min": "Smallest value (no unit).",
    "max": "Largest value (no unit).",
    "kurtosis": "mean((x − mean)⁴) / variance² (no unit): 3 for normal values, far more where a few values stand out.",
}
HISTOGRAM_HINT = (
    "Histogram of the shown map: values along the bottom (no unit), upwards log10(1 + number of samples), so that a few"
    " strong values can be seen beside thousands of weak ones. The line is the value under the mouse."
)
BAR_HINT = "The colours, and the values at their two ends (no unit)."
HISTOGRAM_LINES = 4.0  # lines of text


class MapFigures:
    """Figures always; histogram and colour bar where they say something."""

    def __init__(self, texture: Callable[[], Texture]) -> None:
        self.texture = texture()
        self.plot: Tag
        self.plot_box: Tag
        self.bar_box: Tag
        with (
            dpg.group(show=False) as self.plot_box,
            dpg.plot(width=-1, no_title=True, no_menus=True, no_mouse_pos=True, no_inputs=True) as self.plot,
        ):
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, no_gridlines=True)
            self.up: Tag = dpg.add_plot_axis(dpg.mvYAxis, no_tick_labels=True, no_tick_marks=True, no_gridlines=True)
            self.area: Tag = dpg.add_shade_series([0.0], [0.0], parent=self.up)
            self.line: Tag = dpg.add_stair_series([0.0], [0.0], parent=self.up)
            self.at: Tag = dpg.add_inf_line_series([0.0], parent=self.up, show=False)
        tooltip(self.plot_box, HISTOGRAM_HINT)  # a plot takes none itself
        look.bind_style(self.area, "area")
        look.bind_style(self.plot, "plot")
        self.height = look.Height(self.plot, HISTOGRAM_LINES)
        with dpg.group(show=False) as self.bar_box:
            self.bar: Tag = dpg.add_drawlist(8, 8)
        tooltip(self.bar_box, BAR_HINT)
        self.figures = Figures(STATISTICS)
        self.histogram: Histogram | None = None
        self._bar: np.ndarray | None = None
        self._drawn: tuple[object, ...] = ()
        self.ends: tuple[float, float] | None = None

    def clear(self) -> None:
        """Nothing is looked at."""
        self.figures.show("", "", "", "", "")
        self._histogram(None)
        self.ends = None

    def show(self, view: LayerView) -> None:
        """Follow what is shown."""
        values = view.statistics
        mean = 0.0 if abs(values.mean) < 1e-6 * values.std else values.mean  # rounding of what is 0 by construction
        numbers = (mean + 0.0, values.std, values.minimum + 0.0, values.maximum + 0.0, values.kurtosis)
        signs = ("+", "", "+", "+", "")
        self.figures.show(*(f"{number:{sign}.3g}" for number, sign in zip(numbers, signs, strict=True)))
        self._histogram(None if is_sheet(view) else view.histogram)
        self.ends = view.ends
        if view.bar is not None and (self._bar is None or not np.array_equal(view.bar, self._bar)):
            self._bar = view.bar
            self.texture.upload(view.bar)

    def _histogram(self, histogram: Histogram | None) -> None:
        self.histogram = histogram
        dpg.configure_item(self.plot_box, show=histogram is not None)
        if histogram is None:
            return
        edges = np.linspace(histogram.low, histogram.high, len(histogram.counts) + 1)
        heights = np.log10(1.0 + histogram.counts.astype(np.float64))
        places = np.repeat(edges, 2)[1:-1].tolist()
        stairs = np.repeat(heights, 2).tolist()
        dpg.set_value(self.area, [places, stairs, [0.0] * len(stairs)])
        dpg.set_value(self.line, [edges.tolist(), [*heights.tolist(), float(heights[-1])]])
        dpg.set_axis_limits(self.across, histogram.low, histogram.high)
        dpg.set_axis_limits(self.up, 0.0, float(heights.max()) * 1.08)

    def point_at(self, value: float | None) -> None:
        """Mark a value on the histogram; None marks none."""
        dpg.configure_item(self.at, show=value is not None)
        if value is not None:
            dpg.set_value(self.at, [[value]])

    def update(self, width: int) -> None:
        """Follow the scale and a width in screen pixels."""
        self.height.update()
        wanted = (width, self.ends, self.texture.tag, look.pixels(100))
        if wanted == self._drawn:
            return
        self._drawn = wanted
        dpg.configure_item(self.bar_box, show=self.ends is not None)
        dpg.delete_item(self.bar, children_only=True)
        if self.ends is not None:
            self._draw_bar(width, self.ends)

    def _draw_bar(self, width: int, ends: tuple[float, float]) -> None:
        height, size = look.pixels(18), look.pixels(13)
        dpg.configure_item(self.bar, width=width, height=height)
        words = [f"{end + 0.0:+.3g}" for end in ends]
        room = look.pixels(62)
        dpg.draw_text((2, (height - size) / 2), words[0], size=size, color=look.MUTED, parent=self.bar)
        dpg.draw_text((width - room + 4, (height - size) / 2), words[1], size=size, color=look.MUTED, parent=self.bar)
        top = height / 2 - look.pixels(4)
        dpg.draw_image(
            self.texture.tag, (room, top), (width - room, top + look.pixels(8)), uv_max=self.texture.uv_max,
            parent=self.bar,
        )  # fmt: skip
