"""Interventions: what the picture would be without them, and how much they change. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.frame import Pixels
from app.studies import Measure


@dataclass(frozen=True)
class Untouched(Measure):
    """The picture without the request's edits, beside the one with them. Answered by a Comparison; None without edits.

    gain: factor on the two pictures of the difference, not on its numbers.
    """

    answered_by: ClassVar[str] = "app.diagnostics.interventions"
    gain: float = 4.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """Both pictures as shown, cut to black and white; arrays are never written again.

    amount: |changed - untouched| of each colour, on black. signed: changed - untouched, its mean over the colours, blue
    where the changed picture is darker, red where it is brighter. Numbers in percent of the way from black to white:
    largest and mean |difference|; inside and outside, its mean in the discs of the edits and elsewhere (None where no
    edit has a disc). changed: percent of the pixels of which a colour moved by at least one of 255 levels.
    complete: False for an early picture.
    """

    untouched: Pixels
    amount: Pixels
    signed: Pixels
    largest: float
    mean: float
    changed: float
    inside: float | None = None
    outside: float | None = None
    complete: bool = True
