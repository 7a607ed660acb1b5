"""Style mixing as a table: source seeds down, style seeds across (Fig. 3 of Karras et al. 2019)."""

from __future__ import annotations

import random
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState
from app.request import Latent, Mix, RenderRequest
from app.studies.picture_list import mixed, unmixed
from app.studies.picture_sheet import Sheet, mixing_sheet, row_words
from app.studies.style_rows import groups
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.cell_grid import GAP, Cell, CellGrid, Plan
from widgets.choices import Choice
from widgets.controls import Checkbox, TextField
from widgets.flow import Flow
from widgets.grid_base import EXACT_HINT, GridPanel, cell_of
from widgets.icons import icon
from widgets.rows import Button, columns, note

GROUPS = {"coarse": "Coarse", "middle": "Middle", "fine": "Fine", "custom": "Custom"}
SOURCES, STYLES, CUSTOM = "0-4", "10-15", "0-3"
MOST = 24  # seeds in a row or column
SMALLEST = 24.0  # screen pixels at scale 1 of a picture
Place = tuple[int | None, int | None]  # (source seed, style seed); None: the row or column of the seeds' own pictures
SHEET_HINT = "Save the table as one PNG with the seeds written beside it, 256 px a picture."


class StyleMatrixPanel(GridPanel):
    """Where a row and a column meet: the source seed's picture with some rows of ws from the style seed."""

    title, order, window_id, area = "Style matrix", 95, 1_000_000_047, "right-top"

    def build(self) -> None:
        with columns(0.5, 0.5):
            self.sources = TextField("sources", "Seeds of the rows, for instance 0, 1, 5-8: what is restyled.",
                                     placeholder=SOURCES, on_enter=False)  # fmt: skip
            self.styles = TextField("styles", "Seeds of the columns: where the styles come from.",
                                    placeholder=STYLES, on_enter=False)  # fmt: skip
        self.group = Choice("", "coarse", GROUPS, "Which rows of ws come from the style seed: coarse ones set pose"
                            " and shape, fine ones colour and texture.")  # fmt: skip
        with columns(0.5, 0.5):
            self.custom = TextField("rows", "Rows of ws for Custom, for instance 0, 2, 4-6.", placeholder=CUSTOM,
                                    on_enter=False)  # fmt: skip
            self.words = note()
        sheet, dice = f"{icon('download')}  Sheet", f"{icon('dices')}  Seeds"
        with Flow(snug=False) as self.tools:
            self.exact = Checkbox("", False, EXACT_HINT, beside="exact")
            other = Button(dice, "Other seeds, as many.", self.shuffle)
            self.save = Button(sheet, SHEET_HINT, self._save)
        self.tools.tick(self.exact)
        self.tools.button(other, dice, icon("dices"))
        self.tools.button(self.save, sheet, icon("download"))
        for field, default in ((self.sources, SOURCES), (self.styles, STYLES), (self.custom, CUSTOM)):
            field.default = default
            field.set(default)
        self.grid = CellGrid(self.actions.texture, self._pick)
        self.places: list[Place] = []
        self.requests: list[RenderRequest | None] = []

    # -- what is asked for -------------------------------------------------------------------------------------------

    @property
    def seeds(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Source and style seeds; empty where the field holds no list of at most MOST seeds."""
        lists = (parse_seeds(field.value) or [] for field in (self.sources, self.styles))
        sources, styles = (tuple(found) if len(found) <= MOST else () for found in lists)
        return sources, styles

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of ws that come from the style seed, those that the model has."""
        if self.model is None:
            return ()
        if self.group.value != "custom":
            return tuple(groups(self.model.layers, self.model.num_ws).get(self.group.value, range(0)))
        return tuple(row for row in dict.fromkeys(parse_seeds(self.custom.value) or ()) if row < self.model.num_ws)

    def complaint(self) -> str:
        """What is wrong with the fields, in a sentence."""
        for name, field in (("sources", self.sources), ("styles", self.styles)):
            found = parse_seeds(field.value)
            if not found:
                return f"{name}: write seeds, for instance 0, 1, 5-8."
            if len(found) > MOST:
                return f"{name}: {len(found)} seeds, up to {MOST} fit."
        if self.model is not None and not self.rows:
            return f"rows: write numbers from 0 to {self.model.num_ws - 1}."
        return ""

    def shuffle(self) -> None:
        """Other seeds, as many as there are now."""
        for field, found in zip((self.sources, self.styles), self.seeds, strict=True):
            field.set(", ".join(str(random.randrange(10_000)) for _ in found or range(4)))

    # -- showing it --------------------------------------------------------------------------------------------------

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow_picture(frame)
        self.custom.enabled = self.group.value == "custom"
        words = self.complaint() or f"rows {row_words(self.rows)} of ws" if self.model else ""
        dpg.configure_item(self.words, default_value=words, color=look.ERROR if self.complaint() else look.MUTED)
        self.show_grid(self.base is not None and not self.complaint())

    def _lay_out(self) -> None:
        assert self.base is not None
        sources, styles = self.seeds
        plan = self._plan(len(styles) + 1, len(sources) + 1)
        base = unmixed(self.base, 0)  # its own point and mixing play no part
        shown = (base, sources, styles, self.rows, plan, self.exact.value, self.base.latent, self.base.mix)
        if shown == self._shown:
            return
        self._shown, self.plan = shown, plan
        self.places = [(None, None), *((None, style) for style in styles)]
        for source in sources:
            self.places += [(source, None), *((source, style) for style in styles)]
        self.requests = [self.request_of(place) for place in self.places]
        wanted = [request for request in self.requests if request is not None]
        self.pictures.want(wanted, max(plan.wide, plan.high), self.exact.value)
        self._fill()

    def _plan(self, across: int, down: int) -> Plan:
        """Pictures as large as fit."""
        width, height = self.room(self.grid)
        gap = look.pixels(GAP)
        wide = min((width - gap) / across, (height - gap) / down / self.ratio) - gap
        wide = max(float(look.pixels(SMALLEST)), wide)
        return Plan(across, wide, wide * self.ratio, words=False, own=True)

    def request_of(self, place: Place) -> RenderRequest | None:
        """What is drawn in a place; the corner is empty."""
        assert self.base is not None
        source, style = place
        if source is not None and style is not None:
            return mixed(self.base, source, style, self.rows)
        own = style if source is None else source
        return None if own is None else unmixed(self.base, own)

    def _fill(self) -> None:
        former = self.grid.cells if len(self.grid.cells) == len(self.places) else (None,) * len(self.places)
        cells = []
        for place, request, before in zip(self.places, self.requests, former, strict=True):
            like = self._like(place)
            cells.append(Cell(blank=True) if request is None else cell_of(self.pictures.of(request), before, like))
        self.grid.show(cells, self.plan)

    def _like(self, place: Place) -> Cell:
        source, style = place
        here = "here" if self._is_here(place) else ""
        if source is None or style is None:
            own = style if source is None else source
            return Cell(chip=f"{own}", frame=here, hint=f"Seed {own} itself. Click: go there, without mixing.")
        hint = f"Seed {source} with rows {row_words(self.rows)} of ws from seed {style}. Click: show it."
        return Cell(frame=here, hint=hint)

    def _is_here(self, place: Place) -> bool:
        """Whether this place is what the picture on the screen shows."""
        assert self.base is not None
        request = self.request_of(place)
        return request is not None and (request.latent, request.mix) == (self.base.latent, self.base.mix)

    # -- what a click does -------------------------------------------------------------------------------------------

    def _pick(self, number: int) -> None:
        source, style = self.places[number]
        if source is None and style is None:
            return
        now = self.actions.current()
        mix = Mix(style, self.rows) if source is not None and style is not None else Mix()
        seed = source if source is not None else style
        assert seed is not None
        self.actions.restore(replace(now, latent=Latent(((seed, 1.0),)), mix=mix))

    def _save(self) -> None:
        if self.base is not None:
            self.sheet.start(mixing_sheet(self.base, *self.seeds, self.rows), self._saved)

    def _saved(self, sheet: Sheet) -> None:
        self.actions.save_pixels("style-matrix", sheet.pixels)
