"""The compare view in the whole app: real engines, small reference checkpoints, real mouse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.compare import derive
from app.compare_export import GAP
from app.recording.sidecar import beside
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest
from tests.app.whole_app import REFERENCE, WholeApp
from tests.gui_support import Screen, centre_of

pytestmark = pytest.mark.gui


class Compare(WholeApp):
    """The app with the compare view in front."""

    def start(self, *names: str) -> None:
        """Open a model and give the panes after the first one models of their own."""
        self.open(names[0])
        self.view = self.raise_tab("Compare")
        self.view.count.set(str(max(2, len(names))))
        for pane, name in zip(self.view.panes[1:], names[1:], strict=False):
            pane.own.open(str(REFERENCE / name))
        self.settle_panes()

    def settle_panes(self) -> None:
        """Turn until each pane shows the full answer to what is asked now."""
        self.turn(2)
        self.until(lambda: all(map(self.is_done, range(len(self.view.shown)))), "the panes")
        self.turn(2)

    def is_done(self, number: int) -> bool:
        frame = self.view.panes[number].state.frame
        if self.view.panes[number].own.path == "":
            return True
        if frame is None or not frame.complete or (frame.picture is None and frame.problem is None):
            return False
        wanted = derive(self.running.loop.request(), self.view.panes[number].pane())
        return (frame.request.model, frame.request.latent) == (wanted.model, wanted.latent)

    def picture_of(self, number: int) -> np.ndarray:
        return self.view.panes[number].view.pixels

    def raw(self, number: int) -> Any:
        return self.desk.comparison.comparison._workers[number].engine


def rendered(name: str, latent: Latent) -> np.ndarray:
    """The picture by a renderer of its own."""
    frame = Renderer().render(RenderRequest(model=Model(str(REFERENCE / name), "cpu"), latent=latent))
    assert frame.picture is not None
    return frame.picture


@pytest.fixture
def app(window: Any, screen: Screen, tmp_path: Path) -> Iterator[Compare]:
    app = Compare(window, screen, tmp_path)
    yield app
    app.close()


def test_a_drag_moves_generators_of_three_families_and_sizes(app: Compare) -> None:
    names = ("stylegan2.pkl", "stylegan3-t.pkl", "stylegan1-128-conditional.pkl")
    app.start(*names)
    x, y = centre_of(app.view.panes[1].view.drawlist)
    app.hand.move(x, y)
    app.hand.press()
    app.hand.move(x + 40, y + 10)
    app.hand.move(x + 90, y + 30)
    app.hand.release()
    app.settle_panes()
    latent = app.running.loop.request().latent
    assert len(latent.seeds) == 4  # between four seeds
    for number, name in enumerate(names):
        assert np.array_equal(app.picture_of(number), rendered(name, latent)), name
    assert [pane.size for pane in app.view.shown] == [(32, 32), (32, 32), (128, 128)]


def test_a_broken_file_has_its_sentence_in_its_pane_and_the_others_go_on(app: Compare, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pkl"
    broken.write_bytes(b"no checkpoint at all")
    app.start("stylegan2.pkl", "stylegan1.pkl")
    app.view.panes[1].own.open(str(broken))
    app.panel("Latent").x.set(3.0)
    app.settle_panes()
    first, second = (pane.state.frame for pane in app.view.shown)
    assert first.problem is None
    assert "broken.pkl" in second.problem.detail
    assert dpg.is_item_shown(app.view.panes[1].view.problem.card)
    assert np.array_equal(app.picture_of(0), rendered("stylegan2.pkl", Latent(((3, 1.0),))))
    broken.write_bytes((REFERENCE / "stylegan1.pkl").read_bytes())
    app.view.panes[1].own.open(str(broken))
    app.settle_panes()
    assert np.array_equal(app.picture_of(1), rendered("stylegan1.pkl", Latent(((3, 1.0),))))


def test_the_difference_compares_pictures_of_the_same_moment(app: Compare) -> None:
    app.start("stylegan2.pkl", "stylegan3-t.pkl")
    app.view.mode.set("difference")
    app.panel("Latent").animate.set(True)
    for _ in range(30):
        app.turn()
        frames = [pane.state.frame for pane in app.view.shown]
        if app.view.paired and all(frame is not None and frame.picture is not None for frame in frames):
            assert len({frame.request.latent for frame in frames}) <= 2  # one is at most one step ahead
    app.panel("Latent").animate.set(False)
    app.settle_panes()
    latent = app.running.loop.request().latent
    a, b = rendered("stylegan2.pkl", latent)[..., :3].astype(int), rendered("stylegan3-t.pkl", latent)[..., :3]
    assert np.array_equal(app.view.pair.pixels[..., :3], np.minimum(255, 4 * abs(a - b)))


def test_going_to_another_tab_ends_the_workers_and_coming_back_begins_them(app: Compare) -> None:
    app.start("stylegan2.pkl", "stylegan1.pkl")
    engine = app.raw(1)
    app.raise_tab("Picture")
    app.until(lambda: engine.close(0.0), "the worker to end")
    assert not app.desk.comparison.comparison.in_use
    app.panel("Latent").x.set(5.0)
    app.turn(2)
    app.raise_tab("Compare")
    app.settle_panes()
    assert np.array_equal(app.picture_of(1), rendered("stylegan1.pkl", Latent(((5, 1.0),))))


def test_a_walk_is_filmed_side_by_side(app: Compare) -> None:
    app.start("stylegan2.pkl", "stylegan1-128-conditional.pkl")
    app.view.compared.start_walk([0, 1], 0.4, 10, False)
    app.until(lambda: not app.desk.comparison.recorder.busy, "the film")
    [path] = [path for path in app.saved if path.suffix == ".mp4"]
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 4
    assert frames[0].shape[1] == 2 * (256 + GAP) + GAP
    shown = rendered("stylegan2.pkl", Latent(((0, 1.0),)))[..., :3].repeat(8, 0).repeat(8, 1)
    assert np.abs(frames[0][8:264, 8:264].astype(int) - shown).mean() < 6  # h264, half the colour resolution
    said = json.loads(beside(path).read_text(encoding="utf-8"))
    assert [model["name"] for model in said["models"]] == ["stylegan2.pkl", "stylegan1-128-conditional.pkl"]
    assert app.desk.messages.text.startswith("Wrote ")


def test_what_is_on_the_screen_is_filmed_also_behind_another_tab(app: Compare) -> None:
    app.start("stylegan2.pkl", "stylegan1.pkl")
    app.view.compared.start_capture()
    for seed in (1.0, 2.0):
        app.panel("Latent").x.set(seed)
        app.settle_panes()
    app.raise_tab("Picture")
    app.panel("Latent").x.set(3.0)
    third = Latent(((3, 1.0),))

    def at_third() -> bool:
        frames = [state.frame for state in app.desk.comparison.frames]
        return all(frame.request.latent == third and frame.complete for frame in frames)

    app.until(at_third, "the third seed")
    app.view.compared.stop_capture()
    app.until(lambda: not app.desk.comparison.recorder.busy, "the film")
    app.turn()
    [path] = [path for path in app.saved if path.suffix == ".mp4"]
    said = json.loads(beside(path).read_text(encoding="utf-8"))
    changes = [[shot["change"] for shot in shots] for shots in said["shots"]]
    seeds = [[change["latent"]["seeds"] for change in pane if "latent" in change] for pane in changes]
    assert seeds[0] == seeds[1] == [[[0, 1.0]], [[1, 1.0]], [[2, 1.0]], [[3, 1.0]]]
    assert app.desk.messages.text.startswith("Recorded ")
