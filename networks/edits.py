"""Interventions on feature maps: tensors in, tensors out.

In StyleGAN a spike in a map rules its sigma, by which the instance norm divides everything else (Karras et al. 2020,
section 2). A spike therefore acts in two ways: by what it draws, and by what it does to sigma. Two ops part them:
'inpaint_same_norm' takes the spike out of the map but leaves sigma, 'clean_norm' takes it out of sigma but leaves the
map; 'inpaint' does both. What is changed goes on through the norms of later layers, though: 'untouched_norm' holds
them all, and with every norm held a change stays where the convolutions carry it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from networks.plan import DISC_OPS, NORM_OPS, PRE_NORM, Disc, Intervention, LayerInfo

MAD_TO_SIGMA = 1.4826  # MAD of a normal distribution is sigma / 1.4826
EPS = 1e-8  # of the instance norm, added to the mean square
RIM = 1.5  # samples between a disc and the circle it is filled from: no tap of a bilinear sample then lies inside
SERIES_END = 1e-4  # of a Fourier series: what a term must have fallen to before the rest is left out
CHUNK = 1 << 22  # terms that are computed at once: bounds the memory of large discs


class EditError(ValueError):
    """An intervention does not fit the layer that it names: what, where, and the remedy."""


@dataclass(frozen=True)
class Moments:
    """mean, sigma [N, C, 1, 1] that an instance norm shall use; NaN where it shall measure the map that it gets."""

    mean: Tensor
    sigma: Tensor

    def filled(self, x: Tensor) -> Moments:
        """The same, NaN replaced by what x [N, C, H, W] has itself."""
        own = measure(x)
        return Moments(
            torch.where(self.mean.isnan(), own.mean, self.mean), torch.where(self.sigma.isnan(), own.sigma, self.sigma)
        )

    def of(self, rows: Tensor) -> Moments:
        """Those of some channels."""
        return Moments(self.mean[:, rows], self.sigma[:, rows])

    def towards(self, other: Moments, share: float) -> Moments:
        """share 0: these, 1: the other ones."""
        return Moments(torch.lerp(self.mean, other.mean, share), torch.lerp(self.sigma, other.sigma, share))


Change = Callable[[Tensor, Intervention, LayerInfo], Tensor]


def measure(x: Tensor) -> Moments:
    """x [N, C, H, W] -> mean and sigma of each map, as the instance norm of StyleGAN takes them."""
    mean = x.mean(dim=(2, 3), keepdim=True)
    return Moments(mean, ((x - mean).square().mean(dim=(2, 3), keepdim=True) + EPS).sqrt())


def intervene(
    x: Tensor, edit: Intervention, info: LayerInfo, moments: Moments | None = None, untouched: Moments | None = None
) -> tuple[Tensor, Moments | None]:
    """x [N, C, H, W] of a layer and what its norm was told so far -> both after the edit; x itself is not changed.

    The edit must fit the layer (`check`). untouched: of this layer, in a pass without edits, for 'untouched_norm'.
    """
    chosen = range(x.shape[1]) if edit.channels is None else edit.channels
    rows = torch.tensor(chosen, dtype=torch.long, device=x.device)
    part = x if edit.channels is None else x[:, rows]
    if edit.op in NORM_OPS and edit.value != 0:
        unset = torch.full_like(x[:, :, :1, :1], math.nan)
        before = moments or Moments(unset, unset)
        told = _told(part, edit, info, before.of(rows).filled(part), untouched and untouched.of(rows))
        moments = Moments(
            before.mean.index_copy(1, rows, told.mean.to(x.dtype)),
            before.sigma.index_copy(1, rows, told.sigma.to(x.dtype)),
        )
    change = CHANGES.get(edit.op)
    if change is None:
        return x, moments
    changed = change(part, edit, info)
    if edit.channels is None:
        return changed, moments
    x = x.clone()  # which keeps its layout in memory, and with it the rounding of what follows
    x[:, rows] = changed
    return x, moments


def check(edits: Sequence[Intervention], layers: Sequence[LayerInfo]) -> None:
    """Raise EditError where an edit does not fit the layer table."""
    table = {info.name: info for info in layers}
    for edit in edits:
        if edit.layer not in table:
            raise EditError(f"this model has no layer {edit.layer!r} to intervene in; its layers: {', '.join(table)}")
        for name in reached(edit, layers):
            _check(edit, table[name])


def reached(edit: Intervention, layers: Sequence[LayerInfo]) -> tuple[str, ...]:
    """The layers that an edit changes: its own, and with `onward` the later ones."""
    names = [info.name for info in layers]
    later = layers[names.index(edit.layer) + 1 :] if edit.onward else ()
    return (edit.layer, *(info.name for info in later if edit.stage in info.stages and info.kind != "torgb"))


def _check(edit: Intervention, info: LayerInfo) -> None:
    if edit.stage not in info.stages:
        raise EditError(f"{info.name} has no stage {edit.stage!r}; choose {' or '.join(info.stages)}")
    if edit.op in NORM_OPS and edit.stage != PRE_NORM:
        there = "choose stage 'pre_norm'" if PRE_NORM in info.stages else "this layer has none, StyleGAN's layers do"
        raise EditError(f"{info.name}: {edit.op} changes what an instance norm measures; {there}")
    if edit.op in DISC_OPS and edit.disc is None:
        raise EditError(f"{info.name}: {edit.op} needs a disc; give its centre and radius")
    wrong = [channel for channel in edit.channels or () if not 0 <= channel < info.channels]
    if wrong:
        raise EditError(f"{info.name} has maps 0 to {info.channels - 1}; there is no map {wrong[0]}")


def _told(x: Tensor, edit: Intervention, info: LayerInfo, before: Moments, untouched: Moments | None) -> Moments:
    """What the norm of the chosen maps is told: to keep, to take those of another map, or to do nothing."""
    if edit.op == "inpaint_same_norm":
        return before
    if edit.op == "untouched_norm":
        assert untouched is not None, "Generator.synthesize sees to it"
        return before.towards(untouched, edit.value)
    if edit.op == "clean_norm":
        assert edit.disc is not None
        return before.towards(measure(inpainted(x, edit.disc, info.sampling_rate)), edit.value)
    return before.towards(Moments(torch.zeros_like(before.mean), torch.ones_like(before.sigma)), edit.value)


# -- what is done to the maps ------------------------------------------------------------------------------------------


def median(x: Tensor) -> Tensor:
    """x [N, C, H, W] -> the median of each map [N, C, 1, 1]; of an even number the lower of the two in the middle."""
    return x.flatten(2).median(dim=2).values[:, :, None, None]


def clamped_by_mad(x: Tensor, k: float) -> Tensor:
    """Each map cut to its median +- k robust standard deviations, 1.4826 times the median of |x - median|."""
    centre = median(x)
    reach = abs(k) * MAD_TO_SIGMA * median((x - centre).abs())
    return x.clamp(centre - reach, centre + reach)


def inside(size: tuple[int, int], disc: Disc, sampling_rate: float = 0.0) -> Tensor:
    """Which samples of a map of `size` (H, W) lie in the disc, bool [H, W]; at least the one nearest to its centre."""
    column, row, radius = disc.on_map(size, sampling_rate)
    rows, columns = torch.arange(size[0])[:, None] - row, torch.arange(size[1]) - column
    distance = (rows.square() + columns.square()).sqrt()
    return distance <= max(radius, float(distance.min()) + 1e-6)


def inpainted(x: Tensor, disc: Disc, sampling_rate: float = 0.0) -> Tensor:
    """x [N, C, H, W] -> the same with the disc filled by the harmonic function that its rim prescribes.

    It solves Laplace's equation in closed form: with a_n the Fourier coefficients of the values on a circle of radius
    R just outside, u(z) = a_0 + 2 Re sum of a_n (z / R)^n, z = x + i y from the centre. Linear ramps come back exactly.
    Points of the circle beyond the map take the value at its border, or, where that lies in the disc, are bridged along
    the circle. Raises EditError when the disc covers the whole map.
    """
    H, W = x.shape[2:]
    mask = inside((H, W), disc, sampling_rate)
    column, row, radius = disc.on_map((H, W), sampling_rate)
    centre = torch.tensor([column, row], dtype=torch.double)
    points = mask.nonzero().flip(1) - centre  # [K 2] as (x, y)
    radius = max(radius, float(points.norm(dim=1).max())) + RIM
    places = torch.minimum((circle(radius) + centre).clamp(min=0), torch.tensor([W - 1, H - 1]))  # [M 2]
    known = sampled(mask.double()[None, None], places)[0, 0] == 0
    if not known.any():
        raise EditError(f"the disc covers the whole map of {W} x {H} samples; choose a smaller radius or a finer layer")
    rim = bridged(sampled(x.float(), places).cpu(), known)  # [N C M]; few numbers, and complex ones not everywhere
    y = x.clone()
    y[:, :, mask.to(x.device)] = harmonic(rim, points / radius).to(x)
    return y


def harmonic(rim: Tensor, points: Tensor) -> Tensor:
    """rim [N, C, M], values on the unit circle from angle 0 on; points [K, 2] inside -> their values [N, C, K].

    The n-th term falls as |z|^n, so that points far from the circle need few terms: they are taken in rings, each half
    as far from the circle as the one before, up to the term that has fallen to SERIES_END.
    """
    series = torch.fft.rfft(rim, norm="forward")  # [N C M/2+1]
    series[:, :, 1:] *= 2
    distance, angle = points.norm(dim=1), torch.atan2(points[:, 1], points[:, 0])
    ring = (-torch.log2((1 - distance).clamp(min=1e-9, max=1))).floor()  # 1 - distance in (2^-(ring + 1), 2^-ring]
    y = rim.new_empty(*rim.shape[:2], len(points))
    for number in sorted(set(ring.tolist())):
        rows = (ring == number).nonzero()[:, 0]
        terms = torch.arange(min(series.shape[2], 2 + math.ceil(-math.log(SERIES_END) * 2 ** (number + 1))))
        count = CHUNK // len(terms) + 1
        for part in (rows[first : first + count] for first in range(0, len(rows), count)):
            powers = torch.polar(distance[part, None] ** terms, angle[part, None] * terms)  # [k terms]
            y[:, :, part] = (series[:, :, : len(terms)] @ powers.to(series).t()).real
    return y


def bridged(rim: Tensor, known: Tensor) -> Tensor:
    """rim [N, C, M] around a circle -> the same, what is not known [M] interpolated between its neighbours."""
    M = rim.shape[2]
    at = known.nonzero()[:, 0]
    around = torch.cat([at[-1:] - M, at, at[:1] + M])
    place = torch.arange(M, device=rim.device)
    after = torch.searchsorted(around, place)
    before = after - 1
    share = (place - around[before]) / (around[after] - around[before])
    return torch.lerp(rim[:, :, around[before] % M], rim[:, :, around[after] % M], share.to(rim))


def circle(radius: float) -> Tensor:
    """Points [M, 2] = (x, y) on a circle around (0, 0), half a sample apart, float64."""
    count = math.ceil(4 * math.pi * radius)
    angle = torch.arange(count, dtype=torch.double) * (2 * math.pi / count)
    return radius * torch.stack([angle.cos(), angle.sin()], dim=1)


def sampled(x: Tensor, places: Tensor) -> Tensor:
    """x [N, C, H, W] at places [M, 2] = (column, row) inside of the map, interpolated linearly -> [N, C, M]."""
    H, W = x.shape[2:]
    corner = torch.minimum(places.floor(), torch.tensor([max(W - 2, 0), max(H - 2, 0)])).long()
    u, v = (places - corner).to(x).unbind(dim=1)
    column, row = corner.to(x.device).unbind(dim=1)
    right, below = (column + 1).clamp(max=W - 1), (row + 1).clamp(max=H - 1)
    above = torch.lerp(x[:, :, row, column], x[:, :, row, right], u)
    return torch.lerp(above, torch.lerp(x[:, :, below, column], x[:, :, below, right], u), v)


def _filled(x: Tensor, edit: Intervention, info: LayerInfo) -> Tensor:
    assert edit.disc is not None
    return torch.lerp(x, inpainted(x, edit.disc, info.sampling_rate), edit.value)


def _only_disc(x: Tensor, edit: Intervention, info: LayerInfo) -> Tensor:
    assert edit.disc is not None
    H, W = x.shape[2:]
    mask = inside((H, W), edit.disc, info.sampling_rate).to(x.device)
    return torch.where(mask, x, torch.lerp(x, median(x).expand_as(x), edit.value))


CHANGES: dict[str, Change] = {
    "scale": lambda x, edit, info: x * edit.value,
    "shift": lambda x, edit, info: x + edit.value,
    "clamp": lambda x, edit, info: x.clamp(-abs(edit.value), abs(edit.value)),
    "clamp_mad": lambda x, edit, info: clamped_by_mad(x, edit.value),
    "mean": lambda x, edit, info: torch.lerp(x, x.mean(dim=(2, 3), keepdim=True).expand_as(x), edit.value),
    "inpaint": _filled,
    "inpaint_same_norm": _filled,
    "only_disc": _only_disc,
}
