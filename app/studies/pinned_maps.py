"""Pinned feature maps: small pictures of single maps of any layers, with every picture. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.frame import MapStatistics, Pixels
from app.studies import Measure


@dataclass(frozen=True)
class Pin:
    """One map: a layer by name, where it is taken, which channel. It may be missing from another model."""

    layer: str
    stage: str
    channel: int


@dataclass(frozen=True)
class PinnedMaps(Measure):
    """How do these maps look now? Answered by a tuple of PinnedMap, without those that the model lacks or that an
    early picture does not reach. colours, normalize, gain_db: as in `View`. px: longest side of the small pictures."""

    answered_by: ClassVar[str] = "app.diagnostics.pinned_maps"
    pins: tuple[Pin, ...] = ()
    colours: str = "grey"
    normalize: bool = True
    gain_db: float = 0.0
    px: int = 96


@dataclass(frozen=True, eq=False)
class PinnedMap:
    """One of them: RGBA [h, w, 4], averaged down by a whole factor, and the statistics of the whole map (no unit)."""

    pin: Pin
    pixels: Pixels
    statistics: MapStatistics
