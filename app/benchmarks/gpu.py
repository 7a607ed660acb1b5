"""Pictures on CUDA: ordinary passes and graphs, fp32 and fp16 at the top, and how far all are from the floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from app import devices
from app.benchmarks.alone import alone
from app.benchmarks.floor import Peaks, floor_ms, work_of
from app.benchmarks.numbers import Spread, markdown, short
from app.cuda_graph import Cuda, Machine
from app.errors import DeviceError
from app.graphs import Asked, Graphs
from app.paced import PacedTaps
from networks import ops, registry
from networks.base import Generator, Precision
from networks.failures import is_out_of_memory
from networks.plan import Noise
from networks.presets import build_preset
from networks.stylegan3 import design_spec

NETWORKS = ("stylegan2-1024", "stylegan3-t-1024", "stylegan3-r-1024")
QUICK = ("stylegan2-64-small", "stylegan3-t-64-small", "stylegan3-r-64-small")
BATCHES = (1, 8)
PRECISIONS: tuple[Precision, ...] = ("fp32", "auto")
WARM_UPS, REPEATS, QUICK_REPEATS = 5, 50, 10
MATRIX, COPY = 8192, 1 << 30  # side of the matrices and bytes of the copy that peaks are measured with
HEAD = (
    "network", "batch", "precision", "floor, ms", "ordinary pass, ms", "floor / pass", "held, MB", "graph, ms",
    "floor / graph", "held with it, MB", "pass / graph",
)  # fmt: skip


class Device(Protocol):
    """What measures: milliseconds of repeated calls, one after the other, and the most memory that was held."""

    def times(self, call: Callable[[], object], count: int) -> list[float]: ...
    def reset_memory(self) -> None: ...
    def held_mb(self) -> float: ...


class CudaDevice:
    """Times by events on the device, so that Python counts only where the device waits for it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def times(self, call: Callable[[], object], count: int) -> list[float]:
        """Each call lies between two events; nothing waits before the last one."""
        marks: list[Any] = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]  # type: ignore[no-untyped-call]
        marks[0].record()
        for mark in marks[1:]:
            call()
            mark.record()
        marks[-1].synchronize()
        return [one.elapsed_time(other) for one, other in pairwise(marks)]

    def reset_memory(self) -> None:
        """Count from what is in use now."""
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(self._device)

    def held_mb(self) -> float:
        """The most that torch held of the device's memory since then, with what it keeps for graphs."""
        return torch.cuda.max_memory_reserved(self._device) / 1e6


@dataclass(frozen=True)
class Measured:
    """One way to draw: milliseconds of a whole batch and MB that torch held; or in words why it was not measured."""

    ms: Spread | None = None
    mb: float = 0.0
    why_not: str = ""


@dataclass(frozen=True)
class Row:
    """One network at one batch size and precision."""

    name: str
    batch: int
    precision: Precision
    floor_ms: float
    ordinary: Measured
    graph: Measured


def build(name: str) -> Generator:
    """A preset, or StyleGAN3 at 1024 px by the paper's rules, with random weights."""
    if not name.startswith("stylegan3") or not name.endswith("1024"):
        return build_preset(name)
    generator = registry.get("stylegan3").build(design_spec(1024, "R" if "-r-" in name else "T"))
    generator.init_weights(0)
    return generator


def measure(name: str, repeats: int, peaks: Peaks) -> tuple[list[Row], str]:
    """All rows of one network, and what computed them; runs alone in its process."""
    device = devices.pick("cuda")
    devices.prepare_thread()
    generator = build(name).to(device)
    rows = rows_of(name, generator, CudaDevice(device), Cuda(), peaks, repeats)
    return rows, ops.describe(device)


def rows_of(name: str, generator: Generator, device: Device, machine: Machine, peaks: Peaks, repeats: int) -> list[Row]:
    """Every batch size and precision; where the generator lies."""
    work, rows = work_of(generator), []
    for batch in BATCHES:
        for precision in PRECISIONS:
            measured = partial(way, generator, batch, precision, device, repeats)
            floor = floor_ms(work, peaks, batch, precision)
            rows.append(Row(name, batch, precision, floor, measured(None), measured(Graphs(machine, long_ms=1e9))))
    return rows


@torch.inference_mode()
def way(
    generator: Generator, batch: int, precision: Precision, device: Device, repeats: int, graphs: Graphs | None
) -> Measured:
    """Time pictures of one w after the other, by graphs or (None) by ordinary passes."""
    try:
        call = drawing(generator, batch, precision, graphs)
        device.reset_memory()
        for _ in range(WARM_UPS):
            call()
        if graphs is not None and not len(graphs):
            return Measured(why_not=graphs.words or "was not recorded")
        return Measured(Spread.of(device.times(call, repeats)), device.held_mb())
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return Measured(why_not="out of memory")
    finally:
        if graphs is not None:
            graphs.clear()


