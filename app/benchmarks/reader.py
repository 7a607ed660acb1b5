"""How long a checkpoint takes to open, and how much memory that needs at its peak."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.benchmarks.alone import alone
from app.benchmarks.machine import peak_mb, resident_mb
from app.benchmarks.models import write_models, write_official
from app.benchmarks.numbers import Spread, markdown, short
from networks.checkpoint import load

REPEATS = 3
HEAD = ("file", "MB", "opened in, s", "memory at the peak, MB", "memory after, MB", "peak / file")


@dataclass(frozen=True)
class Opening:
    """One file opened in a fresh process: seconds, and MB above what the process held before."""

    seconds: float
    peak_mb: float
    after_mb: float


def measure(path: str) -> Opening:
    """Read a file and build its generator on the CPU; runs alone in its process."""
    before = resident_mb()
    began = time.perf_counter()
    opened = load.load(path)
    seconds = time.perf_counter() - began
    peak, after = peak_mb() - before, resident_mb() - before
    del opened
    return Opening(seconds, peak, after)


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: NVIDIA's container, and a small file of our own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        say("reader: writing the files")
        paths = [
            *write_models(Path(folder), 1, "stylegan2-64-small" if quick else "stylegan2-256"),
            write_official(Path(folder), 64 if quick else 1024),
        ]
        for path in paths:
            say(f"reader: {path.name}")
            openings = [alone(measure, str(path)) for _ in range(REPEATS)]
            rows.append(row(path, openings))
    return [
        f"From the path to a generator that is ready, CPU, median (least to greatest) of {REPEATS} fresh processes with"
        " torch imported. The .pkl has the layout of NVIDIA's files (G, D and G_ema); memory is what came on top.",
        "",
        *markdown(HEAD, rows),
    ]


def row(path: Path, openings: list[Opening]) -> list[str]:
    """Cells of one file."""
    size = path.stat().st_size / 1e6
    peak = max(opening.peak_mb for opening in openings)
    return [
        path.name,
        short(size),
        str(Spread.of([opening.seconds for opening in openings])),
        short(peak),
        short(max(opening.after_mb for opening in openings)),
        f"{peak / size:.2f}",
    ]
