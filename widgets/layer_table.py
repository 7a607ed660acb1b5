"""The table of all layers: name, size, channels, kind, noise; a click picks one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dearpygui.dearpygui as dpg

from networks.plan import LayerInfo
from widgets import look
from widgets.rows import Tag, tooltip

LINES, LINES_PICKED = 6.75, 4.75  # lines of text; less once a layer's maps need the room
COLUMNS = (("layer", 3.4), ("size", 2.4), ("maps", 1.3), ("kind", 1.5), ("noise", 1.3))


class LayerTable:
    """One selectable row per layer."""

    def __init__(self, pick: Callable[[LayerInfo], None]) -> None:
        self.pick = pick
        self.rows: dict[str, Tag] = {}
        self.tag: Tag
        with dpg.table(
            header_row=True,
            policy=dpg.mvTable_SizingStretchProp,
            row_background=True,
            scrollY=True,
            freeze_rows=1,
            borders_innerH=False,
        ) as self.tag:
            for name, weight in COLUMNS:
                dpg.add_table_column(label=name, init_width_or_weight=weight)
        look.bind_style(self.tag, "list")
        self.height = look.Height(self.tag, LINES)

    def show(self, layers: Sequence[LayerInfo]) -> None:
        """Show these layers instead of the former ones."""
        dpg.delete_item(self.tag, children_only=True, slot=1)
        self.rows = {}
        for layer in layers:
            height, width = layer.size
            with dpg.table_row(parent=self.tag):
                row = dpg.add_selectable(label=layer.name, span_columns=True, callback=self._clicked, user_data=layer)
                tooltip(row, describe(layer))
                self.rows[layer.name] = row
                for words in (f"{width} × {height}", str(layer.channels), layer.kind, "●" if layer.has_noise else ""):
                    dpg.add_text(words, color=look.MUTED)

    def mark(self, name: str) -> None:
        """Light the row of this layer only; '' lights none."""
        whole = dpg.get_y_scroll_max(self.tag) + self.height.shown  # rows and header, as last drawn
        self.height.lines = LINES_PICKED if name else LINES
        self.height.update()
        for number, (other, row) in enumerate(self.rows.items()):
            dpg.set_value(row, other == name)
            if other == name:
                self._scroll_to(number, whole)

    def _scroll_to(self, number: int, whole: float) -> None:
        """Bring a row into view, with one before it; whole: height of all rows and the header in screen pixels."""
        visible = self.height.shown
        highest, pitch = whole - visible, whole / (len(self.rows) + 1)
        scroll = dpg.get_y_scroll(self.tag)
        if highest > 0 and not scroll <= number * pitch <= scroll + visible - 2 * pitch:
            dpg.set_y_scroll(self.tag, min(highest, max(0.0, (number - 1) * pitch)))

    def _clicked(self, sender: Tag, app_data: Any, user_data: LayerInfo) -> None:
        self.pick(user_data)


def describe(layer: LayerInfo) -> str:
    """All that the layer table knows of one layer, in a few lines."""
    height, width = layer.size
    style = (
        f"style: {layer.style_dim} values from row {layer.w_index} of ws" if layer.w_index is not None else "no style"
    )
    rate = f"\nsampling rate: {layer.sampling_rate:g} samples per picture width" if layer.sampling_rate else ""
    half = "\nfp16 on a GPU, as in the original" if layer.half else ""
    return f"{layer.name} ({layer.kind})\n{layer.channels} maps of {width} × {height} px\n{style}{rate}{half}"
