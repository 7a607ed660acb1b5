"""The measurements, one file each; the questions they answer are in app/studies/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from app.request import RenderRequest

if TYPE_CHECKING:
    from app.models import Opened
    from app.renderer import Renderer

Point = tuple[str, str]  # (layer, stage)


@dataclass(frozen=True)
class Seen:
    """What a `Measure` may look at: one drawn picture and what was captured on the way.

    image [1, C, H, W] in the generator's own range; maps: those of the asked points that the pass reached, [1, C, H,
    W] each; complete: False for an early picture. `cancelled` goes into every further pass that a measure draws.
    """

    request: RenderRequest
    opened: Opened
    ws: Tensor
    image: Tensor
    maps: Mapping[Point, Tensor]
    complete: bool
    renderer: Renderer
    cancelled: Callable[[], bool] | None = None
