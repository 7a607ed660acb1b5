"""Pushes applied: ws moved along directions, and styles moved by channels.

Both come last, after truncation, blending and mixing: a strength of 1 then moves ws by one standard deviation of the
whole W, whatever psi is, and a cutoff does not tear a direction apart. (GANSpace's own tools move w first and let the
network truncate it: there, a push is psi times as strong.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from app.directions.library import Library
from app.errors import InputError
from app.request import Push
from app.studies.directions import parse
from networks.base import Generator
from networks.taps import Cancelled, Taps


def moved(ws: Tensor, pushes: Sequence[Push], library: Library) -> Tensor:
    """ws [N, num_ws, w_dim] with the pushes in W: ws[rows] + strength * sigma * direction. Raises InputError."""
    num_ws = library.generator.num_ws
    for push in acting(pushes):
        if parse(push.source).kind == "style":
            continue
        first, last = rows_of(push, num_ws)
        step = torch.from_numpy(library.step(push.source, push.index)).to(ws.device)
        step = push.strength * step
        ws = ws.clone()
        ws[:, first:last] += step[first:last] if step.ndim == 2 else step
    return ws


def shift_styles(taps: Taps, pushes: Sequence[Push], library: Library) -> None:
    """Let a pass add strength * sigma to the style channels that are pushed. Raises InputError."""
    shifts: dict[str, Tensor] = {}
    for push in acting(pushes):
        source = parse(push.source)
        if source.kind != "style":
            continue
        if push.rows is not None:
            raise InputError(f"{push.source}: a style belongs to one layer; leave the rows of ws out")
        spread = library.style(source.layer)[1]
        if not 0 <= push.index < len(spread):
            raise InputError(f"{push.source}: there is no channel {push.index}; they go from 0 to {len(spread) - 1}")
        device = next(library.generator.parameters()).device
        shift = shifts.setdefault(source.layer, torch.zeros(len(spread), device=device))
        shift[push.index] += push.strength * float(spread[push.index])
    taps.style_shifts = shifts


def prepare(
    pushes: Sequence[Push],
    library: Library,
    cancelled: Callable[[], bool] | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> None:
    """Compute what the pushes need and is not there yet; raises Cancelled, after which it can be gone on with."""
    for source in dict.fromkeys(push.source for push in acting(pushes)):
        for share, words in library.steps(source):
            if cancelled is not None and cancelled():
                raise Cancelled("directions")
            if progress is not None:
                progress(share, words)


def acting(pushes: Sequence[Push]) -> list[Push]:
    """Those of a strength other than 0; raises InputError for one that is no number."""
    for push in pushes:
        if not math.isfinite(push.strength):
            raise InputError(f"{push.source} {push.index}: the strength {push.strength} is no number")
    return [push for push in pushes if push.strength != 0.0]


def rows_of(push: Push, num_ws: int) -> tuple[int, int]:
    """The rows of ws that a push moves; raises InputError where this model has not got them all."""
    first, last = push.rows or (0, num_ws)
    if not 0 <= first < last <= num_ws:
        name = f"{push.source} {push.index}"
        raise InputError(f"{name}: rows {first} to {last - 1} are not all there; this model has 0 to {num_ws - 1}")
    return first, last


def library_of(generator: Generator, library: Library | None) -> Library:
    """The model's library; a fresh one where nobody keeps one."""
    return library or Library(generator)


def files_of(pushes: Sequence[Push]) -> list[str]:
    """The files that the pushes take their directions from, those inside of orthogonal sets too."""
    sources = [parse(push.source) for push in acting(pushes)]
    named = [parse(text) for source in sources for text, _ in source.parts]
    return list(dict.fromkeys(source.path for source in (*sources, *named) if source.kind == "file"))
