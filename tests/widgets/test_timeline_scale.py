"""Seconds and pixels of the track, by hand."""

from __future__ import annotations

import pytest

from widgets.timeline_scale import Scale, clock, tick_words

TEN = Scale(0.0, 10.0, 120.0, 10.0)


def test_places_and_moments_are_each_others_inverse():
    assert (TEN.x(0.0), TEN.x(10.0), TEN.x(2.5)) == (10.0, 110.0, 35.0)
    assert TEN.seconds(35.0) == 2.5


def test_zooming_keeps_the_moment_under_the_mouse_and_stays_within():
    near = TEN.zoomed(35.0, 2.0, 10.0)
    assert (near.span, near.seconds(35.0)) == (5.0, pytest.approx(2.5))
    assert TEN.zoomed(10.0, 2.0, 10.0).start == 0.0
    assert near.zoomed(35.0, 1e-3, 10.0) == TEN
    assert TEN.zoomed(35.0, 1e9, 10.0).span == 0.2


def test_the_playhead_is_brought_into_sight():
    near = Scale(0.0, 2.0, 120.0, 10.0)
    assert near.showing(1.5, 10.0) == near
    assert near.showing(5.0, 10.0).start == pytest.approx(4.8)
    assert near.showing(10.0, 10.0).start == 8.0


def test_names_on_the_ruler_are_far_enough_apart():
    ticks = TEN.ticks(30.0)
    named = [seconds for seconds, name in ticks if name]
    assert named == [0.0, 5.0, 10.0]
    assert len(ticks) == 11
    assert [name for _, name in Scale(59.0, 4.0, 400.0, 0.0).ticks(90.0)].count(True) == 5


def test_words():
    assert [clock(seconds) for seconds in (0.0, 2.4, 61.999)] == ["0:00.00", "0:02.40", "1:02.00"]
    assert [tick_words(seconds) for seconds in (0.5, 12.0, 90.0)] == ["0.5 s", "12 s", "1:30"]
