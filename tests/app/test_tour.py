"""The tour's frame: which model, where things go, and what it prints. Its steps: test_window_app.py."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import tour
from app.errors import InputError


def test_what_was_made_is_printed_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    opened: list[tuple[Any, ...]] = []

    def open_window(paths: Any, device: str, script: Any, *, folder: Path, size: Any, output: Path) -> None:
        script.__self__.made += [output / "01.png", output / "walk.mp4"]
        opened.append((paths, device, size, output, folder.is_dir()))
        opened.append((folder,))

    tour.run(tmp_path / "out", open_window, "model.pkl")
    assert opened[0] == (["model.pkl"], "auto", (1600, 1000), tmp_path / "out", True)
    assert not opened[1][0].exists()  # the user's own settings are left alone
    assert capsys.readouterr().out.splitlines() == [f"{tmp_path}/out/01.png", f"{tmp_path}/out/walk.mp4"]


def test_without_a_model_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("networks.checkpoint.faces.find_faces", lambda: None)
    with pytest.raises(InputError, match="the tour needs a model: name a checkpoint, or "):
        tour.run(tmp_path, pytest.fail)


def test_waiting_gives_up_with_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tour, "PATIENCE_S", 0.0)
    with pytest.raises(RuntimeError, match="waited 0 s for a picture"):
        for _ in tour.waiting(lambda: False, "a picture"):
            pass


def test_a_problem_ends_the_tour(tmp_path: Path):
    problem = SimpleNamespace(title="This file does not open", detail="a.pkl is a text document")
    frame = SimpleNamespace(complete=True, problem=problem, request=SimpleNamespace())
    app = SimpleNamespace(
        loop=SimpleNamespace(frame=frame, request=lambda: frame.request),
        desk=SimpleNamespace(engine=SimpleNamespace(status=lambda: SimpleNamespace(busy=False))),
    )
    steps = tour.Tour(tmp_path).settled(app)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tour, "content", lambda request: request)
        with pytest.raises(RuntimeError, match=r"This file does not open: a\.pkl is a text document"):
            list(steps)


def test_waiting_goes_on_while_there_is_progress(monkeypatch: pytest.MonkeyPatch):
    now, frames = [0.0], [0]
    monkeypatch.setattr(tour.time, "monotonic", lambda: now[0])
    waited = 0
    for _ in tour.waiting(lambda: frames[0] == 5, "the walk", lambda: frames[0]):
        now[0] += 100.0
        waited += 1
        frames[0] += waited % 2 == 0  # a frame every 200 s, twice the step
        assert waited < 20
    assert waited == 10
