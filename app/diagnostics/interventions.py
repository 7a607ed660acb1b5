"""The picture without the request's edits, the difference, and its size (questions: app/studies/interventions.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from app import view
from app.colormaps import colourize
from app.diagnostics import Point, Seen
from app.request import Diagnostic, RenderRequest, View
from app.studies.interventions import Comparison, Untouched
from networks.edits import inside
from networks.plan import DISC_OPS, Intervention, LayerInfo


def points(question: Untouched, layers: Sequence[LayerInfo]) -> tuple[Point, ...]:
    """No maps are looked at."""
    return ()


def measure(question: Untouched, seen: Seen) -> Comparison | None:
    """Draw the same request without edits (kept by the renderer while only edits change) and compare."""
    if not seen.request.edits:
        return None
    bare = without_edits(seen.request, None if seen.complete else seen.image.shape[2])
    untouched = seen.renderer.render(bare, cancelled=seen.cancelled).picture
    assert untouched is not None
    before = torch.from_numpy(seen.renderer.image(bare, seen.cancelled)).to(seen.image.device)
    pixel_range = seen.opened.generator.spec.pixel_range
    change = difference(seen.image, before, pixel_range)
    mask = discs(seen.request.edits, (change.shape[1], change.shape[2])).to(change.device)
    size = change.abs().mean(dim=0)
    return Comparison(
        untouched,
        amount=view.to_rgba((change.abs() * (question.gain * 255) + 0.5).clamp_(0, 255).floor_()),
        signed=colourize(change.mean(dim=0).cpu().numpy(), -1 / question.gain, 1 / question.gain, "berlin"),
        largest=100 * change.abs().max().item(),
        mean=100 * size.mean().item(),
        changed=100 * (change.abs().amax(dim=0) >= 1 / 255).float().mean().item(),
        inside=100 * size[mask].mean().item() if mask.any() else None,
        outside=100 * size[~mask].mean().item() if mask.any() and not mask.all() else None,
        complete=seen.complete,
    )


def without_edits(request: RenderRequest, height: int | None) -> RenderRequest:
    """The same picture without edits and without what is shown beside it; height: of an early picture."""
    return replace(request, edits=(), view=View(), diagnostic=Diagnostic(), measures=(), max_height=height)


def difference(changed: Tensor, untouched: Tensor, pixel_range: tuple[float, float]) -> Tensor:
    """[1, C, H, W] each -> changed - untouched [C, H, W] in -1..1 of black to white, both cut to it; alpha left out."""
    low, high = pixel_range
    colours = 1 if changed.shape[1] <= 2 else 3
    shown = [(image[0, :colours].float().clamp(low, high) - low) / (high - low) for image in (changed, untouched)]
    return shown[0] - shown[1]


def discs(edits: Sequence[Intervention], size: tuple[int, int]) -> Tensor:
    """Which pixels of a picture of `size` (H, W) lie in a disc of the edits, bool [H, W]."""
    mask = torch.zeros(size, dtype=torch.bool)
    for edit in edits:
        if edit.op in DISC_OPS and edit.disc is not None:
            mask |= inside(size, edit.disc)
    return mask
