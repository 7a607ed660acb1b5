"""Memory of the process: for one picture, for many models, and through a long walk, where it must stay bounded.

Every row is measured in a fresh process; its peak is the kernel's own (VmHWM), from the start of that process.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.benchmarks.alone import alone
from app.benchmarks.machine import in_use_mb, peak_mb, resident_mb
from app.benchmarks.models import write_models
from app.benchmarks.numbers import Trend, markdown, short, slope
from app.models import ModelStore
from app.renderer import Renderer
from app.request import Model, RenderRequest, plane

MODELS = 10
PICTURES, QUICK_PICTURES = ("stylegan2-1024", "stylegan3-t-256"), ("stylegan2-64-small", "stylegan3-t-64-small")
NAME, QUICK_NAME = "stylegan2-256", "stylegan2-64-small"  # of which many are opened
WALKED, QUICK_WALKED = "stylegan2-1024", "stylegan2-64-small"
WALK_S, QUICK_WALK_S = 600.0, 10.0
EVERY_S = 1.0  # between two looks at the memory
WARM = 1 / 6  # of a walk: caches fill; the slope is that of the rest
STEP = (0.77, 0.43)  # of a walk, per picture, in units of the seed plane: one or two new seeds with each picture
HEAD = ("in a fresh process", "weights kept, MB", "torch loaded, MB", "afterwards, MB", "peak, MB")
WALK_HEAD = (
    "memory", "warm, MB", "at the end, MB", "most, MB", "largest step, MB", "slope, MB per hour", "standard error",
    "the same, samples correlated",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Resident MB of a process: with torch loaded, after each model's picture, and the most ever. kept: models that
    were open at the end."""

    start: float
    after: list[float]
    peak: float
    kept: int


@dataclass(frozen=True)
class Samples:
    """MB at some seconds; `most` ever, also between them where the system says so."""

    seconds: list[float]
    mb: list[float]
    most: float

    @property
    def warm(self) -> Samples:
        """Those from when caches are full."""
        first = next(i for i, at in enumerate(self.seconds) if at >= WARM * self.seconds[-1])
        return Samples(self.seconds[first:], self.mb[first:], self.most)

    @property
    def largest_step(self) -> float:
        """The greatest growth from one sample to the next, in MB."""
        return max((after - before for before, after in itertools.pairwise(self.mb)), default=0.0)

    def trend(self) -> Trend | None:
        """Growth in MB per hour; None where there are too few samples to tell."""
        return Trend.of([at / 3600 for at in self.seconds], self.mb) if len(self.mb) > 2 else None


@dataclass(frozen=True)
class Walked:
    """A process that draws without a stop: resident memory, what the program uses of it (None: the system does not
    say), and how many pictures."""

    resident: Samples
    in_use: Samples | None
    pictures: int


def draw_one_of_each(paths: list[str], device: str, kept: int | None) -> Held:
    """One picture of each model in turn; runs alone in its process. kept: as many stay open; None: as in the app."""
    start = resident_mb()
    store = ModelStore() if kept is None else ModelStore(count=kept)
    renderer = Renderer(store)
    after = []
    for path in paths:
        renderer.render(RenderRequest(model=Model(path, device)))
        after.append(resident_mb())
    return Held(start, after, peak_mb(), len(store))


def walk(path: str, device: str, seconds: float) -> Walked:
    """Draw a walk through W for so many seconds; runs alone in its process."""
    renderer, request = Renderer(), RenderRequest(model=Model(path, device))

    def draw(number: int) -> None:
        renderer.render(replace(request, latent=plane(number * STEP[0], number * STEP[1])))

    return watched(draw, seconds)


