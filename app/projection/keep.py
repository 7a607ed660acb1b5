"""Write a found point as a latent file, in the worker (app/studies/projection.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from app import latent_extras
from app.errors import InputError
from app.latent_extras import Extras
from app.renderer import Renderer
from app.request import Transform
from app.studies import Update
from app.studies.projection import FoundPoint, KeepPoint


def run(question: KeepPoint, renderer: Renderer) -> Iterator[Update]:
    """One step: the file."""
    if question.best is None:
        raise InputError("there is no point to keep yet; project a photo first")
    yield Update(1.0, "saved", str(write_point(question.best, Path(question.path).expanduser())))


def write_point(point: FoundPoint, path: Path) -> Path:
    """w with everything that its picture needs, as .npz; raises WriteError."""
    transform = None
    if point.move is not None:
        x, y, turn = point.move
        transform = np.array(Transform(x, y, turn).as_matrix())
    return latent_extras.write(path, point.ws, Extras(point.noise, transform))
