"""Files that are dropped on the real window bring their state back: pictures and films, saved by the same window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.recording import embedded, performance
from app.recording.writer import Shot, Writer
from app.request import Truncation, plane
from tests.app.whole_app import REFERENCE, WholeApp
from tests.display.test_window import x11_window
from tests.gui_support import Screen, centre_of
from tests.xdnd import FileSource

pytestmark = pytest.mark.gui
SG2 = "stylegan2.pkl"


@pytest.fixture
def app(window: Any, screen: Screen, tmp_path: Path) -> Iterator[WholeApp]:
    whole = WholeApp(window, screen, tmp_path)
    yield whole
    whole.close()


def drop(app: WholeApp, screen: Screen, path: Path) -> None:
    source = FileSource(screen, x11_window(app.window), [path])
    source.drop(app.turn)
    app.turn(2)
    source.close()


def wander(app: WholeApp) -> None:
    """Somewhere else: another psi, seed and layer, by keys and controls."""
    app.panel("Truncation").psi.set(0.25)
    app.panel("Latent").x.set(40.0)
    app.settle()


def saved(app: WholeApp) -> Path:
    """What Ctrl+S writes."""
    app.key("ctrl+s")
    app.until(lambda: app.desk.messages.text.startswith("Saved "), "the picture")
    return Path(app.desk.messages.text.removeprefix("Saved "))


def test_a_dropped_picture_is_what_it_shows_again(app: WholeApp, screen: Screen):
    app.open(SG2)
    app.panel("Truncation").psi.set(0.7)
    app.panel("Latent").x.set(3.25)
    app.settle()
    there, picture = app.running.loop.request(), app.picture.copy()
    path = saved(app)
    wander(app)
    assert not np.array_equal(app.picture, picture)
    drop(app, screen, path)
    app.settle()
    assert app.running.loop.request() == there
    assert np.array_equal(app.picture, picture)
    assert app.panel("Truncation").psi.value == 0.7


def test_a_picture_opens_its_model_also_where_that_was_moved(app: WholeApp, screen: Screen, tmp_path: Path):
    mine = tmp_path / "mine.pkl"
    shutil.copy(REFERENCE / SG2, mine)
    app.desk.open(str(mine))
    app.settle()
    path, picture = saved(app), app.picture.copy()
    app.open("stylegan1.pkl")
    drop(app, screen, path)
    app.settle()
    assert app.frame.model.path == str(mine)
    assert np.array_equal(app.picture, picture)
    app.open("stylegan1.pkl")
    moved = mine.rename(tmp_path / "moved.pkl")
    app.desk.settings = app.desk.settings.with_recent(str(moved))
    drop(app, screen, path)
    app.until(lambda: "the same file was found at" in app.desk.messages.text, "the search")
    app.settle()
    assert app.frame.model.path == str(moved)
    assert np.array_equal(app.picture, picture)


def test_a_dropped_film_shows_its_first_frame_and_keeps_the_layer(app: WholeApp, screen: Screen):
    app.open(SG2)
    capture = app.raise_tab("Capture")
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    there, picture = app.running.loop.request(), app.picture.copy()
    capture.kind.set("webm")
    app.hand.click(*centre_of(capture.record.tag))
    app.until(lambda: capture.recording.path, "the recording")
    app.turn()
    assert capture.recording.encoder == "VP9 on the CPU (libvpx)"
    wander(app)
    app.hand.click(*centre_of(capture.record.tag))
    app.until(lambda: app.desk.messages.text.startswith("Recorded "), "the film")
    [film] = app.out.glob("*.webm")
    Path(f"{film}.json").unlink()
    drop(app, screen, film)
    app.settle()
    now = app.running.loop.request()
    assert replace(now, view=there.view) == there
    assert np.array_equal(app.picture, picture)


def test_films_without_a_state_are_one_sentence_and_change_nothing(app: WholeApp, screen: Screen, tmp_path: Path):
    app.open(SG2)
    before = app.running.loop.request()
    writer = Writer(tmp_path / "foreign.mp4", (16, 16), Fraction(1))
    writer.put(Shot(np.zeros((16, 16, 4), np.uint8), 0))
    writer.close()
    drop(app, screen, tmp_path / "foreign.mp4")
    assert app.desk.messages.text.startswith("foreign.mp4 holds no state")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    drop(app, screen, tmp_path / "broken.mp4")
    assert app.desk.messages.text.startswith("broken.mp4: not a film that can be read")
    app.settle()
    assert app.running.loop.request() == before


def test_a_performance_is_recorded_played_and_rendered(app: WholeApp, screen: Screen):
    app.open(SG2)
    capture = app.raise_tab("Capture")
    rows, started = capture.performance, app.running.loop.request()
    app.hand.click(*centre_of(rows.record.tag))
    app.turn(2)
    x, y = app.point()
    app.hand.drag((x, y), (x + 60, y + 20))
    app.settle()
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    ended, picture = app.running.loop.request(), app.picture.copy()
    app.hand.click(*centre_of(rows.record.tag))
    app.turn(2)
    [path] = app.out.glob("*.performance.json")
    made = performance.read(path)
    assert made.changes[0].request.latent == started.latent
    assert made.changes[-1].request == performance.performed(ended)
    assert sum(change.held for change in made.changes) >= 2  # the drag
    wander(app)
    dpg.set_y_scroll(capture.window_id, 120)  # the area is low in the tests' small window
    app.turn(3)
    app.hand.click(*centre_of(rows.play.tag))
    app.until(lambda: app.desk.performances.state.playing is not None, "the beginning")
    app.until(lambda: app.desk.performances.state.playing is None, "the end")
    app.settle()
    assert performance.performed(app.running.loop.request()) == performance.performed(ended)
    assert np.array_equal(app.picture, picture)
    assert app.panel("Truncation").psi.value == 0.5
    capture.kind.set("png")
    capture.fps.set(10)
    app.hand.click(*centre_of(rows.render.tag))
    app.until(lambda: "wrote" in app.desk.messages.text.lower(), "the film")
    [folder] = (found for found in app.out.iterdir() if found.is_dir())
    take = performance.Take(made, Fraction(10))
    frames = sorted(folder.glob("frame-*.png"))
    assert len(frames) == take.count
    assert embedded.read_state(frames[-1]).request.latent == take.at(take.count - 1).latent


def test_a_dropped_performance_shows_its_beginning_and_plays(app: WholeApp, screen: Screen, tmp_path: Path):
    app.open(SG2)
    app.settle()
    info, there = app.frame.model, replace(app.running.loop.request(), latent=plane(2.5, 0.0))
    taken = performance.PerformanceRecorder(tmp_path / "a.performance.json", info, 0.0)
    taken.push(there, 0.0)
    taken.push(replace(there, truncation=Truncation(0.25)), 0.05)
    taken.stop(0.1)
    app.open("stylegan1.pkl")
    drop(app, screen, tmp_path / "a.performance.json")
    app.settle()
    assert app.frame.request.latent == plane(2.5, 0.0)
    assert app.desk.messages.text.startswith("a.performance.json: 2 changes in 0.1 s. Play or render it")
    app.desk.play_performance()
    app.until(lambda: app.desk.performances.state.playing is None, "the end")
    app.settle()
    assert app.frame.request.truncation == Truncation(0.25)
    (tmp_path / "b.performance.json").write_text('{"format": "stylescope-performance", "version": 7}')
    drop(app, screen, tmp_path / "b.performance.json")
    assert "performance version 7, this program reads 1" in app.desk.messages.text
    assert app.desk.performances.state.path == str(tmp_path / "a.performance.json")


def test_a_recording_of_the_screen_keeps_its_performance(app: WholeApp):
    app.open(SG2)
    app.key("F9")
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    app.key("F9")
    app.until(lambda: app.desk.messages.text.startswith("Recorded "), "the film")
    [film], [path] = app.out.glob("*.mp4"), app.out.glob("*.performance.json")
    assert path.name == f"{film.stem}.performance.json"
    assert [change.request.truncation.psi for change in performance.read(path).changes] == [1.0, 0.5]
