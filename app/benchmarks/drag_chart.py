"""Parts of a drag's film: text, the chart of milliseconds, the hand on the seed plane. Places are px of the film."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from app.benchmarks.take import Shown, Take, latencies

FONTS = Path(__file__).parents[2] / "assets" / "fonts"
PLANE = (576, 366, 1088, 544)  # left, top, right, bottom
CHART = (76, 604, 1088, 720)
FINE = 3  # drawn so many times as large, then averaged: smooth edges
LIMIT_MS = 120.0  # what the app promises
TICK_MS = 40
TRAIL_S = 1.2  # of the hand's way that is drawn bright

EMPTY, CARD, GRID, FAINT = (14, 15, 17), (22, 24, 28), (40, 43, 50), (139, 145, 157)
INK, ACCENT, DIM, GOOD, WARNING = (232, 234, 238), (86, 156, 246), (30, 50, 80), (98, 190, 143), (232, 178, 88)
SEED, PATH = (88, 94, 107), (44, 66, 98)

Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]


class Point(NamedTuple):
    """A place on the film, in px from its upper left corner."""

    x: float
    y: float


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The app's own font."""
    return ImageFont.truetype(FONTS / ("ui-semibold.ttf" if bold else "ui-regular.ttf"), size)


@cache
def mask(text: str, size: int, bold: bool) -> tuple[Image.Image, int]:
    """Coverage of a line of text, and how far its upper edge lies above the baseline: drawn large and averaged, for
    letters on whole pixels would stand unevenly."""
    large = font(size * FINE, bold)
    left, top, right, bottom = (math.floor(edge / FINE) * FINE for edge in large.getbbox(text, anchor="ls"))
    image = Image.new("L", (right - left + 2 * FINE, bottom - top + 2 * FINE))
    ImageDraw.Draw(image).text((-min(left, 0), -top), text, 255, large, anchor="ls")
    return image.reduce(FINE), top // FINE


def length(text: str, size: int, bold: bool = False) -> float:
    """Width of a line of text in px."""
    return font(size * FINE, bold).getlength(text) / FINE


def put(
    image: Image.Image, place: tuple[float, float], text: str, colour: Colour, size: int, bold: bool = False,
    align: float = 0.0,
) -> None:  # fmt: skip
    """Write a line. place: on its baseline, at its left end, or at a share `align` of its width."""
    letters, above = mask(text, size, bold)
    left = round(place[0] - align * length(text, size, bold))
    image.paste(colour, (left, round(place[1]) + above), letters)


class Chart:
    """Milliseconds from event to picture over the whole take; `at` says where a number lies on the film."""

    def __init__(self, take: Take) -> None:
        self.take = take
        self.ms = latencies(take.events, take.pictures)
        most = max((ms for ms in self.ms if ms is not None), default=0.0)
        self.top = max(160.0, TICK_MS * math.ceil(most * 1.05 / TICK_MS))

    @property
    def ticks(self) -> range:
        """Milliseconds with a line and a number: at most seven."""
        return range(0, round(self.top) + 1, TICK_MS * math.ceil(self.top / TICK_MS / 6))

    def at(self, seconds: float, ms: float) -> Point:
        """Where on the film a number of milliseconds at a second lies."""
        left, top, right, bottom = CHART
        share = seconds / self.take.seconds
        return Point(left + (right - left) * share, bottom - (bottom - top) * ms / self.top)

    def runs(self) -> list[list[Point]]:
        """The curve, a point for each event that has a picture; it breaks where events were never shown."""
        found: list[list[Point]] = [[]]
        for event, ms in zip(self.take.events, self.ms, strict=True):
            if ms is None:
                found.append([])
            else:
                found[-1].append(self.at(event.seconds, ms))
        return [run for run in found if run]

    def drawn(self, curve: bool) -> Image.Image:
        """The chart's box with its lines, with or without the curve."""
        left, top, _, bottom = CHART
        fine = Fine(CHART, EMPTY)
        released = self.at(self.take.released, 0).x
        fine.pen.rectangle((*fine.place(left, top), *fine.place(released, bottom)), CARD)
        for ms in self.ticks:
            fine.line([self.at(0, ms), self.at(self.take.released if ms else self.take.seconds, ms)], GRID, 1)
        if curve:
            for run in self.runs():
                floor = [Point(run[-1].x, bottom), Point(run[0].x, bottom)]
                fine.pen.polygon([fine.place(*point) for point in [*run, *floor]], DIM)
                fine.line(run, ACCENT, 1.6)
        for x in range(left, math.floor(released), 9):
            y = self.at(0, LIMIT_MS).y
            fine.line([Point(x, y), Point(min(x + 5, released), y)], WARNING, 1.4)
        return fine.averaged()


