"""Droplets: what can be asked, and what is answered. No torch.

Droplets are the blobs that StyleGAN's generators draw into their feature maps from about 64x64 up (Karras et al.
2020, section 2): a spike so strong that it rules the map's statistics, and with them what instance normalization
leaves of everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import ClassVar, Literal

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Measure, Study

MODULE = "app.diagnostics.droplets"
Place = tuple[float, float]  # (x, y) in picture widths and heights; (0, 0) is the upper left corner


@dataclass(frozen=True)
class DropletRule:
    """When a picture is said to have a droplet. Lengths are shares of the picture's height.

    ratio: peak of the saliency over its median. agreement: share of the channels that peak inside the disc around the
    spot. prominence: peak over the median of the saliency in the ring around the disc, from 2 to 4 of its radii; it
    tells a spike from an object, which is wide. resolutions: so many that follow each other must show it at the same
    place. radius: of the disc, but never less than radius_px samples: 3x3 convolutions spread a spike by one sample a
    layer. same_place: how far the spots may lie apart. from_px: coarser maps are measured but do not count: their
    samples are as large as objects, and the paper sees droplets from about 64x64 up.
    """

    ratio: float = 4.0
    agreement: float = 0.3
    prominence: float = 4.0
    resolutions: int = 2
    radius: float = 0.03
    radius_px: float = 2.5
    same_place: float = 0.06
    from_px: int = 32

    def in_words(self) -> str:
        """The rule with its numbers, in a sentence."""
        return (
            f"A droplet: the saliency peaks above {self.ratio:g} x its median and at least {self.agreement:.0%} of the "
            f"channels peak within {self.radius:.0%} of the picture's height from there, it stands "
            f"{self.prominence:g} x above the ring around it, in {self.resolutions} "
            f"resolutions that follow each other (from {self.from_px} px up), at places no further apart than "
            f"{self.same_place:.0%}."
        )


@dataclass(frozen=True)
class DropletMeasure(Measure):
    """Is there a droplet in the picture on the screen? Answered by a DropletReport.

    map_px: saliency maps are handed over at most this wide and high (each cell shows its largest value).
    """

    answered_by: ClassVar[str] = MODULE
    rule: DropletRule = DropletRule()
    map_px: int = 128


@dataclass(frozen=True, eq=False)
class LayerDroplet:
    """What one layer shows; arrays are never written again.

    stage: 'pre_norm' (StyleGAN: before instance normalization) or 'output'. size: (H, W) of the part of the map that
    the picture shows, resolution: samples per picture width.
    spot: where the saliency peaks. radius: of the disc around it, a share of the picture's height (0.03, or 2.5
    samples on coarse maps). ratio: peak over median of the saliency. agreement: share of channels whose own largest
    deviation lies in the disc. prominence: peak over the median of the ring around the disc. energy: the disc's share
    of the squared saliency. rho [C]: standard deviation of each channel over that without the disc; instance
    normalization scales the rest of the channel by 1 / rho. kurtosis [C]: 3 for normal values. saliency: float32
    [h, w], in standard deviations of the rest of the map.
    hot: passes the rule's ratio, agreement and prominence. in_run: belongs to the droplet that the verdict speaks of.
    """

    layer: str
    stage: str
    size: tuple[int, int]
    resolution: float
    channels: int
    spot: Place
    radius: float
    ratio: float
    agreement: float
    prominence: float
    energy: float
    rho: np.ndarray
    kurtosis: np.ndarray
    saliency: np.ndarray
    hot: bool = False
    in_run: bool = False

    @property
    def median_rho(self) -> float:
        """Median over the channels of sigma with the disc / sigma without it."""
        return float(np.median(self.rho))

    @property
    def mean_kurtosis(self) -> float:
        """Mean over the channels."""
        return float(self.kurtosis.mean())


@dataclass(frozen=True)
class DropletVerdict:
    """Yes or no, and why. strength: the ratio that every resolution of the best run exceeds, 0 where channels agree
    nowhere twice; the picture is flagged when it lies above the rule's ratio."""

    flag: bool
    strength: float
    spot: Place | None = None  # the median over the run's layers
    layers: tuple[str, ...] = ()  # the run, from coarse to fine
    resolutions: tuple[int, ...] = ()  # of the run
    strongest: str = ""  # the layer with the largest ratio
    text: str = ""  # the verdict in a sentence


