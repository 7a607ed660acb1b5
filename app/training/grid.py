"""Sample grids: seeded pictures of a generator as one sheet."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from networks.base import Generator
from networks.plan import Noise
from networks.taps import Taps

BATCH = 16


@torch.no_grad()
def sample(
    generator: Generator, count: int, seed: int, psi: float = 1.0, stop_at: int | None = None
) -> NDArray[np.uint8]:
    """`count` pictures from z ~ N(0, 1) of one seed, with the stored noise -> [count, H, W, C] uint8."""
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    device = next(generator.parameters()).device
    taps = None if stop_at in (None, generator.resolution[0]) else Taps(stop_at=stop_at)
    made = []
    for part in torch.split(z, BATCH):
        ws = generator.map(part.to(device), psi=psi)
        made.append(to_uint8(generator.synthesize(ws, taps, Noise("const"), precision="fp32"), generator))
    return np.concatenate(made)


def to_uint8(pictures: Tensor, generator: Generator) -> NDArray[np.uint8]:
    """Pictures [N, C, H, W] in the generator's pixel range -> [N, H, W, C], rounded and clipped."""
    black, white = generator.spec.pixel_range
    scaled = (pictures - black) * (255 / (white - black))
    return scaled.round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Pictures [N, H, W, C] -> one picture, row by row; empty places are white; one channel becomes three."""
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width, channels), 255, dtype=np.uint8)
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    return sheet.repeat(3, axis=2) if channels == 1 else sheet
