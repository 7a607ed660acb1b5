"""The Path length panel in the whole window: steps while the picture is dragged, lengths that are kept."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.diagnostics import path_length
from app.renderer import Renderer
from app.studies.path_length import PathLengths, everything_but_latent, of_latent, quantile
from app.studies.step_size import WalkSample
from tests.app.test_measurement_panels import SG1, SG2, click, show
from tests.app.whole_app import WholeApp

pytestmark = pytest.mark.gui


@pytest.fixture
def app(window: Any, screen: Any, tmp_path: Any) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def measure(app: WholeApp, panel: Any) -> None:
    """Press Measure and wait for the end."""
    click(app, panel, panel.lengths.study.button.tag)
    app.until(lambda: not panel.lengths.study.running, "the lengths")
    app.turn(3)


def series(tag: int | str) -> tuple[list[float], ...]:
    return tuple(dpg.get_value(tag)[:2])


def test_dragging_the_picture_draws_its_steps(app):
    panel = show(app, "Path length")
    assert app.running.loop.request().measures == (WalkSample(),)
    assert dpg.is_item_shown(panel.words)
    x, y = app.point()
    app.hand.press()
    places = itertools.cycle(range(-40, 41, 8))

    def dragged() -> bool:
        app.hand.move(x + next(places), y)
        return len(panel.meter.steps) >= 3

    app.until(dragged, "three steps")
    app.hand.release()
    app.settle()
    moved = [each for each in panel.meter.steps if each.moved]
    assert len(moved) >= 3
    assert all(each.rms >= each.mean_abs > 0 for each in moved)
    app.until(lambda: len(series(panel.rate.line)[1]) >= 3, "a curve")
    assert not dpg.is_item_shown(panel.words)
    drawn = [value for value in series(panel.rate.line)[1] if not np.isnan(value)]
    assert drawn == pytest.approx([each.per_w for each in panel.meter.steps][: len(drawn)])
    assert "%" in dpg.get_value(panel.rate.words)
    before = list(panel.meter.steps)
    app.open(SG1)
    assert not any(step in before for step in panel.meter.steps)  # another model: it begins anew
    assert len(panel.meter.steps) <= 1  # and no step leads there; at most one to the psi that the file proposes


def test_lengths_are_measured_kept_and_added_to(app):
    panel = show(app, "Path length")
    click(app, panel, panel.mode.buttons["lengths"])
    assert app.running.loop.request().measures == ()
    section = panel.lengths
    section.count.set(16)
    section.draws.set(2)
    measure(app, panel)
    request = app.frame.request
    want = list(path_length.run(PathLengths(everything_but_latent(request), 0, 16, 2), Renderer()))[-1].answer
    own = list(path_length.run(PathLengths(of_latent(request), None, 1, 2), Renderer()))[-1].answer
    np.testing.assert_allclose(section.many.rows, want.rows, rtol=1e-5)
    np.testing.assert_allclose(section.own.rows, own.rows, rtol=1e-5)
    share = quantile(float(section.own.rows.mean()), section.many.points())
    assert dpg.get_value(section.figures._cells[1]) == f"{100 * share:.0f} %"
    assert sum(series(section.histogram.bars)[1]) == 16
    before = section.many.rows
    section.count.set(20)
    app.turn(2)
    assert dpg.get_value(section.changed) == "16 of 20 seeds; Measure goes on."
    measure(app, panel)
    assert len(section.many) == 20
    assert (section.many.rows[:16] == before).all()  # not measured again
    click(app, panel, section.study.save.tag)
    app.until(lambda: app.saved, "the file")
    values = json.loads(app.saved[-1].read_text())
    assert values["points"] == 20
    assert values["this_point"]["rows"]["mean"] == section.own.rows.mean()


def test_numbers_of_another_point_are_said_to_be_and_come_back_with_their_model(app):
    panel = show(app, "Path length")
    click(app, panel, panel.mode.buttons["lengths"])
    section = panel.lengths
    section.count.set(16)
    section.draws.set(1)
    measure(app, panel)
    first = section.many.rows
    app.panel("Latent").x.set(1.0)
    app.settle()
    assert "moved since" in dpg.get_value(section.changed)
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    assert "another setting has changed" in dpg.get_value(section.changed)
    app.open(SG1)
    assert section.many is None
    assert sum(dpg.get_value(section.histogram.mean)[0]) == 0
    app.panel("Latent").x.set(0.0)
    app.panel("Truncation").psi.set(1.0)
    app.open(SG2)
    app.turn(3)
    assert (section.many.rows == first).all()
    assert section.own is not None


def test_a_session_brings_back_what_was_shown(app):
    panel = show(app, "Path length")
    panel.recall({"mode": "lengths"})
    app.turn(3)
    assert dpg.is_item_shown(panel.lengths.group)
    assert not dpg.is_item_shown(panel.steps)
    assert panel.keep() == {"mode": "lengths"}
