"""How fast the picture changes along a timeline, and a timing by which it changes evenly.

Each stretch between two keyframes is cut into equal shares of its way; a step is the RMS change of the picture from
one cut to the next, in % of the range from black to white (`step_size.step`): not a perceptual distance. The timing
gives every step a time that is proportional to it, smoothly in between: no keyframe and no picture changes, only when
each is passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from app.errors import InputError
from app.studies import Study
from app.timeline import Timeline
from app.timeline.curves import monotone

RESTS = 1e-3  # of the mean change of a stretch: one that changes less is a rest, and keeps its length
FINER = 4  # pairs of the re-timing for each measured step
HEIGHT = 128  # px: early pictures of at most this height are measured, where the family has them


@dataclass(frozen=True)
class PictureSpeed(Study):
    """Measure the picture's change along a timeline. steps: per stretch; checks: steps of the control afterwards.
    height: of early pictures that will do; None: the full ones. The clock's noise loop (`noise_turns`) stands still.
    Answer: `Speeds`, partial ones too."""

    answered_by: ClassVar[str] = "app.diagnostics.retime"
    timeline: Timeline
    steps: int = 16
    checks: int = 32
    height: int | None = HEIGHT


@dataclass(frozen=True, eq=False)
class Speeds:
    """rms: float64 [stretches, steps], RMS change in % of the range, NaN where nothing was measured yet. size: (H, W)
    in pixels of the pictures that were measured. check: the same between evenly spaced moments of the re-timed
    timeline, drawn anew; None: not yet, or there is nothing to re-time."""

    rms: np.ndarray
    size: tuple[int, int] = (0, 0)
    check: np.ndarray | None = None

    @property
    def complete(self) -> bool:
        """Whether every step was measured."""
        return not bool(np.isnan(self.rms).any())


def retimed(timeline: Timeline, speeds: Speeds) -> Timeline:
    """The same way at a constant speed of the picture's change.

    Stretches that hold, or along which nothing changes, keep their length; the others share the rest of the time. A
    stretch gets one frame's time at least. Raises InputError where nothing changes at all.
    """
    if not speeds.complete or len(speeds.rms) != timeline.stretches:
        raise InputError("the timeline was not measured to its end")
    spans = [timeline.ends(stretch) for stretch in range(timeline.stretches)]
    lengths = np.array([end - begin for begin, end in spans])
    change = speeds.rms.sum(axis=1)
    held = np.array([timeline.keyframes[stretch].easing == "hold" for stretch in range(timeline.stretches)], bool)
    moving = ~held & (change > RESTS * (change.mean() if len(change) else 0.0))
    if not moving.any():
        raise InputError("the picture changes nowhere between the keyframes, so there is no speed to even out")
    lengths[moving] = _shared(lengths[moving].sum(), change[moving], float(1 / timeline.fps))
    moments = timeline.keyframes[0].seconds + np.concatenate([[0.0], np.cumsum(lengths)])
    moments[-1] = spans[-1][1]  # the sum may be off by a rounding
    keyframes = tuple(
        replace(each, seconds=float(at), easing="linear" if number < len(held) and not held[number] else each.easing)
        for number, (each, at) in enumerate(zip(timeline.keyframes, moments, strict=False))
    )
    return replace(timeline, keyframes=keyframes, retime=_table(moments, speeds.rms, moving, held))


def _shared(total: float, change: np.ndarray, least: float) -> np.ndarray:
    """A total time in proportion to changes, each at least so long where that fits."""
    least = min(least, total / len(change) / 2)
    lengths = total * change / change.sum()
    short = lengths < least
    lengths[short] = least
    lengths[~short] *= (total - least * short.sum()) / lengths[~short].sum()
    return lengths


def _table(
    moments: np.ndarray, rms: np.ndarray, moving: np.ndarray, held: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """(seconds, position) pairs; what holds stays at its keyframe and then jumps."""
    pairs = [(float(moments[0]), 0.0)]
    for stretch, (begin, end) in enumerate(pairwise(moments.tolist())):
        if held[stretch]:
            pairs += [(end, float(stretch)), (end, stretch + 1.0)]
            continue
        if moving[stretch]:
            pairs += [(begin + (end - begin) * change, stretch + share) for share, change in _travelled(rms[stretch])]
        pairs.append((end, stretch + 1.0))
    return tuple(pairs)


def _travelled(rms: np.ndarray) -> list[tuple[float, float]]:
    """(share of the way, share of the change) along a stretch, its ends left out: the cubic through the cuts that
    never falls, for the speed has no jumps there."""
    steps, sums = len(rms), np.concatenate([[0.0], np.cumsum(rms)]) / rms.sum()
    cuts = [(cut / steps, float(total)) for cut, total in enumerate(sums)]
    beside = [None, *cuts, None]
    shares = np.linspace(0.0, 1.0, steps * FINER + 1)[1:-1].tolist()
    places = [min(int(share * steps), steps - 1) for share in shares]
    return [
        (share, monotone(share, beside[at], cuts[at], cuts[at + 1], beside[at + 3]))
        for share, at in zip(shares, places, strict=True)
    ]


def unevenness(rms: np.ndarray) -> float:
    """Standard deviation of steps over their mean: 0 is constant speed."""
    return float(rms.std() / rms.mean()) if rms.size and rms.mean() > 0 else 0.0


def moving(rms: np.ndarray) -> np.ndarray:
    """The steps at which something changes: not rests, nor what was not measured."""
    return rms[np.nan_to_num(rms) > RESTS * np.nanmax(rms, initial=0.0)]


def as_json(speeds: Speeds) -> dict[str, Any]:
    """The steps with their unit."""
    return {
        "what": "RMS change of the picture from step to step, percent of the range; rows: stretches between keyframes",
        "size_px": list(speeds.size),
        "rms_percent": speeds.rms.tolist(),
    }


def film_speed(timeline: Timeline, speeds: Speeds) -> np.ndarray:
    """Change of the picture in % per second from each frame to the next, as its timing has it [count - 1, or count of
    a loop]; what was measured along the way is taken to be even from cut to cut."""
    steps = speeds.rms.shape[1]
    travelled = np.concatenate([[0.0], np.cumsum(speeds.rms.ravel())])
    frames = range(timeline.count + timeline.loop)
    length = timeline.seconds / max(timeline.count - (not timeline.loop), 1)
    places = np.array([sum(timeline.place(frame * length)) for frame in frames])
    if timeline.loop:
        places = places[:1] + np.concatenate([[0.0], np.cumsum(np.diff(places) % timeline.stretches)])
        whole = travelled[-1] * (places // timeline.stretches)
        places = places % timeline.stretches
    else:
        whole = np.zeros(len(places))
    return np.diff(whole + np.interp(places * steps, np.arange(len(travelled)), travelled)) * float(timeline.fps)
