"""The whole app on the tests' one window: every panel, menu and key, a real engine, small reference checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.display import native
from app.engine import Engine, content
from app.settings import Settings
from app.start import Running, build
from app.window.desk import Desk
from app.window.layout import DOCK_HOST, DOCK_SPACE, default_layout
from tests.gui_support import Hand, Screen, centre_of
from widgets.help import build_help
from widgets.registry import all_panels

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
PATIENCE_S = 60.0
NO_LAYOUT = f"[Docking][Data]\nDockSpace ID=0x{DOCK_SPACE:08X} Window=0x{DOCK_HOST:08X} Pos=0,0 Size=960,640\n"


class WholeApp:
    """What `app.start.run` builds, without its window; `folder` gets settings and what is saved."""

    def __init__(self, window: Any, screen: Screen, folder: Path, engine: Engine | None = None) -> None:
        self.window, self.out = window, folder / "out"
        self.engine = engine or Engine()
        self.desk = Desk(window, self.engine, Settings(), folder / "config", self.out, "cpu")
        self.running: Running = build(self.desk, all_panels(), build_help, time.perf_counter())
        self.hand = Hand(screen, self.turn, lambda: tuple(int(value) for value in dpg.get_viewport_pos()))
        self.turn(2)  # a layout moves windows that were drawn
        assert native.load_layout(default_layout(all_panels(), *window.size, window.scale))
        self.turn(4)

    def close(self) -> None:
        self.desk.close()
        assert self.engine.close()
        native.load_layout(NO_LAYOUT)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.running.turn()

    def until(self, done: Callable[[], object], what: str) -> None:
        """Turn until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not done():
            assert time.monotonic() < end, f"waited {PATIENCE_S:.0f} s for {what}; {self.desk.messages.text!r}"
            self.turn()

    def settle(self) -> None:
        """Turn until the newest request is answered in full, be it by a problem."""
        self.turn(2)
        self.until(self.is_settled, "a picture")
        self.turn(2)

    def is_settled(self) -> bool:
        frame = self.frame
        return frame is not None and frame.complete and content(frame.request) == content(self.running.loop.request())

    def open(self, name: str) -> None:
        """Open a reference checkpoint and wait for its picture."""
        self.desk.open(str(REFERENCE / name))
        self.settle()
        assert self.frame.problem is None, self.frame.problem

    def panel(self, title: str) -> Any:
        return self.running.panel(title)

    def raise_tab(self, title: str) -> Any:
        """Bring a panel to the front; returns it."""
        dpg.focus_item(self.panel(title).window_id)
        self.turn(3)
        return self.panel(title)

    def point(self) -> tuple[float, float]:
        """The middle of the picture on the window, with the mouse on it, so that keys arrive."""
        x, y = centre_of(self.panel("Picture").view.drawlist)
        self.hand.move(x, y)
        return x, y

    def key(self, name: str) -> None:
        """A key, with the mouse over the picture."""
        self.point()
        self.hand.key(name)

    @property
    def frame(self) -> Any:
        return self.running.loop.frame

    @property
    def picture(self) -> np.ndarray:
        """What the picture panel holds."""
        return self.panel("Picture").view.pixels

    @property
    def saved(self) -> list[Path]:
        """What lies complete in the output folder, newest last."""
        paths = [path for path in self.out.glob("*") if path.suffix != ".part"]
        return sorted(paths, key=lambda path: path.stat().st_mtime_ns)
