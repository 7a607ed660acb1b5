"""The film of a drag in real time, and its raw numbers: made afterwards, from what was noted while the hand moved.

Each frame of the film stands for the 1/60 s that begins with it and shows the newest picture that had come by then.
"""

from __future__ import annotations

import bisect
import json
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from app.benchmarks import machine
from app.benchmarks.drag import FACES, Dragged
from app.benchmarks.drag_chart import (
    ACCENT,
    CHART,
    EMPTY,
    FAINT,
    GOOD,
    INK,
    LIMIT_MS,
    PLANE,
    WARNING,
    Chart,
    Fine,
    Plane,
    Point,
    length,
    put,
)  # fmt: skip
from app.benchmarks.numbers import percentile_95, short
from app.benchmarks.take import Shown, Take
from app.errors import InputError
from app.frame import Pixels
from app.recording.sinks import Encoding, Shot, open_sink

FPS = Fraction(60)
ENCODING = Encoding(crf=25, preset="slow", encoder="x264")
SIZE = (1120, 768)  # of the film
PICTURE = (32, 32, 544, 544)  # left, top, right, bottom
PANEL = (576, 32)
STAIR, STAIRS = 16, 7  # px between labels of finer pictures, and how many lie below each other
STILL = 0.55  # of the drag: where the still is taken


