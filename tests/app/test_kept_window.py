"""Files that are dropped on the real window bring their state back: pictures and films, saved by the same window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.recording.writer import Shot, Writer
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
