"""Projection: what can be asked, and what is answered. No torch.

Which point of W (or W+) comes closest to a photo, and whether a picture was made by this very model (Karras et al.
2020, section 5). A distance means nothing without its name: `ProjectionAnswer.distance_name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest, to_json
from app.studies import Study

MODULE = "app.projection.study"
Space = Literal["w", "w+"]
Fit = Literal["crop", "letterbox"]
SPACES: dict[Space, str] = {"w": "W", "w+": "W+"}


@dataclass(frozen=True)
class Photo:
    """A picture file, brought to the model's shape. crop: the largest part of that shape, at `place` along the longer
    way (0: left or top, 1: right or bottom). letterbox: all of it, between bars that do not count."""

    path: str = ""
    fit: Fit = "crop"
    place: float = 0.5


@dataclass(frozen=True)
class PhotoPreview(Study):
    """The photo in the model's shape. Answered by RGBA uint8 [H, W, 4]."""

    answered_by: ClassVar[str] = "app.projection.preview"
    request: RenderRequest = field(default_factory=RenderRequest)
    photo: Photo = field(default_factory=Photo)


@dataclass(frozen=True)
class ProjectionSettings:
    """How to look. space 'w+': every row of ws for itself. noise_maps: optimize the noise as well, where there is some.
    move: rotate and shift the picture as well, where the input takes it. seed: of noise and exploration."""

    space: Space = "w"
    steps: int = 1000
    noise_maps: bool = True
    move: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Projecting(Study):
    """Which point comes closest? Answered by a ProjectionAnswer after every step.

    request: the model, and the class or prompt whose w are looked around in; its latent, psi and noise do not matter.
    """

    answered_by: ClassVar[str] = MODULE
    request: RenderRequest = field(default_factory=RenderRequest)
    photo: Photo = field(default_factory=Photo)
    settings: ProjectionSettings = field(default_factory=ProjectionSettings)


@dataclass(frozen=True, eq=False)
class FoundPoint:
    """A point and everything that its picture needs.

    ws float32 [1, num_ws, w_dim]; noise: layer -> map [H, W] of mean 0 and variance 1; move: shift in picture widths
    (x, y) and turn in degrees, None where the input takes none.
    psnr_db: of the clipped picture against the photo, without bars. picture: RGBA as the window shows it.
    """

    step: int
    distance: float
    psnr_db: float
    picture: Pixels
    ws: np.ndarray
    noise: Mapping[str, np.ndarray]
    move: tuple[float, float, float] | None = None


@dataclass(frozen=True, eq=False)
class ProjectionAnswer:
    """What is known after some steps. photo: as the model is asked for it, RGBA. now, now_distance: of the last step,
    with the exploration noise that it had. distances: float32 [steps taken]. steps: of the whole. step_s: seconds that
    a step takes, the mean so far. sigma_w: sqrt(E |w - mean|^2). notes: what a reader has to know, in sentences."""

    photo: Pixels
    now: Pixels
    best: FoundPoint
    distances: np.ndarray
    distance_name: str
    steps: int
    step_s: float
    sigma_w: float
    notes: tuple[str, ...] = ()

    @property
    def now_distance(self) -> float:
        """Of the last step's picture."""
        return float(self.distances[-1])


@dataclass(frozen=True)
class KeepPoint(Study):
    """Write a found point as a latent file. Answered by its path."""

    answered_by: ClassVar[str] = "app.projection.keep"
    best: FoundPoint | None = None
    path: str = ""


@dataclass(frozen=True)
class Attributing(Study):
    """Was the photo made by this model? Answered by an AttributionAnswer after every picture.

    Own pictures of seeds first, first + 1, ... are projected exactly as the photo is; each has random noise of its own,
    and is rounded to 8 bits as a file is. request: model, class or prompt, and the psi of the own pictures.
    given: the photo's distance where a projection with the same settings is known, else it is projected first.
    """

    answered_by: ClassVar[str] = "app.projection.attribution"
    request: RenderRequest = field(default_factory=RenderRequest)
    photo: Photo = field(default_factory=Photo)
    settings: ProjectionSettings = field(default_factory=ProjectionSettings)
    count: int = 20
    first: int = 0
    given: float | None = None


@dataclass(frozen=True, eq=False)
class AttributionAnswer:
    """own: float32 [n], distances of own pictures, in the order of the seeds; given: of the photo, None: not yet known.

    share: of own pictures that end at least as far away as the photo, with its 95 % interval (Clopper and Pearson
    1934, exact). ratio: the photo's distance over the median of the own ones, with its 95 % bootstrap interval
    (Efron 1979, percentiles, 2000 resamples of the own pictures).
    """

    own: np.ndarray
    given: float | None
    distance_name: str
    count: int
    psi: float
    share: float = 0.0
    share_interval: tuple[float, float] = (0.0, 1.0)
    ratio: float = 0.0
    ratio_interval: tuple[float, float] = (0.0, 0.0)
    verdict: str = ""


def as_json(answer: ProjectionAnswer, question: Projecting) -> dict[str, Any]:
    """The numbers of a projection with their units."""
    best, settings = answer.best, question.settings
    return {
        "what": "projection of a photo (Karras et al. 2020, section 5 and appendix D)",
        "photo": {"path": question.photo.path, "fit": question.photo.fit, "place": question.photo.place},
        "space": SPACES[settings.space],
        "steps": settings.steps,
        "steps_taken": len(answer.distances),
        "seed": settings.seed,
        "distance_name": answer.distance_name,
        "best_step": best.step,
        "best_distance": best.distance,
        "first_distance": float(answer.distances[0]),
        "best_psnr_db": best.psnr_db,
        "sigma_w": answer.sigma_w,
        "seconds_per_step": answer.step_s,
        "noise_maps_optimized": sorted(best.noise),
        "move": None if best.move is None else dict(zip(("x_widths", "y_widths", "turn_deg"), best.move, strict=True)),
        "distances": [float(value) for value in answer.distances],
        "notes": list(answer.notes),
        "request": to_json(question.request),
    }


def attribution_json(answer: AttributionAnswer) -> dict[str, Any]:
    """The numbers of an attribution check with their units."""
    return {
        "what": "distance of projection, the photo's beside those of the model's own pictures",
        "distance_name": answer.distance_name,
        "psi_of_own_pictures": answer.psi,
        "photo_distance": answer.given,
        "own_distances": [float(value) for value in answer.own],
        "share_of_own_at_least_as_far": answer.share,
        "share_interval_95": list(answer.share_interval),
        "ratio_to_own_median": answer.ratio,
        "ratio_interval_95": list(answer.ratio_interval),
        "verdict": answer.verdict,
    }
