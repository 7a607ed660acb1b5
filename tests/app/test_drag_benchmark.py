"""The benchmark of dragging: latencies by hand, and one drag of a small network through engine and loop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from app.benchmarks import drag
from app.benchmarks.models import write_models
from app.frame import Frame, Problem
from app.request import Latent, RenderRequest, plane


def frame_of(number: int, **parts) -> Frame:
    return Frame(0, RenderRequest(latent=Latent(((number, 1.0),))), np.zeros((4, 4, 4), np.uint8), **parts)


def test_an_event_counts_to_the_first_picture_that_shows_it_or_a_later_one():
    moved = [(float(i), Latent(((i, 1.0),))) for i in range(6)]
    frames = [(2.5, frame_of(1)), (2.6, frame_of(1)), (4.0, frame_of(77)), (9.0, frame_of(4))]
    expected = [2500, 1500, 7000, 6000, 5000]  # events 0 and 1 at 2.5 s, events 2 to 4 at 9 s, event 5 never
    assert drag.latencies(moved, frames) == expected


def test_the_full_picture_is_the_complete_one_of_where_the_hand_is():
    hand = drag.Hand(x=3.0)
    there = Frame(0, RenderRequest(latent=plane(3.0, 0.0)), np.zeros((4, 4, 4), np.uint8))
    assert drag.full([(0.0, there)], hand)
    assert not drag.full([], hand)
    assert not drag.full([(0.0, there), (0.0, frame_of(1))], hand)
    early = Frame(0, there.request, there.picture, complete=False)
    assert not drag.full([(0.0, early)], hand)
    with pytest.raises(RuntimeError, match="no such file: missing"):
        drag.full([(0.0, Frame(0, there.request, problem=Problem("no such file", "missing")))], hand)


def test_a_drag_through_engine_and_loop(tmp_path):
    [path] = write_models(tmp_path, 1, "stylegan2-64-small")
    dragged = drag.measure(str(path), "cpu", 1.0)
    assert len(dragged.latency_ms) > 0
    assert min(dragged.latency_ms) > 0
    assert set(dragged.heights) <= {32, 64}
    assert dragged.full_ms > 0
    assert dragged.cpu_ms > 0


def test_a_row_says_how_often_each_height_was_shown():
    row = drag.row("net", drag.Dragged([10.0] * 30, Counter({64: 3, 32: 1}), 40.0, 2.0, 500.0, None))
    assert row == ["net", "10.0", "10.0", "2.00", "40.0", "32 (25%), 64 (75%)", "500", "-"]