@dataclass(frozen=True, eq=False)
class DropletReport:
    """The answer: layers from coarse to fine (of an early picture those it reached: complete is False)."""

    layers: tuple[LayerDroplet, ...]
    verdict: DropletVerdict
    rule: DropletRule
    complete: bool = True

    def of(self, name: str) -> LayerDroplet | None:
        """Return one layer's row."""
        return next((layer for layer in self.layers if layer.layer == name), None)

    @property
    def strongest(self) -> LayerDroplet | None:
        """The row that the verdict names; None where no layer was measured."""
        return self.of(self.verdict.strongest)


@dataclass(frozen=True)
class DropletSearch(Study):
    """Which of many seeds have the strongest droplet, and which lack one? Answered by a DropletSearchAnswer.

    request: everything but the seed. thumbnail_px: longest side of the small pictures.
    """

    answered_by: ClassVar[str] = MODULE
    request: RenderRequest
    seeds: tuple[int, ...]
    rule: DropletRule = DropletRule()
    thumbnail_px: int = 96


@dataclass(frozen=True, eq=False)
class SeedDroplet:
    """One seed: its verdict and its strongest layer. missing: lacks the droplet that the others have."""

    seed: int
    flag: bool
    strength: float
    ratio: float
    agreement: float
    energy: float
    median_rho: float
    layer: str
    spot: Place
    resolutions: tuple[int, ...]
    thumbnail: Pixels | None = None
    missing: bool = False


@dataclass(frozen=True, eq=False)
class DropletSearchAnswer:
    """What is known so far; rows in the order of the seeds."""

    rows: tuple[SeedDroplet, ...]
    rule: DropletRule = field(default_factory=DropletRule)

    @property
    def flagged(self) -> int:
        """Number of seeds with a droplet."""
        return sum(row.flag for row in self.rows)

    @property
    def strongest(self) -> tuple[SeedDroplet, ...]:
        """Rows by strength, then by ratio, largest first."""
        return tuple(sorted(self.rows, key=lambda row: (-row.strength, -row.ratio, row.seed)))

    @property
    def missing(self) -> tuple[SeedDroplet, ...]:
        """Rows that lack what the others have, the faintest first."""
        return tuple(sorted((row for row in self.rows if row.missing), key=lambda row: (row.strength, row.seed)))

    @property
    def median_strength(self) -> float:
        """Median of the strength over all seeds."""
        return float(median(row.strength for row in self.rows)) if self.rows else 0.0


@dataclass(frozen=True)
class DropletTrack(Study):
    """Where does the spot go along a walk through `seeds`? Answered by a DropletTrackAnswer.

    steps: pictures per leg from one seed to the next. layer: whose spot is followed; '': the one that is strongest in
    the middle of the walk.
    """

    answered_by: ClassVar[str] = MODULE
    request: RenderRequest
    seeds: tuple[int, ...]
    steps: int = 24
    loop: bool = False
    way: Literal["smooth", "linear"] = "smooth"
    layer: str = ""
    rule: DropletRule = DropletRule()
    thumbnail_px: int = 96


@dataclass(frozen=True, eq=False)
class TrackPoint:
    """One step. position: in stations, 0 is the first seed, 1 the second."""

    position: float
    weights: tuple[tuple[int, float], ...]  # of the seeds, as in Latent
    spot: Place
    ratio: float
    agreement: float
    flag: bool
    thumbnail: Pixels | None = None


@dataclass(frozen=True, eq=False)
class DropletTrackAnswer:
    """What is known so far, in the order of the walk. total: points at the end."""

    layer: str
    points: tuple[TrackPoint, ...]
    total: int
    rule: DropletRule = field(default_factory=DropletRule)
