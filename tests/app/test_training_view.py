"""A training run in the whole app: dropped, followed, scrubbed, played, damaged; the panels keep their state."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.engine import content
from app.training.run import write_generator
from networks.checkpoint.folders import MAPPING, SYNTHESIS
from networks.plan import LayerNoise
from tests.app.conftest import SPEC, build
from tests.app.whole_app import WholeApp
from tests.display.test_window import x11_window
from tests.gui_support import Screen, centre_of, point_in
from tests.xdnd import FileSource

pytestmark = pytest.mark.gui
SMALL = replace(SPEC, resolution=(16, 16), channels=(8, 8, 8))


@pytest.fixture
def app(window: Any, screen: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WholeApp]:
    monkeypatch.setattr("app.training.watch.LOOK_EVERY_S", 0.0)  # every turn looks
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


class Run:
    """A run's folder whose snapshots are generators with different weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps({"config": {"batch": 8}, "schedule": {"kimg": 50}}), "utf-8")
        rows = [f"{k},{10 * k},16,0.5,2,0.7,-0.8,,," for k in range(1, 31)]
        names = "kimg,seconds,size,d_loss,g_loss,real_sign,fake_sign,r1,path_penalty,path_length"
        (folder / "loss.csv").write_text("\n".join((names, *rows)) + "\n", "utf-8")

    def keep(self, kimg: float) -> Path:
        path = self.folder / "snapshots" / f"kimg-{kimg:08.1f}.safetensors"
        write_generator(path, build(SMALL, seed=int(kimg)), f"run-kimg-{kimg:08.1f}")
        return path

    def latest(self, kimg: float) -> None:
        path = self.folder / "latest.safetensors"
        write_generator(path, build(SMALL, seed=int(kimg)), f"run-kimg-{kimg:08.1f}")
        os.utime(path, ns=(int(kimg), int(kimg)))  # another state of the file, however fast the test is


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "faces")
    for kimg in (10, 20, 30):
        run.keep(kimg)
    return run


def picture_of(app: WholeApp, path: Path) -> np.ndarray:
    """What a checkpoint looks like under the window's present request, drawn apart."""
    from app.renderer import Renderer

    request = app.running.loop.request()
    return Renderer().render(replace(request, model=replace(request.model, path=str(path)))).picture


def test_a_dropped_run_opens_on_its_newest_snapshot(app: WholeApp, screen: Screen, run: Run):
    source = FileSource(screen, x11_window(app.window), [run.folder])
    source.drop(app.turn)
    app.turn(2)
    source.close()
    app.until(lambda: app.frame is not None and app.frame.picture is not None, "the picture")
    app.settle()
    newest = run.folder / "snapshots" / "kimg-000030.0.safetensors"
    assert app.frame.request.model.path == str(newest)
    assert np.array_equal(app.picture, picture_of(app, newest))
    assert app.panel("Training").visible()
    assert app.desk.settings.recent == (str(run.folder),)


def test_scrubbing_keeps_latent_noise_layer_and_edits(app: WholeApp, run: Run):
    app.desk.open(str(run.folder))
    app.settle()
    layers = app.panel("Layers")
    layers.pick_layer(next(layer for layer in app.frame.model.layers if layer.name == "b8.conv1"))
    layers.cursor.pick_channel(3)
    app.panel("Latent").x.set(7.0)
    app.raise_tab("Noise").table.rows[0].on.set(False)
    app.settle()
    app.panel("Interventions").add()  # of map 3
    layers.cursor.pick_channel(5)
    app.settle()
    before = app.frame
    panel = app.raise_tab("Training")
    app.hand.click(*point_in(panel.place.tag, 0.05, 0.5))
    app.settle()
    after = app.frame
    oldest = run.folder / "snapshots" / "kimg-000010.0.safetensors"
    assert after.request.model.path == str(oldest)
    assert content(replace(after.request, model=before.request.model)) == content(before.request)
    assert after.request.latent.seeds == ((7, 1.0),)
    assert after.request.noise.layers == (LayerNoise("b4.conv1", False),)
    assert (after.layer_view.layer, after.layer_view.channel) == ("b8.conv1", 5)
    assert len(after.request.edits) == 1
    assert not np.array_equal(after.layer_view.pixels, before.layer_view.pixels)
    assert np.array_equal(app.picture, picture_of(app, oldest))
    assert not panel.follow_newest.value


