"""Small pictures along a timeline, and how much each differs from the one before (app/studies/retime.py)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from app.diagnostics.drawing import bare
from app.errors import InputError
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.retime import PictureSpeed, Speeds, retimed
from app.timeline import Timeline

SIDE = 96  # at most so many pixels of a row and of a column are looked at


def run(question: PictureSpeed, renderer: Renderer) -> Iterator[Update]:
    """One picture per step: along the way, then, as a control, pairs of frames of the timing that came of it."""
    total = question.timeline.stretches * (question.first + 1 + question.splits) + question.checks
    done, speeds = 0, Speeds((), ())
    for done, speeds in enumerate(_along(question, renderer), 1):
        yield Update(done / total, f"picture {done} of {total}", speeds)
    even = _evened(question.timeline, speeds)
    if even is None:
        return
    check = np.full(question.checks, np.nan)
    last = even.count - (1 if even.loop else 2)
    for number, frame in enumerate(np.linspace(0, max(last, 0), question.checks).round().astype(int).tolist()):
        pictures = [sample(renderer, even.at(each), question.height)[0] for each in (frame, frame + 1)]
        check[number] = rms(*pictures)
        done += 1
        yield Update(done / total, f"picture {done} of {total}", replace(speeds, check=check.copy()))


Cut = tuple[float, np.ndarray]  # share of a stretch's way, and the picture there


def _along(question: PictureSpeed, renderer: Renderer) -> Iterator[Speeds]:
    """What is known after each picture. A stretch ends as it is seen from before its last keyframe: what steps there
    is no way. After even cuts, the largest steps of all are halved."""
    timeline, size = question.timeline, (0, 0)
    stretches: list[list[Cut]] = []
    for stretch in range(timeline.stretches):
        stretches.append([])
        for share in np.linspace(0.0, 1.0, question.first + 1).tolist():
            picture, size = sample(renderer, timeline.between(stretch, share), question.height)
            stretches[-1].append((share, picture))
            yield _known(stretches, size)
    for left in range(timeline.stretches * question.splits - 1, -1, -1):
        known = _known(stretches, size)
        stretch = max(range(len(stretches)), key=lambda number: float(known.rms[number].max()))
        at = int(known.rms[stretch].argmax())
        middle = (known.cuts[stretch][at] + known.cuts[stretch][at + 1]) / 2
        picture, _ = sample(renderer, timeline.between(stretch, middle), question.height)
        stretches[stretch].insert(at + 1, (middle, picture))
        yield _known(stretches, size, complete=left == 0)


def _known(stretches: list[list[Cut]], size: tuple[int, int], complete: bool = False) -> Speeds:
    cuts = tuple(tuple(share for share, _ in stretch) for stretch in stretches)
    steps = tuple(np.array([rms(a[1], b[1]) for a, b in pairwise(stretch)]) for stretch in stretches)
    return Speeds(cuts, steps, size, complete)


def _evened(timeline: Timeline, speeds: Speeds) -> Timeline | None:
    """The re-timed timeline without the clock's noise; None where nothing changes, so that there is no speed."""
    try:
        return replace(retimed(timeline, speeds), noise_turns=0)
    except InputError:
        return None


def rms(before: np.ndarray, after: np.ndarray) -> float:
    """RMS change in % of the range; NaN between pictures of two sizes."""
    if before.shape != after.shape:
        return math.nan
    return 100 * float(np.sqrt(np.square(after - before).mean(dtype=np.float64)))


def sample(renderer: Renderer, request: RenderRequest, height: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """(every n-th pixel of a picture [C, h, w] as shares of its range, the picture's (H, W)); float32, not rounded."""
    asked = replace(bare(request), max_height=height)
    image = renderer.image(asked)[0]
    low, high = renderer.open(asked).generator.spec.pixel_range
    step = max(1, -(-max(image.shape[1:]) // SIDE))
    start = (step - 1) // 2
    colours = image[: 1 if len(image) <= 2 else 3, start::step, start::step]
    return (colours - low) / (high - low), (image.shape[1], image.shape[2])
