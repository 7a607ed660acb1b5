"""Milliseconds per picture, by family and size, with random weights in the official configurations."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from app import devices
from networks.base import Generator
from networks.presets import PRESETS, build_preset
from networks.taps import Taps

QUICK = ("stylegan2-64-small", "stylegan2-128-small", "stylegan3-t-64-small", "stylegan3-r-64-small")
MIN_REPEATS, MIN_SECONDS, MAX_REPEATS = 3, 2.0, 50
EARLY_PX = 64


@dataclass(frozen=True)
class PictureTime:
    """One network: median milliseconds of a full picture, of an early one of 64 px, and of mapping one seed."""

    name: str
    parameters: int
    full_ms: float
    early_ms: float | None  # None: the family has no early picture
    map_ms: float


def measure(name: str, device: torch.device) -> PictureTime:
    """Build a preset and time it at batch 1."""
    generator = build_preset(name).to(device)
    z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(device)
    with torch.inference_mode():
        ws = generator.map(z)
        early = EARLY_PX if EARLY_PX in generator.preview_sizes[:-1] else None
        return PictureTime(
            name,
            sum(parameter.numel() for parameter in generator.parameters()),
            time_pass(generator, ws),
            None if early is None else time_pass(generator, ws, early),
            median_ms(lambda: generator.map(z), device),
        )


def time_pass(generator: Generator, ws: torch.Tensor, stop_at: int | None = None) -> float:
    """Median milliseconds of the synthesis of ws, up to a height."""
    return median_ms(lambda: generator.synthesize(ws, Taps(stop_at=stop_at)), ws.device)


def median_ms(call: Callable[[], object], device: torch.device) -> float:
    """Median milliseconds of a call after one to warm up, over at least 3 repeats and 2 seconds (at most 50)."""
    call()
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < MIN_REPEATS or (time.perf_counter() - began < MIN_SECONDS and len(times) < MAX_REPEATS):
        start = time.perf_counter()
        call()
        devices.wait_for(device)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def table(quick: bool, device_name: str) -> list[str]:
    """Markdown lines of all presets."""
    device = devices.pick(device_name)
    threads = devices.prepare_thread()
    lines = [
        f"Device {device}, {threads} threads per operation, batch 1, random weights, medians.",
        "",
        "| network | parameters | full picture, ms | early picture of 64 px, ms | one seed to w, ms |",
        "|---|---|---|---|---|",
    ]
    for name in QUICK if quick else PRESETS:
        row = measure(name, device)
        early = "-" if row.early_ms is None else f"{row.early_ms:.1f}"
        lines.append(f"| {name} | {row.parameters:,} | {row.full_ms:.1f} | {early} | {row.map_ms:.2f} |")
    return lines
