"""The Directions panel in the whole app: real mouse, a real engine, a small reference model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
import torch

from app.request import Push
from app.studies.directions import Slider
from tests.app.whole_app import WholeApp
from tests.gui_support import Screen, centre_of, new_root_items

pytestmark = pytest.mark.gui
SG2 = "stylegan2.pkl"


@pytest.fixture(scope="module")
def app(session_window: Any, screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeApp]:
    """One app for all tests here: each of them starts without sliders (`panel`)."""
    folder = tmp_path_factory.mktemp("app")
    before = set(dpg.get_all_items())
    session_window.frame()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLESCOPE_CACHE", str(folder / "cache"))
        app = WholeApp(session_window, screen, folder)
        yield app
        app.hand.release()
        app.close()
    for item in new_root_items(before):
        dpg.delete_item(item)
    session_window.on_drop(None)


@pytest.fixture
def panel(app: WholeApp) -> Any:
    errors: list[BaseException] = []
    app.window.on_error = errors.append
    app.open(SG2)
    panel = app.raise_tab("Directions")
    panel.source.stop()
    panel.put(())
    panel.ends.set(False)
    app.settle()
    yield panel
    app.hand.release()
    assert errors == []


def click(app, item):
    """Click on an item of the panel, after scrolling to it as a person would."""
    window = app.panel("Directions").window_id
    top, middle = dpg.get_item_pos(window)[1], centre_of(item)[1]
    if not top + 40 < middle < top + dpg.get_item_height(window) - 20:
        dpg.set_y_scroll(window, dpg.get_y_scroll(window) + middle - top - 80)
        app.turn(3)
    app.hand.click(*centre_of(item))


def choose(app, panel, entry):
    """An entry of the menu that is open."""
    app.turn(3)
    app.hand.click(*centre_of(panel.list.menu.items[entry]))
    app.turn(3)


def added(app, panel, *sliders):
    panel.put(tuple(sliders))
    app.settle()


def sources(panel):
    return [(slider.push.source, slider.push.index) for slider in panel.list.now]


def test_components_are_added_by_a_press_and_a_dragged_slider_moves_the_picture(app, panel):
    panel.source.count.set(2)
    click(app, panel.source.press.tag)
    app.until(lambda: panel.list.sliders, "sliders")
    app.turn(3)
    assert sources(panel) == [("pca", 0), ("pca", 1)]
    app.settle()
    still = app.picture.copy()
    assert app.frame.request.pushes == ()
    slider = panel.list.sliders[0].strength
    click(app, slider.tag)  # scrolls to it, and takes the middle: 0
    app.turn(2)
    x, y = centre_of(slider.tag)
    app.hand.move(x, y)
    app.hand.press()
    app.hand.move(x + 30, y)
    assert panel.dragging()
    app.hand.release()
    app.settle()
    (push,) = app.frame.request.pushes
    assert (push.source, push.index, push.rows) == ("pca", 0, None)
    assert 0 < push.strength <= 5
    assert not np.array_equal(app.picture, still)
    app.hand.click(x + 30, y, button=3)  # back to 0
    app.settle()
    assert app.frame.request.pushes == ()
    assert np.array_equal(app.picture, still)


def test_what_is_there_already_is_not_added_twice(app, panel):
    added(app, panel, Slider(Push("pca", 1, 2.0, (0, 2)), "older"))
    panel.add((Slider(Push("pca", 0)), Slider(Push("pca", 1))))
    assert panel.list.now == (Slider(Push("pca", 1, 2.0, (0, 2)), "older"), Slider(Push("pca", 0)))


def test_a_restored_request_sets_the_sliders_and_adds_those_that_are_missing(app, panel):
    added(app, panel, Slider(Push("pca", 0, 1.0), "older"), Slider(Push("sefa", 1, -1.0)))
    pushes = (Push("sefa", 1, 2.5), Push("random", 4, 7.5, (1, 3)))
    app.desk.restore(replace(app.desk.current(), pushes=pushes))
    app.until(lambda: app.running.loop.request().pushes == pushes, "the pushes")
    assert panel.list.now == (
        Slider(Push("pca", 0, 0.0), "older"), Slider(Push("sefa", 1, 2.5)), Slider(Push("random", 4, 7.5, (1, 3))),
    )  # fmt: skip
    moved = replace(pushes[1], rows=(0, 2))
    app.desk.restore(replace(app.desk.current(), pushes=(pushes[0], moved)))
    app.until(lambda: app.running.loop.request().pushes == (pushes[0], moved), "other rows of the same slider")
    assert len(panel.list.sliders) == 3
    swapped = (moved, pushes[0])  # sums of floats depend on the order
    app.desk.restore(replace(app.desk.current(), pushes=swapped))
    app.until(lambda: app.running.loop.request().pushes == swapped, "the other order")


def test_the_menu_limits_rows_turns_rolls_moves_and_removes(app, panel):
    added(app, panel, Slider(Push("random", 3, 1.5)), Slider(Push("pca", 0)))
    for entry, expected in (
        ("Coarse rows", Push("random", 3, 1.5, (0, 3))),
        ("All rows", Push("random", 3, 1.5)),
        ("Other way round", Push("random", 3, -1.5)),
    ):
        click(app, panel.list.sliders[0].more.tag)
        choose(app, panel, entry)
        assert panel.list.sliders[0].push == expected
    click(app, panel.list.sliders[0].more.tag)
    choose(app, panel, "Roll again")
    rolled = panel.list.sliders[0].push
    assert rolled.source == "random"
    assert rolled.index != 3
    click(app, panel.list.sliders[1].more.tag)
    choose(app, panel, "Earlier")
    assert sources(panel) == [("pca", 0), ("random", rolled.index)]
    click(app, panel.list.sliders[1].more.tag)
    choose(app, panel, "Remove")
    assert sources(panel) == [("pca", 0)]


def test_a_slider_takes_another_name(app, panel):
    added(app, panel, Slider(Push("pca", 0)))
    click(app, panel.list.sliders[0].name)
    app.hand.key("ctrl+a")
    app.hand.type("old")
    app.hand.key("Return")
    app.turn(2)
    assert panel.list.now[0].name == "old"
    assert panel.keep()["sliders"][0]["name"] == "old"


def test_orthogonal_directions_replace_those_in_w(app, panel):
    style = Slider(Push("style:b8.conv1", 2, 1.0))
    added(app, panel, Slider(Push("pca", 0, 1.0)), style, Slider(Push("random", 1, 0.5), "mine"))
    click(app, panel.straight.tag)
    app.until(lambda: panel.list.now[0].push.source != "pca", "orthogonal directions")
    source = 'orthogonal:[["pca",0],["random",1]]'
    assert sources(panel) == [(source, 0), ("style:b8.conv1", 2), (source, 1)]
    assert [slider.name for slider in panel.list.now] == ["PCA 1, orthogonal", "", "mine, orthogonal"]
    app.settle()
    assert app.frame.problem is None
    panel.orthogonalize()  # once more: the same parts, not a set inside a set
    app.until(lambda: not panel.source.busy, "an answer")
    assert sources(panel)[0] == (source, 0)


def test_a_set_is_saved_cleared_and_opened_again(app, panel, tmp_path):
    sliders = (Slider(Push("sefa", 0, 1.25), "wide"), Slider(Push("style:b8.conv1", 2, -3.0)))
    added(app, panel, *sliders)
    panel.save_to(str(tmp_path / "mine.json"))
    app.until(lambda: "Saved 2 directions" in app.desk.messages.text, "a sentence")
    assert len(json.loads((tmp_path / "mine.json").read_text())["sliders"][0]["direction"]) == panel.model.w_dim
    click(app, panel.clear.tag)
    assert panel.list.now == ()
    panel.source.open_file(str(tmp_path / "mine.json"))
    app.until(lambda: panel.list.now == sliders, "the set")


def test_a_dropped_set_makes_sliders_and_a_dropped_latent_a_picture(app, panel, tmp_path):
    dim, rows = panel.model.w_dim, panel.model.num_ws
    np.savez(tmp_path / "two.npz", smile=np.ones(dim), age=np.arange(dim) + 1.0)
    np.save(tmp_path / "w.npy", np.zeros((rows, dim)))
    torch.save(torch.eye(dim)[:3], tmp_path / "three.pt")
    torch.save(torch.zeros(1, dim), tmp_path / "w.pt")
    app.desk.drop([str(tmp_path / "two.npz")])
    app.until(lambda: len(panel.list.sliders) == 2, "sliders")
    assert [slider.name for slider in panel.list.now] == ["smile", "age"]
    app.desk.drop([str(tmp_path / "three.pt")])
    app.until(lambda: len(panel.list.sliders) == 5, "more sliders")
    for name in ("w.npy", "w.pt"):
        app.desk.drop([str(tmp_path / name)])
        app.until(lambda at=name: app.desk.current().latent.file.endswith(at), "a latent")
    assert len(panel.list.sliders) == 5


def test_the_strongest_channels_are_added_with_what_they_change(app, panel):
    panel.source.kind._pressed(panel.source.kind.buttons["style"], None, None)
    app.turn(3)
    click(app, panel.source.strongest.tag)
    app.until(lambda: panel.list.sliders, "channels")
    assert all(slider.source.kind == "style" for slider in panel.list.sliders)
    push = panel.list.sliders[0].push
    assert panel.source.brief(push).startswith("1 σ changes ")
    slider = panel.list.sliders[0].strength
    slider.set(10.0)
    app.settle()
    assert app.frame.request.pushes == (replace(push, strength=10.0),)
    assert app.frame.problem is None


def test_what_cannot_be_computed_is_one_sentence_and_the_picture_stays(app, panel):
    before = app.picture.copy()
    panel.source.kind._pressed(panel.source.kind.buttons["sefa"], None, None)
    panel.source.sefa_rows.set("7-90")
    app.turn(3)
    click(app, panel.source.press.tag)
    app.until(lambda: not panel.source.busy and dpg.is_item_shown(panel.source.words), "a sentence")
    assert "rows 7 to 90 are not all there" in dpg.get_value(panel.source.words)
    assert panel.list.now == ()
    assert np.array_equal(app.picture, before)


def test_the_ends_are_the_pictures_three_deviations_away(app, panel):
    added(app, panel, Slider(Push("pca", 0, 1.0)))
    panel.ends.set(True)
    app.until(lambda: [p for p in panel.texture.pictures if p is not None][1:], "two pictures")
    low, high = panel.texture.pictures
    for picture, strength in ((low, -3.0), (high, 3.0)):
        panel.list.sliders[0].strength.set(strength)
        app.settle()
        assert np.array_equal(picture, app.picture)  # 32 px: small enough to be shown as they are
    assert panel.texture.box(0) is not None
    shown = panel.texture.pictures
    app.turn(5)
    assert panel.texture.pictures == shown or all(a is b for a, b in zip(panel.texture.pictures, shown, strict=True))


def test_a_session_remembers_sliders_at_zero_and_another_architecture_forgets_them(app, panel):
    sliders = (Slider(Push("pca", 0, 0.0), "older"), Slider(Push("sefa", 2, 1.0, (0, 3))))
    added(app, panel, *sliders)
    kept = json.loads(json.dumps(panel.keep()))
    panel.put(())
    panel.recall(kept)
    assert panel.list.now == sliders
    panel.recall({"sliders": [3, {"source": "no"}, kept["sliders"][0]]})
    assert panel.list.now == sliders[:1]
    app.open("stylegan3-t.pkl")
    assert panel.list.now == ()
    assert app.frame.request.pushes == ()
