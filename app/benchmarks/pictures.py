"""Milliseconds per picture, by family and size, with random weights in the official configurations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from app import devices
from app.benchmarks.alone import alone
from app.benchmarks.numbers import Spread, markdown, short
from networks import ops
from networks.base import Generator
from networks.checkpoint.faces import find_faces
from networks.checkpoint.load import load
from networks.ops import compiled
from networks.presets import PRESETS, build_preset
from networks.taps import Taps

QUICK = ("stylegan2-64-small", "stylegan3-t-64-small")
FACES = "faces (MobileStyleGAN, 1024)"
MIN_REPEATS, MAX_REPEATS = 5, 50
EARLY_PX = 64
HEAD = (
    "network", "parameters, M", "picture, ms", "CPU time, ms", "untuned, ms", "untuned CPU time, ms", "untuned / tuned",
    "64 px early, ms", "z to w, ms",
)  # fmt: skip


@dataclass(frozen=True)
class PictureTime:
    """One network at batch 1, in ms: wall and CPU time of a picture, wall time of an early one, of mapping one z."""

    parameters: int
    threads: int
    computed_by: str  # networks.ops.describe
    full_ms: Spread
    cpu_ms: Spread
    early_ms: Spread | None  # None: the family has no early picture of that size
    map_ms: Spread


def names(quick: bool) -> list[str]:
    """Rows of the table: presets, and the faces where they are installed."""
    return list(QUICK) if quick else [*PRESETS, *([FACES] if find_faces() else [])]


def measure(name: str, device_name: str, seconds: float) -> PictureTime:
    """Build one network and time it; runs alone in its process."""
    device = devices.pick(device_name)
    threads = devices.prepare_thread()
    compiled.settle()  # as the app does before a picture that counts
    generator = build(name).to(device)
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.inference_mode():
        ws = generator.map(z)
        has_early = EARLY_PX in generator.preview_sizes[:-1]
        wall, cpu = repeat(lambda: generator.synthesize(ws), device, seconds)
        early = Taps(stop_at=EARLY_PX)
        return PictureTime(
            parameters=sum(parameter.numel() for parameter in generator.parameters()),
            threads=threads,
            computed_by=ops.describe(device),
            full_ms=wall,
            cpu_ms=cpu,
            early_ms=repeat(lambda: generator.synthesize(ws, early), device, seconds / 4)[0] if has_early else None,
            map_ms=repeat(lambda: generator.map(z), device, seconds / 8)[0],
        )


def build(name: str) -> Generator:
    """A preset with random weights, or the installed faces."""
    if name != FACES:
        return build_preset(name)
    path = find_faces()
    assert path is not None
    return load(path)[0]


def repeat(call: Callable[[], object], device: torch.device, seconds: float) -> tuple[Spread, Spread]:
    """Wall and CPU milliseconds (all threads) of a call after one to warm up: at least 5 repeats, at most 50."""
    call()
    wall: list[float] = []
    cpu: list[float] = []
    began = time.perf_counter()
    while len(wall) < MIN_REPEATS or (time.perf_counter() - began < seconds and len(wall) < MAX_REPEATS):
        start, start_cpu = time.perf_counter(), time.process_time()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        wall.append((time.perf_counter() - start) * 1000)
        cpu.append((time.process_time() - start_cpu) * 1000)
    return Spread.of(wall), Spread.of(cpu)


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: one row for each network."""
    rows: list[list[str]] = []
    seconds = 0.5 if quick else 4.0
    wanted = names(quick)
    for number, name in enumerate(wanted, 1):
        say(f"pictures {number}/{len(wanted)}: {name}")
        plain = alone(measure, name, device, seconds, tuned=False)
        tuned = alone(measure, name, device, seconds)
        rows.append(row(name, tuned, plain))
    return [
        f"Batch 1, fp32 on a CPU, {tuned.threads} threads, computed by {tuned.computed_by};"
        " random weights (the faces have theirs), noise const. Median (least"
        " to greatest) of 5 to 50 pictures. CPU time, also a median,"
        " adds up all threads and does not count waiting for a core: the fair number on a busy machine. The app keeps"
        " big buffers (app/memory.py); untuned is the same network with the allocator as it comes, in a process of its"
        " own; their ratio is one of CPU times. 64 px early is the picture that is shown first while W is dragged.",
        "",
        *markdown(HEAD, rows),
    ]


def row(name: str, tuned: PictureTime, plain: PictureTime) -> list[str]:
    """Cells of one network."""
    return [
        name,
        f"{tuned.parameters / 1e6:.1f}",
        str(tuned.full_ms),
        short(tuned.cpu_ms.median),
        str(plain.full_ms),
        short(plain.cpu_ms.median),
        f"{plain.cpu_ms.median / tuned.cpu_ms.median:.1f}",
        "-" if tuned.early_ms is None else short(tuned.early_ms.median),
        short(tuned.map_ms.median),
    ]
