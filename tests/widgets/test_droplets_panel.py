"""The droplet inspector under a real mouse: what it asks for, what it shows, where it marks the picture."""

from __future__ import annotations

from pathlib import Path

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import BundledModel, LoopState, RecordingState, Status
from app.request import Model
from app.studies.droplet_control import DropletControl, DropletControlAnswer
from app.studies.droplets import DropletMeasure, DropletReport, DropletTrack, DropletTrackAnswer, TrackPoint
from tests.gui_support import Hand, centre_of
from tests.widgets.droplet_support import Studies, report
from tests.widgets.support import Bench, model, ramp
from widgets import look
from widgets.droplets_panel import DropletsPanel
from widgets.overlay import Ring, Trail
from widgets.picture_panel import PicturePanel

pytestmark = pytest.mark.gui
OTHER = "/models/other.safetensors"


@pytest.fixture
def studies(bench: Bench) -> Studies:
    """Every study that the panel starts."""
    bench.notes.study = Studies()  # type: ignore[attr-defined]
    bench.state = LoopState(
        8.0, 60.0, 20.0, "gl", Status(), RecordingState(), recent=("/models/small.pkl", "/models/old.pkl"),
        bundled=(BundledModel(OTHER, "StyleGAN2", "64 × 64 px", ""),),
    )  # fmt: skip
    return bench.notes.study  # type: ignore[attr-defined]


@pytest.fixture
def panels(bench: Bench, studies: Studies) -> tuple[PicturePanel, DropletsPanel]:
    picture, panel = bench.add(PicturePanel, DropletsPanel, height=620)
    bench.turn(2)
    return picture, panel


def answer(bench: Bench, given: DropletReport, **changes: object) -> None:
    """A frame with this report arrives."""
    bench.show(answers=((DropletMeasure(), given),), **changes)
    bench.turn(3)


def shown_tile(panel: DropletsPanel, side: int) -> tuple[float, float]:
    """The middle of the tile of one resolution, in window pixels."""
    ladder = panel.here.ladder
    x, y = ladder.grid.corner(ladder.steps.index(side))
    left, top = dpg.get_item_rect_min(ladder.drawlist)
    return left + x + ladder.grid.side / 2, top + y + ladder.grid.side / 2


def rings(picture: PicturePanel) -> list[Ring]:
    return [mark for mark in picture.view.overlay.marks if isinstance(mark, Ring)]


def test_it_measures_only_while_it_is_in_sight_and_switched_on(bench: Bench, bench_hand: Hand, panels) -> None:
    _, panel = panels
    bench.show()
    assert bench.request.measures == (DropletMeasure(),)
    bench_hand.click(*centre_of(panel.measure.tag))
    assert bench.request.measures == ()
    bench_hand.click(*centre_of(panel.measure.tag))
    assert bench.request.measures == (DropletMeasure(),)
    dpg.configure_item(panel.window_id, show=False)
    assert bench.turn(3).measures == ()


def test_the_verdict_and_its_rule_stand_in_words_and_the_spot_is_ringed(bench: Bench, panels) -> None:
    picture, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    assert dpg.get_value(panel.here.verdict).endswith("  Droplet")
    assert dpg.get_value(panel.here.words) == "Droplet, says the test."
    assert "4 x its median" in dpg.get_value(panel.rule)
    (ring,) = rings(picture)
    assert (ring.x, ring.y, ring.label, ring.colour) == (1 - 0.5 / 32, 0.5 / 32, "9.0×", look.WARNING)
    answer(bench, report(1.2, 1.5, 2.0, 3.0))
    assert dpg.get_value(panel.here.verdict).endswith("No droplet")
    assert rings(picture)[0].colour == look.MUTED


def test_a_click_on_a_tile_follows_its_layer_and_a_second_one_the_verdict_again(
    bench: Bench, bench_hand: Hand, panels
) -> None:
    picture, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    bench_hand.click(*shown_tile(panel, 8))
    assert rings(picture)[0].x == 1 - 0.5 / 8
    assert dpg.get_value(panel.table.rows["b8.conv1"][0])
    bench_hand.move(5, 5)
    bench_hand.click(*shown_tile(panel, 8))
    assert rings(picture)[0].x == 1 - 0.5 / 32
    assert not any(dpg.get_value(row) for row, _ in panel.table.rows.values())


