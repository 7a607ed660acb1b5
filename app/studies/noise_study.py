"""What the noise inputs change: the spread of each pixel over many draws (Karras et al. 2019, section 3.2, Fig. 4c).

The latent stays, the noise is drawn anew from N(0, 1): for all layers at once, and for one layer at a time while the
others keep the maps that the checkpoint stores. Strengths and switched-off layers are those of the request; its mode
and seed are not used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from app.frame import Pixels
from app.request import RenderRequest, to_json
from app.studies import Study

ALL = ""  # the layer name of the row where every layer's noise is drawn
NO_NOISE = "This generator has no noise inputs: the same latent always gives the same picture."


@dataclass(frozen=True)
class NoiseSpread(Study):
    """`draws` pictures for the whole, and as many for each layer with noise (by_layer), with seeds first, first + 1,
    ... of the noise; at least 2 draws."""

    answered_by: ClassVar[str] = "app.diagnostics.noise_study"
    request: RenderRequest = field(default_factory=RenderRequest)
    draws: int = 16
    first: int = 0
    by_layer: bool = True


@dataclass(frozen=True, eq=False)
class LayerSpread:
    """What the noise of one layer changes (layer ALL: of every layer). size: (H, W) of its noise map.

    spread: float32 [H, W], the standard deviation (n - 1 in the denominator) of each pixel over the draws, as the root
    of the mean variance of its colour channels, in % of the range from black to white. mean, largest: of the spread,
    over pixels.
    """

    layer: str
    size: tuple[int, int]
    draws: int
    mean: float
    largest: float
    spread: np.ndarray


@dataclass(frozen=True, eq=False)
class NoiseAnswer:
    """rows: the whole first, then layer by layer, as far as the study came (the last one may have fewer draws).
    picture: with the stored noise."""

    picture: Pixels
    rows: tuple[LayerSpread, ...]
    draws: int


def layer_name(layer: str) -> str:
    """The words before a bar."""
    return layer or "all layers"


def as_json(answer: NoiseAnswer, question: NoiseSpread) -> dict[str, Any]:
    """The numbers with their units; the maps themselves are pictures."""
    return {
        "what": "standard deviation of pixels over draws of the noise, in percent of the range from black to white",
        "first_noise_seed": question.first,
        "layers": [
            {
                "layer": layer_name(row.layer),
                "noise_size_px": list(row.size[::-1]),
                "draws": row.draws,
                "mean_percent": row.mean,
                "largest_percent": row.largest,
                "median_percent": float(np.median(row.spread)),
            }
            for row in answer.rows
        ],
        "request": to_json(question.request),
    }
