"""Small pictures of many requests, drawn one by one in the background: grids, strips and trays ask for them. No torch.

The module also holds what such pictures are made with: which part of a request decides them, and how they are reduced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from app.frame import Pixels
from app.request import Diagnostic, Latent, Mix, RenderRequest, Truncation, View
from app.studies import Study


@dataclass(frozen=True, eq=False)
class Small:
    """One of the pictures: RGBA, its longer side at most what was asked for; None: not drawn yet, or never.

    complete: drawn to the end, not an early picture. final: nothing better will come of this question. problem: why
    there is no picture, in a sentence.
    """

    pixels: Pixels | None = None
    complete: bool = False
    final: bool = False
    problem: str = ""


NOT_YET = Small()


@dataclass(frozen=True)
class PictureList(Study):
    """Draw these requests, the first ones first. Answer: a tuple of as many `Small`, `NOT_YET` where none is there.

    side: the longer side of a small picture, px. A generator that has early pictures is left at the first resolution
    that is large enough; when all have one, they are drawn again to the end if `exact`, or if that is quick anyway.
    """

    answered_by: ClassVar[str] = "app.diagnostics.picture_list"
    requests: tuple[RenderRequest, ...]
    side: int = 96
    exact: bool = False


def shown_part(request: RenderRequest) -> RenderRequest:
    """What of a request decides the full picture: nothing that only looks at it."""
    return replace(request, view=View(), diagnostic=Diagnostic(), measures=(), max_height=None)


def of_seed(request: RenderRequest, seed: int) -> RenderRequest:
    """The same settings at the point of one seed."""
    return replace(request, latent=Latent(((seed, 1.0),)))


def mixed(request: RenderRequest, source: int, style: int, rows: tuple[int, ...]) -> RenderRequest:
    """The picture of `source` with these rows of ws from `style` (Karras et al. 2019, section 3.1)."""
    return replace(of_seed(request, source), mix=Mix(style, rows) if rows else Mix())


def unmixed(request: RenderRequest, seed: int) -> RenderRequest:
    """A seed's own picture: the same settings without style mixing."""
    return replace(of_seed(request, seed), mix=Mix())


def truncated(request: RenderRequest, psi: float) -> RenderRequest:
    """The same point at another distance from the centre of W; the cutoff stays."""
    return replace(request, truncation=Truncation(psi, request.truncation.cutoff))


def psi_values(count: int, low: float = -1.0, high: float = 1.0) -> tuple[float, ...]:
    """`count` values of psi from low to high, evenly, rounded to hundredths as the slider shows them."""
    return tuple(round(float(value), 2) + 0.0 for value in np.linspace(low, high, count))


def reduced(pixels: Pixels, side: int) -> Pixels:
    """RGBA [H, W, 4] averaged over areas until its longer side is `side`; a smaller one stays as it is.

    Each output pixel is the mean of the area that it covers: an input pixel counts with the share of it that lies
    inside. Colours are weighted by their opacity.
    """
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    rows, columns = (_shares(length, max(1, round(length * scale))) for length in (height, width))
    values = pixels.astype(np.float32)
    opaque = bool((pixels[..., 3] == 255).all())
    if not opaque:
        values[..., :3] *= values[..., 3:] / 255
    values = (rows @ values.reshape(height, -1)).reshape(len(rows), width, 4)
    values = columns @ values  # [h, W, 4] -> [h, w, 4]
    if not opaque:
        values[..., :3] /= np.maximum(values[..., 3:], 1e-3) / 255
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _shares(length: int, size: int) -> np.ndarray:
    """Weights [size, length] of the mean over `size` equal parts of a line of `length` pixels."""
    edges = np.arange(size + 1) * (length / size)
    pixel = np.arange(length)
    inside = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.maximum(inside, 0.0) * (size / length)).astype(np.float32)