def test_the_mouse_over_a_tile_tells_its_numbers(bench: Bench, bench_hand: Hand, panels) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    bench_hand.move(*shown_tile(panel, 16))
    words = dpg.get_value(panel.here.ladder.tip_words)
    assert words.startswith("b16.conv1, 80 maps of 16 × 16, before its instance norm")
    assert "peak 5.00 × the median" in words
    bench_hand.move(5, 5)
    assert dpg.get_value(panel.here.ladder.tip_words) == ""


def test_the_ring_goes_where_the_box_is_cleared_and_where_the_panel_is_out_of_sight(
    bench: Bench, bench_hand: Hand, panels
) -> None:
    picture, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    bench_hand.click(*centre_of(panel.mark.tag))
    assert rings(picture) == []
    bench_hand.click(*centre_of(panel.mark.tag))
    assert len(rings(picture)) == 1
    dpg.configure_item(panel.window_id, show=False)
    bench.turn(3)
    assert rings(picture) == []


def test_the_table_has_every_layers_numbers(bench: Bench, panels) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    _, cells = panel.table.rows["b32.conv1"]
    assert [dpg.get_value(cell) for cell in cells] == ["9.0×", "50%", "4.5×", "12.5%", "1.25", "6.5"]


def test_an_early_picture_keeps_the_places_of_the_finer_maps(bench: Bench, panels) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    height = panel.here.ladder.grid.height
    answer(bench, report(1.2, 1.5, complete=False), complete=False)
    assert panel.here.ladder.steps == (4, 8, 16, 32)
    assert panel.here.ladder.grid.height == height
    assert "early picture" in dpg.get_value(panel.here.verdict)


def test_a_model_without_instance_norm_is_called_the_negative_control(bench: Bench, panels) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 1.6, 1.7))
    assert "negative control" in dpg.get_value(panel.here.meaning)
    answer(bench, report(1.2, 1.5, 5.0, 9.0), serial=7)
    assert "before believing it" in dpg.get_value(panel.here.meaning)


# -- beside ------------------------------------------------------------------------------------------------------------


def choose(panel: DropletsPanel, path: str) -> None:
    """Pick a model from the list, as its callback does."""
    words = panel.beside.choice.choices[path]
    dpg.get_item_callback(panel.beside.choice.tag)(panel.beside.choice.tag, words, None)


def test_a_bundled_model_is_measured_beside_at_the_same_seed_and_anew_when_the_picture_changes(
    bench: Bench, studies: Studies, panels
) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    assert panel.beside.choice.choices[OTHER] == "StyleGAN2, 64 × 64 px"
    choose(panel, OTHER)
    bench.turn(3)
    (asked,) = studies.asked
    assert isinstance(asked.question, DropletControl)
    assert asked.question.model.path == OTHER
    assert asked.question.request.latent == bench.frame.request.latent
    other = model(path=OTHER, name="other", title="StyleGAN2")
    asked.answer(DropletControlAnswer(other, report(1.1, 1.2, 1.3, 1.4), ramp(8, 8)))
    bench.turn(3)
    assert dpg.get_value(panel.there.verdict).endswith("No droplet")
    assert dpg.get_value(panel.there.name) == "StyleGAN2: other"
    assert dpg.get_item_rect_size(panel.there.ladder.canvas)[0] > 100
    bench.turn(5)
    assert len(studies.asked) == 1
    seed_5 = type(bench.request)(latent=type(bench.request.latent)(((5, 1.0),)))
    answer(bench, report(1.2, 1.5, 5.0, 9.1), request=seed_5)
    assert [handle.cancelled for handle in studies.asked] == [True, False]
    assert studies.asked[1].question.request.latent == seed_5.latent


