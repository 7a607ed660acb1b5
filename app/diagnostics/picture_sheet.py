"""Draws and composes sheets of pictures (app/studies/picture_sheet.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app import problems
from app.diagnostics.picture_list import Artist
from app.errors import InputError
from app.frame import Pixels
from app.renderer import Renderer
from app.studies import Update
from app.studies.picture_list import reduced
from app.studies.picture_sheet import PictureSheet, Sheet

FONTS = Path(__file__).parents[2] / "assets" / "fonts"
GROUND, PLACE = (14, 15, 17), (30, 32, 37)
INK, FAINT, ERROR = (232, 234, 238), (150, 156, 168), (236, 108, 100)
LARGEST = 16_384  # px on a side of a sheet


def run(question: PictureSheet, renderer: Renderer) -> Iterator[Update]:
    """A picture per step, and the sheet with the last one."""
    artist = Artist(renderer)
    pictures: dict[tuple[int, int], Pixels] = {}
    broken: list[str] = []
    wanted = [
        (line, column) for line, row in enumerate(question.rows) for column, cell in enumerate(row) if cell.request
    ]
    check_size(question)
    for number, place in enumerate(wanted, 1):
        request = question.rows[place[0]][place[1]].request
        assert request is not None
        try:
            pictures[place] = fitted(artist.pixels(request), question.side)
        except Exception as error:
            if not problems.is_expected(error) or problems.is_out_of_memory(error):
                raise
            broken.append(problems.describe(error).detail)
        sheet = Sheet(Page(question, pictures).draw(), tuple(broken)) if number == len(wanted) else None
        yield Update(number / len(wanted), f"Picture {number} of {len(wanted)}", sheet)


def check_size(question: PictureSheet) -> None:
    """Raise InputError for a sheet that is larger than programs open."""
    columns = max((len(row) for row in question.rows), default=0)
    longest = max(columns, len(question.rows)) * (question.side + 8)
    if not question.rows or columns == 0:
        raise InputError("a sheet without pictures; name at least one seed")
    if longest > LARGEST:
        raise InputError(
            f"a sheet of {columns} x {len(question.rows)} pictures of {question.side} px would be {longest} px long,"
            f" more than {LARGEST}; ask for fewer or smaller ones"
        )


def fitted(pixels: Pixels, side: int) -> Pixels:
    """RGBA averaged down until its longer side is `side`, or enlarged by the largest whole factor that fits."""
    factor = side // max(pixels.shape[:2])
    return pixels.repeat(factor, 0).repeat(factor, 1) if factor > 1 else reduced(pixels, side)


@dataclass
class Page:
    """Where everything lies on a sheet."""

    question: PictureSheet
    pictures: dict[tuple[int, int], Pixels]

    def __post_init__(self) -> None:
        shapes = [picture.shape for picture in self.pictures.values()] or [(self.question.side, self.question.side)]
        self.high, self.wide = max(shape[0] for shape in shapes), max(shape[1] for shape in shapes)
        text = min(28, max(12, round(self.question.side / 12)))
        self.plain = ImageFont.truetype(FONTS / "ui-regular.ttf", text)
        self.bold = ImageFont.truetype(FONTS / "ui-semibold.ttf", text)
        self.large = ImageFont.truetype(FONTS / "ui-semibold.ttf", round(text * 1.4))
        self.line, self.edge = round(text * 1.6), round(text * 1.5)
        self.gap = max(2, round(self.question.side / 40))
        self.apart = 3 * self.gap if self.question.own else 0

    def draw(self) -> Pixels:
        """-> RGBA [H, W, 4]."""
        question = self.question
        columns = max(len(row) for row in question.rows)
        captions = self.line if any(cell.words for row in question.rows for cell in row) else 0
        names = max((self.bold.getlength(name) for name in question.names), default=0.0)
        self.left = self.edge + (round(names) + 2 * self.gap if names else 0)
        self.top = self.edge + self._heading_height() + (self.line if any(question.heads) else 0)
        self.pitch = self.wide + self.gap, self.high + captions + self.gap
        right, bottom = self.corner(len(question.rows), columns)
        width = max(right - self.gap + self.edge, 2 * self.edge + round(self.large.getlength(question.title)))
        width = max(width, 2 * self.edge + round(self.plain.getlength(question.about)))
        sheet = Image.new("RGB", (width, bottom - self.gap + self.edge), GROUND)
        pen = ImageDraw.Draw(sheet)
        self._words(pen)
        for line, row in enumerate(question.rows):
            for column, cell in enumerate(row):
                self._cell(sheet, pen, (line, column), cell.words, cell.request is not None)
        return np.asarray(sheet.convert("RGBA"))

    def corner(self, line: int, column: int) -> tuple[int, int]:
        """Upper left corner of a cell."""
        x = self.left + column * self.pitch[0] + (self.apart if column > 0 else 0)
        return x, self.top + line * self.pitch[1] + (self.apart if line > 0 else 0)

    def _heading_height(self) -> int:
        title = round(self.line * 1.3) if self.question.title else 0
        about = round(self.line * 1.1) if self.question.about else 0
        return title + about + (self.gap if title + about else 0)

    def _words(self, pen: ImageDraw.ImageDraw) -> None:
        question = self.question
        pen.text((self.edge, self.edge * 0.8), question.title, INK, self.large)
        below = self.edge * 0.8 + (self.line * 1.3 if question.title else 0)
        pen.text((self.edge, below), question.about, FAINT, self.plain)
        for column, head in enumerate(question.heads):
            x = self.corner(0, column)[0] + self.wide / 2
            pen.text((x, self.top - self.line * 0.85), head, INK, self.bold, anchor="ma")
        for line, name in enumerate(question.names):
            y = self.corner(line, 0)[1] + self.high / 2
            pen.text((self.left - 2 * self.gap, y), name, INK, self.bold, anchor="rm")

    def _cell(
        self, sheet: Image.Image, pen: ImageDraw.ImageDraw, place: tuple[int, int], words: str, wanted: bool
    ) -> None:
        left, top = self.corner(*place)
        picture = self.pictures.get(place)
        if picture is not None:
            image = Image.fromarray(picture)
            inset = (self.wide - image.width) // 2, (self.high - image.height) // 2
            sheet.paste(image, (left + inset[0], top + inset[1]), image)  # over the ground, by its opacity
        elif wanted:
            pen.rectangle((left, top, left + self.wide - 1, top + self.high - 1), PLACE)
            pen.text((left + self.wide / 2, top + self.high / 2), "not drawn", ERROR, self.plain, anchor="mm")
        if words:
            pen.text((left + self.wide / 2, top + self.high + self.gap / 2), words, FAINT, self.plain, anchor="ma")
