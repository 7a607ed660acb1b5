"""What each resolution adds to the picture (Karras et al. 2020, section 4.2 "Resolution usage", Fig. 8).

The generator of StyleGAN2 sums the to-RGBs of all resolutions: the share of a resolution is the standard deviation of
the pixel values that its to-RGB puts out, divided by the sum of those of all resolutions. Here, as there, the pixels
are counted before up-sampling. StyleGAN has a to-RGB at each resolution too, but each made the whole picture while
training grew to it, and only the last is used now: there the contribution of a resolution is what its picture differs
by from the doubled picture of the resolution before. These differences add up to the picture as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest, to_json
from app.studies import Measure, Study

Use = Literal["single", "summed", "apart"]
ONE_TORGB = "This generator has one to-RGB, at full size: there are no contributions by resolution to compare."


@dataclass(frozen=True)
class ResolutionPictures(Measure):
    """The picture up to each resolution, or what each resolution adds.

    alone: what each adds, 0 as mid-grey, times `gain`; else the picture when only the to-RGBs up to there are summed
    (StyleGAN: the picture of that to-RGB). chosen: width in pixels of the resolution that is shown at full size (0 or
    one that is not there: the last).
    """

    answered_by: ClassVar[str] = "app.diagnostics.contributions"
    alone: bool = False
    gain: float = 1.0
    chosen: int = 0


@dataclass(frozen=True, eq=False)
class ResolutionAnswer:
    """Per to-RGB, coarsest first: (H, W), std (in % of the range from black to white, over pixels and colours of this
    one picture), share (in %), tile (a small picture, all of one size); the chosen one at full size. complete: False
    for an early picture, whose last resolutions are missing. An answer without sizes: the generator has one to-RGB."""

    use: Use
    sizes: tuple[tuple[int, int], ...] = ()
    std: tuple[float, ...] = ()
    share: tuple[float, ...] = ()
    tiles: tuple[Pixels, ...] = ()
    large: Pixels | None = None
    chosen: int = 0  # index into the above
    complete: bool = True


@dataclass(frozen=True)
class ContributionShares(Study):
    """The shares over `count` latents: seeds first, first + 1, ...; everything else as in the request."""

    answered_by: ClassVar[str] = "app.diagnostics.contributions"
    request: RenderRequest = field(default_factory=RenderRequest)
    count: int = 1024
    first: int = 0


@dataclass(frozen=True, eq=False)
class SharesAnswer:
    """Over the `count` latents so far: per to-RGB (H, W), std in % of the range, share in %; coarsest first.

    The standard deviation is taken over all pixels, colour channels and latents at once, around their common mean.
    each: float64 [count, resolutions], the shares of every single picture in %.
    """

    use: Use
    sizes: tuple[tuple[int, int], ...]
    std: tuple[float, ...]
    share: tuple[float, ...]
    each: np.ndarray
    count: int
    total: int


def as_json(answer: SharesAnswer, question: ContributionShares) -> dict[str, Any]:
    """The numbers with their units."""
    return {
        "what": "share of each to-RGB: std of the pixel values it adds / sum of all, Karras et al. 2020, section 4.2",
        "to-RGBs": answer.use,
        "latents": answer.count,
        "first_seed": question.first,
        "resolutions_px": [list(size[::-1]) for size in answer.sizes],
        "share_percent": list(answer.share),
        "std_percent_of_range": list(answer.std),
        "share_percent_of_each_latent": answer.each.tolist(),
        "request": to_json(question.request),
    }
