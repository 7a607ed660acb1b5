"""Does a detail keep to preferred places? One patch followed along a walk, at every resolution.

Progressive growing makes teeth and eyes stay where a coarse grid wants them while the head turns (Karras et al. 2020,
section 4, Fig. 6): their path has steps where the coarse content's path is smooth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Study


@dataclass(frozen=True)
class PatchTrack(Study):
    """A square patch followed along a walk through the seeds by phase correlation from frame to frame.

    x, y: the patch's centre in the first frame, size: its side, as shares of the picture's width (y: of its height).
    request: everything but the latent. frames: how many pictures the walk has; a patch must move less than a quarter
    of its side from one frame to the next.
    """

    answered_by: ClassVar[str] = "app.diagnostics.patch_track"
    request: RenderRequest = field(default_factory=RenderRequest)
    seeds: tuple[int, ...] = (0, 1)
    x: float = 0.5
    y: float = 0.5
    size: float = 0.25
    frames: int = 120
    loop: bool = False
    way: Literal["smooth", "linear"] = "smooth"


@dataclass(frozen=True)
class Snap:
    """How much a path keeps to the places of a grid whose pitch is `grid_px` px of the picture.

    value: (rho - rho_coarse) / (1 - rho_coarse), rho = |mean of exp(2 pi i p / grid)| over the path's positions p,
    rho_coarse the same of the coarse content's path: 0 where the detail keeps to places no more than the coarse
    content does, 1 where it stays at them alone. The larger one of both axes. None: the coarse path is shorter than
    the grid.
    """

    grid_px: float
    value: float | None


@dataclass(frozen=True, eq=False)
class Path:
    """The patch's path at one resolution. positions: float64 [frames, 2], x and y of its centre in px of the picture;
    confidence: float64 [frames], height of the correlation's peak, 1 is a perfect match."""

    height: int  # of the pictures that were followed, px
    source: Literal["to-RGB", "pyramid", "coarse"]
    positions: np.ndarray
    confidence: np.ndarray
    snaps: tuple[Snap, ...] = ()


@dataclass(frozen=True, eq=False)
class TrackAnswer:
    """What the frames so far say; one of these with every frame.

    paths: of the resolutions, coarse to fine. coarse: the path of what is as large as the patch, in the full picture:
    where the detail should go as well.
    """

    count: int
    total: int
    picture: Pixels  # the latest frame
    paths: tuple[Path, ...]
    coarse: Path
    left: str = ""  # why some path ended before the walk did
