"""Tensors -> uint8 RGBA: pictures, feature maps as contact sheets, differences, statistics. Pure functions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from app import colormaps
from app import sheet as sheets
from app.diagnostics.droplets_map import levels as robust_levels
from app.frame import LayerView, MapStatistics, Pixels
from app.host import to_host
from app.maps import Axes, component_range, components, fit_axes, histogram
from app.request import View
from networks.plan import LayerInfo

OPAQUE = -16777216  # 0xFF000000 as int32


def picture(img: Tensor, pixel_range: tuple[float, float] = (-1.0, 1.0), bgr: bool = False) -> Pixels:
    """img [1, C, H, W] in pixel_range -> RGBA uint8 [H, W, 4], rounded as NVIDIA's tools do: x * 127.5 + 128, cut.

    C 1 is grey, 2 grey and alpha, 3 RGB, 4 RGBA; of more channels the first three are shown.
    """
    values = to_bytes(centred(img[0], pixel_range))
    return to_rgba(values, bgr)


def centred(x: Tensor, pixel_range: tuple[float, float]) -> Tensor:
    """Map (black, white) to (-1, 1); a generator that already has that range keeps its bits."""
    low, high = pixel_range
    return x if (low, high) == (-1.0, 1.0) else (x - low) * (2 / (high - low)) - 1


def to_bytes(x: Tensor) -> Tensor:
    """x in -1..1 -> whole float32 numbers in 0..255, the same shape."""
    return (x.float() * 127.5).add_(128).clamp_(0, 255).floor_()


def to_rgba(values: Tensor, bgr: bool = False) -> Pixels:
    """values [C, H, W], whole floats in 0..255 -> uint8 [H, W, 4], packed as one 32-bit word per pixel.

    The sum R + 256 G + 65536 B stays below 2^24, so float32 holds it exactly.
    """
    planes = list(values)
    if len(planes) <= 2:
        planes = [planes[0]] * 3 + planes[1:]
    red, green, blue = planes[2::-1] if bgr else planes[:3]
    packed = torch.add(red, green, alpha=256).add_(blue, alpha=65536).to(torch.int32)
    packed = packed.add_(planes[3].to(torch.int32) << 24) if len(planes) == 4 else packed.add_(OPAQUE)
    little_endian = np.ascontiguousarray(to_host(packed).astype("<i4", copy=False))
    return little_endian.view(np.uint8).reshape(*packed.shape, 4)


def difference(a: Tensor, b: Tensor, pixel_range: tuple[float, float], gain: float) -> Pixels:
    """a, b [1, C, H, W] in pixel_range -> 255 min(1, gain |a - b| / (white - black)) per colour channel, RGBA.

    Black where the two agree. Alpha is left out.
    """
    low, high = pixel_range
    colours = 1 if a.shape[1] <= 2 else 3
    share = (a[0, :colours] - b[0, :colours]).abs() * (gain / (high - low))
    return to_rgba((share.float() * 255 + 0.5).clamp_(0, 255).floor_())


def layer_view(
    maps: Tensor, info: LayerInfo, view: View, untouched: Tensor | None = None, axes: Axes | None = None
) -> LayerView:
    """maps [1, C, H, W] of a layer (margin kept where the family has one) -> what the view wants to see of them.

    untouched: the same maps without edits, for the sort 'response'. axes: of the principal components; fitted on these
    maps where they are wanted and not given.
    """
    maps = maps.float()
    if view.mode == "pca":
        return _components(maps, info, view, axes or fit_axes(maps))
    if view.mode == "rgb":
        return _three(maps, info, view)
    return _sheet(maps, info, view, untouched) if view.channel is None else _large(maps, info, view)


def _sheet(maps: Tensor, info: LayerInfo, view: View, untouched: Tensor | None) -> LayerView:
    channels, H, W = maps.shape[1:]
    values, step = sheets.sampled(maps)
    tiles, together = sheets.tile_statistics(values, step)
    bare = None if untouched is None else sheets.sampled(untouched.float())[0]
    score = droplet_scores(maps, info) if view.sort == "droplet" else sheets.scores(view.sort, tiles, values, bare)
    order = sheets.order(score, view, channels)
    first = min(max(view.first, 0), channels - 1)
    count = min(max(view.count, 1), channels - first)
    chosen = order[first : first + count]
    plan = sheets.lay_out(count, (H, W))
    shown = sheets.averaged(maps, plan.factor)  # all of them: to choose among bytes is quicker
    low, high = shown.amin((2, 3))[0].cpu().numpy(), shown.amax((2, 3))[0].cpu().numpy()
    low, high = sheets.ends(low, high, view, signed(view))
    index = sheets.atlas(_rows(sheets.levels(shown, low, high)[0], chosen), plan)
    return LayerView(
        pixels=paint(index, view.colours),
        layer=info.name,
        stage=view.stage,
        size=(H, W),
        first=first,
        count=count,
        columns=plan.columns,
        channels=channels,
        channel=None,
        statistics=together,
        tile=plan.tile,
        order=tuple(order.tolist()),
        tiles=tiles,
        scores=score,
        bar=bar(view.colours),
        ends=None if view.normalize else (float(low[0]), float(high[0])),
        margin=margin(info),
    )


def _rows(maps: Tensor, channels: np.ndarray) -> Tensor:
    """maps [C, h, w] -> [N, h, w] in another order; no copy where the order is that of the maps."""
    if np.array_equal(channels, np.arange(maps.shape[0])):
        return maps
    return maps.contiguous().index_select(0, torch.from_numpy(channels).to(maps.device))


def _large(maps: Tensor, info: LayerInfo, view: View) -> LayerView:
    channel = min(max(view.channel or 0, 0), maps.shape[1] - 1)
    values = _numbers(maps[0, channel])
    found = statistics(torch.from_numpy(values)[None])
    low, high = sheets.ends(np.array([found.minimum]), np.array([found.maximum]), view, signed(view))
    index = sheets.levels(torch.from_numpy(values)[None, None], low, high)[0, 0].numpy()
    view_ = _whole(maps, info, view, paint(index, view.colours), values, found)
    ends = (float(low[0]), float(high[0]))
    return replace(view_, channel=channel, histogram=histogram(values), ends=ends, bar=bar(view.colours))


def _three(maps: Tensor, info: LayerInfo, view: View) -> LayerView:
    chosen = [min(max(channel, 0), maps.shape[1] - 1) for channel in view.rgb]
    values = np.stack([_numbers(maps[0, channel]) for channel in chosen])
    low, high = sheets.ends(values.min((1, 2)), values.max((1, 2)), view, True)
    view_ = _whole(maps, info, view, _rgb(torch.from_numpy(values), low, high), values, statistics(_cpu(values)))
    return replace(view_, order=tuple(chosen))


def _components(maps: Tensor, info: LayerInfo, view: View, axes: Axes) -> LayerView:
    found = components(maps, axes)
    low, high = (end / 10 ** (view.gain_db / 20) for end in component_range(axes))
    values = _numbers(found)
    view_ = _whole(maps, info, view, _rgb(found, low, high), values, statistics(_cpu(values)))
    return replace(view_, explained=axes.explained)


def _rgb(three: Tensor, low: np.ndarray, high: np.ndarray) -> Pixels:
    """three [3, H, W] and the ends of their colours [3] -> RGBA."""
    return to_rgba(sheets.levels(three[None], low, high)[0].float())


def _whole(
    maps: Tensor, info: LayerInfo, view: View, pixels: Pixels, values: np.ndarray, found: MapStatistics
) -> LayerView:
    """A view of whole maps, one value for each pixel."""
    H, W = maps.shape[2:]
    return LayerView(
        pixels, info.name, view.stage, (H, W), 0, 1, 1, maps.shape[1], None, found, (H, W), view.mode, values=values,
        margin=margin(info),
    )  # fmt: skip


def _numbers(x: Tensor) -> np.ndarray:
    """float32 array of its own, so that it does not keep the whole layer alive."""
    return np.array(x.cpu().numpy(), order="C", copy=True)


def _cpu(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values)


def droplet_scores(maps: Tensor, info: LayerInfo) -> np.ndarray:
    """maps [1, C, H, W] -> peak of the robust z of each map, float32 [C]: max |x - median| / scale (no unit).

    Median and scale are those of the droplet panel (app/diagnostics/droplets_map.py); StyleGAN3's margin is left out.
    """
    rows, columns = (round(side) for side in margin(info))
    H, W = maps.shape[2:]
    inner = maps[:, :, rows : H - rows, columns : W - columns]
    centre, scale = robust_levels(inner[0])
    peak = torch.maximum(inner.amax((2, 3))[0] - centre, centre - inner.amin((2, 3))[0])
    return torch.where(scale > 0, peak / scale.clamp_min(1e-30), 0.0).cpu().numpy()


def margin(info: LayerInfo) -> tuple[float, float]:
    """Samples (rows, columns) of a layer's map beyond each edge of the picture: alias-free maps are larger than it."""
    if info.sampling_rate <= 0:
        return (0.0, 0.0)
    beyond = max(0.0, (info.size[1] - info.sampling_rate) / 2)
    return (beyond, beyond)