def test_a_newer_snapshot_comes_by_itself_while_it_is_followed(app: WholeApp, run: Run):
    app.desk.open(str(run.folder))
    app.settle()
    run.latest(32)
    app.until(lambda: app.desk.run.state.shown.kimg == 32, "the new snapshot")
    assert app.picture is not None  # the last good one stays meanwhile
    app.settle()
    first = app.picture
    assert np.array_equal(first, picture_of(app, run.folder / "latest.safetensors"))
    run.latest(34)
    app.until(lambda: app.desk.run.state.shown.kimg == 34, "the replaced snapshot")
    app.settle()
    assert np.array_equal(app.picture, picture_of(app, run.folder / "latest.safetensors"))
    assert not np.array_equal(app.picture, first)
    panel = app.raise_tab("Training")
    app.hand.click(*centre_of(panel.follow_newest.tag))
    stays = app.picture
    run.latest(36)
    app.until(lambda: app.desk.run.watch.newest.kimg == 36, "the listing")
    app.settle()
    assert app.desk.run.state.shown.kimg == 34
    assert np.array_equal(app.picture, stays)
    app.hand.click(*centre_of(panel.follow_newest.tag))
    app.settle()
    assert app.desk.run.state.shown.kimg == 36
    assert not np.array_equal(app.picture, stays)


def test_playing_shows_every_snapshot_in_turn_and_ends_with_the_newest(app: WholeApp, run: Run):
    app.desk.open(str(run.folder))
    app.settle()
    shown: list[str] = []
    panel = app.raise_tab("Training")
    app.hand.click(*centre_of(panel.play.tag))

    def finished() -> bool:
        path = Path(app.frame.request.model.path).stem
        if app.frame.complete and (not shown or shown[-1] != path):
            shown.append(path)
        return not panel.playing and len(shown) >= 3

    app.until(finished, "the end")
    assert shown[-3:] == ["kimg-000010.0", "kimg-000020.0", "kimg-000030.0"]


def test_a_damaged_snapshot_is_a_sentence_and_its_neighbours_open(app: WholeApp, run: Run):
    run.keep(20).write_bytes(b"torn")
    app.desk.open(str(run.folder))
    app.settle()
    good = app.picture
    panel = app.panel("Training")
    panel.step(-1)
    app.settle()
    assert "kimg-000020.0" in app.frame.problem.detail
    assert np.array_equal(app.picture, good)
    panel.step(-1)
    app.settle()
    assert app.frame.problem is None
    assert np.array_equal(app.picture, picture_of(app, run.folder / "snapshots" / "kimg-000010.0.safetensors"))


def test_a_run_without_snapshots_says_so_and_opens_the_first(app: WholeApp, tmp_path: Path):
    run = Run(tmp_path / "young")
    app.desk.open(str(run.folder))
    app.turn(3)
    assert app.desk.messages.text == "young holds no snapshot yet; the first one is shown as soon as it is written."
    panel = app.panel("Training")
    assert panel.place.words[0].startswith("No snapshot yet")
    run.latest(0)
    app.settle()
    assert app.frame.request.model.path == str(run.folder / "latest.safetensors")


