"""Projection as a study: a step of the optimization is a step of the study (app/studies/projection.py)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from app import latents, view
from app.diagnostics.path_length import differentiable
from app.errors import InputError
from app.frame import Pixels
from app.models import Opened
from app.projection import features, noise_maps, photo
from app.projection.project import Draw, Found, Projection, Target
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.projection import SPACES, FoundPoint, Projecting, ProjectionAnswer, ProjectionSettings
from networks.base import Generator

STREAM = 123  # of the z that the mean of w is taken over


def run(question: Projecting, renderer: Renderer) -> Iterator[Update]:
    """Open, look around in W, then one update after every step."""
    yield Update(0.0, "opening")
    opened = differentiable(renderer.open(question.request))
    prepared = photo.prepare(question.photo, opened.generator.resolution)
    target = prepared.target(opened.generator, opened.device, question.request.bgr)
    distance = features.load_distance(opened.device)
    projection = Projection(opened.generator, target, distance, checked(question.settings))
    for share in projection.look_around(sampler(opened, question.request)):
        yield Update(0.0, f"mean of w: {share:.0%}")
    steps, notes = question.settings.steps, comments(opened.generator, question.settings)
    taken: list[float] = []
    seconds, best, kept = 0.0, None, None
    while not projection.done:
        began = time.perf_counter()
        found = projection.step()
        seconds += time.perf_counter() - began
        taken.append(found.distance)
        if not math.isfinite(found.distance):
            raise InputError(
                f"step {found.step + 1}: the picture's distance is not finite; the best until then stays. This model's"
                " W may be too narrow for the learning rate"
            )
        if projection.best is not best or kept is None:
            best = projection.best
            assert best is not None
            kept = found_point(best, opened, target)
        now = pixels(found.image, opened, target)
        text = f"step {len(taken)} of {steps}, distance {found.distance:.4f}"
        yield Update(len(taken) / steps, text, ProjectionAnswer(
            prepared.pixels, now, kept, np.array(taken, np.float32), distance.name, steps, seconds / len(taken),
            projection.sigma, notes,
        ))  # fmt: skip


def checked(settings: ProjectionSettings) -> ProjectionSettings:
    """Settings that can be computed with; raises InputError."""
    if settings.steps < 1:
        raise InputError(f"{settings.steps} steps find nothing; take at least 1 (the paper takes 1000)")
    if settings.space not in SPACES:
        raise InputError(f"a photo is projected into w or w+, not {settings.space!r}")
    return settings


def sampler(opened: Opened, request: RenderRequest) -> Draw:
    """w of further z: of the class or prompt that is asked for, else each z with a class of its own."""
    generator = opened.generator
    stream = np.random.RandomState(STREAM)
    end, _ = latents.ends(generator, request.condition, opened.workspace)
    given = latents.given_c(generator, end)

    def draw(count: int) -> Tensor:
        z = torch.from_numpy(stream.randn(count, generator.z_dim)).float().to(opened.device)
        c = None if given is None else given.expand(count, -1)
        if generator.c_dim > 0 and given is None:
            drawn = [latents.draw_c(stream, generator.c_dim, generator.condition, end) for _ in range(count)]
            c = torch.from_numpy(np.concatenate([one for one in drawn if one is not None])).to(opened.device)
        return generator.map(z, c)[:, 0]

    return draw


def comments(generator: Generator, settings: ProjectionSettings) -> tuple[str, ...]:
    """What is not as in the paper, in sentences."""
    notes = []
    noisy = any(layer.has_noise for layer in generator.layers)
    if noisy and not (settings.noise_maps and noise_maps.noisy_layers(generator)):
        notes.append("The noise maps stay as the checkpoint stores them.")
    if settings.space == "w+":
        notes.append("Each row of ws is found for itself (W+), which reaches pictures that no w makes.")
    return tuple(notes)


def pixels(image: Tensor, opened: Opened, target: Target) -> Pixels:
    """image [1, C, H, W] in -1..1 -> RGBA as the window shows it."""
    return view.picture(image, bgr=target.bgr)


def found_point(found: Found, opened: Opened, target: Target) -> FoundPoint:
    """Tensors -> plain values, with the picture's PSNR."""
    x, y, turn = found.move
    return FoundPoint(
        step=found.step,
        distance=found.distance,
        psnr_db=found.psnr(target),
        picture=pixels(found.image, opened, target),
        ws=found.ws.cpu().numpy(),
        noise={name: drawn[0, 0].cpu().numpy() for name, drawn in found.maps.items()},
        move=(x, y, math.degrees(turn)) if opened.generator.has_transform else None,
    )
