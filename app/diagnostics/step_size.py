"""What a step meter needs of a frame; app/studies/step_size.py says what is made of it."""

from __future__ import annotations

from collections.abc import Sequence

from app.diagnostics import Point, Seen, drawing
from app.studies.step_size import WalkPoint, WalkSample
from networks.plan import LayerInfo


def points(question: WalkSample, layers: Sequence[LayerInfo]) -> list[Point]:
    """No maps are looked at."""
    return []


def measure(question: WalkSample, seen: Seen) -> WalkPoint:
    """Every n-th pixel of the picture, and its ws: some 100 KB."""
    height, width = seen.image.shape[2:]
    step = max(1, -(-max(height, width) // question.side))
    start = (step - 1) // 2
    sample = drawing.colours(seen.image[:, :, start::step, start::step], seen.opened.generator.spec.pixel_range)
    return WalkPoint(sample[0].cpu().numpy(), seen.ws[0].float().cpu().numpy(), (height, width))
