"""The strongest seeds on one sheet: picture with its spot, then the ladder of saliency maps. No torch, no GUI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.colormaps import colourize
from app.frame import Pixels
from app.studies.droplets import DropletReport, LayerDroplet, SeedDroplet

FONTS = Path(__file__).parents[2] / "assets" / "fonts"
BACKGROUND, NAME, WORDS, MARK = (14, 15, 17), (232, 234, 238), (150, 156, 168), (255, 196, 77)
TILE, PICTURE, GAP, EDGE = 136, 188, 12, 30  # px
LINE = 17  # px of a line of words
COLOURS = "magma"


@dataclass(frozen=True, eq=False)
class Entry:
    """A seed on the sheet."""

    seed: SeedDroplet
    picture: Pixels
    report: DropletReport


def rungs(report: DropletReport) -> list[LayerDroplet]:
    """The layer with the largest ratio of each resolution, from coarse to fine."""
    best: dict[float, LayerDroplet] = {}
    for row in report.layers:
        if row.resolution not in best or row.ratio > best[row.resolution].ratio:
            best[row.resolution] = row
    return [best[step] for step in sorted(best)]


def draw(entries: Sequence[Entry], title: str, subtitle: str) -> Pixels:
    """Entries of one model -> RGBA; one row each."""
    columns = max(len(rungs(entry.report)) for entry in entries)
    width = 2 * EDGE + PICTURE + GAP + columns * (TILE + GAP) - GAP
    top = EDGE + 62
    row_height = PICTURE + LINE + GAP
    height = top + len(entries) * (row_height + GAP) + 44 + EDGE
    image = Image.new("RGB", (max(width, 720), height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((EDGE, EDGE - 4), title, NAME, font(22, True))
    pen.text((EDGE, EDGE + 27), subtitle, WORDS, font(14))
    for number, entry in enumerate(entries):
        draw_entry(image, pen, entry, top + number * (row_height + GAP))
    legend(image, pen, height - EDGE - 30, entries[0].report.rule.ratio)
    return np.asarray(image.convert("RGBA"))


def draw_entry(image: Image.Image, pen: ImageDraw.ImageDraw, entry: Entry, top: int) -> None:
    """One row: the picture, then its ladder, centred on it."""
    picture = Image.fromarray(entry.picture).convert("RGB")
    shown = paste(image, picture, (EDGE, top), PICTURE)
    found = entry.seed
    verdict = f"{found.strength:.1f} x" if found.flag else "no droplet"
    pen.text((EDGE, top + PICTURE + 6), f"seed {found.seed}", NAME, font(14, True))
    pen.text((EDGE + PICTURE, top + PICTURE + 6), verdict, MARK if found.flag else WORDS, font(14), anchor="ra")
    if found.flag:
        ring(pen, shown, found.spot)
    left, upper = EDGE + PICTURE + GAP, top + (PICTURE - TILE) // 2
    for row in rungs(entry.report):
        middle = float(row.saliency.max()) / row.ratio if row.ratio > 0 else 1.0
        tile = Image.fromarray(colourize(row.saliency, 0.0, 2 * entry.report.rule.ratio * (middle or 1.0), COLOURS))
        box = paste(image, tile.convert("RGB"), (left, upper), TILE)
        if row.in_run:
            pen.rectangle((box[0] - 2, box[1] - 2, box[2] + 1, box[3] + 1), outline=MARK, width=2)
            ring(pen, box, row.spot)
        pen.text((left, upper + TILE + 5), f"{row.resolution:g} px", NAME, font(13, True))
        words = f"{row.ratio:.1f} x  {row.agreement:.0%}"
        pen.text((left + TILE, upper + TILE + 5), words, MARK if row.hot else WORDS, font(13), anchor="ra")
        left += TILE + GAP


def paste(image: Image.Image, tile: Image.Image, place: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Fit a tile into a square, crisp where it is enlarged; returns its box."""
    share = side / max(tile.size)
    size = (max(1, round(tile.width * share)), max(1, round(tile.height * share)))
    fitted = tile.resize(size, Image.Resampling.NEAREST if share > 1 else Image.Resampling.LANCZOS)
    left, top = place[0] + (side - size[0]) // 2, place[1] + (side - size[1]) // 2
    image.paste(fitted, (left, top))
    return left, top, left + size[0], top + size[1]


def ring(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], spot: tuple[float, float], radius: int = 13) -> None:
    """A ring around a spot, dark outside and light inside, so that it shows on any ground."""
    x, y = box[0] + spot[0] * (box[2] - box[0]), box[1] + spot[1] * (box[3] - box[1])
    for more, colour, width in ((1, BACKGROUND, 4), (0, MARK, 2)):
        pen.ellipse((x - radius - more, y - radius - more, x + radius + more, y + radius + more), None, colour, width)


def legend(image: Image.Image, pen: ImageDraw.ImageDraw, top: int, threshold: float) -> None:
    """The colour scale, and what the numbers under the maps are."""
    ramp = np.linspace(0, 2 * threshold, 256, dtype=np.float32)[None].repeat(12, 0)
    image.paste(Image.fromarray(colourize(ramp, 0.0, 2 * threshold, COLOURS)).convert("RGB"), (EDGE, top))
    for share, anchor in ((0, "la"), (0.5, "ma"), (1, "ra")):
        words = f"{2 * threshold * share:g} x"
        pen.text((EDGE + round(255 * share), top + 16), words, WORDS, font(12), anchor=anchor)
    words = "saliency S over its median  ·  under each map: peak of S over median, share of channels that peak there"
    pen.text((EDGE + 272, top - 2), words, WORDS, font(13))


def font(size: int, strong: bool = False) -> ImageFont.FreeTypeFont:
    """The app's own type."""
    return ImageFont.truetype(FONTS / ("ui-semibold.ttf" if strong else "ui-regular.ttf"), size)
