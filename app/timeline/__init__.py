"""Keyframes of whole requests on a line of time, and the request at every moment between them. No torch, no GUI.

The way and the timing are apart: moving a keyframe in time changes when a picture is passed, never which pictures are.
Stretch i leads from keyframe i to keyframe i + 1; with `loop` the last one leads back to the first.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from app.errors import InputError
from app.request import Latent, RenderRequest
from app.timeline.curves import Easing, eased, monotone
from app.timeline.parts import Stretch, between, steps
from app.timeline.points import Points, Way

__all__ = ["Easing", "Keyframe", "Timeline", "Way"]

MOST_FRAMES = 1_000_000
LONGEST_S = 86_400.0
SEEDS = 10_000  # that a random walk draws from, as the Latent panel's button does


@dataclass(frozen=True)
class Keyframe:
    """What is shown at `seconds`, and how the way to the next keyframe is timed.

    easing: 'linear' evenly; 'flow' as well, but where its neighbours flow without a jump of speed at the keyframe;
    'smooth' from rest to rest, 'in' from rest, 'out' to rest; 'hold' not at all, until the next one's moment.
    turns: whole turns that the picture makes on the way besides.
    """

    seconds: float
    request: RenderRequest
    easing: Easing = "flow"
    turns: int = 0


@dataclass(frozen=True)
class Timeline:
    """`seconds` long. way: how the latent goes between keyframes, and with 'spline' all other numbers smoothly as well.

    noise_turns: how often random noise goes round its loop, evenly from beginning to end. z_dim: length of the
    model's z, which slerp needs. retime: (seconds, position) pairs, straight between them, in place of the easings;
    position 1.5 is halfway from keyframe 1 to 2 (counted from 0).
    """

    keyframes: tuple[Keyframe, ...]
    seconds: float
    fps: Fraction = Fraction(30)
    way: Way = "spline"
    loop: bool = False
    noise_turns: int = 0
    z_dim: int = 0
    retime: tuple[tuple[float, float], ...] | None = None

    def __post_init__(self) -> None:
        if not self.keyframes:
            raise InputError("a timeline needs at least one keyframe")
        if not 0 < self.fps <= 240:
            raise InputError(f"{self.fps} frames a second: give 1 to 240")
        if not math.isfinite(self.seconds) or not 0 < self.seconds <= LONGEST_S:
            raise InputError(f"a timeline of {self.seconds} s: give a length above 0, at most a day")
        if self.count > MOST_FRAMES:
            raise InputError(f"{self.seconds} s at {self.fps} frames a second are {self.count} frames; give fewer")
        if self.way == "slerp" and self.z_dim < 1:
            raise InputError("slerp needs z_dim, the length of the model's z")
        self._check_times()
        self._check_retime()

    @classmethod
    def random(
        cls,
        seed: int,
        stations: int,
        seconds: float,
        request: RenderRequest,
        *,
        loop: bool = True,
        fps: Fraction = Fraction(30),
        way: Way = "spline",
        z_dim: int = 0,
    ) -> Timeline:
        """A walk through so many seeds of 0 to 9999, drawn by `seed`; everything else as in the request."""
        if not 1 <= stations <= 1000:
            raise InputError(f"a random walk through {stations} seeds: give 1 to 1000")
        drawn = np.random.RandomState(seed % 2**32).choice(SEEDS, stations, replace=False).tolist()
        apart = seconds / (stations if loop else max(stations - 1, 1))
        places = [replace(request, latent=Latent(((number, 1.0),))) for number in drawn]
        keyframes = tuple(Keyframe(index * apart, place) for index, place in enumerate(places))
        return cls(keyframes, seconds, fps, way, loop, z_dim=z_dim)

    # -- as a film (app/recording/film.py) -----------------------------------------------------------------------------

    @property
    def request(self) -> RenderRequest:
        """What the film begins with."""
        return self.keyframes[0].request

    @property
    def requests(self) -> tuple[RenderRequest, ...]:
        """What the film is made of."""
        return tuple(keyframe.request for keyframe in self.keyframes)

    @property
    def count(self) -> int:
        """Number of frames: with `loop` the last one is just before the first, else both ends are shown."""
        frames = round(Fraction(self.seconds) * self.fps)
        return max(1, frames) if self.loop else frames + 1

    def at(self, frame: int) -> RenderRequest:
        """The request of a frame."""
        return self.request_at(self.seconds * frame / (self.count if self.loop else max(self.count - 1, 1)))

    def __iter__(self) -> Iterator[RenderRequest]:
        return (self.at(frame) for frame in range(self.count))

    def seconds_at(self, frame: int) -> float:
        """When a frame is shown."""
        return float(frame / self.fps)

    def changed(self, change: Callable[[RenderRequest], RenderRequest]) -> Timeline:
        """The same with each keyframe's request changed."""
        return replace(self, keyframes=tuple(replace(each, request=change(each.request)) for each in self.keyframes))

    # -- any moment ----------------------------------------------------------------------------------------------------

    def request_at(self, seconds: float) -> RenderRequest:
        """The request at a moment; with `loop` the end is the beginning, bit for bit."""
        shown = self.between(*self.place(seconds))
        turn = self.noise_turns * seconds / self.seconds % 1.0
        if turn == 0.0 or shown.noise.mode != "random":
            return shown
        return replace(shown, noise=replace(shown.noise, phase=(shown.noise.phase + turn) % 1.0))

    def place(self, seconds: float) -> tuple[int, float]:
        """Moment -> (stretch, share of its way, 0 up to but not including 1); at the last keyframe (its number, 0)."""
        first, last = self.keyframes[0].seconds, self.keyframes[-1].seconds
        if self.stretches == 0:
            return 0, 0.0
        if self.loop:
            seconds = seconds % self.seconds
            seconds += self.seconds if seconds < first else 0.0
        elif seconds >= last:
            return len(self.keyframes) - 1, 0.0
        if seconds <= first:
            return 0, 0.0
        if self.retime is not None:
            return self._retimed(seconds)
        stretch = bisect_right([keyframe.seconds for keyframe in self.keyframes], seconds) - 1
        return stretch, min(self._share(stretch, seconds), math.nextafter(1.0, 0.0))

    def between(self, stretch: int, share: float) -> RenderRequest:
        """The request at a share of a stretch; 1 is the end as seen from before, where modes and names step."""
        here = self._around(stretch, 0)
        assert here is not None
        if share == 0.0 or stretch == self.stretches:
            return replace(here.request, max_height=None, measures=())
        before, ahead, after = (self._around(stretch, step) for step in (-1, 1, 2))
        assert ahead is not None
        turns = (before.turns if before is not None else 0, here.turns, ahead.turns)
        beside = tuple(None if each is None else each.request for each in (before, after))
        way = Stretch(here.request, ahead.request, share, beside[0], beside[1], turns, self.way == "spline")
        return replace(between(way), latent=self._points.at(stretch, share))

    @property
    def stretches(self) -> int:
        """How many ways lead from a keyframe to the next."""
        return len(self.keyframes) if self.loop and len(self.keyframes) > 1 else len(self.keyframes) - 1

    def ends(self, stretch: int) -> tuple[float, float]:
        """Seconds at which a stretch begins and ends; that of a loop may end beyond the timeline."""
        begin = self.keyframes[stretch].seconds
        if stretch + 1 < len(self.keyframes):
            return begin, self.keyframes[stretch + 1].seconds
        return begin, self.keyframes[0].seconds + self.seconds

    @cached_property
    def remarks(self) -> tuple[tuple[int, str], ...]:
        """(stretch, sentence) for everything that cannot be shown halfway, or goes another way than was asked for."""
        found = []
        for stretch in range(self.stretches):
            a, b = self.keyframes[stretch].request, self.keyframes[(stretch + 1) % len(self.keyframes)].request
            if stepping := steps(a, b):
                found.append((stretch, f"steps: {', '.join(stepping)}"))
            if words := self._points.remark(stretch):
                found.append((stretch, words))
        return tuple(found)

    @cached_property
    def _points(self) -> Points:
        return Points([keyframe.request.latent for keyframe in self.keyframes], self.way, self.loop, self.z_dim)

    def _around(self, stretch: int, step: int) -> Keyframe | None:
        number = stretch + step
        if self.loop and len(self.keyframes) > 1:
            return self.keyframes[number % len(self.keyframes)]
        return self.keyframes[number] if 0 <= number < len(self.keyframes) else None

    def _share(self, stretch: int, seconds: float) -> float:
        """Share of the way by the keyframe's easing."""
        begin, end = self.ends(stretch)
        easing = self.keyframes[stretch].easing
        if easing != "flow":
            return eased((seconds - begin) / (end - begin), easing)
        before, after = self._flowing(stretch - 1), self._flowing(stretch + 1)
        return monotone(
            seconds,
            None if before is None else (begin - before, -1.0),
            (begin, 0.0),
            (end, 1.0),
            None if after is None else (end + after, 2.0),
        )

    def _flowing(self, stretch: int) -> float | None:
        """Length in seconds of a stretch that flows; None where there is none."""
        if not self.loop and not 0 <= stretch < self.stretches:
            return None
        stretch %= self.stretches
        begin, end = self.ends(stretch)
        return end - begin if self.keyframes[stretch].easing == "flow" else None

    def _retimed(self, seconds: float) -> tuple[int, float]:
        assert self.retime is not None
        after = bisect_right(self.retime, seconds, key=lambda pair: pair[0])
        if after == len(self.retime):
            return len(self.keyframes) - 1, math.nextafter(1.0, 0.0) if self.loop else 0.0
        (t0, u0), (t1, u1) = self.retime[after - 1], self.retime[after]
        position = u0 + (u1 - u0) * (seconds - t0) / (t1 - t0)
        stretch = min(math.floor(position), self.stretches - 1)
        return stretch, min(position - stretch, math.nextafter(1.0, 0.0))

    def _check_times(self) -> None:
        times = [keyframe.seconds for keyframe in self.keyframes]
        if not all(math.isfinite(seconds) and 0 <= seconds <= self.seconds for seconds in times):
            raise InputError(f"keyframes at {_listed(times)}: all must lie from 0 to {self.seconds:g} s")
        if any(b <= a for a, b in pairwise(times)):
            raise InputError(f"keyframes at {_listed(times)}: each must be later than the one before")
        if self.loop and len(times) > 1 and times[-1] - times[0] >= self.seconds:
            raise InputError(f"a keyframe at {times[-1]:g} s leaves no time to return to the first; end the loop later")

    def _check_retime(self) -> None:
        if self.retime is None:
            return
        first = self.keyframes[0].seconds
        last = first + self.seconds if self.loop else self.keyframes[-1].seconds
        pairs = self.retime
        if len(pairs) < 2 or (pairs[0], pairs[-1]) != ((first, 0.0), (last, float(self.stretches))):
            raise InputError(f"the re-timing must lead from {first:g} s to {last:g} s, and through all keyframes")
        if any(b[0] < a[0] or b[1] < a[1] for a, b in pairwise(pairs)):
            raise InputError("the re-timing must not run backwards")


def _listed(times: list[float]) -> str:
    return ", ".join(f"{seconds:g}" for seconds in times[:12]) + (" s ..." if len(times) > 12 else " s")
