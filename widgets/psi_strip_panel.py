"""The shown point at several distances from the centre of W, side by side: what truncation does to it."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.request import Truncation
from app.studies.picture_list import psi_values, truncated
from app.studies.picture_sheet import Sheet, psi_sheet
from widgets import look
from widgets.cell_grid import WORDS, Cell, CellGrid, Plan
from widgets.choices import Choice
from widgets.controls import Checkbox
from widgets.flow import Flow
from widgets.grid_base import EXACT_HINT, GridPanel, cell_of
from widgets.icons import icon
from widgets.request_words import short_name
from widgets.rows import Button

COUNTS = {"5": "5", "7": "7", "9": "9"}
COUNT_HINT = "How many pictures, evenly from psi -1 to 1. 0 is the centre of W, below lies the opposite."


class PsiStripPanel(GridPanel):
    """ws = centre + psi (ws - centre) for psi from -1 to 1; a click sets psi."""

    title, order, window_id, area = "Psi strip", 19, 1_000_000_048, "bottom"

    def build(self) -> None:
        sheet = f"{icon('download')}  Sheet"
        with Flow() as self.tools:
            with dpg.group():
                self.number = Choice("", "9", COUNTS, COUNT_HINT)
            self.exact = Checkbox("", False, EXACT_HINT, beside="exact")
            self.save = Button(sheet, "Save the strip as one PNG, 256 px a picture.", self._save)
        self.tools.choice(self.number)
        self.tools.tick(self.exact)
        self.tools.button(self.save, sheet, icon("download"))
        self.grid = CellGrid(self.actions.texture, self._pick)

    @property
    def values(self) -> tuple[float, ...]:
        """psi of the pictures, from left to right."""
        return psi_values(int(self.number.value))

    def _lay_out(self) -> None:
        assert self.base is not None
        width, height = self.room(self.grid)
        count = len(self.values)
        gap = look.pixels(6)
        wide = max(8.0, min((width + gap) / count - gap, (height - look.pixels(WORDS)) / self.ratio))
        plan = Plan(count, wide, wide * self.ratio)
        shown = (self.base, self.values, plan, self.exact.value)
        if shown != self._shown:
            self._shown, self.plan = shown, plan
            self.requests = [truncated(self.base, psi) for psi in self.values]
            self.pictures.want(self.requests, max(plan.wide, plan.high), self.exact.value)
            self._fill()

    def _fill(self) -> None:
        assert self.base is not None
        former = self.grid.cells if len(self.grid.cells) == len(self.requests) else (None,) * len(self.requests)
        cells = []
        for psi, request, before in zip(self.values, self.requests, former, strict=True):
            words = "0: centre" if psi == 0 else f"ψ {psi:g}".replace("-", "−")
            here = "here" if psi == self.base.truncation.psi else ""
            hint = f"psi {psi:g}. Click: set it. The cutoff stays."
            cells.append(cell_of(self.pictures.of(request), before, Cell(words=words, frame=here, hint=hint)))
        self.grid.show(cells, self.plan)

    def _pick(self, place: int) -> None:
        now = self.actions.current()
        cutoff = now.truncation.cutoff
        self.actions.restore(replace(now, truncation=Truncation(self.values[place], cutoff)))

    def _save(self) -> None:
        if self.base is not None:
            self.sheet.start(psi_sheet([(short_name(self.base), self.base)], self.values), self._saved)

    def _saved(self, sheet: Sheet) -> None:
        self.actions.save_pixels("psi", sheet.pixels)
