"""`python main.py CHECKPOINT` as a person starts it: a program of its own, driven from outside, ended in every way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.bundled import opening
from app.commands import main
from app.start import stopped_by_signals
from tests.app.test_window_app import frames_of
from tests.gui_support import ROOT, Hand, Screen

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
PATIENCE_S = 60.0
PLACE = {"x": 100, "y": 50, "width": 1000, "height": 700}


class Program:
    """A running main.py with its own settings and output folder."""

    def __init__(self, screen: Screen, folder: Path, *arguments: str) -> None:
        self.config, self.out = folder / "config", folder / "out"
        self.config.mkdir(exist_ok=True)
        (self.config / "window.json").write_text(json.dumps(PLACE), encoding="utf-8")
        folders = {"STYLESCOPE_CONFIG": str(self.config), "STYLESCOPE_OUTPUT": str(self.out)}
        self.process = subprocess.Popen(
            [sys.executable, "main.py", *arguments],
            env=screen.environment() | folders,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.screen = screen
        self.hand = Hand(screen, self.frame, lambda: (PLACE["x"], PLACE["y"]))

    def frame(self) -> None:
        """Wait until the window was drawn anew: the plot of its frame times changes with every frame."""
        before, end = self.screen.pixels(), time.monotonic() + PATIENCE_S
        while self.process.poll() is None and np.array_equal(self.screen.pixels(), before):
            assert time.monotonic() < end, f"no frame for {PATIENCE_S:.0f} s"

    def repeat(self, act: Callable[[], object], until: Callable[[], Any], what: str) -> Any:
        """Do something again and again until it had its effect, which is returned."""
        end = time.monotonic() + PATIENCE_S
        while not (result := until()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, f"waited {PATIENCE_S:.0f} s for {what}"
            act()
        return result

    def key(self, name: str) -> None:
        self.hand.move(PLACE["width"] / 2, PLACE["height"] / 2)
        self.hand.key(name)

    def quit(self) -> None:
        """Ctrl+Q until it ends: a chord that is over before a slow frame is drawn is not seen."""
        self.repeat(lambda: self.key("ctrl+q"), lambda: self.process.poll() is not None, "its end")

    def saved(self, suffix: str) -> list[Path]:
        return sorted(self.out.glob(f"*{suffix}")) if self.out.is_dir() else []

    def end(self) -> tuple[int, str]:
        """Wait for it to end; (exit code, what it wrote on the terminal)."""
        out, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out + errors


@pytest.fixture
def start(screen: Screen, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start_(*arguments: str) -> Program:
        running.append(Program(screen, tmp_path, *arguments))
        return running[-1]

    yield start_
    for program in running:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()


@pytest.mark.gui
def test_it_opens_draws_saves_quits_and_remembers(start: Callable[..., Program], tmp_path: Path):
    checkpoint = str(REFERENCE / "stylegan2.pkl")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text('{"recent": [', encoding="utf-8")
    first = start(checkpoint, str(REFERENCE / "stylegan1.pkl"))
    picture, *_ = first.repeat(lambda: first.key("ctrl+s"), lambda: first.saved(".png"), "the first picture")
    first.hand.drag((299, 300), (379, 300), steps=8)  # the border between the left column and the picture
    first.quit()
    code, words = first.end()
    assert code == 0
    assert words.startswith(f"The settings in {tmp_path}/config/settings.json could not be read")
    assert set(words.splitlines()[1:]) <= {"There is no picture to save yet: open a model first."}
    assert main(["render", checkpoint, "--seeds", "0", "--out", str(tmp_path / "render")], pytest.fail) == 0
    rendered = np.asarray(Image.open(tmp_path / "render" / "seed0000.png"))
    assert np.array_equal(np.asarray(Image.open(picture)), rendered)
    settings = json.loads((first.config / "settings.json").read_text(encoding="utf-8"))
    assert settings["recent"] == [checkpoint, str(REFERENCE / "stylegan1.pkl")]
    (layout,) = first.config.glob("layout-*.ini")
    moved = column_width(layout)
    assert moved > 300

    second = start(checkpoint)
    before = set(second.saved(".png"))
    second.repeat(lambda: second.key("ctrl+s"), lambda: set(second.saved(".png")) - before, "a picture")
    second.repeat(lambda: second.key("F9"), lambda: second.saved(".mp4"), "a recording")
    second.key("Right")
    second.process.send_signal(signal.SIGTERM)
    code, words = second.end()
    assert (code, "Traceback" in words) == (0, False)
    (film,) = second.saved(".mp4")
    assert frames_of(film) == json.loads(Path(f"{film}.json").read_text(encoding="utf-8"))["frames"] > 0
    assert column_width(layout) == moved
    assert json.loads((second.config / "settings.json").read_text(encoding="utf-8"))["recent"] == settings["recent"]


@pytest.mark.gui
def test_what_was_open_comes_back_after_it_was_killed(start: Callable[..., Program], tmp_path: Path):
    """Without an argument, as most people start it; a latent and psi that no default has."""

    starts = [[[0, 1.0]], [list(part) for part in opening("").latent.seeds]]

    def autosave(program: Program) -> dict[str, Any]:
        """What is kept so far, {} while that is not where the keys have led."""
        for path in (program.config / "sessions").glob("open-*.json"):
            request = json.loads(path.read_text(encoding="utf-8"))["request"]
            return request if request["latent"]["seeds"] not in starts else {}
        return {}

    first = start()
    request = first.repeat(lambda: first.key("Right"), lambda: autosave(first), "an autosave")
    first.process.kill()
    first.process.communicate()
    kept = autosave(first) or request
    second = start()
    path, *_ = second.repeat(lambda: second.key("ctrl+s"), lambda: second.saved(".png"), "the picture")
    second.quit()
    code, words = second.end()
    assert (code, "Traceback" in words) == (0, False)
    with Image.open(path) as picture:
        shown = json.loads(picture.text["stylescope"])
    assert shown["latent"] == kept["latent"]
    assert shown["model"]["path"] == kept["model"]["path"]
    assert not list((second.config / "sessions").glob("open-*"))


def column_width(layout: Path) -> int:
    """The width of the left column that a layout file holds."""
    line = next(line for line in layout.read_text().splitlines() if "DockNode" in line and "ID=0x00000001" in line)
    return int(line.split("SizeRef=")[1].split(",")[0])


@pytest.mark.parametrize(("display", "words"), [("", "DISPLAY"), (":4711", ":4711")])
def test_without_a_screen_it_ends_with_code_2_and_one_sentence(display: str, words: str, tmp_path: Path):
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        [sys.executable, "main.py"],
        env=environment | ({"DISPLAY": display} if display else {}) | {"STYLESCOPE_CONFIG": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("Error: ")
    assert words in sentence
    assert "xvfb-run" in sentence


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_and_a_second_one_is_not_held_back(number: signal.Signals):
    stopped: list[int] = []
    arrived: list[int] = []
    before = signal.signal(number, lambda got, frame: arrived.append(got))
    with stopped_by_signals(lambda: stopped.append(1)):
        signal.raise_signal(number)
        assert (stopped, arrived) == ([1], [])
        signal.raise_signal(number)
    signal.raise_signal(number)
    signal.signal(number, before)
    assert (stopped, arrived) == ([1], [number, number])
