"""Small pictures of pinned maps, from the pass that draws the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from app import sheet, view
from app.diagnostics import Point, Seen
from app.request import View
from app.studies.pinned_maps import Pin, PinnedMap, PinnedMaps
from networks.plan import LayerInfo


def points(question: PinnedMaps, layers: Sequence[LayerInfo]) -> list[Point]:
    """Where the pinned maps are taken, also those that this model lacks (they are not captured)."""
    return [(pin.layer, pin.stage) for pin in question.pins]


def measure(question: PinnedMaps, seen: Seen) -> tuple[PinnedMap, ...]:
    """The pinned maps that this picture has."""
    return tuple(
        small(pin, maps[:, pin.channel : pin.channel + 1].float(), question)
        for pin in question.pins
        if (maps := seen.maps.lying.get((pin.layer, pin.stage))) is not None and pin.channel < maps.shape[1]
    )


def small(pin: Pin, one: torch.Tensor, question: PinnedMaps) -> PinnedMap:
    """one [1, 1, H, W] -> its small picture, scaled as the sheet scales its tiles."""
    one = one.contiguous().cpu()
    tile = sheet.averaged(one, sheet.lay_out(1, (one.shape[2], one.shape[3]), question.px).factor)
    looked = View(colours=question.colours, normalize=question.normalize, gain_db=question.gain_db)
    low, high = sheet.ends(np.array([float(tile.min())]), np.array([float(tile.max())]), looked, view.signed(looked))
    pixels = view.paint(sheet.levels(tile, low, high)[0, 0].numpy(), question.colours)
    return PinnedMap(pin, pixels, view.statistics(one[0]))
