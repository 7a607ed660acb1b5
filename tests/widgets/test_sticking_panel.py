"""The Sticking panel under a real mouse: what it asks of which model, what it shows, says, marks and saves."""

from __future__ import annotations

from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import BundledModel, LoopState, ModelInfo, RecordingState, Status
from app.studies.estimate import Estimate
from app.studies.patch_track import PatchTrack, Path, Snap, TrackAnswer
from app.studies.slit_scan import BandStreak, SlitAnswer, SlitScan
from app.studies.sticking import NeighbourhoodAnswer, NeighbourhoodMean
from tests.gui_support import Hand, centre_of
from tests.widgets.droplet_support import Studies
from tests.widgets.support import Bench, model, ramp
from widgets.overlay import Trail
from widgets.picture_panel import PicturePanel
from widgets.sticking_mean import verdict
from widgets.sticking_panel import StickingPanel

pytestmark = pytest.mark.gui
OTHER = "/models/other.safetensors"


@pytest.fixture
def studies(bench: Bench) -> Studies:
    bench.notes.study = Studies()  # type: ignore[attr-defined]
    bench.state = LoopState(
        8.0, 60.0, 20.0, "gl", Status(), RecordingState(), recent=("/models/small.pkl",),
        bundled=(BundledModel(OTHER, "StyleGAN3", "32 × 32 px", ""),),
    )  # fmt: skip
    return bench.notes.study  # type: ignore[attr-defined]


@pytest.fixture
def panels(bench: Bench, studies: Studies) -> tuple[PicturePanel, StickingPanel]:
    picture, panel = bench.add(PicturePanel, StickingPanel, width=420, height=635)
    bench.show()
    return picture, panel


def press(bench: Bench, hand: Hand, panel: StickingPanel, tag: int | str) -> None:
    """Scroll to an item, click it, and turn until its work is shown."""
    place = dpg.get_item_rect_min(tag)[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, max(0.0, dpg.get_y_scroll(panel.window_id) + place - 200))
    bench.turn(3)
    hand.click(*centre_of(tag))
    bench.turn(2)


def mean(S: float, coarse: float, half: float = 0.02, info: ModelInfo | None = None) -> NeighbourhoodAnswer:
    """An answer whose map is S in the left half and unknown in the right one."""
    sharpness = np.full((32, 32), S, np.float32)
    sharpness[:, 16:] = np.nan
    return NeighbourhoodAnswer(
        8, 8, ramp(32, 32), ramp(32, 32), sharpness, Estimate(S, S - half, S + half),
        Estimate(coarse, coarse - half, coarse + half), 0.5, 8.0, info,
    )  # fmt: skip


def slit(count: int = 16, *, reason: str = "") -> SlitAnswer:
    """An answer of 16 frames, with streaks 0.1, 0.2, 0.3 or with the reason why there are none."""
    streaks = [None if reason else Estimate(value, value - 0.05, value + 0.05) for value in (0.1, 0.2, 0.3)]
    bands = tuple(
        BandStreak(edge, 2 * edge, streak, reason) for edge, streak in zip((2.0, 4.0, 8.0), streaks, strict=True)
    )
    return SlitAnswer(count, 32, ramp(count, 16), ramp(32, 32), (16, 3, 19), 0.4, 0.6, 2, bands)


def cells(panel: StickingPanel) -> list[list[str]]:
    """The words of the results' table, line by line."""
    (table,) = dpg.get_item_children(panel.tables[panel.mode.value].tag, 1)
    return [
        [dpg.get_value(cell) for cell in dpg.get_item_children(row, 1) if dpg.get_item_type(cell).endswith("mvText")]
        for row in dpg.get_item_children(table, 1)
    ]


def test_it_adds_nothing_to_the_request_and_asks_nothing_by_itself(bench: Bench, studies: Studies, panels) -> None:
    without = bench.request
    assert (without.measures, without.edits) == ((), ())
    bench.turn(4)
    assert studies.asked == []