def test_a_folder_that_is_a_model_opens_as_one(app: WholeApp, tmp_path: Path):
    """OpenVINO's two networks lie in a package's folder; here the file of one is damaged, so its reader complains."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SYNTHESIS).write_text("<net>", "utf-8")
    app.desk.open(str(tmp_path))
    app.settle()
    assert app.desk.run is None
    assert app.desk.model.path == str(tmp_path)
    assert app.frame.problem is not None
    assert MAPPING in app.frame.problem.detail


def test_a_folder_that_is_no_run_is_a_sentence_and_what_was_open_stays(app: WholeApp, run: Run, tmp_path: Path):
    app.desk.open(str(run.folder))
    app.settle()
    (tmp_path / "empty").mkdir()
    app.desk.open(str(tmp_path / "empty"))
    app.settle()
    assert app.desk.messages.text == (
        f"{tmp_path / 'empty'} is an empty folder; open a checkpoint, or the folder of a training run."
    )
    assert app.desk.run.watch.folder == run.folder
    app.open("stylegan2.pkl")  # a file ends the watching
    assert app.desk.run is None
    app.raise_tab("Training")
    assert dpg.is_item_visible(app.panel("Training").empty)


def test_trying_again_reads_the_same_snapshot_anew(app: WholeApp, run: Run):
    torn = run.keep(30)
    whole = torn.read_bytes()
    torn.write_bytes(b"torn")
    app.desk.open(str(run.folder))
    app.settle()
    assert app.frame.problem is not None
    torn.write_bytes(whole)
    app.key("F5")
    app.settle()
    assert app.frame.problem is None
    assert app.desk.run is not None
    app.key("ctrl+s")
    app.until(lambda: app.saved, "the picture")
    assert app.saved[0].name.startswith("faces-30.0-kimg-")


def test_a_bundled_model_is_one_click_away(app: WholeApp):
    (path, button), *_ = app.panel("Model").bundled.buttons.items()
    app.turn(3)
    app.hand.click(*centre_of(button.tag))
    app.settle()
    assert app.frame.request.model.path == path
    assert app.desk.settings.recent == ()
    assert np.array_equal(app.picture, picture_of(app, Path(path)))


def test_the_film_strip_shows_the_picture_and_the_map_of_every_snapshot_and_a_click_opens_one(app: WholeApp, run: Run):
    run.keep(25).write_bytes(b"torn")
    app.desk.open(str(run.folder))
    app.settle()
    layers = app.panel("Layers")
    layers.pick_layer(next(layer for layer in app.frame.model.layers if layer.name == "b16.conv1"))
    layers.cursor.pick_channel(3)
    app.panel("Latent").x.set(7.0)
    app.settle()
    strip = app.raise_tab("Training").strip

    def is_drawn() -> bool:
        return app.is_settled() and strip._content.latent.seeds == ((7, 1.0),) and len(strip.fresh) == 4

    app.until(is_drawn, "the tiles")
    assert [snapshot.kimg for snapshot in strip.places] == [10, 20, 25, 30]
    tiles = [strip.tiles[snapshot] for snapshot in strip.places]
    assert "kimg-000025.0" in tiles[2].problem
    assert tiles[2].picture is None
    for snapshot, tile in zip(strip.places[:2], tiles, strict=False):  # 16 px in tiles of 64: each pixel four times
        assert np.array_equal(tile.picture[::4, ::4], picture_of(app, Path(snapshot.path)))
    assert np.array_equal(tiles[3].maps[::4, ::4], app.frame.layer_view.pixels)
    assert app.frame.model.path.endswith("kimg-000030.0.safetensors")
    app.turn(3)
    app.hand.click(*point_in(strip.cells[1][0], 0.5, 0.25))
    app.settle()
    assert app.frame.model.path.endswith("kimg-000020.0.safetensors")
    assert app.desk.run.state.shown.kimg == 20
    app.turn(2)
    left, top = (round(value) for value in dpg.get_item_rect_min(strip.cells[1][0]))
    shown = app.window.grab()[top + 1 : top + 65, left + 1 : left + 65, :3]  # inside of the frame of one pixel
    assert np.array_equal(shown, tiles[1].picture[..., :3])
    fresh = set(strip.fresh)
    run.latest(32)  # only what is new is drawn
    app.until(lambda: len(strip.fresh) == 5, "the new tile")
    assert fresh < strip.fresh
    assert len(strip._study.question.paths) == 1