def drawing(generator: Generator, batch: int, precision: Precision, graphs: Graphs | None) -> Callable[[], Tensor]:
    """What draws a batch, const noise, transform as stored."""
    where = next(generator.parameters()).device
    z = torch.randn(batch, generator.z_dim, generator=torch.Generator().manual_seed(0)).to(where)
    ws = generator.map(z)

    def draw() -> Tensor:
        if graphs is None:
            return generator.synthesize(ws, precision=precision)
        taps = PacedTaps()
        taps.begin()
        return graphs.draw(Asked(generator, ws, taps, Noise(), None, precision))

    return draw


def peaks_of() -> Peaks:
    """The device's peaks, in a process of its own."""
    device = devices.pick("cuda")
    devices.prepare_thread()
    return measure_peaks(CudaDevice(device), device, MATRIX, COPY)


@torch.inference_mode()
def measure_peaks(timer: Device, device: torch.device, side: int, size: int) -> Peaks:
    """FLOP/s of a product of two [side, side] matrices (2 side^3 FLOP), bytes/s of a copy of `size` bytes (each is read
    and written): the best of ten, after one to warm up."""
    flop = {}
    for dtype in (torch.float16, torch.float32):
        a = torch.ones(side, side, dtype=dtype, device=device)
        flop[dtype] = 2 * side**3 / (best(timer, partial(torch.mm, a, a)) / 1000)
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Peaks(
        flop[torch.float16], flop[torch.float32], 2 * size / (best(timer, partial(target.copy_, source)) / 1000)
    )


def best(timer: Device, call: Callable[[], object]) -> float:
    """Least milliseconds of ten calls."""
    call()
    return min(timer.times(call, 10))


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines; raises DeviceError without CUDA, for nothing else would be a measurement."""
    if device not in ("auto", "cuda") or not torch.cuda.is_available():
        raise DeviceError(
            f"the section gpu measures on a CUDA device, and --device {device} with torch {torch.__version__} gives"
            " none; nothing was measured"
        )
    say("gpu: peaks")
    peaks = alone(peaks_of)
    rows, computed = [], []
    wanted = QUICK if quick else NETWORKS
    for number, name in enumerate(wanted, 1):
        say(f"gpu {number}/{len(wanted)}: {name}")
        found, by = alone(measure, name, QUICK_REPEATS if quick else REPEATS, peaks)
        rows += found
        computed.append(f"{name}: {by}.")
    return report(rows, computed, torch.cuda.get_device_name(), peaks)


def report(rows: list[Row], computed: list[str], device: str, peaks: Peaks) -> list[str]:
    """What was measured on what, then the table, then why graphs are missing."""
    missing = [
        f"{row.name}, batch {row.batch}, {words(row.precision)}, {kind}: {measured.why_not}."
        for row in rows
        for kind, measured in (("ordinary pass", row.ordinary), ("graph", row.graph))
        if measured.why_not
    ]
    return [
        f"{device}: {peaks.half_flop / 1e12:.0f} TFLOP/s in fp16 and {peaks.full_flop / 1e12:.1f} in fp32 (a product of"
        f" matrices of {MATRIX} x {MATRIX}), {peaks.copied / 1e9:.0f} GB/s (a copy of {COPY / 2**30:.0f} GiB). Random"
        " weights, noise const. Times are of a whole batch, by events on the device: median (least to greatest)."
        " Held is the most memory that torch had. The floor is the larger of operations and bytes"
        " (app/benchmarks/floor.py); fp16 means the resolutions that the original runs so.",
        "",
        *markdown(HEAD, [cells(row) for row in rows]),
        *(["", *missing] if missing else []),
        "",
        *computed,
    ]


def words(precision: Precision) -> str:
    return "fp32" if precision == "fp32" else "fp16 at the top"


def cells(row: Row) -> list[str]:
    """One row of the table; a dash where something was not measured."""
    pass_ms, graph_ms = row.ordinary.ms, row.graph.ms
    return [
        row.name,
        str(row.batch),
        words(row.precision),
        short(row.floor_ms),
        *way_cells(row.ordinary, row.floor_ms),
        *way_cells(row.graph, row.floor_ms),
        "-" if pass_ms is None or graph_ms is None else f"{pass_ms.median / graph_ms.median:.2f}",
    ]


def way_cells(measured: Measured, floor: float) -> list[str]:
    """Time, share of the floor, memory."""
    if measured.ms is None:
        return ["-"] * 3
    return [str(measured.ms), f"{100 * floor / measured.ms.median:.0f} %", short(measured.mb)]
