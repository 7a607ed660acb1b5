"""Path lengths by automatic differentiation; app/studies/path_length.py says what is computed, and its source."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from app import latents
from app.diagnostics import drawing
from app.errors import InputError
from app.models import Opened
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.path_length import Lengths, PathLengths, of_latent
from networks import ops

OWN = 2**32  # in the place of a seed for the y of the request's own latent: no seed is so large


def run(question: PathLengths, renderer: Renderer) -> Iterator[Update]:
    """One draw of y per step: one pass forward and one back. Answers hold whole points."""
    if question.count < 1 or question.draws < 1:
        raise InputError(f"path lengths of {question.count} points with {question.draws} draws: give at least 1 each")
    request = of_latent(question.request)
    opened = differentiable(renderer.open(request))
    count = 1 if question.first is None else question.count
    answer: Lengths | None = None
    for point in range(count):
        seed = None if question.first is None else (question.first + point) % 2**32
        ws = _ws(opened, request if seed is None else drawing.of_seed(request, seed))
        gradients: list[Tensor] = []
        for draw in range(question.draws):
            y = draw_y(opened, OWN if seed is None else seed, draw)
            gradients.append(row_gradients(opened, request, ws, y))
            if draw + 1 < question.draws:
                share = (point + (draw + 1) / question.draws) / count
                yield Update(share, _words(seed, point, count, draw + 1, question.draws), answer)
        found = _lengths(opened, torch.stack(gradients))
        answer = found if answer is None else answer + found
        yield Update((point + 1) / count, _words(seed, point + 1, count, question.draws, question.draws), answer)


def _words(seed: int | None, point: int, count: int, draw: int, draws: int) -> str:
    return f"{draw} of {draws} draws" if seed is None else f"{point} of {count} seeds"


@torch.inference_mode()
def _ws(opened: Opened, request: RenderRequest) -> Tensor:
    return latents.make_ws(opened.generator, request, opened.workspace)


def draw_y(opened: Opened, seed: int, draw: int) -> Tensor:
    """y [1, C, H, W] from N(0, 1), drawn on the CPU so that devices agree; not yet divided by sqrt(H W)."""
    height, width = opened.generator.resolution
    stream = torch.Generator().manual_seed((seed * 1_000_003 + draw * 7919) % 2**63)
    shape = (1, opened.generator.spec.img_channels, height, width)
    return torch.randn(shape, generator=stream).to(latents.device_of(opened.generator))


def row_gradients(opened: Opened, request: RenderRequest, ws: Tensor, y: Tensor) -> Tensor:
    """J_l^T y of each row l of ws [1, num_ws, w_dim] -> [num_ws, w_dim]; the picture counts in -1..1.

    y [1, C, H, W] is N(0, 1); it is divided by sqrt(H W). 0 where edits part the picture from w.
    """
    low, high = opened.generator.spec.pixel_range
    scale = 2 / (high - low) / math.sqrt(y.shape[2] * y.shape[3])
    with torch.inference_mode(False), torch.enable_grad(), ops.using("plain"):
        leaf = ws.clone().requires_grad_(True)
        picture = drawing.synthesize(opened, request, leaf)
        if not picture.requires_grad:
            return torch.zeros_like(leaf[0]).detach()
        (gradient,) = torch.autograd.grad((picture * y.clone()).sum() * scale, leaf, allow_unused=True)
        return (torch.zeros_like(leaf) if gradient is None else gradient)[0].detach()


def _lengths(opened: Opened, gradients: Tensor) -> Lengths:
    """gradients [draws, num_ws, w_dim] of one point -> its lengths."""
    wide = gradients.double().cpu()
    squares = wide.square().sum(dim=2)  # [draws, num_ws]
    spec = opened.generator.spec
    return Lengths(
        squares.mean(dim=1).sqrt()[None].numpy(),
        wide.sum(dim=1).norm(dim=1)[None].numpy(),
        squares.mean(dim=0).sqrt()[None].numpy(),
        spec.img_channels,
        spec.w_dim,
    )


def differentiable(opened: Opened) -> Opened:
    """The same with a generator that gradients can pass: one that was loaded in inference mode is copied."""
    generator = opened.generator
    tensors = (*generator.parameters(), *generator.buffers())
    if any(tensor.is_inference() for tensor in tensors):
        with torch.inference_mode(False):
            generator = copy.deepcopy(generator)
    return replace(opened, generator=generator)