class Film:
    """Draws any second of a take. title, about: lines of words beside the picture."""

    def __init__(self, take: Take, title: str, about: Sequence[str]) -> None:
        self.take, self.chart, self.plane = take, Chart(take), Plane(take)
        self.with_curve, self.bare = self.chart.drawn(True), self.chart.drawn(False)
        self.ground = self._ground(title, about)
        answered = [
            (event.seconds + ms / 1000, event.seconds, ms)
            for event, ms in zip(take.events, self.chart.ms, strict=True)
            if ms is not None
        ]
        self.answers = [came for came, _, _ in answered]  # ascending: later events never come before earlier ones
        self.asked = [asked for _, asked, _ in answered]
        self.ms = [ms for _, _, ms in answered]
        self._pictures: dict[int, Image.Image] = {}

    @property
    def count(self) -> int:
        """Frames of the film: its duration times its rate."""
        return round(self.take.seconds * FPS)

    def frame(self, number: int) -> Pixels:
        """Frame of the film, RGBA [H, W, 4]."""
        return self.drawn(float(number / FPS))

    def drawn(self, seconds: float) -> Pixels:
        """The film at a second of the take, RGBA [H, W, 4]."""
        shown = self.take.at(seconds)
        image = self.ground.copy()
        image.paste(self._scaled(shown), PICTURE[:2])
        image.paste(self.plane.drawn(seconds, shown), PLANE[:2])
        answered = bisect.bisect_right(self.answers, seconds + 1e-9)
        self._phase(image, seconds)
        self._numbers(image, seconds, answered, shown)
        self._curve(image, seconds, answered)
        self._steps(image, seconds)
        return np.asarray(image.convert("RGBA"))

    def _ground(self, title: str, about: Sequence[str]) -> Image.Image:
        """What stays the same in every frame."""
        image = Image.new("RGB", SIZE, EMPTY)
        left, top = PANEL
        put(image, (left, top + 24), title, INK, 30, True)
        for number, line in enumerate(about):
            put(image, (left, top + 53 + 22 * number), line, FAINT, 16)
        put(image, (PLANE[0], PLANE[1] - 12), "seed plane of W", FAINT, 15)
        self._legend(image)
        left, top, right, bottom = CHART
        put(image, (PICTURE[0], top - 18), "From an event of the hand to its picture, ms", INK, 17, True)
        put(image, (right, top - 18), "real time: each frame of the film is 1/60 s", FAINT, 15, align=1.0)
        limit = self.chart.at(0, LIMIT_MS).y
        for ms in self.chart.ticks:
            if abs((y := self.chart.at(0, ms).y) - limit) > 14:
                put(image, (left - 10, y + 5), str(ms), FAINT, 15, align=1.0)
        put(image, (left - 10, limit + 5), f"{LIMIT_MS:.0f}", WARNING, 15, True, 1.0)
        for second in range(math.floor(self.take.seconds) + 1):
            put(image, (self.chart.at(second, 0).x, bottom + 18), f"{second} s", FAINT, 14, align=0.5)
        return image

    def _legend(self, image: Image.Image) -> None:
        """What the two marks on the plane mean."""
        right, base = PLANE[2], PLANE[1] - 12
        box = (right - 360, base - 18, right, base + 4)
        words = ("the hand", "what the picture shows")
        shown_at = right - length(words[1], 15)
        hand_at = shown_at - 44 - length(words[0], 15)
        fine = Fine(box, EMPTY)
        fine.disc(Point(hand_at - 12, base - 5), 4.5, ACCENT)
        fine.disc(Point(shown_at - 14, base - 5), 7, None, INK)
        image.paste(fine.averaged(), box[:2])
        for at, word in zip((hand_at, shown_at), words, strict=True):
            put(image, (at, base), word, FAINT, 15)

    def _scaled(self, shown: Shown) -> Image.Image:
        """The picture at the film's size: linear between its pixels, as the window shows it."""
        key = id(shown)
        if key not in self._pictures:
            assert shown.pixels is not None
            width, height = PICTURE[2] - PICTURE[0], PICTURE[3] - PICTURE[1]
            picture = Image.fromarray(np.ascontiguousarray(shown.pixels[..., :3]))
            scale = min(width / picture.width, height / picture.height)
            size = round(picture.width * scale), round(picture.height * scale)
            canvas = Image.new("RGB", (width, height), EMPTY)
            place = (width - size[0]) // 2, (height - size[1]) // 2
            canvas.paste(picture.resize(size, Image.Resampling.BILINEAR), place)
            self._pictures = {key: canvas}  # the next ones show it again; older ones are never shown again
        return self._pictures[key]

    def _phase(self, image: Image.Image, seconds: float) -> None:
        """Dragging, released, or the full picture, with the time."""
        after = seconds - self.take.released
        if after < 0:
            text, colour = f"dragging  {seconds:.2f} s", ACCENT
        elif after * 1000 < self.take.full_ms:
            text, colour = f"released  +{after:.2f} s", WARNING
        else:
            text, colour = f"full picture after {short(self.take.full_ms)} ms", GOOD
        put(image, (PANEL[0], 166), text, colour, 24, True)

    def _numbers(self, image: Image.Image, seconds: float, answered: int, shown: Shown) -> None:
        """Median and 95 % so far, the last one, height of the picture, pictures a second."""
        ms = self.ms[:answered]
        left = PANEL[0]
        for place, label, value in (
            (left, "p50 so far", statistics.median(ms) if ms else None),
            (left + 176, "p95 so far", percentile_95(ms) if len(ms) > 1 else None),
            (left + 352, "latest", ms[-1] if ms else None),
        ):
            text, colour = ("–", INK) if value is None else (f"{value:.0f}", WARNING if value > LIMIT_MS else INK)
            put(image, (place, 206), label, FAINT, 16)
            put(image, (place, 262), text, colour, 50, True)
            put(image, (place + length(text, 50, True) + 6, 262), "ms", FAINT, 20)
        full = self.take.pictures[-1].height
        height = f"{shown.height} of {full} px" if shown.height < full else f"{full} px, full"
        until = min(seconds, self.take.released)
        came = sum(until - 1 < picture.seconds <= until for picture in self.take.dragged)
        self._fact(image, left, "picture", height)
        self._fact(image, left + 262, "pictures in the last second", str(came))

    def _fact(self, image: Image.Image, left: float, label: str, value: str) -> None:
        put(image, (left, 306), label, FAINT, 16)
        put(image, (left + length(label, 16) + 9, 306), value, INK, 20, True)

    def _curve(self, image: Image.Image, seconds: float, answered: int) -> None:
        """The chart, as far as it is known by now."""
        left, top, _, bottom = CHART
        image.paste(self.bare, (left, top))
        if answered:
            known = math.ceil(self.chart.at(self.asked[answered - 1], 0).x) - left
            if known > 0:
                image.paste(self.with_curve.crop((0, 0, known, bottom - top)), (left, top))
        x = self.chart.at(min(seconds, self.take.seconds), 0).x
        ImageDraw.Draw(image).line((x, top, x, bottom), INK, 1)

    def _steps(self, image: Image.Image, seconds: float) -> None:
        """Marks of the release and of each finer picture after it, like stairs: no line crosses an earlier label."""
        _, top, _, bottom = CHART
        if seconds < self.take.released:
            return
        pen, x = ImageDraw.Draw(image), self.chart.at(self.take.released, 0).x
        pen.line((x, top, x, bottom), WARNING, 2)
        put(image, (x, bottom + 37), "let go", WARNING, 14, True, 0.5)
        for number, step in enumerate(self.finer):
            if step.seconds <= seconds:
                place = Point(self.chart.at(step.seconds, 0).x, top + STAIR * (number % STAIRS))
                colour = GOOD if step.complete else FAINT
                pen.line((place.x, place.y, place.x, bottom), colour, 2 if step.complete else 1)
                text = f"{step.height} px  +{(step.seconds - self.take.released) * 1000:.0f} ms"
                put(image, (place.x + 6, place.y + 11), text, colour, 14, step.complete)

    @cached_property
    def finer(self) -> list[Shown]:
        """The first picture of each height after the release, and the full one."""
        found: list[Shown] = []
        height = max((picture.height for picture in self.take.dragged), default=0)
        for picture in self.take.refined:
            if picture.height > height or picture.complete:
                found.append(picture)
                height = picture.height
        return found