def watched(draw: Callable[[int], None], seconds: float, clock: Callable[[], float] = time.perf_counter) -> Walked:
    """Draw number 0, 1, ... for so many seconds. Looks at the memory once a second, always between two pictures, so
    that what a pass holds for a moment is not taken for growth."""
    seconds_at, resident, in_use = list[float](), list[float](), list[float | None]()
    began, pictures = clock(), 0
    while (now := clock() - began) < seconds:
        draw(pictures)
        pictures += 1
        if now >= len(resident) * EVERY_S:
            seconds_at.append(clock() - began)
            resident.append(resident_mb())
            in_use.append(in_use_mb())
    used = [mb for mb in in_use if mb is not None]
    return Walked(
        Samples(seconds_at, resident, peak_mb()),
        Samples(seconds_at, used, max(used)) if len(used) == len(resident) else None,
        pictures,
    )


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: a row for each process, how models in turn add up, a row for each walk."""
    name, seconds = (QUICK_NAME, QUICK_WALK_S) if quick else (NAME, WALK_S)
    rows = []
    with tempfile.TemporaryDirectory() as folder:

        def written(name: str, count: int = 1) -> list[str]:
            return [str(path) for path in write_models(Path(folder), count, name)]

        for one in QUICK_PICTURES if quick else PICTURES:
            say(f"memory: a picture of {one}")
            paths = written(one)
            rows.append(row(f"one picture, {one}", alone(draw_one_of_each, paths, device, None), size_mb(paths)))
        say(f"memory: {MODELS} models")
        paths = written(name, MODELS)
        turned = alone(draw_one_of_each, paths, device, None)
        words = f"{MODELS} models of {name}, a picture of each"
        rows.append(row(f"{words}; the app keeps the last {turned.kept}", turned, size_mb(paths)))
        every = alone(draw_one_of_each, paths, device, MODELS)
        rows.append(row(f"{words}; all {every.kept} kept", every, size_mb(paths)))
        one = QUICK_WALKED if quick else WALKED
        say(f"memory: a walk of {seconds / 60:.1f} minutes, {one}")
        walked = alone(walk, written(one)[0], device, seconds)
    return [*report(rows, turned, every), "", *walk_report(one, seconds, walked)]


def size_mb(paths: list[str]) -> float:
    """MB of one of the files."""
    return Path(paths[-1]).stat().st_size / 1e6


def row(name: str, held: Held, size: float) -> list[str]:
    """Cells of one process. size: MB of a model's weights."""
    return [name, short(held.kept * size), short(held.start), short(held.after[-1]), short(held.peak)]


def report(rows: list[list[str]], turned: Held, every: Held) -> list[str]:
    """Markdown lines of single pictures and of many models."""
    full = turned.after[turned.kept :]
    each = f"{slope(every.after):+.0f} MB per model while all stay open"
    if len(full) > 1:
        first = f"the {turned.kept + 1}th on, where each takes the place of another"
        each += f"; {slope(full):+.1f} MB per model from {first}"
    return [
        "Resident memory in MB of 10^6 bytes. Peak is the kernel's VmHWM, from the start of the process.",
        "",
        *markdown(HEAD, rows),
        "",
        f"Least-squares slope: {each}.",
    ]


def walk_report(name: str, seconds: float, walked: Walked) -> list[str]:
    """Markdown lines of a walk."""
    rows = [walk_row("resident", walked.resident)]
    if walked.in_use is not None:
        rows.append(walk_row("in use", walked.in_use))
    return [
        f"A walk of {seconds / 60:.3g} minutes draws {walked.pictures} pictures of {name} without a stop, each at"
        " another point of W, one or two seeds of it new. Memory is looked at once a second, between two pictures; in"
        " use is what the program allocated and did not free (mallinfo2), resident also what the allocator keeps for"
        " later (app/memory.py): a leak grows in both. After the first"
        f" {WARM:.0%} of the time (warm): the largest step between two looks, and the slope of a least-squares line"
        " with its standard error sqrt(SSE / (n - 2) / Sxx). Memory moves in steps, so neighbouring samples agree: the"
        " last column counts n (1 - r) / (1 + r) samples, r the correlation of neighbours. Where it is as large as the"
        " slope, the walk does not tell growth from a single step.",
        "",
        *markdown(WALK_HEAD, rows),
    ]


def walk_row(name: str, samples: Samples) -> list[str]:
    """Cells of one kind of memory."""
    warm = samples.warm
    trend, told = warm.trend(), ["-"] * 3
    if trend is not None:
        far = "∞" if math.isinf(trend.correlated) else short(trend.correlated)
        told = [("-" if trend.slope < 0 else "+") + short(abs(trend.slope)), short(trend.error), far]
    return [name, *map(short, (warm.mb[0], warm.mb[-1], samples.most, warm.largest_step)), *told]
