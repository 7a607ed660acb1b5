"""Layers' spikes -> a verdict, and many verdicts -> which seeds lack what the others have. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from app.studies.droplets import DropletRule, DropletVerdict, LayerDroplet, Place, SeedDroplet

POPULATION = 8  # so many seeds at least, before one may be called an exception
COMMON = 0.5  # share of the seeds that must be flagged before lacking it means something
FAINT = 0.5  # a missing one is weaker than this share of the median strength


def distance(a: Place, b: Place, aspect: float) -> float:
    """How far two places are apart, in picture heights; aspect: width / height."""
    return math.hypot((a[0] - b[0]) * aspect, a[1] - b[1])


def judge(layers: Sequence[LayerDroplet], rule: DropletRule, aspect: float = 1.0) -> DropletVerdict:
    """Layers from coarse to fine -> the verdict.

    A chain takes one layer from each of `rule.resolutions` resolutions that follow each other; its layers pass the
    rule's agreement and prominence and lie at the same place from step to step. Its strength is the smallest ratio in
    it. The verdict is about the strongest chain.
    """
    if not layers:
        return DropletVerdict(False, 0.0, text="No layer was measured.")
    steps = sorted({layer.resolution for layer in layers if min(layer.size) >= rule.from_px})
    best: tuple[float, tuple[LayerDroplet, ...]] = (0.0, ())
    for first in range(len(steps) - rule.resolutions + 1):
        chains: list[tuple[float, tuple[LayerDroplet, ...]]] = [(math.inf, ())]
        for resolution in steps[first : first + rule.resolutions]:
            ready = [row for row in layers if row.resolution == resolution and stands_alone(row, rule)]
            chains = [
                (min(strength, row.ratio), (*chain, row))
                for strength, chain in chains
                for row in ready
                if not chain or distance(chain[-1].spot, row.spot, aspect) <= same_place(chain[-1], row, rule)
            ]
        best = max([best, *chains], key=lambda found: found[0])
    strength, chain = best
    loudest = max(layers, key=lambda row: row.ratio)
    if strength <= rule.ratio:
        return DropletVerdict(False, strength, strongest=loudest.layer, text=_why_not(loudest, strength, rule))
    run = extend(chain, layers, rule, aspect)
    top = max(run, key=lambda row: row.ratio)
    sizes = tuple(sorted({round(row.resolution) for row in run}))
    spot = (median(row.spot[0] for row in run), median(row.spot[1] for row in run))  # layers wander by a sample
    text = (
        f"Droplet at x {spot[0]:.0%}, y {spot[1]:.0%} of the picture, from {sizes[0]} to {sizes[-1]} px: "
        f"{top.ratio:.1f} x the median in {top.layer}, {top.agreement:.0%} of its channels agree."
    )
    return DropletVerdict(True, strength, spot, tuple(row.layer for row in run), sizes, top.layer, text)


def stands_alone(row: LayerDroplet, rule: DropletRule) -> bool:
    """Whether a layer's channels agree on a small spot, however high it is."""
    return row.agreement >= rule.agreement and row.prominence > rule.prominence


def same_place(a: LayerDroplet, b: LayerDroplet, rule: DropletRule) -> float:
    """How far the spots of two layers may be apart, in picture heights: the rule's, or one coarse sample."""
    return max(rule.same_place, 1 / min(a.size[0], b.size[0]))


def extend(
    chain: Sequence[LayerDroplet], layers: Sequence[LayerDroplet], rule: DropletRule, aspect: float
) -> tuple[LayerDroplet, ...]:
    """All layers that pass the rule's ratio and agreement at the place of a chain, without a gap in resolution."""
    anchor = chain[-1]
    near = [
        row
        for row in layers
        if row in chain or (row.hot and distance(row.spot, anchor.spot, aspect) <= same_place(row, anchor, rule))
    ]
    steps = sorted({row.resolution for row in layers})
    has = {row.resolution for row in near}
    low = high = steps.index(anchor.resolution)
    while low > 0 and steps[low - 1] in has:
        low -= 1
    while high + 1 < len(steps) and steps[high + 1] in has:
        high += 1
    return tuple(row for row in near if row.resolution in steps[low : high + 1])


def mark(layers: Sequence[LayerDroplet], verdict: DropletVerdict) -> tuple[LayerDroplet, ...]:
    """The layers, with those of the verdict's run marked."""
    return tuple(replace(row, in_run=row.layer in verdict.layers) for row in layers)


def _why_not(loudest: LayerDroplet, strength: float, rule: DropletRule) -> str:
    top = f"the strongest peak is {loudest.ratio:.1f} x the median in {loudest.layer}"
    if loudest.ratio <= rule.ratio:
        return f"No droplet: {top}; a droplet has more than {rule.ratio:g}."
    if loudest.agreement < rule.agreement:
        return f"No droplet: {top}, but only {loudest.agreement:.0%} of its channels peak there."
    if loudest.prominence <= rule.prominence:
        return f"No droplet: {top}, but it is wide, only {loudest.prominence:.1f} x what surrounds it."
    shared = f"share {strength:.1f} x at one place" if strength > 0 else "pass the whole rule at no common place"
    return f"No droplet: {top}, but {rule.resolutions} resolutions in a row {shared}."


def mark_missing(rows: Sequence[SeedDroplet]) -> tuple[SeedDroplet, ...]:
    """The rows, with those marked that lack the droplet that the others have.

    Only where at least 8 seeds are known and half of them are flagged; then a seed that is not flagged and whose
    strength is below half of the median strength is missing its droplet.
    """
    common = len(rows) >= POPULATION and sum(row.flag for row in rows) >= COMMON * len(rows)
    limit = FAINT * median(row.strength for row in rows) if common else 0.0
    return tuple(replace(row, missing=common and not row.flag and row.strength < limit) for row in rows)
