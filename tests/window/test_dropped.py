"""What nobody can use and is dropped: one sentence on what it is, where, and what to do; the model stays open."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from app import latent_files
from app.errors import InputError
from app.request import Model
from app.window.dropped import about_folder, foreign, listed, refusal
from tests.app.whole_app import REFERENCE, WholeApp


def test_folders_are_told_apart(tmp_path: Path) -> None:
    assert about_folder(tmp_path) == (
        f"{tmp_path} is an empty folder; open a checkpoint, or the folder of a training run."
    )
    (tmp_path / "notes.txt").touch()
    assert "holds no run.json" in about_folder(tmp_path)
    for number in range(2):
        (tmp_path / f"{number}.PNG").touch()
    assert about_folder(tmp_path) == (
        f"{tmp_path} holds 2 pictures and no model; drop a single photo to project it,"
        " or make a training set of them all: python main.py data folder."
    )
    (tmp_path / "b.pkl").touch()
    (tmp_path / "a.safetensors").touch()
    assert "holds a.safetensors and b.pkl; open one of them by itself" in about_folder(tmp_path)


def test_a_folder_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    assert (
        about_folder(tmp_path / "gone")
        == f"{tmp_path / 'gone'} cannot be read: No such file or directory; check its owner."
    )


def test_names_are_listed_as_a_person_would() -> None:
    assert [listed("abcdef"[:count]) for count in (1, 2, 3, 6)] == ["a", "a and b", "a, b and c", "a, b, c and 3 more"]


def test_pipes_and_what_is_gone_are_not_even_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pkl")
    assert "is no ordinary file" in refusal(str(tmp_path / "pipe.pkl"))
    assert refusal(str(tmp_path / "gone.pkl")) == f"{tmp_path / 'gone.pkl'} is not there; was it moved?"
    assert refusal(str(tmp_path)) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("film.mov", "film.mov is a film, not a model; what this app filmed is an MP4 or WebM"),
        ("film.mp4", "film.mp4 holds no state: .* save a frame of it as PNG or JPEG"),
        ("scan.TIFF", "not a model; save it as PNG, JPEG or WebP and drop it: it is projected"),
        ("song.mp3", "is a sound, not a model; the app reads models, latents"),
        ("page.html", "is a text, not a model"),
        ("loop.gif", r"is an animation, not a model; drop its sidecar \(\.json\)"),
    ],
)
def test_files_are_named_by_what_they_are(name: str, words: str, tmp_path: Path) -> None:
    assert re.search(words, foreign(str(tmp_path / name)))


def test_an_animation_points_to_the_sidecar_beside_it(tmp_path: Path) -> None:
    (tmp_path / "loop.gif.json").touch()
    assert "drop loop.gif.json, which lies beside it" in foreign(str(tmp_path / "loop.gif"))
    for name in ("a.pkl", "a.safetensors", "w.npz", "archive.zip", "photo.jpg", "noname"):
        assert foreign(str(tmp_path / name)) == ""


@pytest.mark.parametrize("name", ["w.npy", "w.npz", "w.pt", "w.json"])
def test_files_far_too_large_for_a_latent_are_not_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(3 << 30)  # takes no room on the disk
    with pytest.raises(InputError, match=rf"{name}: 3\.2 GB, far more than a latent takes"):
        latent_files.read(path, 10, 64)


def test_a_file_without_w_says_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=np.zeros(3), second=np.zeros(4))
    with pytest.raises(InputError, match="no entry `w` in it, so it is no latent; found first, second"):
        latent_files.read(tmp_path / "a.npz", 10, 64)


@pytest.mark.gui
def test_a_latent_that_does_not_fit_is_left_by_undo(window, screen, tmp_path: Path) -> None:
    app = WholeApp(window, screen, tmp_path)
    try:
        app.open("stylegan2.pkl")
        np.save(tmp_path / "wrong.npy", np.zeros((3, 7), np.float32))
        app.until(lambda: not app.desk.restorer.history.can_undo, "rest")
        before = app.running.loop.request().latent
        app.desk.drop([str(tmp_path / "wrong.npy")])
        app.settle()
        assert "Ctrl+Z" in app.frame.problem.hint
        app.key("ctrl+z")
        app.settle()
        assert app.frame.problem is None
        assert app.running.loop.request().latent == before
    finally:
        app.close()


@pytest.mark.gui
def test_the_model_stays_open_whatever_falls_on_the_window(window, screen, tmp_path: Path) -> None:
    app = WholeApp(window, screen, tmp_path)
    try:
        app.open("stylegan2.pkl")
        os.mkfifo(tmp_path / "pipe.json")
        (tmp_path / "empty").mkdir()
        (tmp_path / "film.mkv").write_bytes(b"\x1aE\xdf\xa3")
        app.raise_tab("Compare")  # whose panes take what is dropped
        for name, words in (("pipe.json", "no ordinary file"), ("empty", "empty folder"), ("film.mkv", "is a film")):
            app.desk.drop([str(tmp_path / name)])
            app.settle()
            assert words in app.desk.messages.text
            assert app.frame.problem is None
            assert app.desk.base().model == Model(str(REFERENCE / "stylegan2.pkl"), "cpu")
    finally:
        app.close()
