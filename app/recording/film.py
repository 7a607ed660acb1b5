"""What can be drawn frame by frame because every frame is known beforehand: a walk, a timeline, a performance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol, Self

from app.recording.performance import Take, take_from_dict, take_to_dict
from app.recording.walk import Walk, walk_from_dict, walk_to_dict
from app.request import RenderRequest
from app.timeline import Timeline, files


class Film(Protocol):
    """A request for every frame, at an exact frame rate."""

    @property
    def fps(self) -> Fraction: ...
    @property
    def count(self) -> int: ...  # frames
    @property
    def request(self) -> RenderRequest: ...  # what it begins with
    @property
    def requests(self) -> tuple[RenderRequest, ...]: ...  # what its frames are made of

    def at(self, frame: int) -> RenderRequest:
        """The request of a frame: the full picture."""

    def seconds_at(self, frame: int) -> float:
        """When a frame is shown."""

    def changed(self, change: Callable[[RenderRequest], RenderRequest]) -> Self:
        """The same made of changed requests."""


def film_to_dict(film: Film) -> dict[str, Any]:
    """Film -> plain JSON values under a key that says its kind."""
    if isinstance(film, Walk):
        return {"walk": walk_to_dict(film)}
    if isinstance(film, Timeline):
        return {"timeline": files.to_dict(film)}
    if isinstance(film, Take):
        return {"performance": take_to_dict(film)}
    raise TypeError(f"{type(film).__name__} is neither a walk, a timeline nor a performance")


def film_from_dict(values: Mapping[str, Any]) -> Film | None:
    """The inverse of `film_to_dict`, among other keys; None where there is none."""
    if values.get("walk") is not None:
        return walk_from_dict(values["walk"])
    if values.get("timeline") is not None:
        return files.from_dict(values["timeline"])
    if values.get("performance") is not None:
        return take_from_dict(values["performance"])
    return None
