"""A photo dropped on the whole app: projected by the real engine, paused, kept, and shown as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.projection import study
from app.tour import press
from tests.app.whole_app import WholeApp

pytestmark = pytest.mark.gui


@pytest.fixture
def app(window, screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WholeApp]:
    look_around = study.Projection.look_around
    monkeypatch.setattr(study.Projection, "look_around", lambda self, draw: look_around(self, draw, 500))
    made = WholeApp(window, screen, tmp_path)
    yield made
    made.hand.release()
    made.close()


def test_a_dropped_photo_is_projected_and_shown(app: WholeApp, tmp_path: Path) -> None:
    app.open("stylegan2.pkl")
    pixels = np.random.RandomState(0).randint(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    panel = app.panel("Projection")
    panel.steps.set(12)
    app.panel("Truncation").psi.set(0.5)
    app.settle()
    app.desk.drop([str(tmp_path / "photo.png")])
    app.until(lambda: panel.pixels is not None, "the photo")
    assert panel.pixels.shape == (32, 32, 4)
    app.settle()
    app.turn(6)
    assert panel.visible()
    press(panel.start_button)  # by its own callback: the area is low in the tests' small window
    app.until(lambda: panel.handle is not None and panel.handle.done, "the projection")
    assert panel.handle.state.problem is None
    app.turn(2)
    assert panel.answer.best.distance == pytest.approx(panel.answer.distances.min())
    press(panel.show_button)
    app.until(lambda: app.running.loop.request().latent.file, "the latent file")
    app.settle()
    assert np.abs(app.picture.astype(int) - panel.answer.best.picture).max() <= 1
    assert app.running.loop.request().truncation.psi == 1.0
    (kept,) = (path for path in app.saved if path.suffix == ".npz")
    assert kept.name.endswith("-projected.npz")


def test_a_picture_of_the_app_itself_is_not_projected(app: WholeApp) -> None:
    app.open("stylegan2.pkl")
    app.desk.save_picture()
    app.until(lambda: app.saved, "the file")
    app.desk.drop([str(app.saved[0])])
    app.turn(4)
    assert app.panel("Projection").photo == ""
