"""Does detail stick to the screen? The mean over a neighbourhood of one latent (Karras et al. 2021, Fig. 1, left).

Around w0 the content moves a little in every picture. Detail that moves along is blurred away in their mean; detail
that is glued to pixel coordinates stays sharp.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from app.frame import ModelInfo, Pixels
from app.request import RenderRequest
from app.studies import Study
from app.studies.estimate import Estimate


@dataclass(frozen=True)
class NeighbourhoodMean(Study):
    """The mean of `count` pictures at w_i = w0 + sigma std_w eps_i, eps_i ~ N(0, 1), and how sharp it stays.

    request: w0 and everything else (its noise mode 'random' draws the noise anew for each picture). sigma: in
    standard deviations of each coordinate of w, taken from 1024 seeded z. period_px: detail is what has a shorter
    period than this (high-pass of gain 1/2 there); what is longer counts as coarse. window: sigma of the Gaussian
    window of the sharpness map, as a share of the picture's height. seed: of the eps_i.
    """

    answered_by: ClassVar[str] = "app.diagnostics.sticking"
    request: RenderRequest = field(default_factory=RenderRequest)
    count: int = 64
    sigma: float = 0.5
    period_px: float = 8.0
    window: float = 1 / 32
    seed: int = 0


@dataclass(frozen=True, eq=False)
class NeighbourhoodAnswer:
    """What the pictures so far say; one of these with every picture.

    score: S = (N A - B) / ((N - 1) B) with A = <|H(mean)|^2>, B = mean of <|H(picture)|^2> and H the high-pass: the
    share of the detail's energy that is glued to its place. 0: all detail moves freely, 1: none does. None before the
    second picture, and where there is no detail. coarse: the same of what the high-pass removes (less its mean
    colour): near 1, the neighbourhood is too small to tell anything. The intervals are jackknives over 16 groups of
    pictures (fewer pictures: fewer groups), with Student's t.
    """

    count: int
    total: int
    centre: Pixels  # the picture at w0
    mean: Pixels
    sharpness: np.ndarray  # float32 [H, W], S(p) in a Gaussian window; NaN where there is hardly any detail
    score: Estimate | None
    coarse: Estimate | None
    sigma: float
    period_px: float
    model: ModelInfo | None = None  # that drew them

    @property
    def telling(self) -> bool:
        """Whether the coarse content moved enough to judge the detail by."""
        return self.coarse is not None and self.coarse.value < 0.9
