"""How exactly the picture follows its input: EQ-T, EQ-T_frac, EQ-R (Karras et al. 2021, section 2.2 and appendix E).

Published, FFHQ-U at 256x256, EQ-T / EQ-R in dB: config B (StyleGAN2 with Fourier input) 15.9 / 10.8, T 61.7 / 14.0,
R 64.8 / 47.6. Higher is better.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Study
from app.studies.estimate import Estimate

Metric = Literal["eqt", "eqt_frac", "eqr"]
METRICS: tuple[Metric, ...] = ("eqt", "eqt_frac", "eqr")
PUBLISHED = {"B": (15.9, 10.8), "T": (61.7, 14.0), "R": (64.8, 47.6)}  # EQ-T, EQ-R in dB, table 1 of the paper


@dataclass(frozen=True)
class Equivariance(Study):
    """PSNR between the moved picture and the picture of the moved input, over samples; only where `has_transform`.

    request: everything but the latent and the transform; truncation counts, the published values have none (psi 1).
    Sample i has seed + i. translate_max: the largest shift, in picture widths; rotate_max_deg: the largest angle.
    noise_follows: noise maps (StyleGAN-T) are shifted with the content instead of staying; not for rotations.
    """

    answered_by: ClassVar[str] = "app.diagnostics.equivariance"
    request: RenderRequest = field(default_factory=RenderRequest)
    metrics: tuple[Metric, ...] = METRICS
    samples: int = 64
    seed: int = 0
    translate_max: float = 0.125
    rotate_max_deg: float = 180.0
    noise_follows: bool = False


@dataclass(frozen=True, eq=False)
class MetricAnswer:
    """One metric so far, and its last sample.

    db: 10 log10(I_max^2 / mean squared error), I_max = 2, pooled over all valid pixels so far; inf where no pixel
    differs. None before the first sample. The interval is a jackknife over samples, in dB, with Student's t.
    """

    metric: Metric
    samples: int
    db: Estimate | None
    moved_by: tuple[float, float]  # x, y in px; for 'eqr' the angle in degrees and 0
    expected: Pixels  # the moved picture
    found: Pixels  # the picture of the moved input (for 'eqr' low-passed like the expected one)
    error: np.ndarray  # float32 [H, W]: mean |difference| over colours, in -1..1 units; NaN where nothing is compared


@dataclass(frozen=True, eq=False)
class EquivarianceAnswer:
    """What the samples so far say; one of these with every picture."""

    samples: int  # complete ones
    total: int
    picture: Pixels  # of the last sample, not moved
    metrics: tuple[MetricAnswer, ...]  # in the order they were asked for, those that have a sample

    def of(self, metric: Metric) -> MetricAnswer | None:
        """One metric's part; None where it has no sample yet."""
        return next((part for part in self.metrics if part.metric == metric), None)
