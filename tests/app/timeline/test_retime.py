"""Constant speed of the picture's change: measured steps, the table made of them, and a film that has become even."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from app.diagnostics import retime as measuring
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Mix, Model, RenderRequest, Truncation
from app.studies.retime import PictureSpeed, Speeds, film_speed, moving, retimed, unevenness
from app.timeline import Keyframe, Timeline
from tests.networks.small import REFERENCE

BASE = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"))
SEEDS = [replace(BASE, latent=Latent(((seed, 1.0),))) for seed in (0, 1, 2)]
FPS = Fraction(10)


def line(*keyframes: Keyframe, seconds: float = 4.0, **changes) -> Timeline:
    return Timeline(keyframes, seconds, FPS, **changes)


UNEVEN = line(Keyframe(0.0, SEEDS[0], "in"), Keyframe(3.2, SEEDS[1], "smooth"), Keyframe(4.0, SEEDS[2]))


def measured(timeline: Timeline, **how) -> Speeds:
    return list(measuring.run(PictureSpeed(timeline, height=None, **how), Renderer()))[-1].answer


def speeds(*rms: list[float]) -> Speeds:
    """Even cuts."""
    cuts = tuple(tuple(np.linspace(0, 1, len(steps) + 1).tolist()) for steps in rms)
    return Speeds(cuts, tuple(map(np.array, rms)), complete=True)


def film_steps(timeline: Timeline) -> np.ndarray:
    """RMS change from frame to frame of the finished film, in %, by itself."""
    renderer = Renderer()
    frames = np.stack([renderer.image(timeline.at(frame))[0].astype(np.float64) for frame in range(timeline.count)])
    return 50 * np.sqrt(np.square(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)))


def test_a_step_is_what_numpy_finds_between_two_pictures():
    renderer = Renderer()
    pictures = [renderer.image(UNEVEN.between(1, share))[0].astype(np.float64) for share in (0.25, 0.5)]
    got = measured(UNEVEN, first=4, splits=1, checks=1)
    assert got.size == (32, 32)
    step = got.cuts[1].index(0.25)
    assert got.cuts[1][step + 1] == 0.5
    assert got.rms[1][step] == pytest.approx(50 * np.sqrt(np.square(pictures[1] - pictures[0]).mean()), rel=1e-6)


def test_the_largest_steps_are_halved():
    even, finer = measured(UNEVEN, first=4, splits=0, checks=1), measured(UNEVEN, first=4, splits=6, checks=1)
    assert sum(map(len, finer.rms)) == sum(map(len, even.rms)) + 12 == 20
    largest = [max(steps.max() for steps in found.rms) for found in (even, finer)]
    assert largest[1] < 0.6 * largest[0]
    assert all(list(cuts) == sorted(set(cuts)) and (cuts[0], cuts[-1]) == (0.0, 1.0) for cuts in finer.cuts)


def test_after_re_timing_the_films_steps_are_even():
    before, after = film_steps(UNEVEN), film_steps(retimed(UNEVEN, measured(UNEVEN)))
    assert unevenness(before) > 1.0
    assert unevenness(after) < 0.05
    assert len(before) == len(after) == 40


def test_the_control_is_drawn_with_the_new_timing():
    found = measured(UNEVEN)
    even = retimed(UNEVEN, found)
    renderer = Renderer()
    pair = [renderer.image(even.at(frame))[0].astype(np.float64) for frame in (39, 40)]
    assert found.check.shape == (24,)
    assert found.check[-1] == pytest.approx(50 * np.sqrt(np.square(pair[1] - pair[0]).mean()), rel=1e-5)
    assert unevenness(moving(found.check)) < 0.05


def test_no_picture_changes_only_its_moment():
    even = retimed(UNEVEN, measured(UNEVEN))
    assert even.requests == UNEVEN.requests
    assert even.between(0, 0.3) == UNEVEN.between(0, 0.3)
    for keyframe in even.keyframes:
        assert even.request_at(keyframe.seconds) == keyframe.request


def test_a_loop_is_evened_over_its_end():
    loop = line(Keyframe(0.5, SEEDS[0]), Keyframe(1.0, SEEDS[1], "in"), Keyframe(1.5, SEEDS[2]), loop=True)
    even = retimed(loop, measured(loop))
    assert (even.keyframes[0].seconds, even.seconds) == (0.5, 4.0)
    assert unevenness(film_steps(loop)) > 0.5
    assert unevenness(film_steps(even)) < 0.06
    assert even.request_at(4.0) == even.request_at(0.0)


def test_times_by_hand():
    timeline = line(*(Keyframe(float(at), request) for at, request in enumerate(SEEDS)), seconds=2.0)
    even = retimed(timeline, speeds([1.0, 2.0], [4.0, 1.0]))
    known = np.array([(0.0, 0.0), (0.25, 0.5), (0.75, 1.0), (1.75, 1.5), (2.0, 2.0)])
    seconds, position = np.array(even.retime).T
    np.testing.assert_allclose(np.interp(known[:, 0], seconds, position), known[:, 1])
    assert 1.0 < np.interp(1.0, seconds, position) < 1.0 + 0.5 * 0.25  # slower at first, as the step before was
    assert [keyframe.seconds for keyframe in even.keyframes] == [0.0, 0.75, 2.0]


def test_rests_keep_their_length_and_what_holds_still_holds():
    a, b, c = SEEDS
    timeline = line(Keyframe(0.0, a), Keyframe(1.0, b, "hold"), Keyframe(1.5, c), Keyframe(2.0, c), Keyframe(3.0, a))
    even = retimed(timeline, speeds([3.0, 0.0], [2.0, 2.0], [0.0, 0.0], [1.0, 0.0]))
    assert [keyframe.seconds for keyframe in even.keyframes] == pytest.approx([0.0, 1.5, 2.0, 2.5, 3.0])
    assert even.request_at(1.99) == b
    assert even.request_at(2.25).latent == c.latent
    assert [keyframe.easing for keyframe in even.keyframes][1] == "hold"


def test_what_steps_at_a_keyframe_is_no_way():
    """The mix changes at the second keyframe; on the way nothing does."""
    timeline = line(Keyframe(0.0, SEEDS[0]), Keyframe(1.0, replace(SEEDS[0], mix=Mix(5, (0, 1)))))
    assert measured(timeline, first=2, splits=1).rms[0].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(InputError, match="changes nowhere"):
        retimed(timeline, measured(timeline, first=2, splits=1))


def test_a_measurement_that_was_stopped_is_not_used():
    partial = next(measuring.run(PictureSpeed(UNEVEN, height=None), Renderer())).answer
    assert not partial.complete
    with pytest.raises(InputError, match="not measured to its end"):
        retimed(UNEVEN, partial)


def test_very_short_stretches_get_a_frame():
    timeline = line(*(Keyframe(float(at), request) for at, request in enumerate(SEEDS)), seconds=2.0)
    even = retimed(timeline, speeds([0.1], [10.0]))
    assert even.keyframes[1].seconds == pytest.approx(0.1)


def test_other_parts_count_as_well():
    """psi moves and the latent rests: the picture's change is evened all the same."""
    ends = [replace(SEEDS[0], truncation=Truncation(psi)) for psi in (0.0, 1.0)]
    timeline = line(Keyframe(0.0, ends[0], "in"), Keyframe(2.0, ends[1]), seconds=2.0)
    assert unevenness(film_steps(retimed(timeline, measured(timeline)))) < 0.1 * unevenness(film_steps(timeline))


@pytest.mark.parametrize("loop", [False, True])
def test_the_speed_of_the_film_is_told_without_drawing_it(loop):
    timeline = replace(UNEVEN, loop=loop, seconds=5.0 if loop else 4.0)
    told, found = film_speed(timeline, measured(timeline, first=24)), film_steps(timeline) * 10
    np.testing.assert_allclose(told[: len(found)], found, atol=0.06 * found.max())
    assert unevenness(told) > 0.7
    found = measured(timeline)
    assert unevenness(film_speed(retimed(timeline, found), found)) < 0.03