def test_one_press_asks_both_models_with_the_same_settings(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    panel.second.choice.set(OTHER)
    panel.sections["mean"].sigma.set(0.75)
    press(bench, bench_hand, panel, panel.study.button.tag)
    here, there = (handle.question for handle in studies.asked)
    assert isinstance(here, NeighbourhoodMean)
    assert (here.count, here.sigma, here.period_px) == (64, 0.75, 8.0)
    assert (there.count, there.sigma, there.seed) == (here.count, here.sigma, here.seed)
    assert there.request.model.path == OTHER
    assert there.request.latent == here.request.latent
    assert dpg.get_item_label(panel.study.button.tag) == "Stop"
    press(bench, bench_hand, panel, panel.study.button.tag)
    assert all(handle.cancelled for handle in studies.asked)


def test_pictures_scores_and_verdicts_of_both_stand_side_by_side(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    panel.second.choice.set(OTHER)
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(mean(0.8, 0.5), 0.5)
    studies.asked[1].answer(mean(0.1, 0.5), 0.5)
    bench.turn(3)
    grid = panel.sections["mean"].grid
    assert [(row.name, row.words) for row in grid.rows] == [
        ("small", "S 0.80 ± 0.02   coarse 0.50 ± 0.02"),
        ("other", "S 0.10 ± 0.02   coarse 0.50 ± 0.02"),
    ]
    left, right = grid.rows[0].pictures[2][4, 4], grid.rows[0].pictures[2][4, 30]
    assert tuple(right) == (40, 43, 50, 255)
    assert tuple(left) != tuple(right)
    assert dpg.get_value(panel.sections["mean"].verdicts).splitlines() == [
        "small: detail sticks: S is above the coarse S.",
        "other: no sticking seen: S is below the coarse S, detail moves as the content does.",
    ]
    assert cells(panel) == [
        ["", "S", "coarse S"], ["small", "0.80 ± 0.02", "0.50 ± 0.02"], ["other", "0.10 ± 0.02", "0.50 ± 0.02"],
    ]  # fmt: skip


def test_the_running_plot_has_every_number_with_its_interval(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    press(bench, bench_hand, panel, panel.study.button.tag)
    for S in (0.3, 0.4):
        studies.asked[0].answer(mean(S, 0.5), 0.5)
        bench.turn(2)
    plot = panel.sections["mean"].plot
    assert dpg.get_value(plot.lines[0])[:2] == [[8.0, 8.0], [0.3, 0.4]]
    assert dpg.get_value(plot.bands[0])[1] == pytest.approx([0.28, 0.38])
    assert not dpg.is_item_shown(plot.lines[1])


def test_the_map_tells_its_value_under_the_mouse(bench: Bench, bench_hand: Hand, studies: Studies, panels) -> None:
    _, panel = panels
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(mean(0.8, 0.5))
    bench.turn(3)
    dpg.set_y_scroll(panel.window_id, 0)
    bench.turn(2)
    grid = panel.sections["mean"].grid
    (x, y), (wide, high) = grid.corner(0, 2), grid.cell
    left, top = dpg.get_item_rect_min(grid.drawlist)
    bench_hand.move(left + x + 0.25 * wide, top + y + 0.5 * high)
    bench.turn(2)
    assert dpg.get_value(panel.sections["mean"].about).endswith("S 0.80")
    bench_hand.move(left + x + 0.75 * wide, top + y + 0.5 * high)
    bench.turn(2)
    assert dpg.get_value(panel.sections["mean"].about).endswith("hardly any detail")


@pytest.mark.parametrize(
    ("S", "coarse", "half", "words"),
    [
        (0.8, 0.95, 0.01, "raise sigma"),
        (0.8, 0.5, 0.02, "detail sticks"),
        (0.2, 0.5, 0.02, "no sticking seen"),
        (0.5, 0.52, 0.1, "take more pictures"),
        (0.52, 0.5, 0.1, "take more pictures"),
    ],
)
def test_the_verdict_needs_motion_and_intervals_that_do_not_touch(
    S: float, coarse: float, half: float, words: str
) -> None:
    assert words in verdict(mean(S, coarse, half))


def test_one_click_takes_a_suspect_away_and_keeps_the_former_number(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    off = panel.ablations.buttons["noise-off"]
    press(bench, bench_hand, panel, off.tag)
    assert studies.asked == []  # nothing to compare with yet
    press(bench, bench_hand, panel, panel.ablations.buttons["none"].tag)
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(mean(0.8, 0.5))
    bench.turn(2)
    press(bench, bench_hand, panel, off.tag)
    assert studies.asked[1].question.request.noise.mode == "none"
    assert studies.asked[0].question.request.noise.mode != "none"
    studies.asked[1].answer(mean(0.3, 0.5))
    bench.turn(3)
    assert [row[:2] for row in cells(panel)[1:]] == [["small", "0.80 ± 0.02"], ["small, noise off", "0.30 ± 0.02"]]


def test_changes_that_do_not_apply_are_off_and_say_why(bench: Bench, panels) -> None:
    _, panel = panels
    usable = {name: button.enabled for name, button in panel.ablations.buttons.items()}
    assert usable == {
        "none": True, "noise-off": True, "noise-fresh": True, "input-frozen": False, "fp32": False,
    }  # fmt: skip
    why = dpg.get_value(panel.ablations.why_not)
    assert "learned transform frozen: the input of a StyleGAN2 is a constant" in why
    assert "fp32 throughout: everything is computed in fp32 on cpu already" in why


def test_no_ablations_name_is_cut_off_in_a_narrow_column(bench: Bench, studies: Studies) -> None:
    (panel,) = bench.add(StickingPanel, width=320, height=600)
    bench.show()
    dpg.set_y_scroll(panel.window_id, 5000)
    bench.turn(3)
    room = {
        name: dpg.get_item_rect_size(button.tag)[0] - dpg.get_text_size(dpg.get_item_label(button.tag))[0]
        for name, button in panel.ablations.buttons.items()
    }
    assert len(room) == 5
    assert min(room.values()) > 0


def test_the_other_models_row_says_where_a_change_changed_nothing(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    panel.second.choice.set(OTHER)
    panel.ablations.choose("noise-off")
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[1].answer(mean(0.1, 0.5, info=model(title="StyleGAN3", layers=())))
    bench.turn(3)
    assert cells(panel)[1][0] == "other, noise off\n(a StyleGAN3 has no noise)"


def test_the_slit_is_marked_and_goes_where_the_picture_is_clicked(bench: Bench, bench_hand: Hand, panels) -> None:
    picture, panel = panels
    assert picture.view.overlay.marks == []
    bench_hand.click(*centre_of(panel.mode.buttons["slit"]))
    bench.turn(2)
    assert picture.view.overlay.marks == [Trail(((0.5, 0.1), (0.5, 0.6)))]
    section = panel.sections["slit"]
    left, top = dpg.get_item_rect_min(picture.view.drawlist)
    (x0, y0), (x1, y1) = picture.view.placement.corners()
    bench_hand.click(left + x0 + 0.25 * (x1 - x0), top + y0 + 0.5 * (y1 - y0))
    bench.turn(2)
    assert section.x.value == 0.27  # the middle of pixel 8 of 32
    assert (section.y0.value, section.y1.value) == (0.27, 0.77)
    dpg.configure_item(panel.window_id, show=False)
    bench.turn(3)
    assert picture.view.overlay.marks == []


def test_a_slit_keeps_its_length_at_the_pictures_edge(bench: Bench, panels) -> None:
    _, panel = panels
    section = panel.sections["slit"]
    section.place(0.9, 0.98)
    assert (section.x.value, section.y0.value, section.y1.value) == (0.9, 0.5, 1.0)


def test_the_scan_grows_and_streaks_or_reasons_are_told(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    bench_hand.click(*centre_of(panel.mode.buttons["slit"]))
    press(bench, bench_hand, panel, panel.study.button.tag)
    question = studies.asked[0].question
    assert isinstance(question, SlitScan)
    assert (question.seeds, question.x, question.y0, question.y1, question.frames) == ((0, 1), 0.5, 0.1, 0.6, 120)
    studies.asked[0].answer(slit(16), 0.5)
    bench.turn(3)
    section = panel.sections["slit"]
    (strip,) = section.strips.strips
    assert (strip[1], strip[3]) == ("16 of 32 frames", 0.5)
    assert cells(panel) == [
        ["", "px/frame", "2–4 px", "4–8 px", "8–16 px"],
        ["small", "0.40", "0.10 ± 0.05", "0.20 ± 0.05", "0.30 ± 0.05"],
    ]
    assert "explains 60 % of its change (frames 2 apart are compared)" in dpg.get_value(section.words)
    studies.asked[0].answer(slit(32, reason="the band is flat"))
    bench.turn(3)
    assert "no score for 2–4 px, 4–8 px, 8–16 px: the band is flat." in dpg.get_value(section.words)
    assert cells(panel)[1][2:] == ["–", "–", "–"]


def test_a_patchs_paths_are_plotted_with_the_coarse_one_and_the_snap_is_a_number(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    picture, panel = panels
    panel.second.choice.set(OTHER)
    bench_hand.click(*centre_of(panel.mode.buttons["patch"]))
    bench.turn(2)
    (mark,) = picture.view.overlay.marks
    assert mark.points[0] == (0.375, 0.375)
    press(bench, bench_hand, panel, panel.study.button.tag)
    (handle,) = studies.asked  # the model on the screen alone
    assert isinstance(handle.question, PatchTrack)
    positions = np.array([[16.0, 16.0], [16.0, 17.0], [20.0, 18.0]])
    path = Path(16, "to-RGB", positions, np.ones(3), (Snap(4.0, 0.75), Snap(8.0, None)))
    handle.answer(TrackAnswer(3, 3, ramp(32, 32), (path,), Path(32, "coarse", positions * 0.5, np.ones(3))))
    bench.turn(3)
    section = panel.sections["patch"]
    assert dpg.get_value(section.plot.lines[0])[:2] == [[0.0, 1.0, 2.0], [0.0, 0.0, 4.0]]
    assert dpg.get_value(section.plot.lines[-1])[1] == [0.0, 0.0, 2.0]
    assert dpg.get_value(section.words) == "Largest snap 0.75, at 16 px, to the places of a grid of 4 px."
    press(bench, bench_hand, panel, section.axis.buttons["1"])
    assert dpg.get_value(section.plot.lines[0])[1] == [0.0, 1.0, 2.0]


def test_numbers_go_to_json_and_pictures_to_png(bench: Bench, bench_hand: Hand, studies: Studies, panels) -> None:
    _, panel = panels
    assert not panel.images.enabled
    press(bench, bench_hand, panel, panel.study.button.tag)
    answer = mean(0.8, 0.5)
    studies.asked[0].answer(answer)
    bench.turn(3)
    press(bench, bench_hand, panel, panel.study.save.tag)
    press(bench, bench_hand, panel, panel.images.tag)
    saved: dict[str, list[Any]] = {name: [] for name, _ in bench.notes.log}
    for name, arguments in bench.notes.log:
        saved[name].append(arguments)
    ((name, values),) = saved["save_numbers"]
    assert name == "sticking-mean"
    (result,) = values["results"]
    assert result["score"] == {"value": 0.8, "low": 0.78, "high": pytest.approx(0.82)}
    assert [kind for kind, _ in saved["save_pixels"]] == ["mean", "sharpness"]
    assert saved["save_pixels"][0][1] is answer.mean


def test_another_model_forgets_all(bench: Bench, bench_hand: Hand, studies: Studies, panels) -> None:
    _, panel = panels
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].answer(mean(0.8, 0.5), 0.5)
    bench.turn(2)
    bench.show(model=model(path="/models/new.pkl"))
    assert studies.asked[0].cancelled
    assert panel.sections["mean"].answers == {}
    assert not dpg.is_item_shown(panel.tables["mean"].tag)


def test_what_went_wrong_is_a_sentence_and_the_panel_goes_on(
    bench: Bench, bench_hand: Hand, studies: Studies, panels
) -> None:
    _, panel = panels
    press(bench, bench_hand, panel, panel.study.button.tag)
    studies.asked[0].fail("Not opened", "other.safetensors holds no generator")
    bench.turn(2)
    assert "other.safetensors holds no generator" in dpg.get_value(panel.study.words)
    press(bench, bench_hand, panel, panel.study.button.tag)
    assert len(studies.asked) == 2
