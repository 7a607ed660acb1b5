"""Where does a network lose its equivariance? The state behind one layer is moved; does the picture move along?

For every family, also those whose input takes no transform (StyleGAN, StyleGAN2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Study
from app.studies.estimate import Estimate


@dataclass(frozen=True)
class LayerProbe(Study):
    """For each layer: shift its maps (and the picture so far, where to-RGBs are summed) by `shift` samples of its
    own grid along both axes, and compare the picture with the picture shifted by as much.

    layers: names; () probes all but to-RGBs. shift: not a whole number, for whole samples are trivially exact in
    convolutions: half a sample is the hardest. seeds: of the pictures; request: everything but the latent.
    noise_follows: noise added behind the layer is shifted with the content instead of staying.
    """

    answered_by: ClassVar[str] = "app.diagnostics.layer_probe"
    request: RenderRequest = field(default_factory=RenderRequest)
    layers: tuple[str, ...] = ()
    shift: float = 0.5
    seeds: tuple[int, ...] = (0, 1, 2, 3)
    noise_follows: bool = False


@dataclass(frozen=True, eq=False)
class ProbedLayer:
    """One layer so far.

    db: 10 log10(I_max^2 / mean squared error), I_max = 2, inside of the margin, pooled over the pictures. stuck: the
    mean squared error divided by that of a picture that does not move at all (0: moves along, 1: as bad as standing
    still). Intervals are jackknives over pictures, with Student's t.
    """

    name: str
    size: tuple[int, int]  # of its maps, (H, W)
    moved_px: float  # the shift, in px of the picture
    db: Estimate
    stuck: Estimate
    error: np.ndarray  # float32 [h, w], at most 256 px: mean |difference| over colours, -1..1 units; NaN in the margin


@dataclass(frozen=True, eq=False)
class ProbeAnswer:
    """What the pictures so far say; one of these with every picture."""

    pictures: int  # complete ones
    total: int
    picture: Pixels  # the latest, not moved
    layers: tuple[ProbedLayer, ...]  # in order of execution, those that were probed at least once
