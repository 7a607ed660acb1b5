"""A photo in the model's shape, before it is projected (app/studies/projection.py)."""

from __future__ import annotations

from collections.abc import Iterator

from app.projection import photo
from app.renderer import Renderer
from app.studies import Update
from app.studies.projection import PhotoPreview


def run(question: PhotoPreview, renderer: Renderer) -> Iterator[Update]:
    """One step."""
    opened = renderer.open(question.request)
    yield Update(1.0, "done", photo.prepare(question.photo, opened.generator.resolution).pixels)