def signed(view: View) -> bool:
    """Whether 0 lies in the middle of the colours: grey (as in NVIDIA's visualizer) and the diverging maps."""
    return view.colours == "grey" or view.colours in colormaps.DIVERGING


def paint(index: np.ndarray, colours: str) -> Pixels:
    """uint8 [H, W] -> RGBA [H, W, 4]: level 0 is black, 1 to 255 the colours."""
    words = palette(colours).view(np.uint32)[:, 0]
    return np.take(words, index, mode="wrap").view(np.uint8).reshape(*index.shape, 4)


def palette(colours: str) -> np.ndarray:
    """uint8 RGBA [256, 4] of a colour map; level 0, which no value takes, is black."""
    table = colormaps.table(colours).copy()
    table[sheets.EMPTY] = (0, 0, 0, 255)
    return table


def bar(colours: str) -> Pixels:
    """The colours that values take, from left to right: RGBA [1, 255, 4]."""
    return np.ascontiguousarray(palette(colours)[None, 1:])


def statistics(maps: Tensor) -> MapStatistics:
    """maps [C, H, W] -> mean, standard deviation, extremes and kurtosis over all values.

    Kurtosis = E[(x - mean)^4] / var^2: 3 for normal values, far above where a few pixels hold the energy. Sums are
    float64 (float32 on MPS, which has no other), channel by channel, so that no copy of the whole layer is made.
    """
    wide = torch.float32 if maps.device.type == "mps" else torch.float64
    low, high = torch.aminmax(maps)
    mean = maps.sum(dtype=wide) / maps.numel()
    second = torch.zeros((), dtype=wide, device=maps.device)
    fourth = torch.zeros_like(second)
    for channel in maps:
        square = (channel.float() - mean.float()).square_()
        second += square.sum(dtype=wide)
        fourth += square.square_().sum(dtype=wide)
    variance = float(second) / maps.numel()
    kurtosis = float(fourth) / maps.numel() / variance**2 if variance > 0 else 0.0
    return MapStatistics(float(mean), math.sqrt(variance), float(low), float(high), kurtosis)
