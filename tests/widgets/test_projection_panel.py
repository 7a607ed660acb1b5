"""The Projection panel under a real mouse: which files it takes, what it asks, shows, pauses, keeps and checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.request import Latent, Mix, RenderRequest, Truncation
from app.studies.projection import (
    Attributing,
    AttributionAnswer,
    FoundPoint,
    KeepPoint,
    Photo,
    PhotoPreview,
    Projecting,
    ProjectionAnswer,
    ProjectionSettings,
)
from tests.gui_support import Hand, centre_of
from tests.widgets.droplet_support import Handle
from tests.widgets.support import Bench, model, ramp
from widgets.projection_panel import ProjectionPanel, in_words
from widgets.projection_plots import places, thinned

pytestmark = pytest.mark.gui


class PausableHandle(Handle):
    """A study that can rest."""

    paused = False

    def pause(self, on: bool = True) -> None:
        self.paused = on


class Studies:
    """Stands in for `Actions.study`."""

    def __init__(self) -> None:
        self.asked: list[PausableHandle] = []

    def __call__(self, question: Any) -> PausableHandle:
        self.asked.append(PausableHandle(question))
        return self.asked[-1]

    def of(self, kind: type) -> list[PausableHandle]:
        return [handle for handle in self.asked if isinstance(handle.question, kind)]


@pytest.fixture
def studies(bench: Bench) -> Studies:
    bench.notes.study = Studies()  # type: ignore[attr-defined]
    bench.notes.current = lambda: RenderRequest(truncation=Truncation(0.4), mix=Mix(3, (1,)))  # type: ignore[attr-defined]
    bench.notes.new_path = lambda suffix: f"/saved/small{suffix}"  # type: ignore[attr-defined]
    return bench.notes.study  # type: ignore[attr-defined]


@pytest.fixture
def panel(bench: Bench, studies: Studies) -> ProjectionPanel:
    (panel,) = bench.add(ProjectionPanel, width=420, height=635)
    bench.show()
    return panel


@pytest.fixture
def photo(tmp_path: Path) -> str:
    Image.fromarray(ramp(20, 30)).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def point(distance: float = 0.02, **changes: Any) -> FoundPoint:
    found = FoundPoint(
        2, distance, 31.5, ramp(32, 32), np.zeros((1, 8, 64), np.float32), {"b4.conv1": np.zeros((4, 4))}
    )
    return replace(found, **changes)


def answer(*distances: float, steps: int = 4, **changes: Any) -> ProjectionAnswer:
    best = point(min(distances), step=int(np.argmin(distances)), **changes)
    return ProjectionAnswer(
        ramp(32, 32), ramp(32, 32), best, np.array(distances, np.float32), "a distance", steps, 2.0, 8.0, ("A note.",)
    )


def press(bench: Bench, hand: Hand, panel: ProjectionPanel, tag: int | str) -> None:
    """Scroll to an item and click it."""
    place = dpg.get_item_rect_min(tag)[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, max(0.0, dpg.get_y_scroll(panel.window_id) + place - 200))
    bench.turn(3)
    hand.click(*centre_of(tag))
    bench.turn(2)


def test_it_takes_pictures_but_none_that_bring_a_request(panel: ProjectionPanel, photo: str, tmp_path: Path) -> None:
    for key in ("stylescope", "stylescope-recording"):
        info = PngInfo()
        info.add_text(key, "{}")
        own = tmp_path / f"{key}.png"
        Image.fromarray(ramp(8, 8)).save(own, pnginfo=info)
        assert not panel.take_file(str(own))
    assert not panel.take_file(str(tmp_path / "w.npz"))
    assert not panel.take_file("/models/small.pkl")
    assert panel.photo == ""
    assert panel.take_file(photo)
    assert panel.photo == photo
    assert panel.take_file(str(tmp_path / "PHOTO.JPG"))


def test_a_photo_is_shown_in_the_models_shape_before_it_is_projected(
    bench: Bench, bench_hand: Hand, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    assert not panel.start_button.enabled
    panel.take_file(photo)
    bench.turn(2)
    (asked,) = studies.of(PhotoPreview)
    assert asked.question.photo == Photo(photo, "crop", 0.5)
    shown = ramp(32, 32)
    asked.answer(shown)
    bench.turn(2)
    assert panel.grid.rows[0].pictures[0] is shown
    assert panel.start_button.enabled
    press(bench, bench_hand, panel, panel.fit.buttons["letterbox"])
    assert studies.of(PhotoPreview)[-1].question.photo == Photo(photo, "letterbox", 0.5)
    assert asked.cancelled
    assert not panel.place.enabled


def test_project_asks_shows_every_step_and_rests(
    bench: Bench, bench_hand: Hand, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    panel.take_file(photo)
    bench.turn(2)
    press(bench, bench_hand, panel, panel.space.buttons["w+"])
    press(bench, bench_hand, panel, panel.start_button.tag)
    (run,) = studies.of(Projecting)
    assert run.question.settings == ProjectionSettings("w+", 1000, True, True)
    assert run.question.photo == Photo(photo)
    run.answer(answer(0.5, 0.1, 0.2, steps=1000), share=0.003, text="step 3 of 1000")
    bench.turn(2)
    assert dpg.get_item_label(panel.start_button.tag) == "Stop"
    cells = [dpg.get_value(cell) for cell in panel.figures._cells]
    assert cells == ["0.1000", "5.0 ×", "31.5 dB", "33 min"]  # 997 steps of 2 s
    assert dpg.get_value(panel.remarks) == "Distance: a distance; 2000 ms a step. A note."
    assert dpg.get_value(panel.curve.line)[:2] == [[1.0, 2.0, 3.0], pytest.approx([0.5, 0.1, 0.2])]
    assert dpg.get_value(panel.curve.dot)[:2] == [[2.0], pytest.approx([0.1])]
    assert panel.grid.rows[0].words == "now 0.2000, best 0.1000"
    press(bench, bench_hand, panel, panel.pause_button.tag)
    assert run.paused
    assert dpg.get_item_label(panel.pause_button.tag) == "Resume"
    assert dpg.get_item_configuration(panel.progress)["overlay"] == "step 3 of 1000, paused"
    press(bench, bench_hand, panel, panel.pause_button.tag)
    assert not run.paused
    press(bench, bench_hand, panel, panel.start_button.tag)
    assert run.cancelled
    assert panel.answer is not None  # the best stays


def test_show_best_keeps_the_point_and_shows_it_as_it_was_found(
    bench: Bench, bench_hand: Hand, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    panel.take_file(photo)
    bench.turn(2)
    assert not panel.show_button.enabled
    panel._start_or_stop()
    found = answer(0.5, 0.1)
    studies.of(Projecting)[0].answer(found)
    bench.turn(2)
    press(bench, bench_hand, panel, panel.show_button.tag)
    (keeping,) = studies.of(KeepPoint)
    assert keeping.question == KeepPoint(found.best, "/saved/small-projected.npz")
    keeping.answer("/saved/small-projected.npz")
    bench.turn(2)
    restored = [arguments[0] for name, arguments in bench.notes.log if name == "restore"]
    assert restored == [RenderRequest(latent=Latent.of_file("/saved/small-projected.npz"))]  # psi 1, no mixing
    press(bench, bench_hand, panel, panel.save_button.tag)
    ((name, values),) = [arguments for name, arguments in bench.notes.log if name == "save_numbers"]
    assert name == "projection"
    assert values["best_distance"] == pytest.approx(0.1)


def test_the_check_takes_the_known_distance_and_says_what_it_found(
    bench: Bench, bench_hand: Hand, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    panel.take_file(photo)
    bench.turn(2)
    assert not panel.check.button.enabled
    panel._start_or_stop()
    studies.of(Projecting)[0].answer(answer(0.5, 0.3, 0.2, 0.1))
    bench.show(request=RenderRequest(truncation=Truncation(0.7)))
    press(bench, bench_hand, panel, panel.check.button.tag)
    (check,) = studies.of(Attributing)
    assert check.question.given == pytest.approx(0.1)
    assert check.question.request.truncation == Truncation(0.7)
    assert check.question.count == 20
    said = AttributionAnswer(np.array([0.01, 0.04], np.float32), 0.1, "a distance", 20, 0.7, verdict="Far away.")
    check.answer(said, share=0.5)
    bench.turn(2)
    assert dpg.get_value(panel.verdict) == "Far away."
    assert panel.own.answer is said
    check.answer(said)
    bench.turn(2)
    press(bench, bench_hand, panel, panel.check.save.tag)
    assert [arguments[0] for name, arguments in bench.notes.log if name == "save_numbers"] == ["attribution"]


def test_a_stopped_projection_is_no_measure_for_the_check(
    bench: Bench, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    """Its photo went fewer steps than own pictures will go: it is projected again."""
    panel.take_file(photo)
    bench.turn(2)
    panel._start_or_stop()
    studies.of(Projecting)[0].answer(answer(0.5, 0.3), share=0.5)
    bench.turn(2)
    panel._start_or_stop()
    panel.check.start()
    assert studies.of(Attributing)[0].question.given is None


def test_another_model_forgets_what_belongs_to_the_former(
    bench: Bench, panel: ProjectionPanel, studies: Studies, photo: str
) -> None:
    panel.take_file(photo)
    bench.turn(2)
    panel._start_or_stop()
    studies.of(Projecting)[0].answer(answer(0.5), share=0.25)
    bench.turn(2)
    other = model(path="/models/other.pkl", has_transform=True, layers=())
    bench.show(model=other)
    assert studies.of(Projecting)[0].cancelled
    assert panel.answer is None
    assert panel.move.enabled
    assert not panel.noise.enabled
    assert len(studies.of(PhotoPreview)) == 2


def test_a_problem_is_said(bench: Bench, panel: ProjectionPanel, studies: Studies, photo: str) -> None:
    panel.take_file(photo)
    bench.turn(2)
    studies.of(PhotoPreview)[0].fail("The request cannot be drawn", "photo.png is no picture")
    bench.turn(2)
    assert "photo.png is no picture" in dpg.get_value(panel.trouble)
    assert dpg.is_item_shown(panel.trouble)


def test_long_curves_keep_their_ends_and_their_lowest_point() -> None:
    values = np.linspace(2.0, 1.0, 5000)
    values[3210] = 0.1
    x, y = thinned(values, 400)
    assert len(x) <= 400
    assert (x[0], x[-1], y.min()) == (0.0, 4999.0, 0.1)
    assert x[y.argmin()] == 3210


def test_the_axis_of_distances_is_logarithmic() -> None:
    x, low, high = places(np.array([0.01, 0.1, 1.0]), 10.0, 110.0)
    assert x.tolist() == pytest.approx([10.0, 60.0, 110.0])
    assert (low, high) == (0.01, 1.0)
    assert places(np.array([0.5]), 10.0, 110.0)[0].tolist() == [60.0]


def test_times_are_told_in_words() -> None:
    assert [in_words(seconds) for seconds in (0, 45, 720, 12600)] == ["0 s", "45 s", "12 min", "3.5 h"]
