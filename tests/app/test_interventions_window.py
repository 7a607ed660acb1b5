"""Interventions in the whole window, with a real engine: from a click to the four pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.renderer import Renderer
from app.studies.interventions import Untouched
from networks.plan import PRE_NORM
from tests.app.whole_app import WholeApp
from tests.gui_support import centre_of

pytestmark = pytest.mark.gui


@pytest.fixture
def app(window, screen, tmp_path):
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.hand.release()
    app.close()


def test_a_recipe_shows_its_picture_beside_the_untouched_one(app: WholeApp) -> None:
    app.open("stylegan1.pkl")
    app.raise_tab("Interventions")
    both = app.raise_tab("Before and after")
    panel = app.panel("Interventions")
    app.hand.click(*centre_of(panel.recipes[1].tag))
    app.until(lambda: panel.list.now.rows, "the droplet's spot")
    app.settle()
    fill, hold = app.frame.request.edits
    assert (fill.op, hold.op, fill.stage, hold.onward) == ("inpaint", "untouched_norm", PRE_NORM, True)
    alone = Renderer()
    plain = replace(app.frame.request, edits=(), measures=())
    assert np.array_equal(both.untouched.pixels, alone.render(plain).picture)
    assert np.array_equal(both.changed.pixels, alone.render(replace(app.frame.request, measures=())).picture)
    assert app.frame.answer(Untouched).mean > 0
    app.hand.click(*centre_of(panel.back.tag))
    app.settle()
    assert app.frame.request.edits == ()
    assert both.untouched.pixels is None


def test_another_model_opens_without_the_interventions_and_without_a_complaint(app: WholeApp) -> None:
    app.open("stylegan1.pkl")
    panel = app.raise_tab("Interventions")
    panel.form.describe(replace(panel.form.value, layer="b16.conv0", channels=(3,)))
    panel.add()
    app.settle()
    assert len(app.frame.request.edits) == 1
    app.open("stylegan3-t.pkl")
    assert app.frame.request.edits == ()
    assert panel.form.layer.value == app.frame.model.layers[0].name
