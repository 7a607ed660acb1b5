"""A timeline while it is being edited: it may be without keyframes, and every edit gives another one. No GUI.

Edits of keyframes drop a re-timing: it was measured for the way that was there before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from app.request import RenderRequest
from app.timeline import LONGEST_S, Keyframe, Timeline, Way


@dataclass(frozen=True)
class Draft:
    """The parts of a `Timeline`; keyframes stay one frame apart at least, and in order."""

    keyframes: tuple[Keyframe, ...] = ()
    seconds: float = 8.0
    fps: Fraction = Fraction(30)
    way: Way = "spline"
    loop: bool = True
    noise_turns: int = 0
    retime: tuple[tuple[float, float], ...] | None = None

    @classmethod
    def of(cls, timeline: Timeline) -> Draft:
        """A draft of a whole timeline."""
        return cls(
            timeline.keyframes, timeline.seconds, timeline.fps, timeline.way, timeline.loop, timeline.noise_turns,
            timeline.retime,
        )  # fmt: skip

    def timeline(self, z_dim: int = 0) -> Timeline | None:
        """What it is now; None without keyframes. Slerp waits for z_dim, the length of the open model's z."""
        if not self.keyframes:
            return None
        way = "linear" if self.way == "slerp" and z_dim < 1 else self.way
        return Timeline(
            self.keyframes, self.seconds, self.fps, way, self.loop, self.noise_turns, z_dim, self.retime
        )  # fmt: skip

    @property
    def frame(self) -> float:
        """Seconds of a frame."""
        return float(1 / self.fps)

    def snapped(self, seconds: float) -> float:
        """The nearest frame's moment within the timeline."""
        frames = round(seconds * self.fps)
        return float(min(max(frames / self.fps, Fraction(0)), Fraction(self.seconds)))

    def at(self, seconds: float) -> int | None:
        """The keyframe at a moment, half a frame to either side; None: there is none."""
        return next(
            (place for place, each in enumerate(self.keyframes) if abs(each.seconds - seconds) < 0.5 * self.frame), None
        )

    def added(self, seconds: float, request: RenderRequest) -> tuple[Draft, int]:
        """With a keyframe at a moment, and its number; one that is there already shows the request from now on."""
        seconds = self.snapped(seconds)
        if self.loop and self.keyframes and seconds - self.keyframes[0].seconds > self.seconds - self.frame:
            seconds = self.snapped(seconds - self.frame)  # the end of a loop is its beginning
        if (there := self.at(seconds)) is not None:
            return self.replaced(there, request), there
        before = sum(each.seconds < seconds for each in self.keyframes)
        easing = self.keyframes[before - 1].easing if before else "flow"
        made = Keyframe(seconds, plain(request), easing)
        return self._with((*self.keyframes[:before], made, *self.keyframes[before:])), before

    def replaced(self, number: int, request: RenderRequest) -> Draft:
        """With another picture at a keyframe."""
        return self.changed(number, request=plain(request))

    def changed(self, number: int, **values: Any) -> Draft:
        """With a keyframe's easing, turns or request changed."""
        made = replace(self.keyframes[number], **values)
        return self._with((*self.keyframes[:number], made, *self.keyframes[number + 1 :]))

    def removed(self, number: int) -> Draft:
        """Without a keyframe."""
        return self._with((*self.keyframes[:number], *self.keyframes[number + 1 :]))

    def moved(self, number: int, seconds: float, ripple: bool) -> Draft:
        """With a keyframe at another moment, between its neighbours. ripple: all later ones and the end move along."""
        earliest = self.keyframes[number - 1].seconds + self.frame if number else 0.0
        latest = LONGEST_S - self.seconds if ripple else self._latest(number)
        here = self.keyframes[number].seconds
        at = min(max(float(round(seconds * self.fps) / self.fps), earliest), max(latest, earliest))
        if abs(at - here) < 1e-9:
            return self
        by = at - here
        later = (replace(each, seconds=each.seconds + by) if ripple else each for each in self.keyframes[number + 1 :])
        made = (*self.keyframes[:number], replace(self.keyframes[number], seconds=at), *later)
        return replace(self, keyframes=made, seconds=self.seconds + by if ripple else self.seconds, retime=None)

    def lasting(self, seconds: float) -> Draft:
        """With another length, no shorter than its keyframes."""
        return replace(self, seconds=max(seconds, self.shortest), retime=None)

    def looped(self, loop: bool) -> Draft:
        """Closed or open; a keyframe at the very end of a loop leaves a frame for the way back."""
        made = replace(self, loop=loop, retime=None)
        return replace(made, seconds=max(made.seconds, made.shortest))

    def timed(self, fps: Fraction) -> Draft:
        """With another frame rate; keyframes stay where they are."""
        made = replace(self, fps=fps)
        return replace(made, seconds=max(made.seconds, made.shortest))

    @property
    def shortest(self) -> float:
        """The least length that holds all keyframes."""
        if not self.keyframes:
            return self.frame
        span = self.keyframes[-1].seconds - self.keyframes[0].seconds + self.frame if len(self.keyframes) > 1 else 0.0
        return max(self.frame, self.keyframes[-1].seconds, span if self.loop else 0.0)

    def _latest(self, number: int) -> float:
        if number + 1 < len(self.keyframes):
            return self.keyframes[number + 1].seconds - self.frame
        back = self.frame if self.loop and number else 0.0
        return min(self.seconds, self.seconds + (self.keyframes[0].seconds if number else 0.0) - back)

    def _with(self, keyframes: tuple[Keyframe, ...]) -> Draft:
        return replace(self, keyframes=keyframes, retime=None)


def plain(request: RenderRequest) -> RenderRequest:
    """What of a request a keyframe keeps: the full picture, without what is measured on it."""
    return replace(request, max_height=None, measures=())
