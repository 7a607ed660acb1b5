"""Slots, favourites and the grids in the whole app, through real mouse and key events."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from PIL import Image

from app.display import native
from app.renderer import Renderer
from app.request import Latent, Mix, RenderRequest
from app.studies.picture_list import mixed, of_seed, shown_part, truncated
from app.window.history import lasting
from app.window.layout import default_layout
from tests.app.whole_app import REFERENCE, WholeApp
from tests.gui_support import centre_of
from widgets.registry import all_panels

pytestmark = pytest.mark.gui
SG2, SG3 = "stylegan2.pkl", "stylegan3-t.pkl"


@pytest.fixture
def app(window, screen, tmp_path):
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.hand.release()
    app.close()


def asked(app: WholeApp) -> RenderRequest:
    return lasting(app.running.loop.request())


def shown(app: WholeApp, title: str) -> Any:
    """A panel in front with all its pictures there."""
    panel = app.raise_tab(title)
    drawn(app, panel)
    return panel


def drawn(app: WholeApp, panel: Any) -> None:
    app.turn(2)
    app.until(lambda: panel.pictures.wanted and not panel.pictures.missing, "small pictures")
    app.turn(2)


def click(app: WholeApp, grid: Any, place: int, button: int = 1) -> None:
    app.hand.click(*grid.centre(place), button=button)


def press_entry(app: WholeApp, menu: Any, label: str) -> None:
    """Click an entry of an open menu."""
    app.turn(3)
    app.hand.click(*centre_of(menu.items[label]))
    app.turn(2)


def exact(request: RenderRequest) -> np.ndarray:
    """The picture of a request by a renderer of our own; the reference networks are small enough to be shown whole."""
    return Renderer().render(request).picture


def agree(cell: Any, request: RenderRequest) -> None:
    assert not cell.faint
    assert np.abs(cell.picture.astype(int) - exact(request)).max() <= 1


def test_seeds_are_drawn_with_the_present_settings_and_picked(app: WholeApp) -> None:
    app.open(SG2)
    app.panel("Truncation").psi.set(0.6)
    app.settle()
    app.panel("Seeds").size.set("48")
    panel = shown(app, "Seeds")
    assert panel.count >= 4
    now = asked(app)
    for place in (0, 3):
        agree(panel.grid.cells[place], of_seed(now, place))
    assert [cell.frame for cell in panel.grid.cells[:4]] == ["here", "", "", ""]
    click(app, panel.grid, 3)
    app.settle()
    assert asked(app) == of_seed(now, 3)
    assert np.array_equal(app.picture, exact(of_seed(now, 3)))
    drawn(app, panel)
    assert [cell.frame for cell in panel.grid.cells[:4]] == ["", "", "", "here"]


def test_another_page_other_settings_and_the_menu_of_a_seed(app: WholeApp) -> None:
    app.open(SG2)
    panel = shown(app, "Seeds")
    panel.turn_page(1)
    drawn(app, panel)
    assert panel.seeds[0] == panel.count
    agree(panel.grid.cells[1], of_seed(asked(app), panel.count + 1))
    app.panel("Truncation").psi.set(0.3)
    app.settle()
    drawn(app, panel)
    agree(panel.grid.cells[1], of_seed(asked(app), panel.count + 1))
    seed = panel.seeds[1]
    click(app, panel.grid, 1, button=3)
    press_entry(app, panel.menu, f"Keep seed {seed}")
    slots = app.panel("Slots")
    assert [kept.request for kept in slots.favourites] == [of_seed(asked(app), seed)]
    app.until(lambda: slots.favourites[0].thumbnail is not None, "the favourite's picture")
    assert np.abs(slots.favourites[0].thumbnail.astype(int) - exact(of_seed(asked(app), seed))).max() <= 1
    assert f"Kept seed {seed}" in app.desk.messages.text
    app.desk.messages._until = 0.0  # it stands over the menu in so small a window
    app.turn(3)
    click(app, panel.grid, 1, button=3)
    press_entry(app, panel.menu, next(label for label in panel.menu.items if label.startswith("Second seed")))
    assert asked(app).mix.seed == seed
    assert asked(app).mix.rows == panel._mixing_rows() != ()
    app.settle()
    drawn(app, panel)
    assert panel.grid.cells[1].frame == "second"


def test_pictures_of_a_former_model_are_gone_at_once(app: WholeApp) -> None:
    app.open(SG2)
    panel = shown(app, "Seeds")
    former = [cell.picture for cell in panel.grid.cells]
    assert all(picture is not None for picture in former)
    app.desk.open(str(REFERENCE / SG3))
    app.until(lambda: panel.model is not None and panel.model.name == SG3, "the other model")
    seen = 0
    while app.frame is None or not app.frame.complete or panel.pictures.missing or not panel.pictures.wanted:
        assert all(cell.picture is None or not any(cell.picture is old for old in former) for cell in panel.grid.cells)
        seen += 1
        app.turn()
    assert seen > 0
    app.turn(2)
    agree(panel.grid.cells[2], of_seed(asked(app), 2))


def test_a_cell_of_the_style_matrix_is_restored(app: WholeApp) -> None:
    app.open(SG2)
    app.raise_tab("Style matrix")
    panel = app.panel("Style matrix")
    panel.sources.set("1, 2")
    panel.styles.set("7-8")
    panel.group.set("middle")
    drawn(app, panel)
    now = asked(app)
    rows = panel.rows
    assert rows == tuple(range(3, 7)) or rows
    assert panel.places == [(None, None), (None, 7), (None, 8), (1, None), (1, 7), (1, 8), (2, None), (2, 7), (2, 8)]
    agree(panel.grid.cells[5], mixed(now, 1, 8, rows))
    agree(panel.grid.cells[6], of_seed(now, 2))
    click(app, panel.grid, 5)
    app.settle()
    assert asked(app) == mixed(now, 1, 8, rows)
    drawn(app, panel)
    assert [place for place, cell in enumerate(panel.grid.cells) if cell.frame == "here"] == [5]
    click(app, panel.grid, 1)
    app.settle()
    assert (asked(app).latent, asked(app).mix) == (Latent(((7, 1.0),)), Mix())
    panel.styles.set("7-")
    app.turn(2)
    assert dpg.get_value(panel.words) == "styles: write seeds, for instance 0, 1, 5-8."
    assert not panel.save.enabled


def test_the_matrix_is_saved_with_its_seeds(app: WholeApp) -> None:
    app.open(SG2)
    panel = app.raise_tab("Style matrix")
    panel.sources.set("1")
    panel.styles.set("7")
    app.turn(2)
    app.hand.click(*centre_of(panel.save.tag))
    app.until(lambda: any("style-matrix" in path.name for path in app.saved), "the sheet")
    with Image.open(app.saved[-1]) as sheet:
        assert sheet.width > 2 * 256


def test_a_click_on_the_strip_sets_psi(app: WholeApp) -> None:
    app.open(SG2)
    app.panel("Truncation").cutoff.set(4)
    app.settle()
    panel = shown(app, "Psi strip")
    now = asked(app)
    agree(panel.grid.cells[4], truncated(now, 0.0))
    agree(panel.grid.cells[1], truncated(now, -0.75))
    click(app, panel.grid, 1)
    app.settle()
    assert asked(app) == truncated(now, -0.75)
    assert asked(app).truncation.cutoff == 4
    drawn(app, panel)
    assert [cell.frame for cell in panel.grid.cells].index("here") == 1


def test_slots_by_key_and_by_click_bring_another_models_request_back(app: WholeApp) -> None:
    app.open(SG2)
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    first, picture = asked(app), app.picture.copy()
    app.key("shift+1")
    slots = app.raise_tab("Slots")
    assert slots.slots[0].request == first
    assert np.array_equal(slots.slots[0].thumbnail, picture)
    app.open(SG3)
    app.panel("Transform").angle.set(30.0)
    app.settle()
    second = asked(app)
    click(app, slots.grid, 1)
    assert slots.slots[1].request == second
    assert "are of two models" in slots.complaint()
    click(app, slots.grid, 0)
    app.until(lambda: not app.desk.restorer.busy, "the model")
    app.settle()
    assert asked(app) == first
    assert np.array_equal(app.picture, picture)
    app.key("alt+2")
    app.until(lambda: not app.desk.restorer.busy, "the model")
    app.settle()
    assert asked(app) == second
    click(app, slots.grid, 1, button=3)
    press_entry(app, slots.menu, "Empty the slot")
    assert slots.slots[1] is None
    assert slots.corners == [0]


def test_the_pad_mixes_slots_and_undo_takes_the_whole_drag_back(app: WholeApp) -> None:
    app.open(SG2)
    slots = app.raise_tab("Slots")
    for number, seed in enumerate((3, 8)):
        app.desk.go_to(Latent(((seed, 1.0),)))
        app.settle()
        slots.store(number)
    app.turn(30)
    before = asked(app)
    assert slots.corners == [0, 1]
    app.turn(2)
    app.hand.move(*slots.pad.on_window(0.5, 0.5))
    app.hand.press()
    assert slots.dragging()
    app.hand.move(*slots.pad.on_window(0.25, 0.5))
    app.hand.release()
    app.settle()
    weights = dict(asked(app).latent.seeds)
    assert weights == pytest.approx({3: 0.75, 8: 0.25}, abs=0.01)
    assert not slots.dragging()
    app.key("ctrl+z")
    app.settle()
    assert asked(app) == before


def test_favourites_are_starred_dragged_to_a_slot_and_taken_out(app: WholeApp) -> None:
    app.open(SG2)
    assert native.load_layout(default_layout(all_panels(), 960, 900, 0.4))  # a wide, high strip: the tray is in sight
    slots = app.raise_tab("Slots")
    app.key("b")
    first = asked(app)
    assert app.desk.messages.text == ""  # it is to be seen
    assert [kept.request for kept in slots.favourites] == [first]
    app.desk.go_to(Latent(((5, 1.0),)))
    app.settle()
    app.key("b")
    app.key("b")
    assert [kept.name for kept in slots.favourites] == ["seed 5", "seed 0"]
    app.turn(2)
    app.hand.drag(slots.tray.centre(0), slots.grid.centre(4))
    assert slots.slots[4].name == "seed 5"
    click(app, slots.tray, 1)
    app.settle()
    assert asked(app) == first
    click(app, slots.tray, 1, button=3)
    press_entry(app, slots.menu, "Remove")
    assert [kept.name for kept in slots.favourites] == ["seed 5"]
    app.hand.click(*centre_of(slots.export.tag))
    app.until(lambda: len([path for path in app.saved if "favourites" in path.name]) == 2, "the export")
    numbers = next(path for path in app.saved if path.suffix == ".json")
    assert [kept["name"] for kept in json.loads(numbers.read_text())["favourites"]] == ["seed 5"]


def test_what_is_kept_survives_a_session(app: WholeApp) -> None:
    app.open(SG2)
    slots = app.panel("Slots")
    slots.store(2)
    slots.star()
    slots.rename(2, "grey")
    slots.take_favourite(replace(asked(app), latent=Latent(((9, 1.0),))))
    kept = json.loads(json.dumps(slots.keep()))
    assert slots.keep()["favourites"][0] is slots.keep()["favourites"][0]  # sessions ask every few seconds
    requests = [favourite.request for favourite in slots.favourites]
    slots.recall({})
    assert (slots.favourites, slots.corners, any(slots.slots)) == ([], [], False)
    slots.recall(kept)
    app.turn(2)
    assert [favourite.request for favourite in slots.favourites] == requests
    assert (slots.slots[2].name, slots.corners) == ("grey", [2])
    assert slots.slots[2].request == shown_part(asked(app))
    app.until(lambda: all(favourite.thumbnail is not None for favourite in slots.favourites), "its picture")
    slots.recall({"slots": [5, None], "favourites": ["x"], "corners": [99, "a", 2]})
    app.turn(2)
    assert (slots.favourites, slots.corners, any(slots.slots)) == ([], [], False)
