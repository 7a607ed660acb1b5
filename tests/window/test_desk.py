"""The desk without a window: paths, retries, drops, settings, the window's own numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.display.stage import StageError
from app.frame import Frame, Status
from app.request import Model, RenderRequest
from app.settings import Settings, read_settings
from app.window import desk as module
from app.window.desk import Desk

PICTURE = np.full((4, 4, 4), 200, np.uint8)


class FakeMessages:
    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []

    def say(self, text: str, problem: bool = False) -> None:
        self.said.append((text, problem))

    def update(self) -> None: ...


class FakeStage:
    is_open = broken = False

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def open(self) -> None:
        if self.broken:
            raise StageError("The stage window could not open (no GL); it needs OpenGL 3.3.")
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def show(self, rgba: np.ndarray) -> None:
        self.shown.append(rgba)

    def frame(self) -> None: ...


class FakePanel:
    def __init__(self, suffix: str = "") -> None:
        self.suffix, self.files, self.drags, self.resets = suffix, [], [], 0

    def take_file(self, path: str) -> bool:
        if self.suffix and path.endswith(self.suffix):
            self.files.append(path)
            return True
        return False

    def drag_latent(self, dx: float, dy: float) -> None:
        self.drags.append((dx, dy))

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    monkeypatch.setattr(module, "Messages", FakeMessages)
    monkeypatch.setattr(module, "Stage", FakeStage)
    window = SimpleNamespace(
        frame_ms=8.0, user_scale=1.0, fps_limit=60.0, grab=lambda: PICTURE, textures=SimpleNamespace(backend="gl")
    )
    return Desk(window, SimpleNamespace(status=Status), Settings(), tmp_path / "config", tmp_path / "out", "cpu")


def shown(path: str = "/models/a.pkl", **changes: Any) -> Frame:
    return Frame(1, RenderRequest(model=Model(path)), PICTURE, **changes)


def test_the_same_path_again_is_another_attempt(desk: Desk, tmp_path: Path):
    (tmp_path / "a.pkl").touch()
    desk.open(f'  "{tmp_path}/a.pkl" ')
    assert desk.base().model == Model(str(tmp_path / "a.pkl"), "cpu")
    desk.retry()
    desk.retry()
    assert desk.model.attempt == 2
    desk.open("gone.pkl")
    assert (desk.model.path, desk.model.attempt) == ("gone.pkl", 0)
    desk.open("   ")
    assert desk.model.path == "gone.pkl"


def test_relative_and_home_paths_become_whole(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.pkl").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for written in ("a.pkl", "~/a.pkl"):
        desk.open(written)
        assert desk.model.path == str(tmp_path / "a.pkl")


def test_a_drop_goes_to_the_first_panel_that_takes_it_else_it_is_a_model(desk: Desk, tmp_path: Path):
    panels = [FakePanel(), FakePanel(".npy"), FakePanel(".npy")]
    desk.panels = panels
    latent, model = str(tmp_path / "w.npy"), str(tmp_path / "a.pkl")
    for path in (latent, model):
        Path(path).touch()
    desk.drop([latent, model])
    assert [panel.files for panel in panels] == [[], [latent], []]
    assert desk.model.path == model
    desk.drag_latent(0.5, 0.25)
    desk.reset_all()
    assert [(panel.drags, panel.resets) for panel in panels] == [([(0.5, 0.25)], 1)] * 3


def test_only_what_opened_joins_the_recent_files(desk: Desk):
    desk.on_frame(shown("/early.pkl", complete=False))
    desk.on_frame(Frame(2, RenderRequest(model=Model("/broken.pkl"))))
    assert desk.settings.recent == ()
    desk.on_frame(shown("/a.pkl"))
    desk.on_frame(shown("/b.pkl"))
    desk.on_frame(shown("/a.pkl"))
    assert desk.settings.recent == ("/a.pkl", "/b.pkl")
    desk.close()
    assert read_settings(desk.folder) == (desk.settings, "")


def test_without_a_picture_saving_and_recording_say_what_to_do(desk: Desk, caplog: pytest.LogCaptureFixture):
    desk.save_picture()
    desk.start_capture("mp4")
    desk.start_walk((0, 1), 1.0, 30, True, "mp4")
    assert desk.messages.said == [
        ("There is no picture to save yet: open a model first.", True),
        ("There is nothing to record yet: open a model first.", True),
        ("There is nothing to walk through yet: open a model first.", True),
    ]
    assert caplog.messages == [text for text, _ in desk.messages.said]
    assert not desk.output.exists()


def test_pictures_are_named_after_the_model_and_reported(desk: Desk):
    desk.model = Model("/models/ffhq.pkl")
    desk.on_frame(shown("/models/ffhq.pkl"))
    desk.save_picture()
    desk.save_window()
    desk.close()
    texts = [text for text, problem in desk.messages.said if not problem]
    assert len(texts) == 2
    assert sorted(path.name[:5] for path in desk.output.iterdir()) == ["ffhq-", "ffhq-"]
    assert sum(path.name.endswith("-window.png") for path in desk.output.iterdir()) == 1


def test_numbers_are_written_as_json_and_what_json_cannot_say_is_a_sentence(desk: Desk):
    desk.model = Model(path="/models/ffhq.pkl")
    desk.save_numbers("spectrum", {"power_db": [0.5, -3.0], "unit": "dB"})
    desk.save_numbers("nan", {"value": float("nan")})
    desk.close()
    (path,) = desk.output.glob("*")
    assert path.name.startswith("ffhq-")
    assert path.name.endswith("-spectrum.json")
    assert json.loads(path.read_text()) == {"power_db": [0.5, -3.0], "unit": "dB"}
    assert desk.messages.said[0] == (f"Saved {path}", False)
    assert desk.messages.said[1][1]
    assert "nan.json could not be written" in desk.messages.said[1][0]


def test_a_picture_of_measurements_is_written_under_its_name(desk: Desk):
    desk.model = Model(path="/models/ffhq.pkl")
    desk.save_pixels("sharpness", PICTURE)
    desk.close()
    (path,) = desk.output.glob("ffhq-*-sharpness.png")
    assert np.array_equal(np.asarray(Image.open(path).convert("RGBA")), PICTURE)


def test_the_stage_shows_the_last_picture_and_says_why_it_cannot(desk: Desk):
    desk.on_frame(shown())
    desk.toggle_stage()
    assert desk.stage.shown[0] is PICTURE
    desk.on_frame(shown())
    assert len(desk.stage.shown) == 2
    desk.toggle_stage()
    assert not desk.stage.is_open
    desk.stage.broken = True
    desk.toggle_stage()
    assert desk.messages.said == [("The stage window could not open (no GL); it needs OpenGL 3.3.", True)]


def test_the_windows_numbers_are_medians_of_the_last_turns(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    assert desk.state(Status(), None).gui_fps == 0.0
    for turn in range(40):
        now[0] += 0.02
        desk.window.frame_ms = 500.0 if turn == 20 else 8.0
        desk.update()
    state = desk.state(Status(), None)
    assert state.gui_ms == 8.0
    assert state.gui_fps == pytest.approx(50)
    assert (state.backend, state.fps_limit, state.render_ms) == ("gl", 60, 0.0)


def test_the_window_yields_while_the_worker_is_busy(desk: Desk):
    desk.update()
    assert not desk.window.yielding
    desk.engine.status = lambda: Status(busy=True)
    desk.update()
    assert desk.window.yielding


def test_scale_and_limit_are_kept(desk: Desk):
    desk.set_ui_scale(1.5)
    desk.set_fps_limit(30)
    assert (desk.window.user_scale, desk.window.fps_limit) == (1.5, 30.0)
    assert (desk.settings.ui_scale, desk.settings.fps_limit) == (1.5, 30)


def test_settings_that_cannot_be_written_are_a_sentence(desk: Desk):
    desk.folder.touch()
    desk.close()
    ((sentence, problem),) = desk.messages.said
    assert sentence.startswith(f"The settings could not be written to {desk.folder}/settings.json: ")
    assert problem


def test_an_error_of_the_window_stands_in_the_window(desk: Desk):
    desk.on_error(ValueError("cannot convert float NaN to integer"))
    assert desk.messages.said == [("Drawing failed: ValueError: cannot convert float NaN to integer", True)]
