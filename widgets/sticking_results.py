"""Who is measured in the Sticking panel, under which change, and the table of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.request import RenderRequest
from app.studies.ablations import Ablation
from widgets import look
from widgets.rows import Tag, tooltip


@dataclass(frozen=True)
class Side:
    """One of the models that are measured side by side. key: '' for the one on the screen, 'second-' for the other."""

    key: str
    name: str
    request: RenderRequest  # with the change
    change: Ablation

    @property
    def title(self) -> str:
        """The model, and what was changed."""
        return self.name if self.change.name == "none" else f"{self.name}, {self.change.title}"


@dataclass(frozen=True)
class Result:
    """Cells of the table. model: None where an answer does not say."""

    cells: tuple[str, ...]
    model: ModelInfo | None = None


class ResultTable:
    """A row for each model under each change that was measured with the same settings."""

    def __init__(self) -> None:
        self.tag: Tag = dpg.add_group(show=False)
        self.rows: dict[tuple[str, str, str], tuple[Side, Result]] = {}
        self.settings: object = None
        self.shown: tuple[object, ...] = ()

    def keep(self, settings: object) -> None:
        """Results under other settings do not belong beside these."""
        if settings != self.settings:
            self.settings = settings
            self.rows = {}

    def add(self, side: Side, result: Result) -> None:
        """What was found for one side so far."""
        self.rows[side.key, side.request.model.path, side.change.name] = (side, result)

    def clear(self) -> None:
        """Forget all results."""
        self.rows, self.settings = {}, None

    def show(self, heads: Sequence[str], hints: Sequence[str]) -> None:
        """Draw what changed."""
        lines = [(side.title, self._doubt(side, result), *result.cells) for side, result in self.rows.values()]
        state = (tuple(heads), *lines)
        if state == self.shown:
            return
        self.shown = state
        dpg.configure_item(self.tag, show=bool(lines))
        dpg.delete_item(self.tag, children_only=True)
        table: Tag
        with dpg.table(
            parent=self.tag, header_row=False, policy=dpg.mvTable_SizingStretchProp, borders_innerH=True,
            no_pad_outerX=True,
        ) as table:  # fmt: skip
            look.bind_style(table, "list")
            dpg.add_table_column(init_width_or_weight=1.6)
            for _ in heads:
                dpg.add_table_column(init_width_or_weight=1.0)
            with dpg.table_row():
                for head, hint in zip(("", *heads), ("", *hints), strict=True):
                    tooltip(dpg.add_text(head, color=look.MUTED), hint)
            for title, doubt, *cells in lines:
                with dpg.table_row():
                    dpg.add_text(f"{title}\n({doubt})" if doubt else title, wrap=0)
                    for words in cells:
                        dpg.add_text(words, wrap=0)

    def _doubt(self, side: Side, result: Result) -> str:
        """Why the change changed nothing of this model; '' where it did."""
        return side.change.refusal(result.model) if result.model is not None else ""