def test_a_path_is_typed_and_what_does_not_open_is_said_in_its_column(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    bench_hand.click(*centre_of(panel.beside.path.tag))
    bench_hand.type("/no/x.pkl")
    bench_hand.key("Return")
    bench.turn(3)
    assert studies.asked[-1].question.model.path == str(Path("/no/x.pkl"))
    assert panel.beside.choice.value == "/no/x.pkl"
    studies.asked[-1].fail("The file is not there", "/no/x.pkl: no such file")
    bench.turn(3)
    assert dpg.get_value(panel.there.words) == "/no/x.pkl: no such file"
    attempt = studies.asked[-1].question.model.attempt
    choose(panel, "")
    bench.turn(2)
    choose(panel, "/no/x.pkl")
    bench.turn(2)
    assert studies.asked[-1].question.model == Model("/no/x.pkl", attempt=attempt + 2)


# -- along a walk ------------------------------------------------------------------------------------------------------


def test_a_walk_is_followed_and_its_line_drawn_on_the_picture(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    picture, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    dpg.set_y_scroll(panel.window_id, 10_000)
    bench.turn(3)
    bench_hand.click(*centre_of(panel.walk.seeds.tag))
    bench_hand.type("3,4-5")
    bench.turn(3)
    bench_hand.click(*centre_of(panel.walk.start.tag))
    (asked,) = studies.asked
    assert isinstance(asked.question, DropletTrack)
    assert (asked.question.seeds, asked.question.steps, asked.question.loop) == ((3, 4, 5), 16, False)
    assert asked.question.request.measures == ()
    points = tuple(
        TrackPoint(place / 2, ((3, 1.0),), (0.2 + 0.1 * place, 0.5), 6.0 + place, 0.9, place != 1) for place in range(4)
    )
    asked.answer(DropletTrackAnswer("b32.conv1", points, 33), share=0.1, text="step 4 of 33")
    bench.turn(4)
    (trail,) = (mark for mark in picture.view.overlay.marks if isinstance(mark, Trail))
    assert np.allclose(trail.points, [(0.2, 0.5), (0.3, 0.5), (0.4, 0.5), (0.5, 0.5)])
    assert "droplet in 3 of 4 pictures, peak ratio 6.0 to 9.0" in dpg.get_value(panel.walk.words)
    dpg.set_y_scroll(panel.window_id, dpg.get_y_scroll(panel.window_id))
    bench_hand.click(*centre_of(panel.walk.cancel.tag))
    assert asked.cancelled
    bench_hand.click(*centre_of(panel.walk.clear.tag))
    assert not [mark for mark in picture.view.overlay.marks if isinstance(mark, Trail)]


def test_another_model_forgets_what_the_former_one_showed(bench: Bench, studies: Studies, panels) -> None:
    picture, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    panel.pick("b8.conv1")
    bench.show(answers=(), model=model(path="/models/b.pkl"), picture=None)
    bench.turn(2)
    assert rings(picture) == []
    assert panel.picked == ""
    assert dpg.get_value(panel.here.words) == "Waits for the picture."


def test_without_a_model_one_sentence_says_what_it_is_for(bench: Bench, panels) -> None:
    _, panel = panels
    assert dpg.get_value(panel.here.words).startswith("Open a model. Droplets are blobs")
    assert not dpg.is_item_shown(panel.more)


def test_resetting_brings_every_control_back_and_asks_no_more(bench: Bench, studies: Studies, panels) -> None:
    _, panel = panels
    answer(bench, report(1.2, 1.5, 5.0, 9.0))
    choose(panel, OTHER)
    panel.walk.seeds.set("1, 2")
    panel.walk.steps.set(40)
    panel.measure.set(False)
    panel.pick("b8.conv1")
    panel.measure.set(True)
    bench.turn(2)
    panel.walk.start.press()
    panel.reset()
    bench.turn(2)
    assert [handle.cancelled for handle in studies.asked] == [True, True]
    assert (panel.beside.model.path, panel.walk.seeds.value, panel.walk.steps.value, panel.picked) == ("", "", 16, "")
    assert panel.walk.trail is None
    assert panel.beside.report is None
