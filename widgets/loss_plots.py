"""A training run's log as plots over thousands of pictures, with the snapshot that is shown marked."""

from __future__ import annotations

from collections.abc import Mapping

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.curve_math import Binned, binned
from widgets.rows import Tag, columns, heading, tooltip

BINS = 120
COLOURS = (look.ACCENT, look.WARNING)
# plot -> (hint, column of loss.csv -> its name here); formulas: networks/training/losses.py
PLOTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "loss",
        "Logistic losses (Goodfellow et al. 2014), in nats. D: mean of softplus(−D(training)) + softplus(D(made));"
        " G: mean of softplus(−D(made)).",
        {"d_loss": "D", "g_loss": "G"},
    ),
    (
        "sign of D",
        "Mean sign of the discriminator's answer, −1 to 1, on training pictures (real) and on made ones. Near +1 and −1"
        " it tells all of them apart, near 0 none. The first is r_t of ADA (Karras et al. 2020, Eq. 1), which calls"
        " values above 0.6 overfitting.",
        {"real_sign": "real", "fake_sign": "made"},
    ),
    (
        "R1",
        "Mean squared norm of the discriminator's gradient at training pictures, before the factor gamma / 2"
        " (Mescheder et al. 2018, Eq. 9).",
        {"r1": "D"},
    ),
    (
        "path length",
        "Running mean of |J_wᵀ y|: how far the picture moves per unit of w (Karras et al. 2020, StyleGAN2, Eq. 4).",
        {"path_length": "G"},
    ),
)
HOW = "\nLine: means of equally many log rows; shade: smallest to largest. The upright line is the shown snapshot."


class LossPlots:
    """All plots, two side by side; those whose columns the log lacks are left out."""

    def __init__(self) -> None:
        heading("Log, over thousands of pictures seen")
        self.plots: list[Curves] = []
        for pair in (PLOTS[:2], PLOTS[2:]):
            with columns(*(1.0 for _ in pair)):
                for name, hint, names in pair:
                    self.plots.append(Curves(name, hint + HOW, names))

    def show(self, log: Mapping[str, np.ndarray]) -> None:
        """Draw a log: column -> [rows]; needs the column 'kimg'."""
        for plot in self.plots:
            plot.show(log)

    def mark(self, kimg: float | None) -> None:
        """Move the upright line; None hides it."""
        for plot in self.plots:
            plot.mark(kimg)

    def update(self) -> None:
        """Follow the scale; once per frame."""
        for plot in self.plots:
            plot.height.update()


class Curves:
    """One plot with one or two curves; their values at the marked place stand above it."""

    def __init__(self, name: str, hint: str, names: Mapping[str, str]) -> None:
        self.names = names
        self.curves: dict[str, Binned] = {}
        self.kimg: float | None = None
        self.group: Tag = dpg.add_group()
        dpg.push_container_stack(self.group)
        with dpg.group(horizontal=True):
            title = dpg.add_text(name, color=look.MUTED)
            tooltip(title, hint)
            self.words = [dpg.add_text("", color=colour) for _, colour in zip(names, COLOURS, strict=False)]
        for item in (title, *self.words):
            look.bind_font(item, "small")
        self.tag: Tag
        with dpg.plot(width=-1, no_title=True, no_menus=True, no_inputs=True, no_mouse_pos=True) as self.tag:
            self.across: Tag = dpg.add_plot_axis(dpg.mvXAxis, no_gridlines=True)
            self.axis: Tag = dpg.add_plot_axis(dpg.mvYAxis)
            self.bands = [dpg.add_shade_series([0.0], [0.0], parent=self.axis) for _ in names]
            self.lines = [dpg.add_line_series([0.0], [0.0], parent=self.axis) for _ in names]
            self.marker: Tag = dpg.add_inf_line_series([0.0], parent=self.axis, show=False)
        for number, (band, line) in enumerate(zip(self.bands, self.lines, strict=True)):
            look.bind_style(band, f"band-{number}")
            look.bind_style(line, f"line-{number}")
        look.bind_style(self.marker, "marker")
        look.bind_style(self.tag, "plot")
        look.bind_font(self.tag, "small")
        dpg.pop_container_stack()
        self.height = look.Height(self.tag, 5.0)

    def show(self, log: Mapping[str, np.ndarray]) -> None:
        """Draw these columns of a log."""
        known = [name for name in self.names if name in log and np.isfinite(log[name]).any()]
        dpg.configure_item(self.group, show=bool(known))
        self.curves = {name: binned(log["kimg"], log[name], BINS) for name in known}
        if not known:
            return
        for name, band, line in zip(self.names, self.bands, self.lines, strict=True):
            curve = self.curves.get(name)
            x, mean, lowest, highest = _lists(curve)
            dpg.set_value(band, [x, highest, lowest])
            dpg.set_value(line, [x, mean])
        means = np.concatenate([curve.mean for curve in self.curves.values()])
        low, high = float(means.min()), float(means.max())
        margin = 0.15 * (high - low) or 0.5
        dpg.set_axis_limits(self.axis, low - margin, high + margin)
        dpg.set_axis_limits(self.across, 0.0, 1.04 * max(float(log["kimg"][-1]), 1e-3))
        self._show_values()

    def mark(self, kimg: float | None) -> None:
        """Put the upright line there."""
        self.kimg = kimg
        dpg.configure_item(self.marker, show=kimg is not None)
        if kimg is not None:
            dpg.set_value(self.marker, [[kimg]])
        self._show_values()

    def _show_values(self) -> None:
        for (name, short), words in zip(self.names.items(), self.words, strict=True):
            curve = self.curves.get(name)
            value = None if curve is None or self.kimg is None else curve.at(self.kimg)
            dpg.set_value(words, "" if value is None else f"{short} {value:.3g}")


def _lists(curve: Binned | None) -> tuple[list[float], list[float], list[float], list[float]]:
    if curve is None:
        return [], [], [], []
    return curve.x.tolist(), curve.mean.tolist(), curve.low.tolist(), curve.high.tolist()
