"""The same seed on another model, measured by the same rule (app/studies/droplet_control.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.diagnostics.droplets import look, thumbnail
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, RenderRequest
from app.studies import Update
from app.studies.droplet_control import DropletControl, DropletControlAnswer
from networks.plan import Noise

PICTURE_PX = 256  # longest side of the picture that is handed over


def run(question: DropletControl, renderer: Renderer) -> Iterator[Update]:
    """Open the model, then draw and measure it: two steps."""
    request = comparable(question)
    yield Update(0.0, f"opening {Path(request.model.path).name}")
    opened = renderer.open(request)
    yield Update(0.5, f"drawing {opened.info.name}")
    looked = look(renderer, request, question.rule, question.map_px)
    picture = thumbnail(looked.image, opened, PICTURE_PX, request.bgr)
    yield Update(1.0, "done", DropletControlAnswer(opened.info, looked.report, picture))


def comparable(question: DropletControl) -> RenderRequest:
    """What of a request holds for another model: its seeds, psi, and whether there is noise.

    Classes, edits and rows of ws belong to one model. Raises InputError for a latent file: a w of one model is no
    point in the W of another.
    """
    asked = question.request
    if asked.latent.files:
        raise InputError(
            f"{Path(asked.latent.files[0][0]).name} is a point in the W of one model and means nothing to another;"
            " choose a seed to compare the two"
        )
    latent, truncation = Latent(asked.latent.seeds, space=asked.latent.space), asked.truncation
    noise = Noise(asked.noise.mode, asked.noise.seed)
    return RenderRequest(model=question.model, latent=latent, truncation=truncation, noise=noise)
