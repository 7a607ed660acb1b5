"""z of a seed, as NVIDIA's tools draw it. No torch here: the window's own thread may ask as well."""

from __future__ import annotations

import numpy as np

from app.errors import InputError

MAX_SEED = 2**32 - 1


def draw_z(seed: int, z_dim: int) -> tuple[np.ndarray, np.random.RandomState]:
    """Return z [1, z_dim] of a seed and the stream after it, as NVIDIA's tools draw it."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is outside 0 to {MAX_SEED}")
    stream = np.random.RandomState(seed)
    return stream.randn(1, z_dim), stream
