"""Small pictures along a timeline, and how much each differs from the one before (app/studies/retime.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.diagnostics.drawing import bare
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.retime import PictureSpeed, Speeds

SIDE = 128  # at most so many pixels of a row and of a column are looked at


def run(question: PictureSpeed, renderer: Renderer) -> Iterator[Update]:
    """One picture per step. A stretch ends as it is seen from before its last keyframe: what steps there is no way."""
    timeline, steps = question.timeline, question.steps
    rms = np.full((timeline.stretches, steps), np.nan)
    size = (0, 0)
    for stretch in range(timeline.stretches):
        before: np.ndarray | None = None
        for cut in range(steps + 1):
            picture, size = sample(renderer, timeline.between(stretch, cut / steps), question.height)
            if before is not None:
                rms[stretch, cut - 1] = 100 * np.sqrt(np.square(picture - before).mean())
            before = picture
            done = stretch * (steps + 1) + cut + 1
            total = timeline.stretches * (steps + 1)
            yield Update(done / total, f"picture {done} of {total}", Speeds(rms.copy(), size))


def sample(renderer: Renderer, request: RenderRequest, height: int | None) -> tuple[np.ndarray, tuple[int, int]]:
    """(every n-th pixel of a picture [C, h, w] as shares of its range, the picture's (H, W)); float64, not rounded."""
    asked = replace(bare(request), max_height=height)
    image = renderer.image(asked)[0]
    low, high = renderer.open(asked).generator.spec.pixel_range
    step = max(1, -(-max(image.shape[1:]) // SIDE))
    start = (step - 1) // 2
    colours = image[: 1 if len(image) <= 2 else 3, start::step, start::step].astype(np.float64)
    return (colours - low) / (high - low), (image.shape[1], image.shape[2])