def write(folder: Path, name: str, dragged: Dragged, say: Callable[[str], None]) -> list[Path]:
    """drag-NAME.mp4, drag-NAME.json and drag.jpg, which the last film leaves. Raises WriteError, OSError."""
    stem = folder / f"drag-{name.split()[0]}"
    film = Film(dragged.take, *words(name, dragged))
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in numbers(name, dragged, film.count).items()]
    stem.with_suffix(".json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    say(f"drag: {stem.name}.mp4, {film.count} frames")
    path = stem.with_suffix(".mp4")
    sink = open_sink(path, SIZE, FPS, ENCODING)
    for number in range(film.count):
        sink.write(Shot(film.frame(number), float(number / FPS)))
    sink.close()
    still = Image.fromarray(film.drawn(dragged.take.released * STILL)[..., :3])
    still.save(folder / "drag.jpg", quality=88, subsampling=0)
    return [path, stem.with_suffix(".json"), folder / "drag.jpg"]


def words(name: str, dragged: Dragged) -> tuple[str, list[str]]:
    """Title and lines beside the picture."""
    info, made = dragged.info, dragged.conditions
    weights = "faces, trained" if name == FACES else "random weights"
    drawn_by = f"{made['threads']} threads" if made["device"] == "cpu" else made["device"]
    return f"{info.title}, {info.resolution[0]} px", [
        f"{info.parameters / 1e6:.1f} million parameters, {weights}",
        f"{machine.processor()}, {machine.cores()} cores, {drawn_by}",
    ]


def numbers(name: str, dragged: Dragged, frames: int) -> dict[str, Any]:
    """Everything that was measured, raw, with what it was measured on."""
    latency = dragged.take.latency_ms()
    return {
        "format": "stylescope-drag",
        "version": 1,
        "network": name,
        "measured": "from an event of the hand to the turn of the app's loop that takes the first picture which shows"
        " it or a later one; one event per turn; no window",
        "conditions": machine.conditions(),
        "load_before": dragged.load[0],
        "load_after": dragged.load[1],
        **dragged.conditions,
        "parameters": dragged.info.parameters,
        "resolution_px": list(dragged.info.resolution),
        "p50_ms": round(statistics.median(latency), 3),
        "p95_ms": round(percentile_95(latency), 3),
        "cpu_ms_per_picture": round(dragged.cpu_ms, 3),
        "film": {"frames": frames, "fps": int(FPS), "size_px": list(SIZE)},
        **dragged.take.numbers(),
    }


def check_folder(folder: Path) -> None:
    """Make the folder of the films; InputError where nothing can be written there, before anything is measured."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = (error.strerror or os.strerror(error.errno or 0)).lower()
        raise InputError(f"no film can be written to {folder}: {reason}; give a folder to --film") from error
