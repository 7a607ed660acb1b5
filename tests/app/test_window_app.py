"""The whole app in its window, by real mouse and key events: what a person does, and what comes of it."""

from __future__ import annotations

import errno
import itertools
import json
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.engine import Engine, make_renderer
from app.request import from_json
from app.tour import Tour
from app.window.pictures import REQUEST_KEY
from networks.plan import LayerNoise
from tests.app.whole_app import REFERENCE, WholeApp
from tests.display.test_window import x11_window
from tests.gui_support import Screen, centre_of, point_in
from tests.xdnd import FileSource

pytestmark = pytest.mark.gui
SG2 = "stylegan2.pkl"


@pytest.fixture
def app(window: Any, screen: Screen, tmp_path: Path) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def render(tmp_path: Path, *arguments: str) -> np.ndarray:
    """The picture of seed 0 by `main.py render`: uint8 [H, W, 3]."""
    out = tmp_path / "render"
    assert main(["render", *arguments, "--seeds", "0", "--device", "cpu", "--out", str(out)], pytest.fail) == 0
    return np.asarray(Image.open(out / "seed0000.png").convert("RGB"))


def frames_of(path: Path) -> int:
    """How many pictures an MP4 decodes to."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize(
    "name",
    ["stylegan1", "stylegan2", "stylegan2-conditional", "stylegan3-t", "stylegan-xl-stem", "stylegan-t-conditional"],
)
def test_the_first_picture_is_the_one_that_render_draws(app: WholeApp, tmp_path: Path, name: str):
    app.open(f"{name}.pkl")
    assert np.array_equal(app.picture[..., :3], render(tmp_path, str(REFERENCE / f"{name}.pkl")))


def test_at_one_to_one_the_window_shows_the_pictures_own_pixels(app: WholeApp):
    app.open(SG2)
    app.key("1")
    app.key("p")
    app.hand.move(5, 5)
    app.turn(3)
    view = app.panel("Picture").view
    left, top = (
        int(origin + corner)
        for origin, corner in zip(dpg.get_item_rect_min(view.drawlist), view.placement.corners()[0], strict=True)
    )
    assert np.array_equal(app.window.grab()[top : top + 32, left : left + 32, :3], app.picture[..., :3])


def test_dragging_the_picture_moves_through_w(app: WholeApp):
    app.open(SG2)
    before, latent = app.picture.copy(), app.panel("Latent")
    x, y = app.point()
    width = 32 * app.panel("Picture").view.zoom
    app.hand.drag((x, y), (x + width / 2, y))
    app.settle()
    assert latent.x.value == pytest.approx(0.5, abs=0.02)
    assert dict(app.frame.request.latent.seeds)[0] == pytest.approx(0.5, abs=0.02)
    assert not np.array_equal(app.picture, before)


def test_a_click_silences_the_noise_of_one_layer(app: WholeApp):
    app.open(SG2)
    before = app.picture.copy()
    row = app.raise_tab("Noise").table.rows[0]
    app.hand.click(*centre_of(row.on.tag))
    app.settle()
    assert app.frame.request.noise.layers == (LayerNoise("b4.conv1", False),)
    assert not np.array_equal(app.picture, before)


def test_a_click_on_a_layer_shows_its_maps_and_a_click_on_a_map_enlarges_it(app: WholeApp):
    app.open(SG2)
    layers = app.panel("Layers")
    app.hand.click(*point_in(layers.table.rows["b4.conv1"], 0.1, 0.5))
    app.settle()
    assert (app.frame.layer_view.layer, app.frame.layer_view.channel) == ("b4.conv1", None)
    app.hand.click(*point_in(layers.view.drawlist, 0.5, 0.5))
    app.settle()
    assert app.frame.layer_view.channel in range(16)


def test_the_wheel_zooms_the_picture_and_draws_nothing_anew(app: WholeApp):
    app.open(SG2)
    view, serial = app.panel("Picture").view, app.frame.serial
    app.point()
    fitted = view.zoom
    app.hand.wheel(2)
    assert view.zoom == pytest.approx(fitted * 1.25**2)
    app.key("f")
    assert view.zoom == pytest.approx(fitted)
    assert app.frame.serial == serial


def test_keys_move_through_seeds_and_noise(app: WholeApp, monkeypatch: pytest.MonkeyPatch):
    app.open(SG2)
    latent, noise = app.panel("Latent"), app.panel("Noise")
    monkeypatch.setattr("widgets.latent_panel.random.randrange", lambda stop: 7)
    app.key("r")
    assert (latent.x.value, latent.y.value) == (7.0, 7.0)
    app.key("Right")
    app.settle()
    assert app.frame.request.latent.seeds == ((708, 1.0),)
    app.key("w")
    app.until(lambda: latent.x.value > 8.0, "the walk to move")
    app.key("w")
    assert not latent.animate.value
    app.key("s")
    assert (latent.x.value, latent.y.value) == (round(latent.x.value), 7.0)
    app.key("n")
    assert noise.mode.value == "random"


def test_f9_records_what_is_on_the_screen(app: WholeApp):
    app.open(SG2)
    app.key("F9")
    assert app.desk.recorder.capturing
    x, y = app.point()
    app.hand.drag((x, y), (x + 60, y + 20))
    app.settle()
    app.key("F9")
    app.until(lambda: not app.desk.recorder.busy, "the recording")
    (film,) = app.out.glob("*.mp4")
    sidecar = json.loads(Path(f"{film}.json").read_text(encoding="utf-8"))
    assert frames_of(film) == sidecar["frames"] >= 2
    assert sidecar["complete"] is True
    app.turn()
    assert app.desk.messages.text == f"Recorded {film} ({sidecar['frames']} frames)"


def test_ctrl_s_saves_the_picture_with_its_request(app: WholeApp):
    app.open(SG2)
    app.key("ctrl+s")
    app.until(lambda: app.desk.messages.text.startswith("Saved"), "the picture")
    (path,) = app.saved
    with Image.open(path) as saved:
        assert np.array_equal(np.asarray(saved), app.picture[..., :3])
        assert from_json(json.loads(saved.text[REQUEST_KEY])) == app.frame.request
    app.key("ctrl+shift+s")
    app.until(lambda: len(app.saved) == 2, "the picture of the window")
    with Image.open(app.saved[-1]) as shot:
        assert shot.size == app.window.size


def test_f1_shows_the_keys_in_the_middle_and_hides_them(app: WholeApp):
    app.key("F1")
    app.turn(4)
    (page,) = (item for item in dpg.get_windows() if dpg.get_item_label(item) == "Keys and mouse")
    assert dpg.is_item_shown(page)
    (left, _), (width, height) = dpg.get_item_pos(page), dpg.get_item_rect_size(page)
    assert left + width / 2 == pytest.approx(app.window.size[0] / 2, abs=1)
    assert height <= app.window.size[1]
    app.key("F1")
    assert not dpg.is_item_shown(page)


def test_f11_opens_the_stage_with_the_picture_and_closes_it(app: WholeApp):
    app.open(SG2)
    app.key("F11")
    assert app.desk.stage.is_open
    app.turn(2)
    assert app.desk.stage.size == (1280, 800)
    middle = app.desk.stage.grab()[400, 640, :3].astype(int)
    assert np.abs(middle - app.picture[14:18, 14:18, :3].reshape(-1, 3)).max(axis=1).min() < 60
    app.hand.key("F11")
    app.turn(2)
    assert not app.desk.stage.is_open
    app.key("Right")  # the main window has its GL context and the keyboard again
    app.settle()
    assert app.frame.request.latent.seeds == ((1, 1.0),)


def drop(app: WholeApp, screen: Screen, *paths: Path) -> None:
    source = FileSource(screen, x11_window(app.window), list(paths))
    source.drop(app.turn)
    app.turn(2)
    source.close()


def test_a_dropped_file_opens(app: WholeApp, screen: Screen):
    app.open(SG2)
    drop(app, screen, REFERENCE / "stylegan1.pkl")
    app.settle()
    assert app.frame.model.family == "stylegan1"
    assert app.panel("Model").details._shown[0] == ("name", "stylegan1.pkl")
    assert [Path(path).name for path in app.desk.settings.recent] == ["stylegan1.pkl", "stylegan2.pkl"]


def test_a_broken_file_is_a_sentence_and_opens_once_it_is_mended(app: WholeApp, screen: Screen, tmp_path: Path):
    app.open(SG2)
    before, card = app.picture, app.panel("Picture").view.problem
    path = tmp_path / "mine.pkl"
    path.write_bytes((REFERENCE / "stylegan1.pkl").read_bytes()[:5000])
    drop(app, screen, path)
    app.settle()
    assert card.shown is not None
    assert "mine.pkl" in card.shown[1]
    assert app.picture is before
    assert str(path) not in app.desk.settings.recent
    shutil.copy(REFERENCE / "stylegan1.pkl", path)
    app.hand.click(*centre_of(app.panel("Model").again.tag))
    app.settle()
    assert app.frame.problem is None
    assert card.shown is None
    assert app.frame.model.family == "stylegan1"


def test_a_path_is_typed_and_enter_opens_it(app: WholeApp):
    field = app.panel("Model").path
    app.hand.click(*centre_of(field.tag))
    app.hand.type("~/nothing.pkl")
    app.hand.key("Return")
    app.settle()
    assert app.panel("Picture").view.problem.shown is not None
    assert app.frame.problem.title == "The file is not there"
    assert app.panel("Latent").x.value == 0.0  # the letters were no shortcuts


def test_a_class_is_found_by_name_and_clicked(app: WholeApp):
    app.open("stylegan-xl-stem.pkl")
    before = app.picture.copy()
    panel = app.raise_tab("Class")
    app.hand.click(*centre_of(panel.search.tag))
    app.hand.type("red fox")
    app.turn(2)
    row, *_ = dpg.get_item_children(panel.results, 1)
    app.hand.click(*point_in(row, 0.2, 0.5))
    app.settle()
    assert app.frame.request.condition.class_index == 277
    assert not np.array_equal(app.picture, before)


def test_a_dropped_vector_conditions_stylegan_t(app: WholeApp, screen: Screen, tmp_path: Path):
    app.open("stylegan-t-conditional.pkl")
    before = app.picture.copy()
    np.save(tmp_path / "c.npy", np.ones(app.frame.model.c_dim, np.float32))
    drop(app, screen, tmp_path / "c.npy")
    app.settle()
    assert app.frame.problem is None
    assert app.frame.request.condition.vector_file == str(tmp_path / "c.npy")
    assert not np.array_equal(app.picture, before)


def test_a_full_disk_is_a_sentence_and_the_app_goes_on(
    app: WholeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    app.open(SG2)

    def save(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", save)
        app.key("ctrl+s")
        app.until(lambda: "No space left" in app.desk.messages.text, "the sentence")
    assert "free some space or choose another folder" in app.desk.messages.text
    assert app.desk.messages.text in caplog.messages  # on the terminal, too
    assert app.saved == []
    app.key("ctrl+s")
    app.until(lambda: app.desk.messages.text.startswith("Saved"), "the picture")


def test_a_recording_on_a_full_disk_ends_with_a_sentence(app: WholeApp, monkeypatch: pytest.MonkeyPatch):
    app.open(SG2)
    app.out.mkdir()
    full = app.out / "film.mp4"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(app.desk, "_new_path", lambda suffix: full)
    app.key("F9")
    app.key("Right")
    app.settle()
    app.key("F9")
    app.until(lambda: not app.desk.recorder.busy, "the recording to end")
    app.until(lambda: "film.mp4" in app.desk.messages.text, "the sentence")
    assert app.desk.messages.text == f"{full}: writing failed, no space left on device; the first 1 frames are kept"
    app.key("Right")
    app.settle()
    assert app.frame.request.latent.seeds == ((2, 1.0),)


class Gated:
    """A renderer whose pictures wait at a gate, as a slow network's would, and which notes what was asked."""

    def __init__(self, gate: threading.Event) -> None:
        self.real, self.gate = make_renderer(), gate
        self.waiting = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def render(self, request: Any, **options: Any) -> Any:
        self.waiting.set()
        self.gate.wait()
        return self.real.render(request, **options)


