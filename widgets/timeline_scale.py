"""Seconds and pixels of the timeline's track: zoom, scroll, and where the ruler's lines go. No GUI in here."""

from __future__ import annotations

import math
from dataclasses import dataclass

STEPS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
NARROWEST_S = 0.2  # of time over the whole width


@dataclass(frozen=True)
class Scale:
    """`span` seconds from `start` over `width` pixels, with a margin on either side."""

    start: float = 0.0
    span: float = 8.0
    width: float = 100.0
    margin: float = 0.0

    def x(self, seconds: float) -> float:
        """Where a moment is, in pixels."""
        return self.margin + (seconds - self.start) / self.span * self.inner

    def seconds(self, x: float) -> float:
        """The moment at a pixel."""
        return self.start + (x - self.margin) / self.inner * self.span

    @property
    def inner(self) -> float:
        """Pixels without the margins."""
        return max(1.0, self.width - 2 * self.margin)

    def zoomed(self, x: float, factor: float, length: float) -> Scale:
        """factor > 1 shows less; the moment under x stays there. Within a timeline of some length."""
        span = min(max(self.span / factor, NARROWEST_S), length)
        held = self.seconds(x)
        start = held - (x - self.margin) / self.inner * span
        return Scale(start, span, self.width, self.margin).within(length)

    def within(self, length: float) -> Scale:
        """Never scrolled beyond the ends."""
        span = min(self.span, length)
        return Scale(min(max(self.start, 0.0), max(length - span, 0.0)), span, self.width, self.margin)

    def showing(self, seconds: float, length: float) -> Scale:
        """Scrolled, where needed, so that a moment is in sight."""
        if self.start <= seconds <= self.start + self.span:
            return self
        start = seconds - (0.1 if seconds > self.start else 0.9) * self.span
        return Scale(start, self.span, self.width, self.margin).within(length)

    def ticks(self, apart: float) -> tuple[tuple[float, bool], ...]:
        """(second, whether it is named) of the ruler's lines; named ones at least `apart` pixels apart."""
        named = next((step for step in STEPS if step / self.span * self.inner >= apart), STEPS[-1])
        parts = 5 if f"{named:.10f}".rstrip("0")[-1] in "15." else 4
        fine = named / parts
        first, last = math.ceil(self.start / fine - 1e-6), math.floor((self.start + self.span) / fine + 1e-6)
        return tuple((number * fine, number % parts == 0) for number in range(first, last + 1))


def clock(seconds: float) -> str:
    """A moment in words: '0:02.40', with hundredths."""
    hundredths = round(seconds * 100)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def tick_words(seconds: float) -> str:
    """A ruler's name: '2 s', '0.5 s', '1:30'."""
    if seconds >= 60:
        whole = round(seconds)
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{seconds:.4g} s"
