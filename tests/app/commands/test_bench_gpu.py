"""The GPU's section: floors by hand, tables of made-up numbers, the measuring functions with a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from app.benchmarks import document, gpu
from app.benchmarks.floor import Peaks, Work, floor_ms, work_of
from app.benchmarks.gpu import CudaDevice, Measured, Row
from app.benchmarks.numbers import Spread
from app.commands import bench, main
from networks import ops
from tests.app.test_graphs import Fake
from tests.networks.small import build

PEAKS = Peaks(half_flop=100e12, full_flop=20e12, copied=1e12)


def test_the_work_of_a_stylegan2_is_that_of_its_convolutions() -> None:
    """4, 8 and 16 px of 12, 8 and 6 channels, counted by hand."""
    found = {layer.name: layer for layer in work_of(build("stylegan2-skip"))}
    assert found["b4.conv1"].conv_flop == 2 * 12 * 12 * 9 * 16
    assert found["b8.conv0"].conv_flop == 2 * 12 * 8 * 9 * 16  # for each position of the 4 x 4 input
    assert found["b8.conv0"].fir_flop == 2 * 4 * 8 * (8 * 9 + 8 * 8)
    assert found["b8.conv0"].values == 12 * 16 + 8 * 64
    assert found["b8.conv0"].weights == 12 * 8 * 9
    assert found["b16.torgb"].conv_flop == 2 * 6 * 3 * 256
    assert found["b16.torgb"].fir_flop == 0
    assert [layer.half for layer in found.values()] == [name.startswith(("b8", "b16")) for name in found]
    assert len(found) == 8


def test_the_work_of_a_stylegan3_is_that_of_its_convolutions_and_filters() -> None:
    generator = build("stylegan3-t")
    row = generator.spec.layers[0]
    found = work_of(generator)[0]
    (H, W), (HO, WO), k = row.in_size, row.size, row.kernel
    assert found.conv_flop == 2 * row.in_channels * row.channels * k * k * (H + k - 1) * (W + k - 1)
    fine = (HO - 1) * row.down + row.down_taps
    assert (row.up, row.down, row.up_taps, row.down_taps) == (2, 2, 12, 12)
    by_hand = 6 * (H + k - 1) * fine + 6 * fine * fine + 12 * fine * WO + 12 * HO * WO  # products of a plane
    assert found.fir_flop == 2 * row.channels * by_hand
    assert found.values == row.in_channels * H * W + row.channels * HO * WO
    last = work_of(generator)[-1]
    assert (last.name, last.fir_flop) == (generator.spec.layers[-1].name, 0)


@pytest.mark.parametrize(
    ("name", "conv", "filters"),
    [("stylegan2-1024", 149, 1), ("stylegan3-t-1024", 570, 45), ("stylegan3-r-1024", 248, 200)],
)
def test_official_sizes_have_the_known_operations(name: str, conv: float, filters: float, monkeypatch) -> None:
    """GFLOP of a picture as they were counted on paper; no weight is drawn."""
    monkeypatch.setattr("networks.base.Generator.init_weights", lambda self, seed=0: None)
    work = work_of(gpu.build(name))
    assert sum(layer.conv_flop for layer in work) / 1e9 == pytest.approx(conv, rel=0.005)
    assert sum(layer.fir_flop for layer in work) / 1e9 == pytest.approx(filters, rel=0.06)


def test_the_floor_is_the_larger_of_operations_and_bytes() -> None:
    half, full = Work("a", 9e9, 1e9, 1_000_000, 500_000, True), Work("b", 2e9, 0.0, 2_000_000, 100_000, False)
    assert floor_ms((half, full), PEAKS, 1, "auto") == pytest.approx(10e9 / 100e12 * 1e3 + 2e9 / 20e12 * 1e3)
    assert floor_ms((half, full), PEAKS, 4, "fp32") == pytest.approx(4 * 12e9 / 20e12 * 1e3)
    slow = Peaks(100e12, 20e12, 1e9)
    assert floor_ms((half, full), slow, 2, "auto") == pytest.approx(((2e6 + 5e5) * 2 + (4e6 + 1e5) * 4) / 1e9 * 1e3)
    assert floor_ms((half, full), slow, 2, "fp32") == pytest.approx((2e6 + 5e5 + 4e6 + 1e5) * 4 / 1e9 * 1e3)


class FakeDevice:
    """Calls, and says that each took a number of ms; holds 100 MB more with each reset."""

    def __init__(self, ms: Callable[[int], float]) -> None:
        self.ms, self.calls, self.held = ms, 0, 0.0

    def times(self, call: Callable[[], object], count: int) -> list[float]:
        for _ in range(count):
            call()
        self.calls += count
        return [self.ms(i) for i in range(count)]

    def reset_memory(self) -> None:
        self.held += 100.0

    def held_mb(self) -> float:
        return self.held


def test_peaks_are_the_best_of_ten_products_and_copies() -> None:
    peaks = gpu.measure_peaks(FakeDevice(lambda i: 4.0 - 0.1 * i), torch.device("cpu"), 64, 1 << 16)
    assert peaks.half_flop == peaks.full_flop == pytest.approx(2 * 64**3 / 3.1e-3)
    assert peaks.copied == pytest.approx(2 * 65536 / 3.1e-3)


def test_every_batch_and_precision_is_measured_both_ways() -> None:
    machine, device = Fake(), FakeDevice(float)
    generator = build("stylegan2-skip")
    with ops.using("plain"):
        rows = gpu.rows_of("small", generator, device, machine, PEAKS, 5)
    assert [(row.batch, row.precision) for row in rows] == [(1, "fp32"), (1, "auto"), (8, "fp32"), (8, "auto")]
    for row in rows:
        assert row.ordinary.ms == row.graph.ms == Spread(2.0, 0.0, 4.0)
        assert row.floor_ms == floor_ms(work_of(generator), PEAKS, row.batch, row.precision)
    assert [row.ordinary.mb for row in rows] == [100.0, 300.0, 500.0, 700.0]
    assert machine.records == 4
    assert machine.replays == 4 * (1 + gpu.WARM_UPS - 2 + 5)  # the proof, the warm-ups behind it, the measured ones


def test_a_graph_that_is_missing_and_memory_that_ran_out_are_told() -> None:
    machine, device = Fake(), FakeDevice(float)
    generator = build("stylegan2-skip")
    machine.error = RuntimeError("cudnn refuses")
    with ops.using("plain"):
        (row, *_) = gpu.rows_of("small", generator, device, machine, PEAKS, 5)
        assert row.graph == Measured(why_not="no CUDA graph: RuntimeError: cudnn refuses")
        short = SimpleNamespace(reset_memory=raiser(torch.OutOfMemoryError("CUDA out of memory")))
        assert gpu.way(generator, 8, "fp32", short, 5, None) == Measured(why_not="out of memory")
        lost = SimpleNamespace(reset_memory=raiser(RuntimeError("CUDA error: unspecified launch failure")))
        with pytest.raises(RuntimeError):
            gpu.way(generator, 8, "fp32", lost, 5, None)


def raiser(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_events_time_each_call_and_nothing_waits_between(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    class Event:
        def __init__(self, enable_timing: bool = False) -> None:
            assert enable_timing

        def record(self) -> None:
            log.append("record")
            self.at = float(len(log)) ** 2

        def synchronize(self) -> None:
            log.append("wait")

        def elapsed_time(self, other: Event) -> float:
            return other.at - self.at

    monkeypatch.setattr(torch.cuda, "Event", Event)
    times = CudaDevice(torch.device("cuda")).times(lambda: log.append("call"), 3)
    assert log == ["record", "call", "record", "call", "record", "call", "record", "wait"]
    assert times == [8.0, 16.0, 24.0]


def test_the_table_tells_times_shares_and_what_is_missing() -> None:
    fine = Measured(Spread(4.0, 3.5, 5.0), 1234.0)
    rows = [
        Row("net", 1, "auto", 1.0, fine, Measured(Spread(2.0, 1.9, 2.2), 2000.0)),
        Row("net", 8, "fp32", 9.0, fine, Measured(why_not="no CUDA graph: its picture differs by 0.1 of the range")),
    ]
    lines = gpu.report(rows, ["net: cuDNN, then Triton kernels."], "RTX 0", PEAKS)
    assert lines[0].startswith("RTX 0: 100 TFLOP/s in fp16 and 20.0 in fp32")
    assert "1000 GB/s (a copy of 1 GiB)" in lines[0]
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")][2:]
    assert table == [
        ["net", "1", "fp16 at the top", "1.00", "4.00 (3.50 to 5.00)", "25 %", "1234", "2.00 (1.90 to 2.20)", "50 %",
         "2000", "2.00"],
        ["net", "8", "fp32", "9.00", "4.00 (3.50 to 5.00)", "225 %", "1234", "-", "-", "-", "-"],
    ]  # fmt: skip
    assert "net, batch 8, fp32, graph: no CUDA graph: its picture differs by 0.1 of the range." in lines
    assert lines[-1] == "net: cuDNN, then Triton kernels."


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_without_cuda_the_section_is_refused_in_a_sentence(device: str, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cpu")
    out = tmp_path / "b.md"
    assert main(["bench", "--section", "gpu", "--device", device, "--out", str(out)], None) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"Error: the section gpu measures on a CUDA device, and --device {device}")
    assert "\n" not in said
    assert not out.exists()


def test_the_whole_benchmark_leaves_the_section_out_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "gpu" not in bench.everything()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert bench.everything() == list(bench.SECTIONS)


def test_a_run_on_cuda_asks_each_network_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def alone(function, *arguments):
        asked.append((function.__name__, *arguments[:1]))
        row = Row("net", 1, "fp32", 1.0, Measured(Spread(4.0, 3.5, 5.0), 1234.0), Measured(why_not="out of memory"))
        return PEAKS if function is gpu.peaks_of else ([row], "torch alone: Triton is not there")

    monkeypatch.setattr(gpu, "alone", alone)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "RTX 0")
    lines = gpu.table(True, "auto", lambda _: None)
    assert asked == [("peaks_of",), *(("measure", name) for name in gpu.QUICK)]
    assert lines[-1] == "stylegan3-r-64-small: torch alone: Triton is not there."
    assert document.heading("gpu") == "GPU"
    text = document.update("", {"gpu": lines}, bench.SECTIONS)
    assert document.split(text)["gpu"].startswith("RTX 0")
