"""All maps of a layer on one picture: averaged down, sorted, scaled, laid out in tiles; and what is known of each.

Maps come as they lie in memory (planes, or channels innermost): everything here is written so that neither is copied
as a whole, for a copy of 32 maps of 1024x1024 alone takes several times as long as the whole sheet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.frame import MapStatistics, TileStatistics
from app.request import Sort, View

SHEET_PX = 2048  # no sheet is wider or higher; larger maps are averaged down by a whole factor
GAP = 1
SAMPLES = 1 << 21  # values that the statistics of a whole layer are taken from: 512 maps of 64x64 are taken whole
FLAT = 1e-4  # a map whose values differ by less than this share of them is shown as one colour
EMPTY, MIDDLE, REACH = 0, 128.5, 127.0  # levels: gaps are 0, values -1..1 are 1..255 and 0 is exactly 128


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


def averaged(maps: Tensor, factor: int) -> Tensor:
    """maps [1, C, H, W] -> means of factor x factor values, [1, C, ceil(H / factor), ceil(W / factor)]."""
    if factor == 1:
        return maps
    if maps.device.type != "cpu" or not maps.is_contiguous():
        return F.avg_pool2d(maps, factor, ceil_mode=True)
    C, H, W = maps.shape[1:]  # planes: torch's own pooling takes half as long again as slices that are added
    h, w = H // factor, W // factor
    small = maps.new_empty(1, C, -(-H // factor), -(-W // factor))
    rows = added(maps[0, :, : h * factor].view(C, h, factor, W), 2)
    small[0, :, :h, :w] = added(rows[:, :, : w * factor].view(C, h, w, factor), 3).div_(factor**2)
    if h * factor < H:
        small[:, :, h:] = F.avg_pool2d(maps[:, :, h * factor :], (H - h * factor, factor), ceil_mode=True)
    if w * factor < W:
        small[:, :, :h, w:] = F.avg_pool2d(maps[:, :, : h * factor, w * factor :], (factor, W - w * factor))
    return small


def added(x: Tensor, dim: int) -> Tensor:
    """The sum over one short dimension, slice by slice."""
    first, *others = x.unbind(dim)
    total = first + others[0]
    for other in others[1:]:
        total += other
    return total


def sampled(maps: Tensor) -> tuple[Tensor, int]:
    """maps [1, C, H, W] -> (every step-th row and column, so that no more than SAMPLES values remain; step)."""
    step = max(1, math.ceil(math.sqrt(maps.numel() / SAMPLES)))
    if step == 1:
        return maps, 1
    planes = maps.is_contiguous()
    layout = torch.contiguous_format if planes else torch.channels_last
    return maps[:, :, step // 2 :: step, step // 2 :: step].contiguous(memory_format=layout), step


def tile_statistics(values: Tensor, step: int) -> tuple[TileStatistics, MapStatistics]:
    """values [1, C, h, w], every step-th row and column of a layer -> statistics of each map, and of all together.

    Kurtosis = E[(x - mean)^4] / var^2: 3 for normal values, 0 for a map that is constant. The layer's moments follow
    from those of the maps: with d = mean of a map - mean of all, m4 = E[m4 + 4 m3 d + 6 m2 d^2 + d^4].
    """
    plane = (2, 3)
    means = values.mean(plane, keepdim=True)
    away = values - means
    square = away * away
    moments = [square.mean(plane), away.mul_(square).mean(plane), square.mul_(square).mean(plane)]
    columns = torch.stack([means.flatten(), values.amin(plane)[0], values.amax(plane)[0], *(m[0] for m in moments)])
    mean, low, high, m2, m3, m4 = columns.cpu().numpy()
    each = TileStatistics(mean, np.sqrt(m2), low, high, ratio(m4, m2**2), step)
    mean, m2, m3, m4 = (column.astype(np.float64) for column in (mean, m2, m3, m4))
    d = mean - mean.mean()
    variance = float((m2 + d**2).mean())
    fourth = float((m4 + 4 * m3 * d + 6 * m2 * d**2 + d**4).mean())
    kurtosis = fourth / variance**2 if variance > 0 else 0.0
    return each, MapStatistics(float(mean.mean()), math.sqrt(variance), float(low.min()), float(high.max()), kurtosis)


def ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)


def scores(sort: Sort, tiles: TileStatistics, values: Tensor, untouched: Tensor | None) -> np.ndarray | None:
    """What the sheet is sorted by, float32 [C], without unit; None by number.

    'variance' and 'energy' (mean square) of each map; 'response' = mean |map - untouched map| where the edits act,
    0 without edits. values, untouched [1, C, h, w]: the same samples of the layer with and without them.
    """
    if sort == "variance":
        return tiles.std**2
    if sort == "energy":
        return tiles.std**2 + tiles.mean**2
    if sort == "response":
        if untouched is None:
            return np.zeros_like(tiles.mean)
        return (values - untouched).abs_().mean((2, 3))[0].cpu().numpy()
    return None


def order(score: np.ndarray | None, view: View, channels: int) -> np.ndarray:
    """Channels in the order of their places [C]: the largest score first, equals and what is no number by index.

    An order that the view holds comes first, as far as the layer has such channels; the others follow.
    """
    places = np.arange(channels) if score is None else np.argsort(-score, kind="stable")
    if not view.held:
        return places
    held = np.array([channel for channel in dict.fromkeys(view.held) if 0 <= channel < channels], np.int64)
    return np.concatenate([held, places[~np.isin(places, held)]])


def ends(low: np.ndarray, high: np.ndarray, view: View, signed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each map -> the values at the two ends of the colours, each [C].

    signed: 0 in the middle, the ends at +-(largest magnitude); else from the smallest to the largest value. Gain
    divides the span by 10^(gain_db / 20). Without `normalize` the ends are +-1 over that factor, for all maps.
    """
    factor = 10 ** (view.gain_db / 20)
    low, high = low.astype(np.float64), high.astype(np.float64)
    reach = np.clip(np.maximum(np.abs(low), np.abs(high)), 1e-8, 1e8)
    if not view.normalize:
        return np.full_like(low, -1 / factor), np.full_like(high, 1 / factor)
    if signed:
        return -reach / factor, reach / factor
    return low, low + np.maximum(high - low, FLAT * reach) / factor