class Fine:
    """A part of the film drawn `FINE` times as large."""

    def __init__(self, box: Box, ground: Colour) -> None:
        self.box = box
        self.size = (box[2] - box[0], box[3] - box[1])
        self.image = Image.new("RGB", (self.size[0] * FINE, self.size[1] * FINE), ground)
        self.pen = ImageDraw.Draw(self.image)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Film -> this image."""
        return (x - self.box[0]) * FINE, (y - self.box[1]) * FINE

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        self.pen.line([self.place(*point) for point in points], colour, max(1, round(width * FINE)), joint="curve")

    def disc(self, centre: Point, radius: float, fill: Colour | None, outline: Colour | None = None) -> None:
        self.pen.circle(self.place(*centre), radius * FINE, fill, outline, round(2.2 * FINE) if outline else 0)

    def averaged(self) -> Image.Image:
        return self.image.reduce(FINE)


class Plane:
    """The seed plane: where the hand is, the way it came, and the point that the picture shows."""

    def __init__(self, take: Take) -> None:
        self.take = take
        self.times = [event.seconds for event in take.events]
        left, top, right, bottom = PLANE
        xs, ys = [event.x for event in take.events], [event.y for event in take.events]
        middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        self.scale = min(
            (right - left - 48) / max(max(xs) - min(xs), 0.5), (bottom - top - 48) / max(max(ys) - min(ys), 0.5)
        )
        self.origin = (left + right) / 2 - middle[0] * self.scale, (top + bottom) / 2 - middle[1] * self.scale
        self.way = [self.at(event.x, event.y) for event in take.events]
        self._ground = self._seeds()

    def at(self, x: float, y: float) -> Point:
        """Where on the film a point of the seed plane lies."""
        return Point(self.origin[0] + x * self.scale, self.origin[1] + y * self.scale)

    def _seeds(self) -> Image.Image:
        """Where the seeds lie, with their numbers."""
        fine = Fine(PLANE, CARD)
        left, top, right, bottom = PLANE
        first = math.ceil((left - self.origin[0]) / self.scale), math.ceil((top - self.origin[1]) / self.scale)
        last = math.floor((right - self.origin[0]) / self.scale), math.floor((bottom - self.origin[1]) / self.scale)
        for x, y in itertools.product(range(first[0], last[0] + 1), range(first[1], last[1] + 1)):
            place = self.at(x, y)
            fine.disc(place, 1.8, SEED)
            if left + 16 < place.x < right - 16 and place.y < bottom - 16:
                below = fine.place(place.x, place.y + 14)
                fine.pen.text(below, str(x + 100 * y), SEED, font(11 * FINE), anchor="ms")
        return fine.image

    def drawn(self, seconds: float, shown: Shown) -> Image.Image:
        """The box at a second of the take."""
        fine = Fine(PLANE, CARD)
        fine.image.paste(self._ground)
        last = bisect.bisect_right(self.times, seconds)
        bright = bisect.bisect_right(self.times, min(seconds, self.take.released) - TRAIL_S)
        way = self.way
        if last > 0:
            fine.line(way[:last], PATH, 2)
            fine.line(way[bright:last], ACCENT, 2.4)
            if shown.event is not None:
                fine.line([way[shown.event], way[last - 1]], INK, 1)
                fine.disc(way[shown.event], 7, None, INK)
            fine.disc(way[last - 1], 4.5, ACCENT)
        return fine.averaged()
