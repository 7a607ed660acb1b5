"""Drawing one picture of a study: the same way from request to picture as in the window, without its caches."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from app import latent_extras, latents
from app.diagnostics import Point
from app.directions import push
from app.errors import InputError
from app.models import Opened
from app.renderer import Renderer
from app.request import Diagnostic, Latent, RenderRequest, View
from networks.edits import EditError
from networks.taps import Taps


def of_seed(request: RenderRequest, seed: int) -> RenderRequest:
    """The full picture of another seed, everything else as it is."""
    return replace(bare(request), latent=Latent(((seed, 1.0),)))


def bare(request: RenderRequest) -> RenderRequest:
    """What decides the full picture, nothing that only looks at it."""
    return replace(request, view=View(), diagnostic=Diagnostic(), measures=(), max_height=None)


@torch.inference_mode()
def draw(renderer: Renderer, request: RenderRequest, taps: Taps | None = None) -> Tensor:
    """Request -> picture [1, C, H, W] in the generator's own range, float32, on its device. The request's edits apply
    unless taps are given, which then bring their own."""
    opened = renderer.open(request)
    ws = latents.make_ws(opened.generator, request, opened.workspace)
    return synthesize(opened, request, ws, taps)


@torch.inference_mode()
def capture(renderer: Renderer, request: RenderRequest, points: list[Point]) -> tuple[Tensor, dict[Point, Tensor]]:
    """Request -> its picture and the maps [1, C, H, W] of some points."""
    taps = Taps(capture=points, edits=request.edits)
    return draw(renderer, request, taps), taps.captured


def synthesize(opened: Opened, request: RenderRequest, ws: Tensor, taps: Taps | None = None) -> Tensor:
    """ws [N, num_ws, w_dim] -> pictures [N, C, H, W], with a request's noise, transform and precision."""
    generator = opened.generator
    taps = taps or Taps(edits=request.edits)
    push.shift_styles(taps, request.pushes, opened.library)
    matrix = latent_extras.prepare(generator, request, taps)
    try:
        return generator.synthesize(ws, taps, request.noise, matrix, request.model.precision)
    except EditError as error:
        raise InputError(str(error)) from error


def colours(img: Tensor, pixel_range: tuple[float, float]) -> Tensor:
    """img [N, C, H, W] -> its colour channels [N, 1 or 3, H, W] as shares of the range: 0 black, 1 white, not clipped.

    Of two channels the second is alpha, of four the fourth; alpha is left out.
    """
    low, high = pixel_range
    return (img[:, : 1 if img.shape[1] <= 2 else 3].float() - low) / (high - low)
