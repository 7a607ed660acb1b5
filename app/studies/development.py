"""How a picture came to be: one request drawn with each snapshot of a training run, small."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Study

TILE = 64  # pixels, the longer side of a tile
MAPS = 16  # of a contact sheet, so that they can still be told apart


@dataclass(frozen=True, eq=False)
class Tile:
    """One snapshot's picture and, where the request looks at a layer, its maps; uint8 [TILE, TILE, 4] each.

    problem: why the snapshot could not be drawn, in a sentence; then there is no picture.
    """

    picture: Pixels | None = None
    maps: Pixels | None = None
    problem: str = ""


@dataclass(frozen=True)
class Development(Study):
    """Draw `request` with each checkpoint of `paths`, whatever its own model is. Answer: path -> `Tile`, as they come.

    A contact sheet is drawn with its first `MAPS` maps in the order of their channels, so that tiles can be compared.
    """

    answered_by: ClassVar[str] = "app.diagnostics.development"
    request: RenderRequest
    paths: tuple[str, ...]


Answer = Mapping[str, Tile]
