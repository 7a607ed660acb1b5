"""Colour maps: numbers -> RGBA. Tables of assets/colormaps; no torch, no GUI.

'viridis', 'magma', 'inferno' for amounts (dark is little), 'berlin' (dark middle) and 'vik' (light middle) for what has
a sign: there 0 belongs in the middle of the range. All of them are perceptually uniform. 'grey' is no map.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent.parent / "assets" / "colormaps"
NAMES = ("viridis", "magma", "inferno", "berlin", "vik", "grey")
DIVERGING = ("berlin", "vik")
LEVELS = 256


@lru_cache(maxsize=len(NAMES))
def table(name: str) -> np.ndarray:
    """uint8 RGBA [256, 4] of a map, the lowest value first; raises ValueError for a name that is not in NAMES."""
    if name not in NAMES:
        raise ValueError(f"there is no colour map {name!r}; choose one of {', '.join(NAMES)}")
    if name == "grey":
        rgb = np.repeat(np.arange(LEVELS, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        rgb = np.loadtxt(FOLDER / f"{name}.csv", dtype=np.uint8, delimiter=",")
    rgba = np.full((LEVELS, 4), 255, np.uint8)
    rgba[:, :3] = rgb
    rgba.flags.writeable = False
    return rgba


def colourize(values: np.ndarray, low: float, high: float, name: str = "viridis") -> np.ndarray:
    """values [H, W] of any real type -> uint8 RGBA [H, W, 4]: low and below the first colour, high and above the last.

    Value v gets level floor(256 (v - low) / (high - low)). What is not a number gets the first colour. Raises
    ValueError where high is not above low.
    """
    if not high > low:
        raise ValueError(f"colours from {low:g} to {high:g}: the upper end must lie above the lower")
    levels = (np.asarray(values, np.float32) - np.float32(low)) * np.float32(LEVELS / (high - low))
    levels = np.clip(np.nan_to_num(levels, nan=0.0, posinf=LEVELS, neginf=0.0), 0, LEVELS - 1).astype(np.uint8)
    words = table(name).view(np.uint32)[:, 0]  # one look-up per pixel, not four
    return np.ascontiguousarray(words[levels]).view(np.uint8).reshape(*levels.shape, 4)
