"""What one drag was: every event of the hand and every picture, with their times. All numbers come from these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.frame import Pixels


@dataclass(frozen=True)
class Event:
    """One movement of the hand: when, and to which point of the seed plane."""

    seconds: float
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as it reached the loop. height: in px. event: number of the event whose point it shows, None for a
    point from before the first. pixels: None where nobody makes a film of it."""

    seconds: float
    height: int
    event: int | None
    complete: bool
    pixels: Pixels | None = None


@dataclass(frozen=True, eq=False)
class Take:
    """A drag, its release and what came after, in seconds from its beginning.

    pictures: in order; the first was there already (its time is not positive). released: when the hand let go.
    seconds: the end.
    """

    events: tuple[Event, ...]
    pictures: tuple[Shown, ...]
    released: float
    seconds: float

    @property
    def dragged(self) -> list[Shown]:
        """The pictures that came while the hand was down."""
        return [picture for picture in self.pictures if 0 < picture.seconds <= self.released]

    @property
    def refined(self) -> list[Shown]:
        """The pictures after the release: what was still on its way, then each finer one up to the full picture."""
        return [picture for picture in self.pictures if picture.seconds > self.released]

    @property
    def heights(self) -> Counter[int]:
        """How often a picture of each height came while the hand was down."""
        return Counter(picture.height for picture in self.dragged)

    @property
    def full_ms(self) -> float:
        """Milliseconds from the release to the full picture of the last point; 0 where it was there before."""
        full = next(p for p in self.pictures if p.complete and p.event == len(self.events) - 1)
        return max(0.0, full.seconds - self.released) * 1000

    def latency_ms(self) -> list[float]:
        """Milliseconds from each event to its picture; events that were never shown are left out."""
        return [ms for ms in latencies(self.events, self.pictures) if ms is not None]

    def at(self, seconds: float) -> Shown:
        """The newest picture at some second."""
        return next(picture for picture in reversed(self.pictures) if picture.seconds <= seconds)

    def numbers(self) -> dict[str, Any]:
        """Everything but the pixels as plain values, columns of equal length; seconds to a microsecond."""
        return {
            "events": {
                "seconds": [round(event.seconds, 6) for event in self.events],
                "x": [round(event.x, 6) for event in self.events],
                "y": [round(event.y, 6) for event in self.events],
                "latency_ms": [None if ms is None else round(ms, 3) for ms in latencies(self.events, self.pictures)],
            },
            "pictures": {
                "seconds": [round(picture.seconds, 6) for picture in self.pictures],
                "height_px": [picture.height for picture in self.pictures],
                "event": [picture.event for picture in self.pictures],
                "complete": [picture.complete for picture in self.pictures],
            },
            "released_s": round(self.released, 6),
            "full_after_release_ms": round(self.full_ms, 3),
            "seconds": round(self.seconds, 6),
        }


def latencies(events: Sequence[Event], pictures: Sequence[Shown]) -> list[float | None]:
    """Milliseconds from each event to the first picture that shows it or a later one; None: never shown."""
    found: list[float | None] = []
    for picture in pictures:
        shown = -1 if picture.event is None else picture.event
        found += [(picture.seconds - events[i].seconds) * 1000 for i in range(len(found), shown + 1)]
    return found + [None] * (len(events) - len(found))
