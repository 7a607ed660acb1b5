"""Dropped pictures and films: whose state comes back, where their models are looked for, what is said."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.recording.embedded import Kept
from app.request import Condition, Latent, Model, RenderRequest, View
from app.window.kept_files import KeptFiles, by_name, find, has_digest
from app.window.pictures import write_png

PIXELS = np.full((4, 4, 4), 200, np.uint8)


class Desk:
    """Remembers what was restored and said."""

    def __init__(self, models: list[str]) -> None:
        self.restored: list[RenderRequest] = []
        self.said: list[tuple[str, bool]] = []
        self.now = RenderRequest(view=View("b8.conv1"))
        self.files = KeptFiles(
            self.restored.append, lambda text, problem: self.said.append((text, problem)), lambda: models,
            lambda: self.now,
        )  # fmt: skip

    def finish(self) -> None:
        """Let the searches end."""
        for _, _, search in self.files._searches:
            search.result(60)
        self.files.update()


@pytest.fixture
def model(tmp_path: Path) -> Callable[[str, bytes], tuple[str, str]]:
    def make(name: str, content: bytes) -> tuple[str, str]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return str(path), hashlib.sha256(content).hexdigest()

    return make


def kept(path: str, sha256: str = "", **changes: object) -> Kept:
    return Kept(RenderRequest(model=Model(path), latent=Latent(((7, 1.0),))), "face", sha256, **changes)


def test_a_film_leaves_what_is_looked_at_and_a_picture_does_not(model):
    path, digest = model("a.pkl", b"a")
    desk = Desk([])
    desk.files.show("x.mp4", kept(path, digest))
    desk.files.show("x.png", kept(path, digest, looks=True))
    desk.finish()
    assert [request.view.layer for request in desk.restored] == ["b8.conv1", ""]
    assert [request.latent.seeds for request in desk.restored] == [((7, 1.0),)] * 2
    assert desk.said == []


def test_a_model_that_moved_is_found_by_its_digest(model):
    other, _ = model("other.pkl", b"other")
    same_name, _ = model("deep/a.pkl", b"another a")
    moved, digest = model("renamed.pkl", b"a")
    desk = Desk([other, "/gone.pkl", same_name, moved])
    desk.files.show("x.png", kept("/old/a.pkl", digest))
    assert desk.restored == []
    desk.finish()
    assert [request.model.path for request in desk.restored] == [moved]
    assert desk.said == [(f"x.png was made with /old/a.pkl; the same file was found at {moved}.", False)]


def test_a_model_that_is_nowhere_is_one_sentence(model):
    other, _ = model("other.pkl", b"other")
    desk = Desk([other])
    desk.files.show("x.png", kept("/old/a.pkl", "ab" * 32))
    desk.files.show("y.png", kept("/old/a.pkl"))
    desk.finish()
    assert desk.restored == []
    assert desk.said == [
        ("y.png was made with /old/a.pkl, which is not there; open that model by hand first.", True),
        (
            "x.png was made with face (SHA-256 abababababab…), which is neither at /old/a.pkl nor among the models that"
            " were opened lately; open it, then drop this file again.",
            True,
        ),
    ]


def test_another_file_at_the_same_path_is_shown_and_said(model):
    path, digest = model("a.pkl", b"a")
    Path(path).write_bytes(b"trained on")
    desk = Desk([])
    desk.files.show("x.png", kept(path, digest))
    desk.finish()
    assert [request.model.path for request in desk.restored] == [path]
    assert desk.said == [(f"{path} is not the file that x.png was made with (SHA-256 {digest[:12]}…).", True)]


def test_a_state_without_a_model_is_for_the_one_that_is_open():
    desk = Desk([])
    desk.files.show("x.png", kept(""))
    assert [request.model.path for request in desk.restored] == [""]


def test_only_pictures_and_films_are_taken(tmp_path: Path, model):
    path, _ = model("a.pkl", b"a")
    desk = Desk([])
    picture = write_png(tmp_path / "x.png", PIXELS, replace(kept(path).request, max_height=32))
    assert desk.files.take(str(picture))
    assert [request.max_height for request in desk.restored] == [None]
    for name in ("a.pkl", "gone.png"):
        assert not desk.files.take(str(tmp_path / name))
    foreign = write_png(tmp_path / "photo.png", PIXELS)
    assert not desk.files.take(str(foreign))
    assert desk.files.foreign(str(foreign))
    assert not desk.files.foreign(path)
    (tmp_path / "bad.mp4").write_bytes(b"x")
    assert desk.files.take(str(tmp_path / "bad.mp4"))
    assert [text.split(":")[0] for text, problem in desk.said if problem] == ["photo.png holds no state", "bad.mp4"]


def test_a_hostile_picture_opens_neither_pipes_nor_shares(tmp_path: Path, model):
    path, _ = model("a.pkl", b"a")
    os.mkfifo(tmp_path / "pipe")
    base = kept(path).request
    desk = Desk([])
    for number, request in enumerate((
        replace(base, latent=Latent.of_file(str(tmp_path / "pipe"))),
        replace(base, condition=Condition(vector_file="//server/share/c.npy")),
        replace(base, model=Model(r"\\server\share\a.pkl")),
        replace(base, model=Model(str(tmp_path / "pipe"))),
    )):  # fmt: skip
        assert desk.files.take(str(write_png(tmp_path / f"{number}.png", PIXELS, request)))
    desk.finish()
    assert desk.restored == []
    assert [text.rsplit(",", 1)[1] for text, _ in desk.said] == [
        " which is no ordinary file; its state is not shown",
        " which is no ordinary file; its state is not shown",
        " which is not there; open that model by hand first.",
        " which is not there; open that model by hand first.",
    ]


def test_files_of_the_same_name_are_looked_at_first(model, tmp_path: Path):
    b, digest = model("b.pkl", b"same")
    a, _ = model("deep/a.pkl", b"same")
    assert by_name([b, a, b, str(tmp_path)], r"C:\models\a.pkl") == [a, b]
    assert find([b, a], digest) == b
    assert find([a], "0" * 64) == ""
    assert has_digest(str(tmp_path), "0" * 64)  # a folder: its digest is of another kind
