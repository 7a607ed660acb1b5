"""One request drawn with each snapshot of a training run (app/studies/development.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from app import problems
from app.frame import Pixels
from app.models import ModelStore
from app.renderer import Renderer
from app.request import Diagnostic, RenderRequest, View
from app.studies import Update
from app.studies.development import MAPS, TILE, Development, Tile


def run(question: Development, renderer: Renderer) -> Iterator[Update]:
    """A snapshot per step. They are opened apart, for the models that the window shows must stay open."""
    apart = Renderer(ModelStore(count=1), threads=renderer.threads)
    request = plain(question.request)
    tiles: dict[str, Tile] = {}
    for number, path in enumerate(question.paths, 1):
        tiles[path] = draw(apart, replace(request, model=replace(request.model, path=path, attempt=number)))
        yield Update(number / len(question.paths), f"snapshot {number} of {len(question.paths)}", dict(tiles))


def plain(request: RenderRequest) -> RenderRequest:
    """The request without what a small tile cannot show or what would differ in kind from snapshot to snapshot."""
    usual, view = View(), request.view
    mode = usual.mode if view.mode == "pca" else view.mode  # components are each snapshot's own
    view = replace(view, count=MAPS, sort=usual.sort, held=(), mode=mode, overlay=0.0)
    return replace(request, view=view, diagnostic=Diagnostic(), measures=(), max_height=None)


def draw(renderer: Renderer, request: RenderRequest) -> Tile:
    """One snapshot's tile; one that cannot be opened has its reason instead."""
    try:
        frame = renderer.render(request)
    except Exception as error:
        if not problems.is_expected(error):
            raise
        return Tile(problem=problems.describe(error).detail)
    assert frame.picture is not None
    return Tile(fitted(frame.picture), None if frame.layer_view is None else fitted(frame.layer_view.pixels))


def fitted(pixels: Pixels) -> Pixels:
    """uint8 [H, W, 4] -> [TILE, TILE, 4]: the longer side fills the tile, the rest stays transparent.

    Larger pictures are averaged over areas, smaller ones keep hard pixel edges.
    """
    height, width = pixels.shape[:2]
    scale = TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST
    small = np.asarray(Image.fromarray(pixels).resize(size, how))
    tile = np.zeros((TILE, TILE, 4), np.uint8)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile
