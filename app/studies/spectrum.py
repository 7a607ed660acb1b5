"""Power spectra of pictures, as avg_spectra.py of the official StyleGAN3 code takes them (Karras et al. 2021).

Each colour channel loses its mean and is multiplied by a separable Kaiser window whose squares sum to 1; the power
|FFT|^2 is averaged over channels and pictures. Values count in the range -1 (black) to 1 (white), so 0 dB is the level
of white noise with standard deviation 1. Unlike the official script the pictures keep their fractions (rounding to 8
bits adds noise at -53 dB), and the scale is the range, not the deviation of a data set (FFHQ's 69.5 of 255: their
figures are 5.3 dB higher).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from app.request import RenderRequest, to_json
from app.studies import Measure, Study

CURVES = ("across", "diagonal", "radial")
BETA = 8.0  # of the official script
LIVE_PX, STUDY_PX = 512, 1024  # a spectrum is interpolated up to this side
INTERPOLATION = 4  # of the official script, at most


@dataclass(frozen=True)
class PictureSpectrum(Measure):
    """Of the picture on the screen. beta: shape of the Kaiser window, 0 is a rectangle."""

    answered_by: ClassVar[str] = "app.diagnostics.spectrum"
    beta: float = BETA


@dataclass(frozen=True)
class AverageSpectrum(Study):
    """Over `count` latents: seeds first, first + 1, ...; everything else as in the request."""

    answered_by: ClassVar[str] = "app.diagnostics.spectrum"
    request: RenderRequest = field(default_factory=RenderRequest)
    count: int = 100
    first: int = 0
    beta: float = BETA


@dataclass(frozen=True, eq=False)
class Curve:
    """A line through the spectrum: frequency [n] in cycles per picture width, power [n] in dB."""

    frequency: np.ndarray
    power_db: np.ndarray


@dataclass(frozen=True, eq=False)
class Spectrum:
    """power_db: float32 [H p, W p], frequency 0 at [H p // 2, W p // 2], p samples per cycle per picture width.

    across: the horizontal slice (0 degrees) from 0 to half of the pixels; diagonal: the slice at 45 degrees; radial:
    the mean power of rings one cycle wide, before it became dB. size: (H, W) of the pictures.
    """

    power_db: np.ndarray
    across: Curve
    diagonal: Curve
    radial: Curve
    size: tuple[int, int]
    beta: float
    count: int
    total: int

    def curve(self, name: str) -> Curve:
        """One of CURVES."""
        return {"across": self.across, "diagonal": self.diagonal, "radial": self.radial}[name]


def as_json(spectrum: Spectrum, request: RenderRequest, question: AverageSpectrum | None) -> dict[str, Any]:
    """The lines with their units; 0 dB is white noise with standard deviation 1 in -1..1."""
    return {
        "pictures": spectrum.count,
        "first_seed": question.first if question is not None else None,
        "kaiser_beta": spectrum.beta,
        "picture_px": list(spectrum.size[::-1]),
        "request": to_json(request),
        **{
            name: {
                "cycles_per_picture_width": np.round(spectrum.curve(name).frequency, 4).tolist(),
                "power_db": np.round(spectrum.curve(name).power_db, 3).tolist(),
            }
            for name in CURVES
        },
    }
