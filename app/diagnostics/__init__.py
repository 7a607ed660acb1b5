"""The measurements, one file each; the questions they answer are in app/studies/."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from app.request import RenderRequest

if TYPE_CHECKING:
    from app.models import Opened
    from app.renderer import Renderer

Point = tuple[str, str]  # (layer, stage)


class Planes(Mapping[Point, Tensor]):
    """Captured maps, handed out as planes (NCHW in memory); `lying` has them as the pass left them, without a copy."""

    def __init__(self, lying: Mapping[Point, Tensor]) -> None:
        self.lying = lying

    def __getitem__(self, point: Point) -> Tensor:
        return self.lying[point].contiguous()

    def __iter__(self) -> Iterator[Point]:
        return iter(self.lying)

    def __len__(self) -> int:
        return len(self.lying)


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
    maps: Planes
    complete: bool
    renderer: Renderer
    cancelled: Callable[[], bool] | None = None
