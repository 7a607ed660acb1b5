"""Slots A to H, a pad to morph between them, and a tray of favourites: whole requests, kept with small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState
from app.request import RenderRequest
from app.studies.picture_list import reduced, shown_part
from app.studies.picture_sheet import PictureSheet, Sheet, SheetCell, lines
from widgets import look
from widgets.cell_grid import GAP, Cell, CellGrid, Plan
from widgets.flow import Flow
from widgets.grid_base import SheetBox
from widgets.icons import icon
from widgets.kept_requests import THUMBNAIL, Kept, kept_from
from widgets.morph import MOST, blend, remarks
from widgets.morph_pad import MorphPad
from widgets.panel import Panel, Shortcut
from widgets.popup_menu import Entry, PopupMenu
from widgets.rename_box import ask_name
from widgets.rows import Button, Tag, Words, columns, note
from widgets.small_pictures import SmallPictures

LETTERS = "ABCDEFGH"
TILE, SIDE = 72.0, 176.0  # screen pixels at scale 1: a slot's picture at most, the column of the pad
SMALLEST, IN_TWO = (
    40.0,
    52.0,
)  # where eight of the smallest do not fit side by side: two lines of four, at most so large
PAD_SHARE = 0.42  # of a narrow panel, that its pad takes
MOST_FAVOURITES = 500
SHEET_COLUMNS = 8
EXPORT_HINT = "All favourites as a contact sheet (PNG, 256 px a picture) and as JSON with their whole requests."
TWO_MODELS = "{} and {} are of two models, which cannot be mixed."


class SlotsPanel(Panel):
    """Click a slot: back to what it holds; an empty one: keep the picture there. Right click: more."""

    title, order, window_id, area = "Slots", 16, 1_000_000_045, "bottom"

    def build(self) -> None:
        self.slots: list[Kept | None] = [None] * len(LETTERS)
        self.favourites: list[Kept] = []
        self.corners: list[int] = []  # slots that the pad lies between
        self.pictures = SmallPictures(self.actions)  # of requests that came without one
        self.sheet = SheetBox(self.actions)
        self.menu = PopupMenu()
        self.frame: Frame | None = None
        self.now: RenderRequest | None = None
        with dpg.group(horizontal=True):
            self.left: Tag
            with dpg.child_window(border=False) as self.left:
                self._build_left()
            self.right: Tag
            with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.right:
                self._build_right()
        look.bind_style(self.left, "bare")
        look.bind_style(self.right, "bare")
        self._shown: tuple[object, ...] = ()
        self._version = 0

    def _build_left(self) -> None:
        self.grid = CellGrid(self.actions.texture, self._pick_slot, self._slot_menu)
        keep, export = f"{icon('star')}  Keep", f"{icon('download')}  Export"
        with Flow() as self.tools:
            self.count = Words("Favourites")
            star = Button(keep, "Add the picture to the favourites (B).", self.star)
            self.export = Button(export, EXPORT_HINT, self.save_favourites)
        self.tools.add(self.count, "Favourites  88", stretch=0)
        self.tools.button(star, keep, icon("star"))
        self.tools.button(self.export, export, icon("download"))
        self.tray_box: Tag
        with dpg.child_window(border=False) as self.tray_box:
            self.tray = CellGrid(self.actions.texture, self._pick_favourite, self._favourite_menu)
        look.bind_style(self.tray_box, "bare")

    def _build_right(self) -> None:
        self.pad = MorphPad(self.actions.texture, self._morph)
        self.letters: list[Button] = []
        with columns(*(1.0 for _ in LETTERS), style="letters"):
            for number, letter in enumerate(LETTERS):
                hint = f"Whether slot {letter} is a corner of the pad; up to {MOST} are."
                self.letters.append(Button(letter, hint, partial(self.toggle_corner, number), width=-1, theme="ghost"))
        self.words: Tag = note()
        look.bind_font(self.words, "small")

    # -- what a slot can do ------------------------------------------------------------------------------------------

    def store(self, number: int, kept: Kept | None = None) -> None:
        """Put the picture, or something kept, into a slot; the first two become corners of the pad."""
        kept = kept or self._picture()
        if kept is None:
            return
        self.slots[number] = kept
        if len(self.corners) < 2 and number not in self.corners:
            self.corners.append(number)
        self._changed()
        self._tell(f"Slot {LETTERS[number]}: {kept.name}.")

    def recall_slot(self, number: int) -> None:
        """Show what a slot holds."""
        kept = self.slots[number]
        if kept is None:
            self.actions.say(f"Slot {LETTERS[number]} is empty; Shift+{number + 1} keeps the picture there.")
        else:
            self.actions.restore(kept.request)

    def clear(self, number: int) -> None:
        """Empty a slot."""
        self.slots[number] = None
        if number in self.corners:
            self.corners.remove(number)
        self._changed()

    def toggle_corner(self, number: int) -> None:
        """Make a filled slot a corner of the pad, or none any more; a fifth takes the place of the first."""
        if number in self.corners:
            self.corners.remove(number)
        elif self.slots[number] is not None:
            self.corners = [*self.corners, number][-MOST:]
        self._changed()

    def rename(self, number: int, name: str) -> None:
        """Call what a slot holds something else."""
        kept = self.slots[number]
        if kept is not None and name.strip():
            self.slots[number] = replace(kept, name=name.strip())
            self._changed()

    # -- favourites --------------------------------------------------------------------------------------------------

    def star(self) -> None:
        """Add the picture to the favourites."""
        if (kept := self._picture()) is not None:
            self.add_favourite(kept)

    def add_favourite(self, kept: Kept) -> None:
        """The newest stands first; the same request twice is one favourite."""
        others = [other for other in self.favourites if other.request != kept.request]
        self.favourites = [kept, *others][:MOST_FAVOURITES]
        self._changed()
        self._tell(f"Kept {kept.name} among the favourites: {len(self.favourites)} of {MOST_FAVOURITES}.")

    def remove_favourite(self, number: int) -> None:
        """Take one out."""
        del self.favourites[number]
        self._changed()

    def take_favourite(self, request: RenderRequest) -> None:
        self.add_favourite(Kept.of(request))

    def save_favourites(self) -> None:
        """A sheet of all favourites and their requests."""
        kept = list(self.favourites)
        cells = [SheetCell(favourite.shown, favourite.name) for favourite in kept]
        columns_ = min(SHEET_COLUMNS, max(1, len(cells)))
        question = PictureSheet(lines(cells, columns_), "Favourites", f"{len(cells)} pictures")
        numbers = [{"name": favourite.name, "request": favourite.plain["request"]} for favourite in kept]

        def saved(sheet: Sheet) -> None:
            self.actions.save_pixels("favourites", sheet.pixels)
            self.actions.save_numbers("favourites", {"favourites": numbers})

        self.sheet.start(question, saved)

    def _tell(self, sentence: str) -> None:
        """Say what was kept, where that is not to be seen."""
        if not self.visible():
            self.actions.say(sentence)

    def _picture(self) -> Kept | None:
        """What is on the screen, to be kept."""
        request = self.actions.current()
        if self.model is None or not request.model.path:
            self.actions.say("There is no picture to keep yet: open a model first.")
            return None
        frame = self.frame
        there = frame is not None and frame.complete and frame.picture is not None
        if not there or shown_part(frame.request) != shown_part(request):  # type: ignore[union-attr]
            return Kept.of(request)
        return Kept.of(request, reduced(frame.picture, THUMBNAIL))  # type: ignore[union-attr, arg-type]

    # -- the pad -----------------------------------------------------------------------------------------------------

    def _requests(self) -> list[RenderRequest]:
        """Those of the corners."""
        return [kept.request for number in self.corners if (kept := self.slots[number]) is not None]

    def complaint(self) -> str:
        """Why the pad cannot mix its corners, in a sentence."""
        requests = self._requests()
        paths = [request.model.path for request in requests]
        other = next((place for place, path in enumerate(paths) if path != paths[0]), None)
        if other is None:
            return ""
        return TWO_MODELS.format(LETTERS[self.corners[0]], LETTERS[self.corners[other]])

    def _morph(self, x: float, y: float) -> None:
        requests = self._requests()
        if self.complaint() or self.model is None:
            return
        now = self.actions.current()
        mixed = replace(blend(requests, x, y, self.model.z_dim), view=now.view, diagnostic=now.diagnostic)
        if now.model.path == mixed.model.path:
            self.actions.steer(mixed)
        else:
            self.actions.restore(mixed)

    def dragging(self) -> bool:
        return super().dragging() or self.pad.held

    # -- showing it --------------------------------------------------------------------------------------------------

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        if frame is not None and frame.model is not None and frame is not self.frame:
            self.now = shown_part(replace(frame.request, model=replace(frame.request.model, attempt=0)))
        self.frame = frame
        self.sheet.update()
        self.tools.update()
        self.tools.rename(self.export, self.sheet.words or f"{icon('download')}  Export")
        self.export.enabled = bool(self.favourites)
        self._draw_missing()
        if self.visible():
            self._lay_out()
        self.grid.update()
        self.tray.update()
        self.pad.update()
        self._drop()

    def tick(self, seconds: float) -> None:
        self.pictures.tick(seconds)

    def _draw_missing(self) -> None:
        """Small pictures of what was kept without one, in the background."""
        everything = [*filter(None, self.slots), *self.favourites]
        bare = [kept.shown for kept in everything if kept.thumbnail is None]
        if not bare and not self.pictures.wanted:
            return
        self.pictures.want(list(dict.fromkeys(bare)), THUMBNAIL)
        if self.pictures.update(True):
            self.slots = [kept and self._with_picture(kept) for kept in self.slots]
            self.favourites = [self._with_picture(kept) for kept in self.favourites]
            self._changed()

    def _with_picture(self, kept: Kept) -> Kept:
        small = self.pictures.of(kept.shown)
        return replace(kept, thumbnail=small.pixels) if kept.thumbnail is None and small.pixels is not None else kept

    def _changed(self) -> None:
        self._version += 1

    def _lay_out(self) -> None:
        """Follow the panel's size, and what is kept."""
        inner = dpg.get_item_rect_size(self.window_id)[0] - 2 * look.pixels(GAP)
        side, scale = min(look.pixels(SIDE), int(PAD_SHARE * inner)), look.pixels(1000)
        width, height = (float(value) for value in dpg.get_item_rect_size(self.left))
        lit = frozenset(kept for kept in (*self.slots, *self.favourites) if kept is not None and self._is_here(kept))
        shown = (self._version, width, height, side, scale, lit)
        if shown == self._shown:
            return
        self._shown = shown
        for item, wide in ((self.left, -(side + look.pixels(10))), (self.right, side)):
            dpg.configure_item(item, width=wide)
        gap = look.pixels(GAP)
        beside = len(LETTERS) if width >= len(LETTERS) * look.pixels(SMALLEST + GAP) else len(LETTERS) // 2
        tile = max(8.0, min((width + gap) / beside - gap, look.pixels(TILE if beside == len(LETTERS) else IN_TWO)))
        self.grid.show([self._slot_cell(number, lit) for number in range(len(LETTERS))], Plan(beside, tile, tile))
        across = max(1, int((width - look.pixels(14) + gap) // (tile + gap)))
        hint = "Click: show it. Right click: more. Drag it onto a slot."
        self.tray.show([self._cell(kept, lit, hint) for kept in self.favourites], Plan(across, tile, tile))
        self.count.show(f"Favourites  {len(self.favourites) or ''}")
        self._show_pad(height)

    def _is_here(self, kept: Kept) -> bool:
        """Whether this is what is on the screen."""
        return kept.shown == self.now

    def _show_pad(self, height: float) -> None:
        corners = [kept for number in self.corners if (kept := self.slots[number]) is not None]
        names = [LETTERS[number] for number in self.corners]
        self.pad.show(names, [kept.thumbnail for kept in corners], height - look.pixels(26 + 44))
        for number, button in enumerate(self.letters):
            button.enabled = self.slots[number] is not None
            button.dress("active" if number in self.corners else "ghost")
        complaint = self.complaint()
        words = complaint
        if not complaint and len(corners) >= 2 and self.model is not None:
            words = "; ".join(remarks(self._requests(), self.model.z_dim))
        dpg.configure_item(self.words, default_value=words, color=look.ERROR if complaint else look.MUTED)

    def _slot_cell(self, number: int, lit: frozenset[Kept]) -> Cell:
        kept, letter = self.slots[number], LETTERS[number]
        if kept is None:
            hint = f"Slot {letter} is empty. Click, or Shift+{number + 1}: keep the picture here."
            return Cell(chip=letter, sign="+", hint=hint)
        hint = f"Click, or Alt+{number + 1}: show it. Right click: more."
        cell = self._cell(kept, lit, hint)
        return replace(cell, chip=letter, marked=number in self.corners)

    def _cell(self, kept: Kept, lit: frozenset[Kept], hint: str) -> Cell:
        problem = "" if kept.thumbnail is not None else self.pictures.of(kept.shown).problem
        words = "\n".join(filter(None, (kept.lines, problem, hint)))
        frame = "here" if kept in lit else ""
        return Cell(kept.thumbnail, kept.name, frame=frame, sign="!" if problem else "", hint=words)

    # -- the mouse ---------------------------------------------------------------------------------------------------

    def _pick_slot(self, number: int) -> None:
        if self.slots[number] is None:
            self.store(number)
        else:
            self.recall_slot(number)

    def _pick_favourite(self, number: int) -> None:
        self.actions.restore(self.favourites[number].request)

    def _drop(self) -> None:
        """What was dragged from the tray or a slot onto another slot is kept there as well."""
        target = self.grid.under_mouse()
        if target is None:
            return
        if self.tray.dragged is not None:
            self.store(target, self.favourites[self.tray.dragged])
        elif self.grid.dragged is not None and (kept := self.slots[self.grid.dragged]) is not None:
            self.store(target, kept)

    def _slot_menu(self, number: int) -> None:
        letter, kept = LETTERS[number], self.slots[number]
        entries: list[Entry] = [("Keep the picture here", f"Shift+{number + 1}", partial(self.store, number))]
        if kept is not None:
            corner = "No corner of the pad" if number in self.corners else "Corner of the pad"
            rename = partial(ask_name, f"Slot {letter}", kept.name, partial(self.rename, number))
            entries += [
                (corner, "The pad morphs between its corners.", partial(self.toggle_corner, number)),
                ("Add to the favourites", "It stays in the slot as well.", partial(self.add_favourite, kept)),
                ("Rename ...", "The name under the picture.", rename),
                ("Empty the slot", "", partial(self.clear, number)),
            ]
        self.menu.show(entries)

    def _favourite_menu(self, number: int) -> None:
        kept = self.favourites[number]
        free = next((place for place, slot in enumerate(self.slots) if slot is None), None)
        entries: list[Entry] = [("Remove", "Take it out of the favourites.", partial(self.remove_favourite, number))]
        if free is not None:
            entries.append((f"Into slot {LETTERS[free]}", "The first empty one.", partial(self.store, free, kept)))
        self.menu.show(entries)

    def shortcuts(self) -> Sequence[Shortcut]:
        last = len(LETTERS)
        keep = f"Keep the picture in slot A (up to Shift + {last}: {LETTERS[-1]})"
        back = f"Show slot A (up to Alt + {last}: {LETTERS[-1]})"
        found = [Shortcut("B", "Keep the picture among the favourites", self.star)]
        for number, letter in enumerate(LETTERS):
            found += [
                Shortcut(f"Shift+{number + 1}", f"Keep the picture in slot {letter}", partial(self.store, number),
                         "" if number else keep),
                Shortcut(f"Alt+{number + 1}", f"Show slot {letter}", partial(self.recall_slot, number),
                         "" if number else back),
            ]  # fmt: skip
        return found

    # -- sessions ----------------------------------------------------------------------------------------------------

    def keep(self) -> dict[str, Any]:
        kept: dict[str, Any] = super().keep()
        if any(self.slots):
            kept["slots"] = [None if slot is None else slot.plain for slot in self.slots]
            kept["corners"] = list(self.corners)
        if self.favourites:
            kept["favourites"] = [favourite.plain for favourite in self.favourites]
        return kept

    def recall(self, kept: Mapping[str, Any]) -> None:
        super().recall(kept)
        slots = kept.get("slots")
        found = [kept_from(values) for values in slots[: len(LETTERS)]] if isinstance(slots, list) else []
        self.slots = [*found, *([None] * (len(LETTERS) - len(found)))]
        corners = kept.get("corners")
        named = [number for number in corners if type(number) is int] if isinstance(corners, list) else []
        filled = [number for number in named if 0 <= number < len(LETTERS) and self.slots[number] is not None]
        self.corners = list(dict.fromkeys(filled))[:MOST]
        favourites = kept.get("favourites")
        read = [kept_from(values) for values in favourites] if isinstance(favourites, list) else []
        self.favourites = [favourite for favourite in read if favourite is not None][:MOST_FAVOURITES]
        self._changed()
