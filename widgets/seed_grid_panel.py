"""A grid of seeds to pick from, drawn in idle time with the settings of the picture on the screen."""

from __future__ import annotations

import random
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.request import Latent, Mix
from app.studies.picture_list import of_seed
from app.studies.picture_sheet import Sheet, row_words, seed_sheet
from app.studies.style_rows import groups
from widgets import look
from widgets.cell_grid import Cell, CellGrid, filling
from widgets.choices import Choice
from widgets.controls import Checkbox, IntField
from widgets.flow import Flow
from widgets.grid_base import EXACT_HINT, GridPanel, cell_of
from widgets.icons import icon
from widgets.popup_menu import PopupMenu
from widgets.rows import Button

SIZES = {"48": "S", "72": "M", "112": "L"}  # screen pixels at scale 1 of a picture, about
LAST_SEED = 2**31 - 1


class SeedGridPanel(GridPanel):
    """Click: go there. Right click: keep it, or take it as the second seed of mixing."""

    title, order, window_id, area = "Seeds", 17, 1_000_000_046, "bottom"

    def build(self) -> None:
        sheet = f"{icon('download')}  Sheet"
        with Flow() as self.tools:
            self.start = IntField("", 0, "The first seed of the page.", high=LAST_SEED)
            back = Button(icon("chevron-left"), "The page before this one.", lambda: self.turn_page(-1))
            onward = Button(icon("chevron-right"), "The next page.", lambda: self.turn_page(1))
            jump = Button(icon("dices"), "A page somewhere among the first million seeds.", self.jump)
            with dpg.group():
                self.size = Choice("", "72", SIZES, "How large the pictures are, about.")
            self.exact = Checkbox("", False, EXACT_HINT, beside="exact")
            self.save = Button(sheet, "Save this page as one PNG, 256 px a picture.", self._save)
        self.tools.add(self.start, "888888", boxes=2, stretch=2)
        for button, name in ((back, "chevron-left"), (onward, "chevron-right"), (jump, "dices")):
            self.tools.button(button, icon(name))
        self.tools.choice(self.size)
        self.tools.tick(self.exact)
        self.tools.button(self.save, sheet, icon("download"))
        self.grid = CellGrid(self.actions.texture, self._pick, self._menu)
        self.menu = PopupMenu()
        self.count = 1

    @property
    def seeds(self) -> range:
        """Those of the page."""
        return range(self.start.value, min(self.start.value + self.count, LAST_SEED + 1))

    def turn_page(self, pages: int) -> None:
        """Move on by whole pages."""
        self.start.set(min(max(0, self.start.value + pages * self.count), LAST_SEED))

    def jump(self) -> None:
        """Go to a page somewhere else."""
        self.start.set(random.randrange(0, 1_000_000))

    def _lay_out(self) -> None:
        """What fits, and which pictures that takes."""
        assert self.base is not None
        width, height = self.room(self.grid)
        plan, lines = filling(width, height, look.pixels(float(self.size.value)), self.ratio)
        self.count = plan.columns * lines
        shown = (self.base, self.seeds, plan, self.exact.value)
        if shown != self._shown:
            self._shown = shown
            self.plan = plan
            self.requests = [of_seed(self.base, seed) for seed in self.seeds]
            self.pictures.want(self.requests, max(plan.wide, plan.high), self.exact.value)
            self._fill()

    def _fill(self) -> None:
        former = self.grid.cells if len(self.grid.cells) == len(self.requests) else ()
        cells = []
        for place, (seed, request) in enumerate(zip(self.seeds, self.requests, strict=True)):
            before = former[place] if former and former[place].words == f"{seed}" else None
            hint = f"Seed {seed}. Click: go there. Right click: more."
            like = Cell(words=f"{seed}", frame=self._frame(seed), hint=hint)
            cells.append(cell_of(self.pictures.of(request), before, like))
        self.grid.show(cells, self.plan)

    def _frame(self, seed: int) -> str:
        """'here' around the seed that is shown, 'second' around that of mixing."""
        assert self.base is not None
        if self.base.latent.seeds == ((seed, 1.0),) and not self.base.latent.files:
            return "here"
        return "second" if self.base.mix.seed == seed and self.base.mix.rows else ""

    def _pick(self, place: int) -> None:
        self.actions.go_to(Latent(((self.seeds[place], 1.0),)))

    def _menu(self, place: int) -> None:
        seed = self.seeds[place]
        rows = self._mixing_rows()
        self.menu.show(
            (
                (f"Keep seed {seed}", "Add it to the favourites, with these settings.", lambda: self._keep(seed)),
                (
                    f"Second seed of mixing (rows {row_words(rows)})",
                    f"The picture on the screen gets these rows of ws from seed {seed}.",
                    lambda: self._mix(seed, rows),
                ),
            )
        )

    def _keep(self, seed: int) -> None:
        self.actions.favour(of_seed(self.actions.current(), seed))

    def _mix(self, seed: int, rows: tuple[int, ...]) -> None:
        self.actions.restore(replace(self.actions.current(), mix=Mix(seed, rows)))

    def _mixing_rows(self) -> tuple[int, ...]:
        """The rows that are mixed now, else all but the coarse ones: another's colours on the same pose."""
        if self.base is not None and self.base.mix.seed is not None and self.base.mix.rows:
            return self.base.mix.rows
        assert self.model is not None
        coarse = groups(self.model.layers, self.model.num_ws).get("coarse", range(0))
        return tuple(row for row in range(self.model.num_ws) if row not in coarse)

    def _save(self) -> None:
        if self.base is not None:
            self.sheet.start(seed_sheet(self.base, self.seeds, self.plan.columns), self._saved)

    def _saved(self, sheet: Sheet) -> None:
        self.actions.save_pixels("seeds", sheet.pixels)
