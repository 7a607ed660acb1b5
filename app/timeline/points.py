"""The latents between keyframes: straight lines and cubic splines through W, slerp through Z. Plain numbers, no torch.

A point between is a weighted sum of the keyframes' own seeds and files, so it is a plain `Latent`, drawn as any other.
The spline in W is that of the keyframes' ws: a spline through weights is the spline through what they weigh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.errors import InputError
from app.request import Latent
from app.seeds import draw_z
from app.timeline.curves import End, slerp_weights, spline_bends, spline_weights

Way = Literal["linear", "spline", "slerp"]
Space = Literal["w", "z", "rest", "jump"]
NEGLIGIBLE = 1e-6  # weights below this are left out, the rest scaled to the same sum


@dataclass(frozen=True)
class Run:
    """Stretches of one spline: the first keyframe, and the knots' bends (`spline_bends`)."""

    first: int
    bends: np.ndarray


class Points:
    """The way through latents. Stretch i leads from latent i to i + 1, with `loop` the last one to the first."""

    def __init__(self, latents: Sequence[Latent], way: Way, loop: bool, z_dim: int) -> None:
        self.latents, self.way, self.z_dim = tuple(tidy(latent) for latent in latents), way, z_dim
        self.loop = loop and len(latents) > 1
        self.count = len(latents) if self.loop else len(latents) - 1
        self.spaces = tuple(self._space(stretch) for stretch in range(self.count))
        self._runs: dict[int, Run] = {}
        if way == "spline":
            self._find_runs()

    def at(self, stretch: int, share: float) -> Latent:
        """The latent at a share, 0 to 1, of a stretch; what cannot be joined stays until the next keyframe."""
        a, b = self._ends(stretch)
        space = self.spaces[stretch]
        if space in ("rest", "jump"):
            return a
        if space == "z":
            return weighted((a, b), slerp_weights(self.angle(stretch), share), "z")
        if (run := self._runs.get(stretch)) is None:
            return weighted((a, b), (1 - share, share), "w")
        inside = (stretch - run.first) % len(self.latents)
        row = spline_weights(run.bends, inside, share)
        keyframes = [self.latents[(run.first + knot) % len(self.latents)] for knot in range(len(row))]
        return weighted(keyframes, row.tolist(), "w")

    def remark(self, stretch: int) -> str:
        """What is not as it was asked for on a stretch, in words; '' where all is."""
        space = self.spaces[stretch]
        if space == "jump":
            return "the point steps: one end is a blend in Z, the other one lies in W"
        if space == "w" and self.way == "slerp":
            return "the point goes straight through W: slerp needs points of Z, one end lies in W"
        if space == "z" and self.way != "slerp":
            return "the point goes by slerp: one end is a blend in Z"
        return ""

    def angle(self, stretch: int) -> float:
        """Radians between the z of a stretch's two ends."""
        a, b = (self._z(latent) for latent in self._ends(stretch))
        cosine = float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-30))
        return math.acos(min(1.0, max(-1.0, cosine)))

    def _z(self, latent: Latent) -> np.ndarray:
        if self.z_dim < 1:
            raise InputError("slerp needs z_dim, the length of the model's z; open the model first")
        return np.asarray(sum(weight * draw_z(seed, self.z_dim)[0][0] for seed, weight in latent.seeds))

    def _ends(self, stretch: int) -> tuple[Latent, Latent]:
        return self.latents[stretch], self.latents[(stretch + 1) % len(self.latents)]

    def _space(self, stretch: int) -> Space:
        a, b = self._ends(stretch)
        if a == b:
            return "rest"
        spaces = {space_of(a), space_of(b)}
        if spaces == {"w", "z"}:
            return "jump"
        if "w" in spaces:
            return "w"
        return "z" if "z" in spaces or self.way == "slerp" else "w"

    def _find_runs(self) -> None:
        """One spline per unbroken row of stretches through W; it comes to rest beside a stretch that rests."""
        if self.loop and all(space == "w" for space in self.spaces):
            run = Run(0, spline_bends(len(self.latents), "loop"))
            self._runs = dict.fromkeys(range(self.count), run)
            return
        begins = [at for at in range(self.count) if self.spaces[at] == "w" and self._beside(at - 1) != "w"]
        for first in begins:
            length = 1
            while self._beside(first + length) == "w":
                length += 1
            ends = (_end(self._beside(first - 1)), _end(self._beside(first + length)))
            run = Run(first, spline_bends(length + 1, ends))
            self._runs |= {(first + step) % len(self.latents): run for step in range(length)}

    def _beside(self, stretch: int) -> Space | None:
        """The kind of a stretch that may lie beyond the ends."""
        if self.loop:
            return self.spaces[stretch % self.count]
        return self.spaces[stretch] if 0 <= stretch < self.count else None


def _end(beside: Space | None) -> End:
    return "rest" if beside == "rest" else "natural"


def tidy(latent: Latent) -> Latent:
    """The same point with each seed and file once, without those of weight 0."""
    seeds: dict[int, float] = {}
    for seed, weight in latent.seeds:
        seeds[seed] = seeds.get(seed, 0.0) + weight
    files: dict[str, float] = {}
    for path, weight in latent.files:
        files[path] = files.get(path, 0.0) + weight
    kept_seeds = tuple((seed, weight) for seed, weight in seeds.items() if weight)
    kept_files = tuple((path, weight) for path, weight in files.items() if weight)
    if kept_seeds == latent.seeds and kept_files == latent.files:
        return latent
    return Latent(kept_seeds, kept_files, latent.space) if kept_seeds or kept_files else latent


def space_of(latent: Latent) -> Literal["any", "w", "z"]:
    """Where a point lies; a single seed is the same point in both spaces."""
    if not latent.files and len(latent.seeds) == 1 and latent.seeds[0][1] == 1.0:
        return "any"
    return latent.space


def weighted(latents: Sequence[Latent], weights: Sequence[float], space: Literal["w", "z"]) -> Latent:
    """The weighted sum of latents as one latent. In W the weights keep the sum 1."""
    seeds: dict[int, float] = {}
    files: dict[str, float] = {}
    for latent, share in zip(latents, weights, strict=True):
        for seed, weight in latent.seeds:
            seeds[seed] = seeds.get(seed, 0.0) + share * weight
        for path, weight in latent.files:
            files[path] = files.get(path, 0.0) + share * weight
    scale = 1.0
    if space == "w":
        kept = [weight for weight in (*seeds.values(), *files.values()) if abs(weight) >= NEGLIGIBLE]
        scale = 1.0 / sum(kept)
    return Latent(
        tuple((seed, weight * scale) for seed, weight in seeds.items() if abs(weight) >= NEGLIGIBLE),
        tuple((path, weight * scale) for path, weight in files.items() if abs(weight) >= NEGLIGIBLE),
        space,
    )