def test_while_a_picture_takes_long_every_click_is_answered(window: Any, screen: Screen, tmp_path: Path):
    gate = threading.Event()
    app = WholeApp(window, screen, tmp_path, Engine(lambda: Gated(gate)))
    app.desk.open(str(REFERENCE / SG2))
    app.until(lambda: app.frame is not None and app.frame.model is not None, "the model")
    row = app.raise_tab("Noise").table.rows[0]
    app.hand.click(*centre_of(row.on.tag))
    assert not row.on.value
    app.key("Right")
    assert app.panel("Latent").x.value == 1.0
    app.until(lambda: app.panel("Picture").view.spinner.shown, "the busy mark")
    assert app.picture is None
    gate.set()
    app.settle()
    assert app.frame.request.latent.seeds == ((1, 1.0),)
    assert app.frame.request.noise.layers == (LayerNoise("b4.conv1", False),)
    app.close()


class Busy:
    """A renderer that computes without end until it is called off, as a huge network would."""

    def __init__(self) -> None:
        self.real = make_renderer()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def render(self, request: Any, *, cancelled: Any, **options: Any) -> Any:
        import torch

        from networks.taps import Cancelled

        x = torch.rand(1, 64, 256, 256)
        kernel = torch.rand(64, 64, 3, 3)
        while not cancelled():
            x = torch.nn.functional.conv2d(x, kernel, padding=1).clamp(0, 1)
        raise Cancelled


