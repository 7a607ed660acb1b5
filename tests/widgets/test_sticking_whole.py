"""Sticking and Equivariance in the whole window: what they show is what the studies answer without a window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.diagnostics import layer_probe, sticking
from app.renderer import Renderer
from tests.app.whole_app import REFERENCE, WholeApp
from tests.gui_support import centre_of

pytestmark = pytest.mark.gui


@pytest.fixture
def app(window: Any, screen: Any, tmp_path: Any) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def last(steps: Iterator[Any]) -> Any:
    """The last answer of a study's steps."""
    return [update.answer for update in steps if update.answer is not None][-1]


def measure(app: WholeApp, panel: Any) -> None:
    """Press Measure and wait."""
    app.hand.click(*centre_of(panel.study.button.tag))
    app.until(lambda: panel.study.runs and not panel.study.running, "the study")
    app.turn(2)
    assert all(run.handle.state.problem is None for run in panel.study.runs)


def test_two_models_are_measured_as_without_a_window(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    panel = app.raise_tab("Sticking")
    panel.second._take(str(REFERENCE / "stylegan3-t.pkl"))
    section = panel.sections["mean"]
    section.count.set(3)
    app.turn(2)
    measure(app, panel)
    for run, side in zip(panel.study.runs, section.sides, strict=True):
        alone = last(sticking.run(run.handle.question, Renderer()))
        shown = section.answers[side.key]
        assert shown.score == alone.score
        assert np.array_equal(shown.mean, alone.mean)
        assert shown.model.family == ("stylegan3" if side.key else "stylegan2")


def test_the_layer_probe_of_a_stylegan2_has_every_layer(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    panel = app.raise_tab("Equivariance")
    app.hand.click(*centre_of(panel.mode.buttons["layers"]))
    panel.probe.count.set(1)
    app.turn(2)
    measure(app, panel)
    alone = last(layer_probe.run(panel.probe.asked, Renderer()))
    assert [bar.name for bar in panel.probe.bars.bars] == [layer.name for layer in alone.layers]
    assert [layer.db for layer in panel.probe.answer.layers] == [layer.db for layer in alone.layers]
    assert len(alone.layers) > 3
