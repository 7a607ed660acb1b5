"""One layer's maps -> where they spike, how much, and whether the channels agree. Pure functions on tensors.

Saliency (the project's own measure; the paper shows maps and gives no number): with m_c the median of channel c, s_c
the scale of its rest and z_c = (x_c - m_c) / s_c,

    S(p)^2 = exp(mean over c of log(1 + z_c(p)^2)) - 1        [standard deviations]

Where all channels stand k deviations off, S is k. A droplet is in all feature maps; the geometric mean asks for that,
while a root mean square over the channels lets one channel speak for all (an eye that few channels see, a channel that
is flat but for one place).

s_c is the root mean square of the 95 % smallest |x_c - m_c|, divided by what a normal distribution gives (0.871), and
not 1.4826 times the median of |x_c - m_c| (MAD): a picture in front of a flat background has maps of which more than
half hardly vary. There MAD goes to 0 and every eye looks like a spike, while this scale stays that of the picture. A
droplet covers less than 1 % of the map, so that neither scale sees it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.studies.droplets import DropletRule, LayerDroplet, Place
from networks.plan import LayerInfo

KEPT = 0.95  # share of the values, nearest to the median, that the scale is taken from
NORMAL = math.sqrt(0.7588)  # root mean square of N(0, 1) within its central 95 %, +-1.96
SAMPLE_PX = 32  # medians and scales are taken from a grid of at most so many places each way
RING = (2.0, 4.0)  # what surrounds a spot, in radii of its disc
FLOOR = 1e-3  # the scale is at least this share of the standard deviation: channels that are constant but for a spike
BLOCK = 1 << 20  # values looked at in one go, so that they stay in the processor's cache


@dataclass(frozen=True)
class Sums:
    """Per channel [C], of d = x - median: means of d, d^2, d^3, d^4, and the index of the largest |d|."""

    first: Tensor
    second: Tensor
    third: Tensor
    fourth: Tensor
    peak: Tensor


def crop(x: Tensor, info: LayerInfo, resolution: tuple[int, int]) -> Tensor:
    """x [C, H, W] of a layer -> the part that the picture (H, W) shows: StyleGAN3's maps carry a margin around it."""
    wide = info.sampling_rate
    high = wide * resolution[0] / resolution[1]
    left, top = (max(0, round((have - shown) / 2)) for have, shown in ((x.shape[2], wide), (x.shape[1], high)))
    return x[:, top : x.shape[1] - top, left : x.shape[2] - left]


