"""The real window: how soon it is up, how soon the first picture is there, how even its turns are while it draws."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.benchmarks.memory_use import write_models
from app.commands import OpenWindow

NAME = "stylegan2-128-small"
STILL_TURNS, DRAGGED_TURNS = 100, 200
PATIENCE_S = 120.0


class Measured:
    """What the script sees while it drives the window."""

    def __init__(self) -> None:
        self.window_s = self.picture_s = 0.0
        self.still_ms: list[float] = []
        self.dragged_ms: list[float] = []
        self.pictures = 0

    def script(self, running: Any) -> Iterator[None]:
        """One step per turn: wait for the picture, rest, drag."""
        yield
        self.window_s = time.perf_counter() - running.started
        while running.loop.frame is None or running.loop.frame.picture is None:
            if time.perf_counter() - running.started > PATIENCE_S:
                raise TimeoutError(f"no picture within {PATIENCE_S:.0f} s")
            yield
        self.picture_s = time.perf_counter() - running.started
        yield from self._turns(self.still_ms, STILL_TURNS)
        serial = running.loop.frame.serial
        for _ in self._turns(self.dragged_ms, DRAGGED_TURNS):
            running.desk.drag_latent(4.0, 1.0)
            yield
        self.pictures = running.loop.frame.serial - serial

    def _turns(self, times: list[float], count: int) -> Iterator[None]:
        last = time.perf_counter()
        for _ in range(count):
            yield
            now = time.perf_counter()
            times.append((now - last) * 1000)
            last = now


def table(open_window: OpenWindow, device: str) -> list[str]:
    """Markdown lines; raises NoScreenError where no window can open."""
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder:
        [path] = write_models(Path(folder), 1, NAME)
        open_window([str(path)], device, measured.script, folder=Path(folder))
    rows = {
        "window up, s": f"{measured.window_s:.2f}",
        "first picture, s": f"{measured.picture_s:.2f}",
        "turn of the loop at rest, median / 95%, ms": _spread(measured.still_ms),
        "turn of the loop while dragging, median / 95%, ms": _spread(measured.dragged_ms),
        f"pictures during {DRAGGED_TURNS} dragged turns": str(measured.pictures),
    }
    return [f"Model: {NAME}.", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]


def _spread(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=20)[-1]:.1f}"
