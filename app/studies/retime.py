"""How fast the picture changes along a timeline, and a timing by which it changes evenly.

A step is the RMS change of the picture from one cut of the way to the next, in % of the range from black to white
(`step_size.step`): not a perceptual distance. Where a step is large, the way is cut finer. The timing gives every step
a time that is proportional to it, smoothly in between: no keyframe and no picture changes, only when each is passed.
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
    """Measure the picture's change along a timeline. first: even steps of each stretch; splits: how many of the
    largest steps are halved afterwards, for each stretch; checks: pairs of frames drawn as a control. height: of early
    pictures that will do; None: the full ones. The clock's noise loop (`noise_turns`) stands still. Answer: `Speeds`,
    partial ones too."""

    answered_by: ClassVar[str] = "app.diagnostics.retime"
    timeline: Timeline
    first: int = 8
    splits: int = 16
    checks: int = 24
    height: int | None = HEIGHT


@dataclass(frozen=True, eq=False)
class Speeds:
    """What was measured. cuts: for each stretch the shares of its way, from 0 to 1; rms: for each stretch the RMS
    change in % of the range from each cut to the next, float64. size: (H, W) in pixels of the pictures. check: the
    same change from a frame to the next of the re-timed timeline, drawn anew at places spread over it, NaN where it is
    still to come; None: not begun, or there is nothing to re-time."""

    cuts: tuple[tuple[float, ...], ...]
    rms: tuple[np.ndarray, ...]
    size: tuple[int, int] = (0, 0)
    complete: bool = False
    check: np.ndarray | None = None


def retimed(timeline: Timeline, speeds: Speeds) -> Timeline:
    """The same way at a constant speed of the picture's change.

    Stretches that hold, or along which nothing changes, keep their length; the others share the rest of the time. A
    stretch gets one frame's time at least. Raises InputError where nothing changes at all.
    """
    if not speeds.complete or len(speeds.rms) != timeline.stretches:
        raise InputError("the timeline was not measured to its end")
    spans = [timeline.ends(stretch) for stretch in range(timeline.stretches)]
    lengths = np.array([end - begin for begin, end in spans])
    change = np.array([steps.sum() for steps in speeds.rms])
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
    return replace(timeline, keyframes=keyframes, retime=_table(moments, speeds, moving, held))


def _shared(total: float, change: np.ndarray, least: float) -> np.ndarray:
    """A total time in proportion to changes, each at least so long where that fits."""
    least = min(least, total / len(change) / 2)
    lengths = total * change / change.sum()
    short = lengths < least
    lengths[short] = least
    lengths[~short] *= (total - least * short.sum()) / lengths[~short].sum()
    return lengths


def _table(
    moments: np.ndarray, speeds: Speeds, moving: np.ndarray, held: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """(seconds, position) pairs; what holds stays at its keyframe and then jumps."""
    pairs = [(float(moments[0]), 0.0)]
    for stretch, (begin, end) in enumerate(pairwise(moments.tolist())):
        if held[stretch]:
            pairs += [(end, float(stretch)), (end, stretch + 1.0)]
            continue
        if moving[stretch]:
            pairs += [
                (begin + (end - begin) * change, stretch + share) for share, change in _travelled(speeds, stretch)
            ]
        pairs.append((end, stretch + 1.0))
    return tuple(pairs)


def _travelled(speeds: Speeds, stretch: int) -> list[tuple[float, float]]:
    """(share of the way, share of the change) along a stretch, its ends left out: the cubic through the cuts that
    never falls, for the speed has no jumps there."""
    rms = speeds.rms[stretch]
    sums = (np.concatenate([[0.0], np.cumsum(rms)]) / rms.sum()).tolist()
    cuts = list(zip(speeds.cuts[stretch], sums, strict=True))
    beside = [None, *cuts, None]
    found = []
    for at in range(len(rms)):
        for share in np.linspace(cuts[at][0], cuts[at + 1][0], FINER + 1)[:-1].tolist():
            found.append((share, monotone(share, beside[at], cuts[at], cuts[at + 1], beside[at + 3])))
    return found[1:]


def unevenness(rms: np.ndarray) -> float:
    """Standard deviation of steps over their mean: 0 is constant speed."""
    return float(rms.std() / rms.mean()) if rms.size and rms.mean() > 0 else 0.0


def moving(rms: np.ndarray) -> np.ndarray:
    """The steps at which something changes: not rests, nor what was not measured."""
    return rms[np.nan_to_num(rms) > RESTS * np.nanmax(rms, initial=0.0)]


def as_json(speeds: Speeds) -> dict[str, Any]:
    """The steps with their unit."""
    return {
        "what": "RMS change of the picture from cut to cut, percent of the range; rows: stretches between keyframes",
        "size_px": list(speeds.size),
        "cuts": [list(cuts) for cuts in speeds.cuts],
        "rms_percent": [steps.tolist() for steps in speeds.rms],
        "check_rms_percent": None if speeds.check is None else speeds.check.tolist(),
    }


def film_speed(timeline: Timeline, speeds: Speeds) -> np.ndarray:
    """Change of the picture in % per second from each frame to the next, as its timing has it [count - 1, or count of
    a loop]; what was measured along the way is taken to be even from cut to cut."""
    cuts = np.concatenate([stretch + np.array(shares[:-1]) for stretch, shares in enumerate(speeds.cuts)])
    cuts = np.append(cuts, float(timeline.stretches))
    travelled = np.concatenate([[0.0], np.cumsum(np.concatenate(speeds.rms))])
    frames = range(timeline.count + timeline.loop)
    length = timeline.seconds / max(timeline.count - (not timeline.loop), 1)
    places = np.array([sum(timeline.place(frame * length)) for frame in frames])
    if timeline.loop:
        places = places[:1] + np.concatenate([[0.0], np.cumsum(np.diff(places) % timeline.stretches)])
        whole = travelled[-1] * (places // timeline.stretches)
        places = places % timeline.stretches
    else:
        whole = np.zeros(len(places))
    return np.diff(whole + np.interp(places, cuts, travelled)) * float(timeline.fps)
