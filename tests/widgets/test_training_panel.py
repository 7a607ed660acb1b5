"""The training panel: what it shows of a run, what it asks for; curves against sums done by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import Snapshot, TrainingRun
from tests.gui_support import Hand, centre_of
from tests.widgets.support import Bench
from widgets.curve_math import binned
from widgets.film_strip import spread
from widgets.training_panel import TrainingPanel, duration, names, pace_in_words

SNAPSHOTS = tuple(Snapshot(f"/run/{kimg}.safetensors", kimg, 1) for kimg in (10.0, 20.0, 30.0))
KIMG = np.arange(1.0, 33.0)


def run(**changes: Any) -> TrainingRun:
    """A run of 32 kimg of 64, 25 pictures per second."""
    log = {"kimg": KIMG, "seconds": 40 * KIMG, "d_loss": np.full(32, 0.5), "g_loss": KIMG / 10}
    log |= {"real_sign": np.full(32, np.nan)}
    state = TrainingRun("/runs/faces", SNAPSHOTS, SNAPSHOTS[2], True, log, {"batch": "8"}, 64.0, 1000.0)
    return replace(state, **changes)


@pytest.fixture
def panel(bench: Bench) -> TrainingPanel:
    (panel,) = bench.add(TrainingPanel, width=480)
    panel.film.set(False)  # tests/app/test_training_view.py has the strip with an engine
    return panel


def give(bench: Bench, state: TrainingRun | None) -> None:
    bench.state = replace(bench.state, training=state)
    bench.turn(3)


@pytest.mark.gui
def test_without_a_run_it_says_how_to_open_one(bench: Bench, panel: TrainingPanel) -> None:
    bench.turn(2)
    assert dpg.is_item_visible(panel.empty)
    assert not dpg.is_item_visible(panel.group)
    give(bench, run())
    assert not dpg.is_item_visible(panel.empty)
    assert dpg.is_item_visible(panel.group)
    give(bench, None)
    assert dpg.is_item_visible(panel.empty)


@pytest.mark.gui
def test_a_run_is_shown_with_its_progress_and_its_losses_at_the_marked_snapshot(
    bench: Bench, panel: TrainingPanel
) -> None:
    give(bench, run(shown=SNAPSHOTS[1]))
    assert dpg.get_item_label(panel.heading) == "faces:  32.0 kimg"
    assert dpg.get_item_configuration(panel.progress)["overlay"] == "50% of 64 kimg"
    assert dpg.get_value(panel.progress) == 0.5
    loss, sign, r1, _ = panel.plots.plots
    assert [dpg.get_value(words) for words in loss.words] == ["D 0.5", "G 2"]
    assert dpg.get_value(loss.marker)[0] == [20.0]
    assert dpg.get_value(loss.lines[1])[:2] == [KIMG.tolist(), (KIMG / 10).tolist()]
    assert not dpg.is_item_shown(sign.group)  # nothing but empty cells
    assert not dpg.is_item_shown(r1.group)  # no such column
    give(bench, run(shown=SNAPSHOTS[0]))
    assert [dpg.get_value(words) for words in loss.words] == ["D 0.5", "G 1"]
    give(bench, run(planned_kimg=None, problem="/runs/faces cannot be read any more"))
    assert not dpg.is_item_shown(panel.progress)
    assert dpg.get_value(panel.problem) == "/runs/faces cannot be read any more"


@pytest.mark.gui
def test_buttons_and_the_scrubber_ask_for_snapshots(bench: Bench, panel: TrainingPanel, bench_hand: Hand) -> None:
    give(bench, run(shown=SNAPSHOTS[1]))
    for button in panel.moves:
        if button is not panel.play:
            bench_hand.click(*centre_of(button.tag))
    assert bench.notes.log == [("show_snapshot", (SNAPSHOTS[index],)) for index in (0, 0, 2)]
    bench.notes.log.clear()
    x, y = centre_of(panel.place.tag)
    bench_hand.click(x + 100, y)
    bench_hand.click(x + 100, y, button=3)
    assert ("show_snapshot", (SNAPSHOTS[2],)) in bench.notes.log
    bench.notes.log.clear()
    bench_hand.click(*centre_of(panel.follow_newest.tag))
    assert bench.notes.log == [("follow_run", (False,))]


@pytest.mark.gui
def test_playing_waits_for_each_picture(bench: Bench, panel: TrainingPanel) -> None:
    give(bench, run(shown=SNAPSHOTS[0]))
    panel.toggle()
    assert panel.playing
    bench.turn(5, seconds=1.0)
    assert bench.notes.log == []  # no picture of the first one yet
    seen = bench.fold()
    bench.show(request=replace(seen, model=replace(seen.model, path=SNAPSHOTS[0].path)))
    bench.turn(1, seconds=0.2)
    assert bench.notes.log == []
    bench.turn(1, seconds=0.2)
    assert bench.notes.log == [("show_snapshot", (SNAPSHOTS[1],))]


@pytest.mark.gui
def test_one_snapshot_leaves_nothing_to_scrub(bench: Bench, panel: TrainingPanel) -> None:
    give(bench, run(snapshots=SNAPSHOTS[:1], shown=SNAPSHOTS[0]))
    assert not panel.place.enabled
    assert dpg.get_item_configuration(panel.place.tag)["format"] == "10.0 kimg   (1 of 1)"
    give(bench, run(snapshots=(), shown=None))
    assert dpg.get_item_configuration(panel.place.tag)["format"].startswith("No snapshot yet")
    panel.step(1)
    assert bench.notes.log == []


def test_bins_by_hand() -> None:
    curve = binned(np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 4, np.nan, 6, 12]), 2)
    assert curve.x.tolist() == [1.5, 4.5]
    assert curve.mean.tolist() == [3, 9]
    assert curve.low.tolist() == [2, 6]
    assert curve.high.tolist() == [4, 12]
    assert (curve.at(0), curve.at(2.9), curve.at(3.1)) == (3, 3, 9)
    assert binned(np.array([1.0]), np.array([np.nan]), 4).at(1) is None


def test_pace_in_words() -> None:
    assert pace_in_words(run(), 1004.0) == "21 min of training; 25 pictures / s; 21 min to go; last written 4 s ago."
    assert pace_in_words(run(), 1000.0 + 3 * 3600) == "21 min of training; at rest: nothing was written for 3.0 h."
    assert pace_in_words(run(log={}), 1000.0) == "last written 0 s ago."


@pytest.mark.parametrize(
    ("seconds", "words"), [(42, "42 s"), (600, "10 min"), (9000, "2.5 h"), (260000, "3.0 days")]
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_long_run_is_spread_over_the_strip_with_its_ends_and_the_shown_one() -> None:
    many = tuple(Snapshot(str(kimg), kimg) for kimg in range(100))
    picked = spread(many, many[50], most=8)
    assert [snapshot.kimg for snapshot in picked] == [0, 16, 33, 50, 66, 82, 99]
    assert [snapshot.kimg for snapshot in spread(many, many[7], most=8)] == [0, 7, 16, 33, 50, 66, 82, 99]
    assert spread(many[:8], many[0], most=8) == many[:8]


def test_the_scrubber_names_its_snapshots() -> None:
    assert names(SNAPSHOTS)[1] == "20.0 kimg   (2 of 3)"
