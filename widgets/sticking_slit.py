"""The slit scan in the Sticking panel: one column of pixels along a walk, for one or two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.request import RenderRequest, to_json
from app.studies.slit_scan import BandStreak, SlitAnswer, SlitScan
from widgets.controls import IntField, IntSlider, Slider
from widgets.estimates import plain, said
from widgets.overlay import Mark, Trail
from widgets.panel import Actions
from widgets.picture_grid import ScanStrips
from widgets.rows import Tag, columns, note
from widgets.sticking_results import Result, Side

PLACE_HINT = "Where the slit is, as a share of the picture's {}; a click on the picture moves it there."
STATIONS_HINT = "How many seeds the walk goes through: the first one and those that follow."
FRAMES_HINT = (
    "How many pictures the walk has. The fewer px the content moves per frame, the finer the bands that count."
)
ABOUT = "Time runs to the right. Content that moves draws slanted lines; what sticks draws horizontal streaks."


class SlitSection:
    """x-t pictures that grow as the walks run; streak = 1 − v_band / v_coarse by frequency band."""

    def __init__(self, actions: Actions) -> None:
        self.group: Tag
        with dpg.group(show=False) as self.group:
            self.strips = ScanStrips(actions.texture)
            note(ABOUT)
            self.words = note("")
        self.forget()

    def build_settings(self) -> None:
        """What decides about a measurement."""
        self.settings_group: Tag
        with dpg.group(show=False) as self.settings_group:
            self.x = Slider("slit at x", 0.5, 0.0, 1.0, PLACE_HINT.format("width"))
            with columns(0.5, 0.5):
                self.y0 = Slider("from y", 0.1, 0.0, 1.0, PLACE_HINT.format("height; 0 is the top"))
                self.y1 = Slider("to y", 0.6, 0.0, 1.0, PLACE_HINT.format("height; 0 is the top"))
            with columns(0.5, 0.5):
                self.first = IntField("first seed", 0, STATIONS_HINT, buttons=False)
                self.stations = IntSlider("seeds", 2, 2, 12, STATIONS_HINT)
            self.frames = IntSlider("frames", 120, 16, 600, FRAMES_HINT)

    def forget(self) -> None:
        """Show nothing."""
        self.answers: dict[str, SlitAnswer] = {}
        self.sides: Sequence[Side] = ()

    def question(self, request: RenderRequest) -> SlitScan:
        """What is asked of one model."""
        seeds = tuple(range(self.first.value, self.first.value + self.stations.value))
        y0, y1 = sorted((self.y0.value, self.y1.value))
        return SlitScan(request, seeds, self.x.value, y0, y1, self.frames.value)

    def settings(self) -> object:
        """What results must share to stand in one table."""
        return replace(self.question(RenderRequest()), request=RenderRequest())

    def begin(self, sides: Sequence[Side]) -> None:
        """These are measured now."""
        self.forget()
        self.sides = sides

    def take(self, key: str, answer: SlitAnswer) -> None:
        """What the frames of one side say so far."""
        self.answers[key] = answer

    def place(self, x: float, y: float) -> None:
        """Move the slit: its middle to (x, y), its length kept as far as the picture goes."""
        y0, y1 = sorted((self.y0.value, self.y1.value))
        half = (y1 - y0) / 2
        middle = min(1 - half, max(half, y))
        for slider, value in ((self.x, x), (self.y0, middle - half), (self.y1, middle + half)):
            slider.set(round(value, 2))

    def marks(self) -> list[Mark]:
        """The slit on the picture."""
        return [Trail(((self.x.value, self.y0.value), (self.x.value, self.y1.value)))]

    def result(self, key: str) -> Result | None:
        """The numbers of one side, for the table."""
        answer = self.answers.get(key)
        if answer is None:
            return None
        speed = "–" if answer.v_coarse is None else f"{answer.v_coarse:.2f}"
        return Result((speed, *(said(band.streak) for band in padded(answer.bands))), answer.model)

    @property
    def heads(self) -> tuple[str, ...]:
        """Of the table."""
        bands = next((answer.bands for answer in self.answers.values() if answer.bands), ())
        return ("px/frame", *(band_name(band) for band in padded(bands)))

    head_hints = (
        "How fast the content of periods above 16 px moves along the slit, root mean square.",
        *("Streak of this band of periods: 0 moves with the coarse content, 1 stands still. With its 95 % interval.",)
        * 3,
    )

    def show(self) -> None:
        """Once per turn while the panel is in sight."""
        self.strips.show([self._strip(side) for side in self.sides] or [("Not measured yet", "", None, 0.0)])
        self.strips.update()
        told = "\n".join(sentence for side in self.sides for sentence in self._sentences(side))
        dpg.configure_item(self.words, default_value=told, show=bool(told))

    def _strip(self, side: Side) -> tuple[str, str, np.ndarray | None, float]:
        answer = self.answers.get(side.key)
        if answer is None:
            return side.title, "", None, 0.0
        return side.title, f"{answer.count} of {answer.total} frames", answer.scan, answer.count / answer.total

    def _sentences(self, side: Side) -> list[str]:
        answer = self.answers.get(side.key)
        return [] if answer is None else [f"{side.name}: {sentence}" for sentence in sentences(answer)]

    def images(self) -> Mapping[str, np.ndarray]:
        """What can be saved as PNG, by name."""
        return {f"{side.key}slit-scan": self.answers[side.key].scan for side in self.sides if side.key in self.answers}

    def as_json(self, key: str, request: RenderRequest) -> dict[str, Any] | None:
        """The numbers of one side with what was asked."""
        answer = self.answers.get(key)
        if answer is None:
            return None
        x, y0, y1 = answer.segment_px
        return {
            "frames": answer.count,
            "slit_px": {"x": x, "first_row": y0, "row_behind_the_last": y1},
            "coarse_velocity_px_per_frame": answer.v_coarse,
            "motion_explains": answer.explained,
            "frames_between_compared": answer.stride,
            "bands": [
                {"shortest_px": band.shortest_px, "longest_px": band.longest_px, "streak": plain(band.streak),
                 "no_score_because": band.reason or None}
                for band in answer.bands
            ],
            "request": to_json(request),
        }  # fmt: skip


def padded(bands: Sequence[BandStreak]) -> tuple[BandStreak, ...]:
    """Three bands, also before the first are judged."""
    return tuple(bands) or tuple(BandStreak(edge, 2 * edge, None) for edge in (2.0, 4.0, 8.0))


def band_name(band: BandStreak) -> str:
    """'2–4 px'."""
    return f"{band.shortest_px:g}–{band.longest_px:g} px"


def sentences(answer: SlitAnswer) -> list[str]:
    """How much of the change is motion, and why there is no score where there is none."""
    made = []
    if answer.explained is not None and answer.v_coarse is not None:
        made.append(
            f"the coarse content moves {answer.v_coarse:.2f} px per frame along the slit, which explains "
            f"{100 * answer.explained:.0f} % of its change (frames {answer.stride} apart are compared)."
        )
    reasons: dict[str, list[str]] = {}
    for band in answer.bands:
        if band.reason:
            reasons.setdefault(band.reason, []).append(band_name(band))
    return made + [f"no score for {', '.join(names)}: {reason}." for reason, names in reasons.items()]
