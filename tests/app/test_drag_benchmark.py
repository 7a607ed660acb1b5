"""The benchmark of dragging: latencies by hand, and one drag of a small network through engine and loop."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from app.benchmarks import drag
from app.benchmarks.models import write_models
from app.benchmarks.take import Event, Shown, Take, latencies
from app.frame import Frame, Problem
from app.request import RenderRequest, plane


def picture(seconds, event, height=32, complete=False):
    return Shown(seconds, height, event, complete)


def test_an_event_counts_to_the_first_picture_that_shows_it_or_a_later_one():
    events = [Event(float(i), i, 0.0) for i in range(6)]
    pictures = [picture(2.5, 1), picture(2.6, 1), picture(4.0, None), picture(9.0, 4)]
    expected = [2500, 1500, 7000, 6000, 5000, None]  # events 0 and 1 at 2.5 s, events 2 to 4 at 9 s, event 5 never
    assert latencies(events, pictures) == expected


def test_a_take_tells_the_drag_from_what_follows():
    events = tuple(Event(0.1 * i, i, 0.0) for i in range(5))
    pictures = (
        picture(-0.1, None, 64),
        picture(0.2, 1),
        picture(0.35, 3, 64),
        picture(0.6, 4),
        picture(1.0, 4, 128, True),
    )
    take = Take(events, pictures, 0.5, 2.0)
    assert take.heights == {32: 1, 64: 1}
    assert [p.seconds for p in take.refined] == [0.6, 1.0]
    assert take.full_ms == pytest.approx(500)
    assert take.latency_ms() == pytest.approx([200, 100, 150, 50, 200])
    assert take.at(0.34).seconds == 0.2


def test_the_full_picture_is_the_complete_one_of_where_the_hand_is():
    dragging = drag.Drag(SimpleNamespace(), RenderRequest())
    dragging.hand.x, dragging.hand.y = 3.0, 0.0
    there = Frame(0, RenderRequest(latent=plane(3.0, 0.0)), np.zeros((4, 4, 4), np.uint8))
    elsewhere = Frame(0, RenderRequest(latent=plane(4.0, 0.0)), there.picture)
    early = Frame(0, there.request, there.picture, complete=False)
    for frames, full in (([there], True), ([], False), ([there, elsewhere], False), ([early], False)):
        dragging.frames[:] = [(0.0, frame) for frame in frames]
        assert dragging.full() == full
    dragging.frames[:] = [(0.0, Frame(0, there.request, problem=Problem("no such file", "missing")))]
    with pytest.raises(RuntimeError, match="no such file: missing"):
        dragging.full()


def test_the_hand_moves_by_equal_steps_and_never_twice_to_one_point():
    hand = drag.Hand()
    for _ in range(600):
        hand.move()
    points = [(event.x, event.y) for event, _ in hand.moved]
    assert [math.dist(a, b) for a, b in itertools.pairwise(points)] == pytest.approx([drag.STEP] * 599)
    assert len({latent for _, latent in hand.moved}) == 600


def test_a_drag_through_engine_and_loop(tmp_path):
    [path] = write_models(tmp_path, 1, "stylegan2-64-small")
    dragged = drag.measure(str(path), "cpu", 1.0)
    assert min(dragged.take.latency_ms()) > 0
    assert set(dragged.take.heights) <= {32, 64}
    assert dragged.take.pictures[-1].complete
    assert dragged.take.pictures[-1].pixels is None  # nobody makes a film of them
    assert dragged.cpu_ms > 0
    assert dragged.info.resolution == (64, 64)


def test_a_row_says_how_often_each_height_was_shown():
    events = tuple(Event(i / 10, i, 0.0) for i in range(4))
    heights = (64, 64, 32, 64)
    pictures = [picture(i / 10 + 0.01, i, height) for i, height in enumerate(heights)]
    take = Take(events, (*pictures, picture(2.5, 3, 128, True)), 2.0, 3.0)
    row = drag.row("net", drag.Dragged(take, 40.0, None, {}, (None, None)))
    assert row == ["net", "10.0", "10.0", "2.00", "40.0", "32 (25%), 64 (75%)", "500", "-"]