def levels(x: Tensor, sample_px: int = SAMPLE_PX) -> tuple[Tensor, Tensor]:
    """x [C, H, W] -> median [C] and scale [C] of each channel, from a regular grid of samples.

    1024 samples leave 2 % of error in the scale (1 / sqrt(2 n)) and 4 % of the scale in the median (1.25 / sqrt(n)),
    different from channel to channel, so that the saliency, a mean over channels, errs by less.
    """
    steps = [math.ceil(size / sample_px) for size in x.shape[1:]]
    values = x[:, steps[0] // 2 :: steps[0], steps[1] // 2 :: steps[1]].flatten(1)
    centre = values.median(dim=1).values
    away = (values - centre[:, None]).square_()
    kept = max(1, math.floor(KEPT * away.shape[1]))
    limit = away.kthvalue(kept, dim=1).values
    inside = torch.where(away <= limit[:, None], away, 0.0).sum(dim=1) / (away <= limit[:, None]).sum(dim=1)
    return centre, inside.sqrt() / NORMAL


def saliency(x: Tensor, centre: Tensor, scale: Tensor) -> tuple[Tensor, Sums]:
    """x [C, H, W], median and scale [C] -> S [H, W] and the sums of each channel; a few channels at a time.

    A channel whose scale is 0 is divided by FLOOR times its standard deviation; one that does not vary counts as 0.
    """
    C, H, W = x.shape
    logs = x.new_zeros(H * W)
    parts: list[tuple[Tensor, ...]] = []
    step = max(1, BLOCK // (H * W))
    for first in range(0, C, step):
        d = x[first : first + step].flatten(1) - centre[first : first + step, None]
        d2 = d.square()
        sums = (d.mean(dim=1), d2.mean(dim=1), dot(d, d2), dot(d2, d2), d2.argmax(dim=1))
        floor = scale[first : first + step].square().maximum(FLOOR**2 * sums[1])
        weight = torch.where(floor > 0, 1 / floor.clamp_min(torch.finfo(x.dtype).tiny), 0.0)
        logs += d2.mul_(weight[:, None]).log1p_().sum(dim=0)
        parts.append(sums)
    joined = [torch.cat(column) for column in zip(*parts, strict=True)]
    return (logs / C).expm1_().sqrt_().reshape(H, W), Sums(*joined)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Mean over the places of a * b, both [C, P] -> [C]; no product map is written."""
    return torch.bmm(a[:, None], b[:, :, None])[:, 0, 0] / a.shape[1]


def disc(size: tuple[int, int], place: tuple[int, int], radius: float) -> Tensor:
    """Boolean [H, W]: samples whose distance to the sample `place` (row, column) is at most radius."""
    rows = torch.arange(size[0]) - place[0]
    columns = torch.arange(size[1]) - place[1]
    return rows[:, None].square() + columns[None].square() <= radius**2


def fine_spot(S: Tensor, mask: Tensor) -> Place:
    """S [H, W] -> (x, y) in picture widths and heights: the centroid of what rises above half the peak in the disc."""
    H, W = S.shape
    weight = (S - S[mask].amax() / 2).clamp_min(0) * mask
    x = torch.arange(W, device=S.device) + 0.5
    y = torch.arange(H, device=S.device) + 0.5
    total = weight.sum()
    return float((weight.sum(0) * x).sum() / total / W), float((weight.sum(1) * y).sum() / total / H)


def kurtosis(sums: Sums) -> Tensor:
    """E[(x - mean)^4] / var^2 of each channel [C]; 0 where a channel does not vary."""
    m = sums.first
    variance = sums.second - m**2
    fourth = sums.fourth - 4 * m * sums.third + 6 * m**2 * sums.second - 3 * m**4
    return torch.where(variance > 0, fourth / variance.clamp_min(torch.finfo(m.dtype).tiny).square(), 0.0)


def rho(x: Tensor, centre: Tensor, sums: Sums, mask: Tensor) -> Tensor:
    """sigma / sigma without the disc, per channel [C]; 1 where a channel does not vary outside.

    Instance normalization divides by sigma, so that the rest of channel c comes out 1 / rho_c as strong as it would
    without the spike.
    """
    count, inside = mask.numel(), int(mask.sum())
    if inside >= count:
        return torch.ones_like(centre)
    d = x[:, mask] - centre[:, None]
    first = (sums.first * count - d.sum(dim=1)) / (count - inside)
    second = (sums.second * count - d.square().sum(dim=1)) / (count - inside)
    whole, rest = sums.second - sums.first**2, second - first**2
    safe = rest > 1e-6 * sums.second  # less than that is rounding
    return torch.where(safe, whole / torch.where(safe, rest, 1.0), 1.0).clamp_min(0).sqrt()


def layer_droplet(
    x: Tensor, info: LayerInfo, stage: str, resolution: tuple[int, int], rule: DropletRule, map_px: int = 128
) -> LayerDroplet:
    """x [1, C, H, W] of a layer -> its row of the report. A map that does not vary has ratio 0."""
    x = crop(x[0].float(), info, resolution)
    C, H, W = x.shape
    centre, scale = levels(x)
    S, sums = saliency(x, centre, scale)
    place = divmod(int(S.argmax()), W)
    radius = max(rule.radius * H, rule.radius_px)
    mask = disc((H, W), place, radius).to(x.device)
    middle = float(S.median())
    peak = float(S[place])
    alive = sums.second > 0
    energy = float(S[mask].square().sum() / S.square().sum().clamp_min(1e-30))
    agree = float((mask.flatten()[sums.peak] & alive).sum() / alive.sum().clamp_min(1))
    ratio = peak / middle if middle > 0 else 0.0
    ring = disc((H, W), place, RING[1] * radius) & ~disc((H, W), place, RING[0] * radius)
    around = float(S[ring.to(x.device)].median())
    alone = peak / around if around > 0 else 0.0
    return LayerDroplet(
        layer=info.name,
        stage=stage,
        size=(H, W),
        resolution=info.sampling_rate,
        channels=C,
        spot=fine_spot(S, mask) if peak > 0 else ((place[1] + 0.5) / W, (place[0] + 0.5) / H),
        radius=radius / H,
        ratio=ratio,
        agreement=agree,
        prominence=alone,
        energy=energy,
        rho=numbers(rho(x, centre, sums, mask)),
        kurtosis=numbers(kurtosis(sums)),
        saliency=numbers(shrink(S, map_px)),
        hot=ratio > rule.ratio and agree >= rule.agreement and alone > rule.prominence,
    )


def shrink(S: Tensor, limit: int) -> Tensor:
    """S [H, W] -> at most `limit` each way; a cell shows its largest value, so that no spike gets lost."""
    factor = math.ceil(max(S.shape) / limit)
    return S if factor == 1 else F.max_pool2d(S[None, None], factor, ceil_mode=True)[0, 0]


def numbers(values: Tensor) -> np.ndarray:
    """A tensor -> float32 array of its own."""
    return values.detach().float().cpu().numpy().copy()
