"""The droplet's numbers, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dearpygui.dearpygui as dpg

from app.studies.droplets import DropletReport, DropletRule, LayerDroplet
from widgets import look
from widgets.droplet_ladder import describe
from widgets.rows import Tag, tooltip

COLUMNS = {
    "layer": ("layer", 2.7, "Where it is measured: before instance normalization, else after the activation."),
    "ratio": (
        "ratio",
        1.3,
        "Peak ratio: max S / median S, where S(p) = √(exp(mean of ln(1 + z²)) − 1), the mean over the channels, and "
        "z = (x(p) − m) / s; m is the channel's median, s the scale of its rest. 1 to 2 where nothing stands out.",
    ),
    "agree": (
        "agree",
        1.3,
        "Agreement: share of the channels whose own largest |x − m| lies in the disc around the spot "
        "(3 % of the picture's height).",
    ),
    "ring": (
        "ring",
        1.2,
        "Prominence: the peak over the median of S in the ring around the disc, from 2 to 4 of its radii. A spike "
        "stands out of its surroundings; an object is wide and does not.",
    ),
    "energy": ("energy", 1.5, "The disc's share of Σ S² over the whole map."),
    "rho": (
        "ρ",
        1.2,
        "σ / σ without the disc, median over the channels. Instance normalization divides by σ: the rest of the map "
        "comes out 1/ρ as strong as it would without the spike.",
    ),
    "kurtosis": ("kurt.", 1.3, "Kurtosis, mean over the channels: mean((x − mean)⁴) / variance²; 3 for normal values."),
}
NEEDED = {"ring": 440, "kurtosis": 400, "energy": 340}  # pixels at scale 1 of the panel's width


class DropletTable:
    """One row per layer; a click picks one."""

    def __init__(self, pick: Callable[[str], None]) -> None:
        self.pick = pick
        self.rows: dict[str, tuple[Tag, list[Tag]]] = {}
        self.tips: dict[str, Tag] = {}
        self.report: DropletReport | None = None
        self.picked = ""
        self.tag: Tag
        with dpg.table(
            header_row=False, policy=dpg.mvTable_SizingStretchProp, row_background=True, no_pad_outerX=True
        ) as self.tag:
            self.columns: dict[str, Tag] = {
                name: dpg.add_table_column(init_width_or_weight=weight) for name, (_, weight, _) in COLUMNS.items()
            }
        look.bind_style(self.tag, "list")
        look.bind_font(self.tag, "small")

    def show(self, report: DropletReport | None, picked: str) -> None:
        """Show the layers of a report, the picked one lit."""
        if report is self.report and picked == self.picked:
            return
        self.report, self.picked = report, picked
        layers = report.layers if report is not None else ()
        if [row.layer for row in layers] != list(self.rows):
            self._build([row.layer for row in layers])
        for row in layers:
            selectable, cells = self.rows[row.layer]
            dpg.set_value(selectable, row.layer == picked)
            dpg.set_value(self.tips[row.layer], describe(row))
            for cell, words in zip(cells, numbers(row), strict=True):
                dpg.set_value(cell, words)
            limits = () if report is None else passed(row, report.rule)
            for cell, over in zip(cells, limits, strict=False):
                look.bind(cell, "warning" if over else "")

    def fit(self, width: float) -> None:
        """Leave columns out where a panel of `width` screen pixels has no room for them; rows tell them all."""
        for name, needed in NEEDED.items():
            dpg.configure_item(self.columns[name], enabled=width >= look.pixels(needed))

    def _build(self, names: list[str]) -> None:
        dpg.delete_item(self.tag, children_only=True, slot=1)
        self.rows, self.tips = {}, {}
        with dpg.table_row(parent=self.tag):
            for words, _, hint in COLUMNS.values():
                tooltip(dpg.add_text(words, color=look.MUTED), hint)
        for name in names:
            with dpg.table_row(parent=self.tag):
                selectable = dpg.add_selectable(label=name, span_columns=True, callback=self._clicked, user_data=name)
                with dpg.tooltip(selectable, delay=0.5, hide_on_activity=True):
                    self.tips[name] = dpg.add_text("", wrap=340)
                self.rows[name] = selectable, [dpg.add_text("") for _ in list(COLUMNS)[1:]]

    def _clicked(self, sender: Tag, app_data: Any, user_data: str) -> None:
        self.picked = "?"  # the click has lit or dimmed the row by itself: write all rows anew
        self.pick(user_data)


def passed(row: LayerDroplet, rule: DropletRule) -> tuple[bool, bool, bool]:
    """Which of the rule's limits a layer exceeds: ratio, agreement, prominence."""
    return row.ratio > rule.ratio, row.agreement >= rule.agreement, row.prominence > rule.prominence


def numbers(row: LayerDroplet) -> tuple[str, ...]:
    """The figures of a layer, in the order of COLUMNS."""
    return (
        f"{row.ratio:.1f}×",
        f"{row.agreement:.0%}",
        f"{row.prominence:.1f}×",
        f"{row.energy:.1%}",
        f"{row.median_rho:.2f}",
        f"{row.mean_kurtosis:.1f}" if row.mean_kurtosis < 1000 else f"{row.mean_kurtosis:.0f}",
    )
