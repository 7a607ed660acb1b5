"""Small pictures along a timeline, and how much each differs from the one before (app/studies/retime.py)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.diagnostics.drawing import bare
from app.errors import InputError
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.retime import PictureSpeed, Speeds, retimed
from app.timeline import Timeline

SIDE = 128  # at most so many pixels of a row and of a column are looked at


def run(question: PictureSpeed, renderer: Renderer) -> Iterator[Update]:
    """One picture per step: along the way, then, as a control, at even moments of the timing that came of it."""
    speeds = Speeds(np.full((question.timeline.stretches, question.steps), np.nan))
    for speeds, done in _along(question, renderer):
        yield Update(done / _total(question), f"picture {done} of {_total(question)}", speeds)
    even = _evened(question.timeline, speeds)
    if even is None:
        return
    moments = np.linspace(even.keyframes[0].seconds, even.ends(even.stretches - 1)[1], question.checks + 1)
    check = np.full(question.checks, np.nan)
    before: np.ndarray | None = None
    for number, moment in enumerate(moments.tolist()):
        picture, _ = sample(renderer, even.request_at(moment), question.height)
        if before is not None:
            check[number - 1] = rms(before, picture)
        before = picture
        done = _total(question) - question.checks + number
        known = replace(speeds, check=check.copy())
        yield Update(done / _total(question), f"control {number + 1} of {len(moments)}", known)


def _along(question: PictureSpeed, renderer: Renderer) -> Iterator[tuple[Speeds, int]]:
    """(what is known, pictures drawn). A stretch ends as it is seen from before its last keyframe: what steps there
    is no way."""
    timeline, steps = question.timeline, question.steps
    found = np.full((timeline.stretches, steps), np.nan)
    for stretch in range(timeline.stretches):
        before: np.ndarray | None = None
        for cut in range(steps + 1):
            picture, size = sample(renderer, timeline.between(stretch, cut / steps), question.height)
            if before is not None:
                found[stretch, cut - 1] = rms(before, picture)
            before = picture
            yield Speeds(found.copy(), size), stretch * (steps + 1) + cut + 1


def _evened(timeline: Timeline, speeds: Speeds) -> Timeline | None:
    """The re-timed timeline without the clock's noise; None where nothing changes, so that there is no speed."""
    try:
        return replace(retimed(timeline, speeds), noise_turns=0)
    except InputError:
        return None


def _total(question: PictureSpeed) -> int:
    return question.timeline.stretches * (question.steps + 1) + question.checks + 1


def rms(before: np.ndarray, after: np.ndarray) -> float:
    """RMS change in % of the range; NaN between pictures of two sizes."""
    return 100 * float(np.sqrt(np.square(after - before).mean())) if before.shape == after.shape else math.nan


def sample(renderer: Renderer, request: RenderRequest, height: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """(every n-th pixel of a picture [C, h, w] as shares of its range, the picture's (H, W)); float64, not rounded."""
    asked = replace(bare(request), max_height=height)
    image = renderer.image(asked)[0]
    low, high = renderer.open(asked).generator.spec.pixel_range
    step = max(1, -(-max(image.shape[1:]) // SIDE))
    start = (step - 1) // 2
    colours = image[: 1 if len(image) <= 2 else 3, start::step, start::step].astype(np.float64)
    return (colours - low) / (high - low), (image.shape[1], image.shape[2])
