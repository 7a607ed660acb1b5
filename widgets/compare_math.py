"""The compare view without a GUI: one zoom for pictures of any size, rows of ws as words, the difference of two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from widgets.capture_panel import parse_seeds
from widgets.view_math import Placement

Look = tuple[float, ...] | None  # None: the whole picture, fitted
SAME = 1e-6  # looks that differ by less are the same: the sums of fractions are rounded
MODES = {"side": "Side by side", "wipe": "Wipe", "onion": "Onion", "difference": "Difference"}


def look_of(placement: Placement) -> Look:
    """Width of the picture in screen pixels, and its point in the middle of the view in shares of its sides."""
    if placement.fitted:
        return None
    (width, height), (x, y) = placement.picture, placement.centre
    return placement.zoom * width, x / width, y / height


def same_look(one: Look, other: Look) -> bool:
    """Whether two looks differ by rounding at most."""
    if one is None or other is None:
        return one is other
    return all(abs(a - b) <= SAME * max(1.0, abs(a)) for a, b in zip(one, other, strict=True))


def linked(
    placements: Sequence[Placement], before: Sequence[Look | str], links: Sequence[bool]
) -> tuple[list[Placement], list[Look | str]]:
    """Hand the zoom and pan of the view that the user moved to the views linked with it, in shares of the picture.

    before: the looks after the last call, 'new' for a view that was just linked and takes over the others'. Returns
    the placements and their looks. Pictures of different sizes line up: the same share lies in the same place.
    """
    members = [number for number, link in enumerate(links) if link]
    known = [number for number in members if before[number] != "new"]
    moved = [number for number in known if not same_look(look_of(placements[number]), before[number])]  # type: ignore[arg-type]
    lead = next(iter((*moved, *(known if len(known) < len(members) else ()))), None)
    made = list(placements)
    if lead is not None:
        for number in members:
            if number != lead:
                target = placements[number]
                made[number] = placements[lead].resized(target.view, target.picture)
    return made, [look_of(placement) for placement in made]


def difference(a: np.ndarray, b: np.ndarray, gain: float) -> np.ndarray:
    """a, b uint8 [H, W, 4] -> min(255, gain |a - b|) per colour channel, opaque: black where the two agree."""
    table = np.minimum(255, np.arange(256) * gain + 0.5).astype(np.uint8)
    made = table[np.maximum(a, b) - np.minimum(a, b)]
    made[..., 3] = 255
    return made


def apart(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """a, b uint8 [H, W, 4] -> mean and largest |a - b| of the colours, in levels of 0 to 255."""
    gap = np.maximum(a, b)[..., :3] - np.minimum(a, b)[..., :3]
    return float(gap.mean()), int(gap.max())


def parse_rows(words: str) -> tuple[int, ...] | None:
    """'0-3, 8' -> (0, 1, 2, 3, 8); None when it is no such list."""
    rows = parse_seeds(words)
    return None if rows is None else tuple(sorted(set(rows)))


def unpaired(sizes: Sequence[tuple[int, int] | None]) -> str:
    """Why two pictures cannot lie over each other, in a sentence; '' where they can. sizes: (W, H) of each pane."""
    if len(sizes) != 2:
        return f"Wipe, onion and difference need two panes; here are {len(sizes)}."
    first, second = sizes
    if first is None or second is None:
        return "Wipe, onion and difference need a model in both panes."
    if first != second:
        shown = " and ".join(f"{width} × {height} px" for width, height in (first, second))
        return f"Wipe, onion and difference need two pictures of the same size; here are {shown}."
    return ""
