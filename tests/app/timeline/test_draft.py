"""Editing a timeline: every edit gives one that is sound."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from app.request import Latent, RenderRequest
from app.studies.step_size import WalkSample
from app.timeline import Timeline
from app.timeline.draft import Draft

A, B, C = (RenderRequest(latent=Latent(((seed, 1.0),))) for seed in range(3))


def draft(*times: float, **changes) -> Draft:
    made = Draft(seconds=4.0, fps=Fraction(10), loop=False)
    for at, request in zip(times, (A, B, C), strict=False):
        made = made.added(at, request)[0]
    return replace(made, **changes)


def times(made: Draft) -> list[float]:
    assert isinstance(made.timeline(16), Timeline)  # so it is sound
    return [round(keyframe.seconds, 6) for keyframe in made.keyframes]


def test_a_keyframe_lands_on_a_frame_in_its_place_without_measures():
    made, number = draft(0.0, 3.0).added(1.46, replace(C, measures=(WalkSample(),), max_height=0))
    assert (times(made), number) == ([0.0, 1.5, 3.0], 1)
    assert made.keyframes[1].request == C


def test_where_a_keyframe_is_it_is_replaced():
    made, number = draft(0.0, 3.0).added(3.04, C)
    assert (times(made), number, made.keyframes[1].request) == ([0.0, 3.0], 1, C)


def test_the_end_of_a_loop_is_its_beginning():
    made, number = draft(0.0, loop=True).added(4.0, B)
    assert (times(made), number) == ([0.0, 3.9], 1)


def test_moving_stops_at_the_neighbours():
    made = draft(0.0, 1.0, 2.0)
    assert times(made.moved(1, 1.52, ripple=False)) == [0.0, 1.5, 2.0]
    assert times(made.moved(1, 9.0, ripple=False)) == [0.0, 1.9, 2.0]
    assert times(made.moved(1, -1.0, ripple=False)) == [0.0, 0.1, 2.0]
    assert times(made.moved(2, 9.0, ripple=False)) == [0.0, 1.0, 4.0]
    assert times(made.looped(True).moved(2, 9.0, ripple=False)) == [0.0, 1.0, 3.9]
    assert times(made.moved(0, -1.0, ripple=False)) == [0.0, 1.0, 2.0]


def test_ripple_moves_all_later_ones_and_the_end():
    made = draft(0.0, 1.0, 2.0).moved(1, 1.7, ripple=True)
    assert (times(made), made.seconds) == ([0.0, 1.7, 2.7], pytest.approx(4.7))
    back = made.moved(1, 0.0, ripple=True)
    assert (times(back), back.seconds) == ([0.0, 0.1, 1.1], pytest.approx(3.1))


def test_the_length_holds_all_keyframes():
    made = draft(0.0, 1.0, 2.0)
    assert made.lasting(1.0).seconds == 2.0
    assert made.looped(True).lasting(1.0).seconds == pytest.approx(2.1)
    ended = draft(0.0, 4.0).looped(True)
    assert (times(ended), ended.seconds) == ([0.0, 4.0], pytest.approx(4.1))
    assert times(draft(0.0, 0.1).timed(Fraction(4))) == [0.0, 0.1]


def test_edits_of_keyframes_drop_a_re_timing():
    made = draft(0.0, 4.0, retime=((0.0, 0.0), (1.0, 0.5), (4.0, 1.0)))
    assert made.timeline().retime is not None
    for edited in (made.moved(1, 3.0, False), made.removed(1), made.changed(0, easing="in"), made.lasting(5.0)):
        assert edited.retime is None
    assert made.moved(1, 4.0, False) == made


def test_slerp_waits_for_the_length_of_z():
    made = draft(0.0, 1.0, way="slerp")
    assert (made.timeline().way, made.timeline(64).way) == ("linear", "slerp")


def test_without_keyframes_there_is_no_timeline():
    assert Draft().timeline() is None
    assert draft(1.0).removed(0).timeline() is None
