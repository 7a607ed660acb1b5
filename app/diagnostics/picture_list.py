"""Small pictures of many requests (app/studies/picture_list.py): one pass a step, without the window's caches."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from app import problems, view
from app.diagnostics import drawing
from app.frame import Pixels
from app.models import ModelStore, Opened
from app.renderer import Renderer
from app.request import RenderRequest
from app.studies import Update
from app.studies.picture_list import NOT_YET, PictureList, Small, reduced
from networks.taps import Taps

QUICK_S = 0.25  # full pictures that take no longer are drawn in any case: whoever drags hardly waits for one


def run(question: PictureList, renderer: Renderer) -> Iterator[Update]:
    """A picture per step: first what is large enough of each, then those to the end that are worth it."""
    artist = Artist(renderer)
    made = [NOT_YET] * len(question.requests)
    for number, request in enumerate(question.requests):
        made[number] = artist.small(request, question.side, question.exact)
        yield _update(made, number + 1, "Picture")
    for number, request in enumerate(question.requests):
        if not made[number].final:
            made[number] = artist.small(request, question.side, question.exact, to_the_end=True)
            yield _update(made, number + 1, "To the end")


def _update(made: list[Small], count: int, words: str) -> Update:
    return Update(count / len(made), f"{words} {count} of {len(made)}", tuple(made))


class Artist:
    """Draws requests with the window's open models; any other model is opened apart, so that the window keeps its."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._apart: Renderer | None = None

    def renderer_of(self, request: RenderRequest) -> Renderer:
        """The renderer whose store has, or will have, the request's model."""
        if self.renderer.store.peek(request.model) is not None:
            return self.renderer
        if self._apart is None:
            self._apart = Renderer(ModelStore(count=1), threads=self.renderer.threads, live=True)
        return self._apart

    def small(self, request: RenderRequest, side: int, exact: bool, to_the_end: bool = False) -> Small:
        """One small picture; one that cannot be drawn has its reason instead."""
        try:
            renderer = self.renderer_of(request)
            height = None if to_the_end else early_height(renderer.open(request), side)
            pixels = reduced(self.pixels(request, height), side)
        except Exception as error:
            if not problems.is_expected(error) or problems.is_out_of_memory(error):
                raise
            return Small(final=True, problem=problems.describe(error).detail)
        better = height is not None and (exact or is_quick(renderer, request))
        return Small(pixels, height is None, not better)

    @torch.inference_mode()
    def pixels(self, request: RenderRequest, height: int | None = None) -> Pixels:
        """The picture of a request as the window shows it, RGBA; left at an early height where one is given."""
        renderer = self.renderer_of(request)
        opened = renderer.open(request)
        taps = None if height is None else Taps(edits=request.edits, stop_at=height)
        image = drawing.draw(renderer, request, taps)
        return view.picture(image, opened.generator.spec.pixel_range, request.bgr)


def early_height(opened: Opened, side: int) -> int | None:
    """Height of the smallest early picture whose longer side is at least `side` px; None: only the full one is."""
    height, width = opened.generator.resolution
    for size in opened.generator.preview_sizes[:-1]:
        if size * max(height, width) >= side * height:
            return size
    return None


def is_quick(renderer: Renderer, request: RenderRequest) -> bool:
    """Whether the full picture is known to take little time."""
    expected = renderer.expected_s(request)
    return expected is not None and expected <= QUICK_S
