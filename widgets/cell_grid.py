"""A grid of small pictures: numbered, framed, picked with a click, with a menu or something to drag on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Pixels
from widgets import look
from widgets.canvas import BRIGHT, TRACK, Canvas
from widgets.panel import Texture
from widgets.rows import Tag

WORDS, GAP, SMALL = 17.0, 6.0, 13.0  # screen pixels at scale 1: the line under a picture, between pictures, letters
FAINT: look.Colour = (255, 255, 255, 96)  # of a picture that is out of date
CHIP: look.Colour = (14, 15, 17, 190)
FRAMES = {"here": look.ACCENT, "second": look.WARNING}


@dataclass(frozen=True, eq=False)
class Cell:
    """One place. words: under the picture; chip: on its corner; frame: 'here' or 'second'; faint: out of date;
    sign: large, in the middle of a place without a picture; hint: shown when the mouse rests on it; blank: no place;
    marked: the chip is lit."""

    picture: Pixels | None = None
    words: str = ""
    chip: str = ""
    frame: str = ""
    faint: bool = False
    sign: str = ""
    hint: str = ""
    blank: bool = False
    marked: bool = False


@dataclass(frozen=True)
class Plan:
    """How cells lie: columns, width and height of a picture in screen pixels, whether words stand under each, whether
    the first row and column are set apart."""

    columns: int = 1
    wide: float = 64.0
    high: float = 64.0
    words: bool = True
    own: bool = False


class CellGrid(Canvas):
    """`show` the cells under a plan, `update` once per loop. pick: a click; menu: a right click.

    A press that is released somewhere else is a drag: `dragged` is the cell, for the one turn of the release.
    """

    def __init__(
        self, texture: Callable[[], Texture], pick: Callable[[int], None], menu: Callable[[int], None] | None = None
    ) -> None:
        super().__init__()
        self.pick, self.menu = pick, menu
        self.texture = texture()
        self.cells: tuple[Cell, ...] = ()
        self.plan = Plan()
        self.pressed: int | None = None
        self.dragged: int | None = None
        self._slot = (1, 1)  # (H, W) of a picture's place on the texture
        self.tip: Tag
        with dpg.tooltip(self.canvas, delay=0.5, hide_on_activity=True, show=False) as self.tip:
            self.tip_words: Tag = dpg.add_text("", wrap=340)
        self._tipped = ""

    def show(self, cells: Sequence[Cell], plan: Plan) -> None:
        """Show these cells."""
        pictures = [cell.picture for cell in cells]
        if len(pictures) != len(self.cells) or any(
            cell.picture is not picture for cell, picture in zip(self.cells, pictures, strict=True)
        ):
            self._upload(pictures)
        self.cells, self.plan = tuple(cells), plan
        self.changed()

    def _upload(self, pictures: Sequence[Pixels | None]) -> None:
        """All pictures on one texture, in places of one size."""
        there = [picture for picture in pictures if picture is not None]
        if not there:
            return
        high, wide = max(picture.shape[0] for picture in there), max(picture.shape[1] for picture in there)
        across = self._across(len(pictures))
        atlas = np.zeros((-(-len(pictures) // across) * high, across * wide, 4), np.uint8)
        for number, picture in enumerate(pictures):
            if picture is not None:
                top, left = number // across * high, number % across * wide
                atlas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        self._slot = high, wide
        self.texture.upload(atlas)

    @staticmethod
    def _across(count: int) -> int:
        return max(1, int(np.ceil(np.sqrt(count))))

    # -- where things lie --------------------------------------------------------------------------------------------

    @property
    def pitch(self) -> tuple[float, float]:
        """From one cell to the next, in screen pixels."""
        return pitch(self.plan)

    def corner(self, place: int) -> tuple[float, float]:
        """Upper left corner of a picture, in pixels of the canvas."""
        line, column = divmod(place, max(1, self.plan.columns))
        apart = look.pixels(GAP) if self.plan.own else 0
        across, down = self.pitch
        return column * across + (apart if column else 0), line * down + (apart if line else 0)

    def height(self) -> int:
        lines = -(-len(self.cells) // max(1, self.plan.columns))
        if not lines:
            return 1
        return round(self.corner((lines - 1) * self.plan.columns)[1] + self.pitch[1])

    def place_at(self, x: float, y: float) -> int | None:
        for place in range(len(self.cells)):
            left, top = self.corner(place)
            if self.cells[place].blank:
                continue
            if left <= x < left + self.plan.wide and top <= y < top + self.pitch[1] - look.pixels(GAP):
                return place
        return None

    def centre(self, place: int) -> tuple[float, float]:
        """The middle of a cell's picture, in pixels of the window (for tests, and for what is drawn over it)."""
        left, top = dpg.get_item_rect_min(self.drawlist)
        x, y = self.corner(place)
        return left + x + self.plan.wide / 2, top + y + self.plan.high / 2

    # -- the mouse ---------------------------------------------------------------------------------------------------

    def _follow_mouse(self) -> None:
        self.dragged = None
        over = self._under_mouse()
        self.hovered = over if dpg.is_item_hovered(self.drawlist) or self.pressed is not None else None
        if self.hovered is not None and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self.pressed = self.hovered
        elif (
            self.hovered is not None and self.menu is not None and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Right)
        ):
            self.menu(self.hovered)
        elif self.pressed is not None and not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            pressed, self.pressed = self.pressed, None
            if over == pressed:
                self.pick(pressed)
            else:
                self.dragged = pressed
        self._hint()

    def under_mouse(self) -> int | None:
        """The cell under the mouse, whatever is held."""
        return self._under_mouse()

    def _under_mouse(self) -> int | None:
        left, top = dpg.get_item_rect_min(self.drawlist)
        width, height = dpg.get_item_rect_size(self.drawlist)
        x, y = dpg.get_mouse_pos(local=False)
        if not (left <= x < left + width and top <= y < top + height):
            return None
        return self.place_at(x - left, y - top)

    def _hint(self) -> None:
        hint = self.cells[self.hovered].hint if self.hovered is not None and self.hovered < len(self.cells) else ""
        if hint != self._tipped:
            self._tipped = hint
            dpg.set_value(self.tip_words, hint)
            dpg.configure_item(self.tip, show=bool(hint))

    # -- drawing -----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        for place, cell in enumerate(self.cells):
            if not cell.blank:
                self._cell(place, cell)

    def _cell(self, place: int, cell: Cell) -> None:
        (left, top), wide, high = self.corner(place), self.plan.wide, self.plan.high
        if cell.picture is None:
            self.box(left, top, left + wide, top + high, TRACK, 3)
            if cell.sign:
                self._sign(left + wide / 2, top + high / 2, cell.sign)
        else:
            self._picture(place, cell.picture, left, top, cell.faint)
        colour = FRAMES.get(cell.frame) or (look.MUTED if place == self.hovered else None)
        if colour is not None:
            edge = look.pixels(2 if cell.frame else 1)
            dpg.draw_rectangle(
                (left, top), (left + wide, top + high), color=colour, thickness=edge, parent=self.drawlist
            )
        if cell.chip:
            self._chip(left, top, cell)
        if cell.words and self.plan.words:
            tone = BRIGHT if cell.frame == "here" else look.MUTED
            words = fitting(cell.words, wide)
            self._small(left + (wide - small_width(words)) / 2, top + high + look.pixels(1), words, tone)

    def _picture(self, place: int, picture: Pixels, left: float, top: float, faint: bool) -> None:
        """A picture in the middle of its place, in its own proportions."""
        rows, columns = picture.shape[:2]
        scale = min(self.plan.wide / columns, self.plan.high / rows)
        x, y = left + (self.plan.wide - columns * scale) / 2, top + (self.plan.high - rows * scale) / 2
        across = self._across(len(self.cells))
        lines = -(-len(self.cells) // across)
        (u, v), (high, wide) = self.texture.uv_max, self._slot
        x0, y0 = place % across * wide, place // across * high
        inset = 0.5  # of a texture pixel: the neighbour's edge must not shine through
        dpg.draw_image(
            self.texture.tag, (x, y), (x + columns * scale, y + rows * scale),
            uv_min=(u * (x0 + inset) / (across * wide), v * (y0 + inset) / (lines * high)),
            uv_max=(u * (x0 + columns - inset) / (across * wide), v * (y0 + rows - inset) / (lines * high)),
            color=FAINT if faint else (255, 255, 255, 255), parent=self.drawlist,
        )  # fmt: skip

    def _chip(self, left: float, top: float, cell: Cell) -> None:
        wide, high = small_width(cell.chip) + look.pixels(8), look.pixels(SMALL + 3)
        self.box(left, top, left + wide, top + high, look.WARNING if cell.marked else CHIP, 3)
        colour = look.CANVAS if cell.marked else FRAMES.get(cell.frame, BRIGHT)
        self._small(left + look.pixels(4), top + look.pixels(1), cell.chip, colour)

    def _sign(self, x: float, y: float, sign: str) -> None:
        self.text(x, y - look.pixels(9), sign, (96, 102, 114, 255), align=0.5)

    def _small(self, x: float, y: float, words: str, colour: look.Colour) -> None:
        dpg.draw_text((x, y), words, size=look.pixels(SMALL), color=colour, parent=self.drawlist)


def pitch(plan: Plan) -> tuple[float, float]:
    """From one cell to the next, in screen pixels."""
    gap = look.pixels(GAP)
    return plan.wide + gap, plan.high + (look.pixels(WORDS) if plan.words else 0) + gap


def small_width(words: str) -> float:
    """Screen pixels that small words take."""
    width, height = dpg.get_text_size(words) or (0.0, 0.0)
    return float(width) * look.pixels(SMALL) / float(height) if height else 0.0


def fitting(words: str, width: float) -> str:
    """Words that fit into a width, cut at the end where they are too long."""
    while len(words) > 1 and small_width(words) > width + look.pixels(GAP) - 2:
        words = words.rstrip("…")[:-1] + "…"
    return words


def filling(width: float, height: float, nominal: float, ratio: float, words: bool = True) -> tuple[Plan, int]:
    """The plan that fills an area with pictures of about `nominal` screen pixels, and how many lines it has.

    ratio: height over width of a picture. A whole number of lines fills the height, as many columns as there is room.
    """
    gap, below = look.pixels(GAP), look.pixels(WORDS) if words else 0
    high = nominal * min(1.0, ratio)
    lines = max(1, round((height + gap / 2) / (high + below + gap)))
    fitted = min(1.4 * high, max(0.6 * high, (height - gap) / lines - below - gap))
    wide = fitted / ratio
    columns = max(1, int((width + gap) // (wide + gap)))
    return Plan(columns, wide, fitted, words), lines
