"""Sessions: written whole, read with suspicion, and found again after a window that ended unexpectedly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import session
from app.errors import InputError
from app.request import Model, RenderRequest, Truncation, plane
from app.session import Session
from app.window.sessions import AUTOSAVE_S, LAST, Sessions

SHOWN = RenderRequest(model=Model("/models/a.pkl"), latent=plane(3.25, 1.5), truncation=Truncation(0.7))


class Notebook:
    """A panel that remembers one number."""

    title = "Notebook"

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def keep(self) -> Mapping[str, Any]:
        return {"number": self.number} if self.number else {}

    def recall(self, kept: Mapping[str, Any]) -> None:
        self.number = kept["number"]


class Desk:
    """What sessions need around them; the clock goes on by more than the time between two autosaves at each look."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        self.request, self.panel, self.now = RenderRequest(), Notebook(number), 0.0
        self.sessions = Sessions(folder, lambda: self.request, self.show, self.clock)
        self.sessions.panels = [self.panel]

    def clock(self) -> float:
        self.now += 2 * AUTOSAVE_S
        return self.now

    def show(self, request: RenderRequest) -> None:
        self.request = request

    def write(self) -> list[tuple[str, bool]]:
        """Let the autosave come to its end."""
        self.sessions.update()
        self.sessions._pool.submit(lambda: None).result()
        return self.sessions.finished()


def test_a_session_survives_its_file(tmp_path: Path) -> None:
    desk = Desk(tmp_path, number=7)
    desk.request = SHOWN
    desk.sessions.save(tmp_path / "walk.json")
    desk.sessions.close()
    path = tmp_path / "walk.session.json"
    assert desk.sessions.finished() == [(f"Saved the session as {path}", False)]
    other = Desk(tmp_path)
    assert other.sessions.take(str(path))
    assert (other.request, other.panel.number) == (SHOWN, 7)
    assert not list(tmp_path.rglob("*.part"))


def test_only_sessions_are_taken(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "latent.json").write_text("[1, 2]")
    assert not desk.sessions.take(str(tmp_path / "latent.json"))
    assert not desk.sessions.take(str(tmp_path))
    (tmp_path / "renamed.json").write_text(session.to_text(Session(SHOWN)))
    assert desk.sessions.take(str(tmp_path / "renamed.json"))
    assert desk.request == SHOWN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "holds no JSON"),
        ("[" * 100_000, "holds no JSON"),
        ("[]", "not a session of StyleScope"),
        ('{"format": "stylescope-session", "version": 9}', "version 9, this program reads 1"),
        ('{"format": "stylescope-session", "version": 1, "panels": [1]}', "'panels' are no objects"),
        ('{"format": "stylescope-session", "version": 1, "request": {"truncation": {"psi": "x"}}}', "Expected `float`"),
        ('{"format": "stylescope-session", "version": 1, "request": {"truncation": {"psi": NaN}}}', "no finite number"),
    ],
)
def test_what_is_no_session_is_one_sentence_and_changes_nothing(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.session.json"
    path.write_text(text)
    desk = Desk(tmp_path, number=3)
    desk.request = SHOWN
    assert desk.sessions.take(str(path))
    ((sentence, problem),) = desk.sessions.finished()
    assert problem
    assert "bad.session.json" in sentence
    assert words in sentence
    assert (desk.request, desk.panel.number) == (SHOWN, 3)


def test_bytes_that_are_no_text_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.session.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="it is no text"):
        session.read(path)


def test_a_window_that_closes_leaves_its_session_to_be_reopened(tmp_path: Path) -> None:
    desk = Desk(tmp_path, number=4)
    desk.request = SHOWN
    desk.write()
    desk.request = moved = replace(SHOWN, truncation=Truncation(0.25))
    desk.sessions.close()
    assert [path.name for path in (tmp_path / "sessions").iterdir()] == [LAST]
    other = Desk(tmp_path)
    assert not other.sessions.recover(), "it did not crash"
    other.sessions.reopen()
    assert (other.request, other.panel.number) == (moved, 4)


def test_nothing_is_written_before_a_model_is_open_or_while_nothing_changes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write()
    assert not (tmp_path / "sessions").exists()
    desk.request = SHOWN
    desk.write()
    (path,) = (tmp_path / "sessions").glob("*.json")
    before = path.stat().st_mtime_ns
    desk.write()
    assert path.stat().st_mtime_ns == before
    desk.panel.number = 5
    desk.write()
    assert json.loads(path.read_text())["panels"] == {"Notebook": {"number": 5}}
    desk.sessions.close()


CRASH = """
import sys, time
from pathlib import Path
from tests.window.test_sessions import SHOWN, Desk
desk = Desk(Path(sys.argv[1]), number=9)
desk.request = SHOWN
desk.write()
print("written", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_window_showed_comes_back_once(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "written\n"
    beside = Desk(tmp_path)
    assert not beside.sessions.recover(), "its window is still open"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert beside.sessions.recover()
    assert (beside.request, beside.panel.number) == (SHOWN, 9)
    assert "ended unexpectedly" in beside.sessions.finished()[0][0]
    assert not beside.sessions.recover(), "only once"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("in the way")
    desk = Desk(tmp_path)
    desk.request = SHOWN
    ((sentence, problem),) = desk.write()
    assert problem
    assert "could not be written" in sentence
