"""The real window: how soon it is up, how soon the first picture is there, how even its turns are while it draws."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.benchmarks.alone import launch
from app.benchmarks.numbers import Spread, markdown, percentile_95, short
from app.benchmarks.screen import some_screen
from app.commands import OpenWindow
from app.settings import Settings
from app.start import NoScreenError

QUICK, FULL = ("stylegan2-64-small",), ("stylegan2-64-small", "stylegan2-256", "stylegan3-t-64-small")
STARTS, PATIENCE_S = 3, 300.0
HEAD = (
    "model", "window, s", "first picture, s", "turn at rest, ms", "95 %", "turn while drawing, ms", "95 %", "longest",
    "pictures a second",
)  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """One start: seconds from the launch of the process; milliseconds of turns; pictures shown while dragging."""

    window_s: float
    picture_s: float
    rest_ms: list[float]
    drawing_ms: list[float]
    pictures: int


class Script:
    """Drives the window, one step per turn: wait for the picture, rest, drag through W."""

    def __init__(self, launched: float, seconds: float) -> None:
        self.launched, self.seconds = launched, seconds
        self.visit: Visit | None = None

    def __call__(self, running: Any) -> Iterator[None]:
        yield
        window_s = time.time() - self.launched
        while running.loop.frame is None or running.loop.frame.picture is None:
            if time.time() - self.launched > PATIENCE_S:
                raise TimeoutError(f"no picture within {PATIENCE_S:.0f} s")
            yield
        yield  # the turn that draws it
        picture_s = time.time() - self.launched
        while running.loop.engine.status().busy and time.time() - self.launched < PATIENCE_S:
            yield  # the full picture, where an early one came first
        rest_ms: list[float] = []
        yield from self._turns(rest_ms)
        drawing_ms: list[float] = []
        shown = {running.loop.frame.serial}
        for _ in self._turns(drawing_ms):
            running.desk.drag_latent(4.0, 1.0)
            yield
            shown.add(running.loop.frame.serial)
        self.visit = Visit(window_s, picture_s, rest_ms, drawing_ms, len(shown) - 1)

    def _turns(self, times: list[float]) -> Iterator[None]:
        """Note the time of each turn for `seconds`."""
        began = last = time.perf_counter()
        while last - began < self.seconds:
            yield
            now = time.perf_counter()
            times.append((now - last) * 1000)
            last = now


def measure(launched: float, open_window: OpenWindow, path: str, device: str, seconds: float) -> Visit:
    """Open the window on a file and drive it; runs alone in its process, launched at a time.time()."""
    if "torch" in sys.modules:
        raise RuntimeError("torch is loaded before the window is: its import would count as time to the window")
    script = Script(launched, seconds)
    with tempfile.TemporaryDirectory() as folder:
        open_window([path], device, script, folder=Path(folder))
    if script.visit is None:
        raise RuntimeError("the window was closed before the measurement ended")
    return script.visit


def table(quick: bool, device: str, say: Callable[[str], None], open_window: OpenWindow) -> list[str]:
    """Markdown lines: one row for each model; a sentence where no window can open."""
    from app.benchmarks.models import write_models, write_official  # torch: the measured process must not import it

    seconds = 1.0 if quick else 5.0
    try:
        with some_screen() as screen, tempfile.TemporaryDirectory() as folder:
            say("window: writing the models")
            paths = {name: write_models(Path(folder), 1, name)[0] for name in (QUICK if quick else FULL)}
            if not quick:
                official = write_official(Path(folder), 1024)
                paths[f"{official.stem}, {official.stat().st_size / 1e6:.0f} MB .pkl"] = official
            rows = []
            for name, path in paths.items():
                say(f"window: {name}")
                visits = [launch(measure, open_window, str(path), device, seconds) for _ in range(STARTS)]
                rows.append(row(name, visits, seconds))
    except NoScreenError as error:
        return [f"Not measured: {error}"]
    return [
        f"`python main.py FILE` {screen}, at most {Settings().fps_limit} turns a second. Seconds count from the launch"
        f" of the process, median (least to greatest) of {STARTS} starts, torch and the file read in between. A turn is"
        f" one pass of the GUI's loop, {seconds:.0f} s at rest and {seconds:.0f} s of dragging through W while the"
        " worker draws all the time; medians.",
        "",
        *markdown(HEAD, rows),
    ]


def row(name: str, visits: list[Visit], seconds: float) -> list[str]:
    """Cells of one model."""
    rest = [ms for visit in visits for ms in visit.rest_ms]
    drawing = [ms for visit in visits for ms in visit.drawing_ms]
    return [
        name,
        str(Spread.of([visit.window_s for visit in visits])),
        str(Spread.of([visit.picture_s for visit in visits])),
        short(statistics.median(rest)),
        short(percentile_95(rest)),
        short(statistics.median(drawing)),
        short(percentile_95(drawing)),
        short(max(drawing)),
        short(statistics.mean(visit.pictures for visit in visits) / seconds),
    ]