def turn_ms(app: WholeApp, count: int = 12) -> float:
    """The median of some turns of the loop in milliseconds."""
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        app.turn()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def test_a_network_that_computes_leaves_the_window_its_turns(window: Any, screen: Screen, tmp_path: Path):
    app = WholeApp(window, screen, tmp_path, Engine(Busy))
    app.turn(5)
    idle = turn_ms(app)
    app.desk.open(str(REFERENCE / SG2))
    app.until(lambda: app.engine.status().text == "Rendering", "the pass to begin")
    busy = turn_ms(app)
    assert busy < 100 + 3 * idle, f"{busy:.0f} ms per turn while computing, {idle:.0f} ms idle"
    app.close()


def test_a_panel_that_raises_is_reported_and_the_window_goes_on(app: WholeApp):
    app.open(SG2)
    errors: list[Exception] = []
    app.window.on_error = errors.append
    latent = app.panel("Latent")
    latent.x.set(float("nan"))
    app.turn(2)
    assert {type(error) for error in errors} == {ValueError}
    latent.x.set(3.0)
    errors.clear()
    app.settle()
    assert errors == []
    assert app.frame.request.latent.seeds == ((3, 1.0),)


def test_the_tour_makes_everything_that_it_names(app: WholeApp):
    app.out.mkdir()
    app.desk.open(str(REFERENCE / SG2))
    tour = Tour(app.out)
    for _ in tour.script(app.running):
        app.turn()
    assert [path.name for path in tour.made if path.suffix == ".png"] == [
        "01-picture.png",
        "02-dragged.png",
        "03-noise.png",
        "04-feature-maps.png",
        "05-one-map.png",
        "06-style-mixing.png",
        "07-help.png",
        "08-walk.png",
        "09-walk-studio.png",
    ]
    pictures = [np.asarray(Image.open(path)) for path in tour.made if path.suffix == ".png"]
    assert all(picture.shape[:2] == app.window.size[::-1] for picture in pictures)
    assert not any(np.array_equal(a, b) for a, b in itertools.pairwise(pictures))
    capture, maps = (picture[40:400, -300:] for picture in pictures[2:4])  # the upper right panel
    assert not np.array_equal(capture, maps)
    assert frames_of(app.out / "walk.mp4") == 48
    assert frames_of(app.out / "recording.mp4") >= 2
