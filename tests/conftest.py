"""Fixtures of the GUI tests: one virtual screen and one window for each test process."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.gui_support import Hand, Screen, new_root_items


@pytest.fixture(scope="session", autouse=True)
def settled() -> None:
    """Compiled kernels are there before the first test: when they come decides the last bits of a picture."""
    from networks.ops import compiled

    assert compiled.settle(), compiled.why_not


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    """An Xvfb of this process's own, also where a desktop runs: tests move the mouse and count pixels."""
    screen = Screen()
    wayland = {name: os.environ.pop(name) for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE") if name in os.environ}
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = screen.display
    yield screen
    os.environ.update(wayland)
    if before is None:
        del os.environ["DISPLAY"]
    else:
        os.environ["DISPLAY"] = before
    screen.close()


@pytest.fixture(scope="session")
def session_window(screen: Screen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """The only Dear PyGui window that this process will ever have; tests use `window`."""
    from app.display.window import Window

    window = Window("StyleScope tests", 960, 640, tmp_path_factory.mktemp("config"), fps_limit=None)
    window.show()
    yield window
    window.close()


@pytest.fixture
def window(session_window):
    """The window, empty; what the test adds is removed afterwards, and errors of callbacks fail the test."""
    import dearpygui.dearpygui as dpg

    errors: list[Exception] = []
    session_window.on_error = errors.append
    before = set(dpg.get_all_items())
    session_window.frame()
    yield session_window
    for item in new_root_items(before):
        dpg.delete_item(item)
    session_window.on_drop(None)
    session_window.on_close(session_window.stop)
    session_window.user_scale = 1.0
    session_window.fps_limit = None
    session_window.frame()
    session_window.frame()
    assert errors == [], "a callback raised; a test that expects it sets window.on_error"


@pytest.fixture
def hand(screen: Screen, window) -> Hand:
    """Mouse and keyboard over the window."""
    import dearpygui.dearpygui as dpg

    return Hand(screen, window.frame, lambda: tuple(int(value) for value in dpg.get_viewport_pos()))
