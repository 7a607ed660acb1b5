"""Droplet reports that are only numbers, and studies that answer when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from app.frame import Problem
from app.studies import StudyState, Update
from app.studies.droplets import DropletReport, DropletRule, DropletVerdict, LayerDroplet, SeedDroplet

SIDES = (4, 8, 16, 32)


def layer(side: int, number: int = 1, ratio: float = 1.5, **changes: Any) -> LayerDroplet:
    """b{side}.conv{number}: a map of ones whose upper right sample is `ratio`."""
    saliency = np.ones((side, side), np.float32)
    saliency[0, -1] = ratio
    row = LayerDroplet(
        layer=f"b{side}.conv{number}",
        stage="pre_norm",
        size=(side, side),
        resolution=float(side),
        channels=80,
        spot=(1 - 0.5 / side, 0.5 / side),
        radius=0.05,
        ratio=ratio,
        agreement=0.5,
        prominence=ratio / 2,
        energy=0.125,
        rho=np.full(80, 1.25),
        kurtosis=np.full(80, 6.5),
        saliency=saliency,
        hot=ratio > 4,
    )
    return replace(row, **changes)


def report(*ratios: float, complete: bool = True, **changes: Any) -> DropletReport:
    """A layer conv1 of each resolution with these ratios; flagged when the last two exceed 4."""
    rows = [layer(side, ratio=ratio, **changes) for side, ratio in zip(SIDES, ratios, strict=False)]
    flag = len(rows) > 1 and all(row.hot for row in rows[-2:])
    rows = [replace(row, in_run=flag and row.hot) for row in rows]
    top = max(rows, key=lambda row: row.ratio)
    text = "Droplet, says the test." if flag else "No droplet, says the test."
    verdict = DropletVerdict(
        flag, top.ratio if flag else 0.0, top.spot if flag else None, strongest=top.layer, text=text
    )
    return DropletReport(tuple(rows), verdict, DropletRule(), complete)


def found(seed: int, strength: float, *, missing: bool = False, side: int = 16) -> SeedDroplet:
    """A seed of this strength with a grey thumbnail; its spot lies in the middle."""
    thumbnail = np.full((side, side, 4), 128, np.uint8)
    thumbnail[..., 3] = 255
    flag = strength > 4
    resolutions = (64, 128) if flag else ()
    return SeedDroplet(
        seed, flag, strength, strength, 0.5, 0.1, 1.2, "b128.conv0", (0.5, 0.5), resolutions, thumbnail, missing
    )


@dataclass
class Handle:
    """A study that a test answers."""

    question: Any
    state: StudyState = field(default_factory=StudyState)
    cancelled: bool = False

    @property
    def done(self) -> bool:
        return self.cancelled or self.state.done

    def cancel(self) -> None:
        self.cancelled = True

    def answer(self, answer: Any, share: float = 1.0, text: str = "") -> None:
        """Say what is known so far; a share of 1 ends the study."""
        self.state = StudyState(Update(share, text, answer), done=share == 1.0)

    def fail(self, title: str, detail: str) -> None:
        self.state = StudyState(self.state.update, True, Problem(title, detail))


class Studies:
    """Stands in for `Actions.study`: keeps every question."""

    def __init__(self) -> None:
        self.asked: list[Handle] = []

    def __call__(self, question: Any) -> Handle:
        self.asked.append(Handle(question))
        return self.asked[-1]