def levels(maps: Tensor, low: np.ndarray, high: np.ndarray) -> Tensor:
    """maps [1, C, h, w] and the ends of their colours [C] -> uint8 of the same shape, 1 (low) to 255 (high)."""
    half = (high - low) / 2
    scale = REACH / half
    shift = MIDDLE - (low + half) * scale
    columns = torch.from_numpy(np.stack([scale, shift]).astype(np.float32)).to(maps.device)[:, None, :, None, None]
    return torch.addcmul(columns[1], maps, columns[0]).clamp_(1, 255).to(torch.uint8)


def atlas(tiles: Tensor, sheet: Sheet) -> np.ndarray:
    """tiles uint8 [N, h, w] -> one picture uint8 [rows * h + gaps, columns * w + gaps]; gaps, empty places: EMPTY."""
    (h, w), (rows, columns) = sheet.tile, (sheet.rows, sheet.columns)
    grid = torch.full((rows, h + GAP, columns, w + GAP), EMPTY, dtype=torch.uint8, device=tiles.device)
    full = tiles.shape[0] // columns
    grid[:full, :h, :, :w] = tiles[: full * columns].reshape(full, columns, h, w).permute(0, 2, 1, 3)
    if full < rows:
        rest = tiles[full * columns :]
        grid[full, :h, : rest.shape[0], :w] = rest.permute(1, 0, 2)
    return grid.reshape(rows * (h + GAP), columns * (w + GAP))[:-GAP, :-GAP].cpu().numpy()
