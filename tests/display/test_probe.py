"""Each way in which a window cannot open ends in one sentence with the remedy, and never in an abort."""

from __future__ import annotations

import os
import socket

import pytest

from app.display import probe
from app.display.probe import DisplayProbe, probe_display
from tests.gui_support import Screen

NOBODY = ":65011"


def environment(**changes: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return kept | changes


def only_sentence(text: str | None) -> str:
    assert text is not None
    assert "\n" not in text
    assert text[0].isupper()
    return text


@pytest.mark.gui
def test_a_working_display_passes_and_names_its_renderer(screen: Screen):
    begun = DisplayProbe(screen.environment())
    assert begun.result() is None
    assert begun.result() is None
    assert "llvmpipe" in begun.renderer


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ""}, "xvfb-run"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "apt install xwayland"),
        ({"DISPLAY": NOBODY}, f"No X server answers at DISPLAY={NOBODY}; set DISPLAY to a running one"),
        ({"DISPLAY": "no-such-host.invalid:0"}, "No X server answers at DISPLAY=no-such-host.invalid:0"),
        ({"DISPLAY": "screen one"}, "DISPLAY is 'screen one', expected the form HOST:NUMBER"),
        ({"DISPLAY": "a" * 70 + ".b:0"}, "No X server answers"),
    ],
)
def test_a_bad_display_is_named_without_starting_a_process(changes, expected, monkeypatch):
    monkeypatch.setattr(probe.subprocess, "Popen", None)
    assert expected in only_sentence(probe_display(environment(**changes)))


@pytest.mark.gui
def test_an_x_server_without_gl_is_told_apart():
    screen = Screen(extensions=("-extension", "GLX"))
    try:
        text = only_sentence(probe_display(screen.environment()))
    finally:
        screen.close()
    assert text.startswith(f"The display {screen.display} has no working OpenGL (GLX: ")
    assert "sudo apt install libgl1 libgl1-mesa-dri" in text


def test_an_x_server_that_accepts_and_never_speaks_is_given_up():
    number = 65012
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(f"\0/tmp/.X11-unix/X{number}")
        server.listen()
        text = only_sentence(probe_display(environment(DISPLAY=f":{number}"), timeout_s=0.5))
    assert "did not open a test window within 0.5 s" in text


@pytest.mark.gui
def test_a_crash_of_the_driver_is_a_sentence(screen: Screen, tmp_path, monkeypatch):
    child = tmp_path / "crash.py"
    child.write_text(
        "import os, sys\nsys.stderr.write('driver: assertion failed\\n')\nsys.stderr.flush()\nos.abort()\n"
    )
    monkeypatch.setattr(probe, "CHILD", child)
    text = only_sentence(probe_display(screen.environment()))
    assert "crashed (signal 6: driver: assertion failed)" in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"step": "window", "detail": "GLX: Failed to load GLX"}, "libGL is missing"),
        ({"step": "init", "detail": "X11: Failed to open display :3"}, "xhost +si:localuser:$USER"),
        ({"step": "load", "detail": "libX11.so.6: cannot open shared object file"}, "sudo apt install libx11-6"),
        ({"step": "load", "detail": "No module named 'glfw'"}, "pip install -r requirements.txt"),
        ({"renderer": "old", "version": "2.1 Mesa"}, "offers OpenGL 2.1 Mesa, 3.0 is needed"),
        ({"renderer": "odd", "version": ""}, "offers OpenGL of unknown version"),
    ],
)
def test_what_the_hidden_window_reports_becomes_a_sentence(answer, expected):
    assert expected in only_sentence(probe._sentence(":3", answer))


@pytest.mark.parametrize("version", ["3.0 Mesa", "4.5 (Compatibility Profile) Mesa 22.3.6", "OpenGL ES 3.2", "10.1"])
def test_every_newer_version_will_do(version):
    assert probe._sentence(":0", {"renderer": "any", "version": version}) is None
