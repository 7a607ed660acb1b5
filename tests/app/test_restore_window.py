"""Bringing whole requests back into the window: every panel, undo and redo through real keys."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.command_line import as_command
from app.request import Diagnostic, Latent, Mix, RenderRequest, Transform, Truncation, View
from app.window.history import lasting
from networks.plan import Intervention, LayerNoise, Noise
from tests.app.whole_app import REFERENCE, WholeApp

pytestmark = pytest.mark.gui
SG2 = RenderRequest(
    latent=Latent(((3, 0.3), (1007, 0.5), (12, 0.2)), space="z"),
    truncation=Truncation(0.637, 5),
    mix=Mix(4, (1, 3)),
    noise=Noise("random", 11, (LayerNoise("b8.conv1", strength=2.5), LayerNoise("b16.conv0", False)), 0.125),
    edits=(Intervention("b8.conv0", "scale", 0.25, (3,)), Intervention("b16.conv1", "shift", 0.5, (1, 2))),
    view=View("b16.conv1", channel=2, normalize=False, gain_db=6.5, colours="magma", overlay=0.35, crop=False),
    diagnostic=Diagnostic("noise_difference", 7.5),
    bgr=True,
)
SG3 = RenderRequest(
    latent=Latent(((5, 1.0),)),
    transform=Transform(0.125, -0.25, 33.4, None, freeze_input=True),
    view=View("L2_20_16", mode="rgb", rgb=(2, 0, 1), sort="variance", fit=2),
)
MATRIX = Transform(matrix=((0.8, 0.1, 0.2), (-0.1, 0.8, 0.1), (0.0, 0.0, 1.0)))


@pytest.fixture
def app(window, screen, tmp_path):
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.hand.release()
    app.close()


def asked(app: WholeApp) -> RenderRequest:
    return lasting(app.running.loop.request())


def of(name: str, request: RenderRequest, app: WholeApp) -> RenderRequest:
    return replace(request, model=replace(asked(app).model, path=str(REFERENCE / name)))


def test_every_panel_takes_its_part_of_a_request_and_gives_it_back(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    wanted = of("stylegan2.pkl", SG2, app)
    count = max(layer.channels for layer in app.frame.model.layers)
    assert count > 3
    app.desk.restore(wanted)
    app.turn()
    assert asked(app) == replace(wanted, view=replace(wanted.view, count=asked(app).view.count))


def test_a_request_of_another_model_opens_it_first(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    layer = "L2_20_16"
    wanted = of("stylegan3-t.pkl", SG3, app)
    app.desk.restore(wanted)
    app.until(lambda: not app.desk.restorer.busy, "the model")
    app.turn()
    got = asked(app)
    names = [info.name for info in app.frame.model.layers]
    expected = wanted.view if layer in names else View()
    assert replace(got, view=View()) == replace(wanted, view=View())
    assert (got.view.layer, got.view.mode if expected.layer else "maps") == (expected.layer, expected.mode)
    app.desk.restore(replace(wanted, transform=MATRIX))
    app.turn()
    assert asked(app).transform == MATRIX
    app.settle()
    assert app.frame.problem is None


def test_undo_takes_back_a_drag_and_the_opening_of_a_model_and_redo_repeats_them(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    app.turn(30)
    first, before = asked(app), app.picture.copy()
    x, y = app.point()
    app.hand.drag((x, y), (x + 40, y + 25))
    app.settle()
    dragged, after = asked(app), app.picture.copy()
    assert dragged.latent != first.latent
    app.key("ctrl+z")
    app.settle()
    assert asked(app) == first
    assert np.array_equal(app.picture, before)
    app.key("ctrl+y")
    app.settle()
    assert asked(app) == dragged
    assert np.array_equal(app.picture, after)
    app.open("stylegan3-t.pkl")
    other = asked(app)
    app.key("ctrl+z")
    app.settle()
    assert asked(app) == dragged
    app.key("ctrl+y")
    app.settle()
    assert asked(app).model.path == other.model.path


def test_undo_with_nothing_before_says_so(app: WholeApp) -> None:
    app.key("ctrl+z")
    assert "nothing to undo" in app.desk.messages.text


def test_the_command_line_of_the_picture_is_copied(app: WholeApp) -> None:
    app.key("ctrl+shift+c")
    assert "open a model first" in app.desk.messages.text
    app.open("stylegan2.pkl")
    app.key("Right")
    app.settle()
    app.key("ctrl+shift+c")
    assert dpg.get_clipboard_text() == as_command(app.running.loop.request())
    assert "--seeds 1 " in dpg.get_clipboard_text()
    assert app.desk.messages.text.startswith("Copied: python main.py render ")


def test_messages_lie_over_the_picture_and_not_over_controls(app: WholeApp) -> None:
    app.desk.say("Here.")
    app.turn(4)
    left, top = dpg.get_item_pos(app.desk.messages._window)
    width, height = dpg.get_item_rect_size(app.desk.messages._window)
    corner = dpg.get_item_pos(app.panel("Picture").window_id)
    size = dpg.get_item_rect_size(app.panel("Picture").window_id)
    assert corner[0] <= left < left + width <= corner[0] + size[0]
    assert corner[1] <= top < top + height <= corner[1] + size[1]
