"""Does detail stick to the screen? One column of pixels along a walk (Karras et al. 2021, Fig. 1, right).

The same short vertical segment of every frame, side by side: time runs to the right. Hair that moves with the head
draws slanted, wavy lines; hair that sticks draws horizontal streaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from app.frame import ModelInfo, Pixels
from app.request import RenderRequest
from app.studies import Study
from app.studies.estimate import Estimate

SLOWEST = 0.3  # px between compared frames; below, everything looks glued and no score is given


@dataclass(frozen=True)
class SlitScan(Study):
    """A vertical segment of each frame of a walk through the seeds (app/recording/walk.py).

    x, y0, y1: where the segment is, as shares of the picture's width and height, 0 is left and top. frames: how many
    pictures the walk has. request: everything but the latent (its noise mode 'random' draws the noise anew for each
    frame). The fewer px per frame the content moves, the better fine bands can be judged.
    """

    answered_by: ClassVar[str] = "app.diagnostics.slit_scan"
    request: RenderRequest = field(default_factory=RenderRequest)
    seeds: tuple[int, ...] = (0, 1)
    x: float = 0.5
    y0: float = 0.1
    y1: float = 0.6
    frames: int = 120
    loop: bool = False
    way: Literal["smooth", "linear"] = "smooth"


@dataclass(frozen=True)
class BandStreak:
    """One frequency band: periods from `shortest_px` to `longest_px`.

    streak = 1 - v_band / v_coarse: 0 where the band moves as the coarse content does, 1 where it stays. None: no
    score, `reason` says why. The interval is a jackknife over 8 stretches of time, with Student's t.
    """

    shortest_px: float
    longest_px: float
    streak: Estimate | None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class SlitAnswer:
    """What the frames so far say; one of these with every frame (scores are brought up to date with every eighth).

    scan: the x-t picture, one column for each frame so far. v_coarse: how fast the content of periods above 16 px
    moves along the segment, px per frame, root mean square where it has slopes (None at first). stride: frames this
    far apart are compared, so that the coarse content moves by at least 0.3 px between them. explained: the share of
    the coarse content's change that is motion along the segment (R^2); the rest is change of shape and colour.
    """

    count: int
    total: int
    scan: Pixels  # [segment's height, frames so far, 4]
    picture: Pixels  # the latest frame
    segment_px: tuple[int, int, int]  # x, first row, row behind the last, in px of the picture
    v_coarse: float | None
    explained: float | None
    stride: int
    bands: tuple[BandStreak, ...]  # fine to coarse
    model: ModelInfo | None = None  # that drew them
