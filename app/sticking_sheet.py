"""The sheet of texture sticking: one column for each checkpoint, as Fig. 1 of Karras et al. 2021. No torch, no GUI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.colormaps import colourize
from app.frame import Pixels
from app.studies.slit_scan import SlitAnswer
from app.studies.sticking import NeighbourhoodAnswer

FONTS = Path(__file__).parent.parent / "assets" / "fonts"
TILE, GAP, EDGE, GUTTER = 300, 20, 28, 116  # px
SCAN = 150  # height of a slit scan, px
LINE = 22
GROUND, TEXT, FAINT, MARK = (18, 20, 24), (232, 234, 238), (150, 156, 166), (255, 176, 32)
NOTHING = (40, 43, 50)  # where there is no detail to judge
COLOURS = "viridis"


@dataclass(frozen=True)
class Column:
    """One checkpoint: its name, what it is, the lines below, and what was found."""

    title: str
    caption: str
    lines: tuple[str, ...]
    mean: NeighbourhoodAnswer
    scan: SlitAnswer | None


def fitted(rgba: Pixels, width: int, height: int) -> Image.Image:
    """A picture resized: averaged down, or interpolated up."""
    image = Image.fromarray(np.ascontiguousarray(rgba[..., :3]))
    smaller = image.width > width or image.height > height
    return image.resize((width, height), Image.Resampling.LANCZOS if smaller else Image.Resampling.BICUBIC)


def heat(sharpness: np.ndarray) -> Pixels:
    """S(p) [H, W] in colours from 0 to 1; where there is hardly any detail, dark grey."""
    rgba = colourize(sharpness, 0.0, 1.0, COLOURS)
    rgba[np.isnan(sharpness), :3] = NOTHING
    return rgba


def shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """Text that fits, its middle left out where it is too long."""
    if font.getlength(text) <= width:
        return text
    keep = len(text)
    while keep > 2 and font.getlength(f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}") > width:
        keep -= 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}"


class Sheet:
    """A canvas that knows where columns and rows are."""

    def __init__(self, columns: list[Column], heading: str) -> None:
        self.columns, self.heading = columns, heading
        self.bold = ImageFont.truetype(FONTS / "ui-semibold.ttf", 18)
        self.regular = ImageFont.truetype(FONTS / "ui-regular.ttf", 15)
        self.large = ImageFont.truetype(FONTS / "ui-semibold.ttf", 24)
        sizes = [column.mean.centre.shape[:2] for column in columns]
        self.tall = max(round(TILE * H / W) for H, W in sizes)
        self.scanned = any(column.scan is not None for column in columns)
        self.below = max(len(column.lines) for column in columns) * LINE
        self.top = EDGE + 84
        self.rows = [self.top + 62 + i * (self.tall + GAP) for i in range(3)]
        self.scan_row = self.rows[2] + self.tall + GAP
        self.words = self.scan_row + (SCAN + GAP if self.scanned else 0)
        width = EDGE + GUTTER + len(columns) * (TILE + GAP) - GAP + EDGE + 64
        self.image = Image.new("RGB", (width, self.words + self.below + EDGE), GROUND)
        self.pen = ImageDraw.Draw(self.image)

    def draw(self) -> Pixels:
        """-> RGBA [H, W, 4]."""
        self.pen.text((EDGE, EDGE), "Texture sticking", TEXT, self.large)
        self.pen.text((EDGE, EDGE + 38), self.heading, FAINT, self.regular)
        for row, name in zip(self.rows, ("picture", "mean", "S, glued share"), strict=True):
            self.pen.text((EDGE, row), name, FAINT, self.regular)
        if self.scanned:
            self.pen.text((EDGE, self.scan_row), "slit scan,\ntime to the\nright", FAINT, self.regular, spacing=6)
        for place, column in enumerate(self.columns):
            self.column(EDGE + GUTTER + place * (TILE + GAP), column)
        self.scale(self.image.width - EDGE - 48)
        return np.asarray(self.image.convert("RGBA"))

    def column(self, x: int, column: Column) -> None:
        """One checkpoint."""
        self.pen.text((x, self.top), shortened(column.title, self.bold, TILE), TEXT, self.bold)
        self.pen.text((x, self.top + 27), shortened(column.caption, self.regular, TILE), FAINT, self.regular)
        H, W = column.mean.centre.shape[:2]
        height = round(TILE * H / W)
        for row, rgba in zip(
            self.rows, (column.mean.centre, column.mean.mean, heat(column.mean.sharpness)), strict=True
        ):
            self.image.paste(fitted(rgba, TILE, height), (x, row))
        if column.scan is not None:
            at, y0, y1 = column.scan.segment_px
            left, ends = x + round((at + 0.5) * TILE / W), [self.rows[0] + round(y * height / H) for y in (y0, y1)]
            self.pen.line((left, ends[0], left, ends[1]), MARK, 2)
            self.image.paste(fitted(column.scan.scan, TILE, SCAN), (x, self.scan_row))
        for i, line in enumerate(column.lines):
            colour = TEXT if i == 0 else FAINT
            self.pen.text((x, self.words + i * LINE), shortened(line, self.regular, TILE), colour, self.regular)

    def scale(self, x: int) -> None:
        """The colours of S, from 1 (glued) down to 0 (moves), beside the maps."""
        ramp = colourize(np.linspace(1, 0, self.tall)[:, None].repeat(14, axis=1), 0.0, 1.0, COLOURS)
        self.image.paste(Image.fromarray(ramp[..., :3]), (x, self.rows[2]))
        for share, name in ((0.0, "1 glued"), (0.5, "0.5"), (1.0, "0 free")):
            y = self.rows[2] + share * (self.tall - 15) - 2
            self.pen.text((x + 20, y), name.replace(" ", "\n") if share == 0 else name, FAINT, self.regular)


def draw(columns: list[Column], heading: str) -> Pixels:
    """The sheet, RGBA [H, W, 4]."""
    return Sheet(columns, heading).draw()
