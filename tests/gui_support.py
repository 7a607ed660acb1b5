"""What GUI tests stand on: a virtual screen, real mouse and keyboard events, and the pixels a person would see.

Fixtures (tests/conftest.py): `screen` is an Xvfb of this process's own, `window` the process's only Window, from which
everything that a test added is removed afterwards, `hand` the mouse and keyboard. A test that needs a fresh process (a
second window, a restart) runs a script with `run_script`.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from app.benchmarks.screen import start_xvfb

ROOT = Path(__file__).parent.parent
SCREEN_SIZE = (1280, 800)
FRAMES_PER_EVENT = 2  # Dear PyGui needs two frames between two events to tell them apart
XWD_COLOUR_BYTES = 12


class Screen:
    """An Xvfb on a display number that is free, with GLX, 1280x800, whose frame buffer is a file we can read."""

    def __init__(self, extensions: tuple[str, ...] = ("+extension", "GLX")) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stylescope-screen-")
        size = "{}x{}".format(*SCREEN_SIZE)
        self._process, self.display = start_xvfb(size, "-fbdir", self._folder.name, "-noreset", *extensions)

    def environment(self) -> dict[str, str]:
        """The environment of a program that shall draw here, whatever desktop the tests were started from."""
        hidden = {"WAYLAND_DISPLAY", "XDG_SESSION_TYPE"}
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        return kept | {"DISPLAY": self.display, "OMP_NUM_THREADS": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}

    def pixels(self) -> np.ndarray:
        """What stands on the screen now, uint8 [H, W, 3]."""
        data = (Path(self._folder.name) / "Xvfb_screen0").read_bytes()
        header = np.frombuffer(data, ">u4", 25)
        width, height, line, colours = (int(header[index]) for index in (4, 5, 12, 19))
        begin = int(header[0]) + colours * XWD_COLOUR_BYTES
        rows = np.frombuffer(data, np.uint8, line * height, begin).reshape(height, line)
        return rows[:, : width * 4].reshape(height, width, 4)[..., 2::-1]

    def close(self) -> None:
        """Ends the server; programs that still draw there lose their connection."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


class Hand:
    """Real mouse and key events through xdotool; positions are pixels of the window, frames are drawn in between.

    frame: draws one frame of whatever loop is tested.
    """

    def __init__(self, screen: Screen, frame: Callable[[], object], origin: Callable[[], tuple[int, int]]) -> None:
        self._environment = screen.environment()
        self._frame = frame
        self._origin = origin

    def move(self, x: float, y: float) -> None:
        left, top = self._origin()
        self._do("mousemove", str(round(left + x)), str(round(top + y)))

    def press(self, button: int = 1) -> None:
        self._do("mousedown", str(button))

    def release(self, button: int = 1) -> None:
        self._do("mouseup", str(button))

    def click(self, x: float, y: float, button: int = 1) -> None:
        self.move(x, y)
        self.press(button)
        self.release(button)

    def double_click(self, x: float, y: float) -> None:
        self.click(x, y)
        self.click(x, y)

    def drag(self, begin: tuple[float, float], end: tuple[float, float], steps: int = 4, button: int = 1) -> None:
        """Presses at `begin`, moves to `end` in equal steps, releases."""
        self.move(*begin)
        self.press(button)
        for step in range(1, steps + 1):
            part = step / steps
            self.move(*(a + (b - a) * part for a, b in zip(begin, end, strict=True)))
        self.release(button)

    def wheel(self, notches: int) -> None:
        """Positive turns away from the user."""
        for _ in range(abs(notches)):
            self._do("click", "4" if notches > 0 else "5")

    def key(self, name: str) -> None:
        """A key or chord in xdotool's names: "F11", "ctrl+o", "space". The mouse must be over the window."""
        self._do("key", "--clearmodifiers", name)

    def hold_key(self, name: str) -> None:
        self._do("keydown", name)

    def release_key(self, name: str) -> None:
        self._do("keyup", name)

    def type(self, text: str) -> None:
        for character in text:
            self._do("type", character)

    def _do(self, *arguments: str) -> None:
        try:
            subprocess.run(["xdotool", *arguments], env=self._environment, check=True, timeout=20)
        except FileNotFoundError as error:
            raise RuntimeError("GUI tests need xdotool: sudo apt install xdotool") from error
        for _ in range(FRAMES_PER_EVENT):
            self._frame()


def centre_of(item: int | str) -> tuple[float, float]:
    """The middle of a Dear PyGui item in window pixels."""
    import dearpygui.dearpygui as dpg

    left, top = dpg.get_item_rect_min(item)
    width, height = dpg.get_item_rect_size(item)
    return left + width / 2, top + height / 2


def point_in(item: int | str, across: float, down: float) -> tuple[float, float]:
    """A point in a Dear PyGui item in window pixels, (0, 0) its upper left and (1, 1) its lower right corner."""
    import dearpygui.dearpygui as dpg

    left, top = dpg.get_item_rect_min(item)
    width, height = dpg.get_item_rect_size(item)
    return left + width * across, top + height * down


def new_root_items(before: set[int]) -> list[int]:
    """Windows and handlers that were added since; not themes (the window's own may be new) and never textures."""
    import dearpygui.dearpygui as dpg

    return [
        item
        for item in dpg.get_all_items()
        if item not in before
        and dpg.does_item_exist(item)
        and dpg.get_item_parent(item) is None
        and not any(kind in dpg.get_item_type(item) for kind in ("Texture", "Theme"))
    ]


def run_script(screen: Screen, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python source as a program of its own on the screen, from the project's root."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=screen.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


class XClient:
    """A window manager's part: asks a window to close, tells it that it is minimised."""

    ICONIC, NORMAL = 3, 1
    CLIENT_MESSAGE, PROPERTY_REPLACE, FORMAT_32 = 33, 0, 32

    def __init__(self, screen: Screen, window: int) -> None:
        self._x: Any = ctypes.CDLL("libX11.so.6")
        self._x.XOpenDisplay.restype = ctypes.c_void_p
        self._x.XInternAtom.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(screen.display.encode()))
        self._window = ctypes.c_ulong(window)

    def __enter__(self) -> XClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._x.XCloseDisplay(self._display)

    def ask_to_close(self) -> None:
        """What the close button of a title bar does: WM_DELETE_WINDOW."""
        event = (ctypes.c_long * 24)()  # an XClientMessageEvent inside of an XEvent
        event[0], event[4] = self.CLIENT_MESSAGE, self._window.value
        event[5], event[6], event[7] = self._atom("WM_PROTOCOLS"), self.FORMAT_32, self._atom("WM_DELETE_WINDOW")
        self._x.XSendEvent(self._display, self._window, 0, 0, ctypes.byref(event))
        self._x.XSync(self._display, 0)

    def set_state(self, state: int) -> None:
        """ICONIC or NORMAL, as a window manager sets it on the window."""
        atom = self._atom("WM_STATE")
        values = (ctypes.c_long * 2)(state, 0)
        self._x.XChangeProperty(
            self._display, self._window, ctypes.c_ulong(atom), ctypes.c_ulong(atom), 32, 0, ctypes.byref(values), 2
        )
        self._x.XSync(self._display, 0)

    def _atom(self, name: str) -> int:
        return int(self._x.XInternAtom(self._display, name.encode(), 0))
