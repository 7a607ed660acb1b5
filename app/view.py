"""Tensors -> uint8 RGBA: pictures, feature maps as contact sheets, differences, statistics. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.frame import LayerView, MapStatistics, Pixels
from app.request import View
from networks.plan import LayerInfo

SHEET_PX = 2048  # no sheet is wider or higher; larger maps are averaged down by a whole factor
GAP = 1
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
    little_endian = np.ascontiguousarray(packed.cpu().numpy().astype("<i4", copy=False))
    return little_endian.view(np.uint8).reshape(*packed.shape, 4)


def difference(a: Tensor, b: Tensor, pixel_range: tuple[float, float], gain: float) -> Pixels:
    """a, b [1, C, H, W] in pixel_range -> 255 min(1, gain |a - b| / (white - black)) per colour channel, RGBA.

    Black where the two agree. Alpha is left out.
    """
    low, high = pixel_range
    colours = 1 if a.shape[1] <= 2 else 3
    share = (a[0, :colours] - b[0, :colours]).abs() * (gain / (high - low))
    return to_rgba((share.float() * 255 + 0.5).clamp_(0, 255).floor_())


@dataclass(frozen=True)
class Sheet:
    """How maps are laid out: tiles of `tile` (h, w) px in `columns`, averaged down by `factor`."""

    columns: int
    rows: int
    tile: tuple[int, int]
    factor: int


def lay_out(count: int, size: tuple[int, int], limit: int = SHEET_PX) -> Sheet:
    """Arrange count maps of size (H, W) on a sheet that is about square and at most `limit` px each way."""
    H, W = size
    columns = min(count, max(1, math.ceil(math.sqrt(count * H / W))))
    rows = math.ceil(count / columns)
    largest = max((columns * W) / (limit - GAP * (columns - 1)), (rows * H) / (limit - GAP * (rows - 1)))
    factor = max(1, math.ceil(largest))
    return Sheet(columns, rows, (-(-H // factor), -(-W // factor)), factor)


def layer_view(maps: Tensor, info: LayerInfo, view: View) -> LayerView:
    """maps [1, C, H, W] of a layer (margin kept where the family has one) -> the sheet or the one map to show."""
    channels, H, W = maps.shape[1:]
    if view.channel is not None:
        first = min(max(view.channel, 0), channels - 1)
        count = 1
    else:
        first = min(max(view.first, 0), channels - 1)
        count = min(max(view.count, 1), channels - first)
    chosen = maps[0, first : first + count].float()
    sheet = lay_out(count, (H, W))
    return LayerView(
        pixels=to_rgba(to_bytes(contact_sheet(scaled(chosen, view), sheet)[None])),
        layer=info.name,
        stage=view.stage,
        size=(H, W),
        first=first,
        count=count,
        columns=sheet.columns,
        channels=channels,
        channel=None if view.channel is None else first,
        statistics=statistics(chosen if view.channel is not None else maps[0]),
        tile=sheet.tile,
    )


def scaled(maps: Tensor, view: View) -> Tensor:
    """maps [C, H, W] -> each divided by its own largest magnitude (if asked), then times 10^(gain_db / 20).

    The scale of NVIDIA's visualizer, for single channels: 0 is mid-grey.
    """
    if view.normalize:
        maps = maps / maps.abs().amax(dim=(1, 2), keepdim=True).clamp(1e-8, 1e8)
    return maps * 10 ** (view.gain_db / 20)


def contact_sheet(maps: Tensor, sheet: Sheet, background: float = -1.0) -> Tensor:
    """maps [N, H, W] -> one picture [rows * h + gaps, columns * w + gaps]; gaps and empty places are background."""
    if sheet.factor > 1:
        maps = F.avg_pool2d(maps[None], sheet.factor, ceil_mode=True)[0]
    h, w = sheet.tile
    spare = sheet.rows * sheet.columns - maps.shape[0]
    tiles = F.pad(maps, (0, GAP, 0, GAP, 0, spare), value=background)
    grid = tiles.reshape(sheet.rows, sheet.columns, h + GAP, w + GAP).permute(0, 2, 1, 3)
    return grid.reshape(sheet.rows * (h + GAP), sheet.columns * (w + GAP))[:-GAP, :-GAP]


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
