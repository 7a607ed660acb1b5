"""DiffAugment (Zhao et al. 2020): the same differentiable changes for real and for made pictures."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def color(x: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness +-0.5, saturation times 0 to 2, contrast times 0.5 to 1.5, per picture; x [N, C, H, W]."""
    brightness, saturation, contrast = torch.rand(3, x.shape[0], 1, 1, 1, generator=rng).to(x.device)
    x = x + (brightness - 0.5)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * (2 * saturation)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (x - mean) * (contrast + 0.5)


def translation(x: Tensor, rng: torch.Generator, ratio: float = 0.125) -> Tensor:
    """Shift by whole pixels, up to `ratio` of the size each way; what comes in is 0."""
    N, _, H, W = x.shape
    most = int(H * ratio + 0.5)
    shift = torch.randint(-most, most + 1, (2, N), generator=rng)
    padded = F.pad(x, (most, most, most, most))
    rows = (torch.arange(H)[None] + (shift[0] + most)[:, None]).to(x.device)  # [N H]
    columns = (torch.arange(W)[None] + (shift[1] + most)[:, None]).to(x.device)
    picture = torch.arange(N, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, rng: torch.Generator, ratio: float = 0.5) -> Tensor:
    """Set a square of `ratio` of the size to 0; its centre is uniform over the picture."""
    N, _, H, W = x.shape
    half = int(H * ratio / 2 + 0.5)
    cy, cx = torch.randint(0, H, (2, N, 1), generator=rng)
    rows = ((torch.arange(H)[None] - cy).abs() < half)[:, :, None]
    columns = ((torch.arange(W)[None] - cx).abs() < half)[:, None, :]
    return x * (~(rows & columns))[:, None].to(x.device, x.dtype)


POLICIES: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "color": color, "translation": translation, "cutout": cutout,
}  # fmt: skip


def augment(x: Tensor, policy: tuple[str, ...], rng: torch.Generator) -> Tensor:
    """Apply the named changes in order; an empty policy returns x itself."""
    for name in policy:
        x = POLICIES[name](x, rng)
    return x
