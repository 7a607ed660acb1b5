"""The benchmark measures what it says and writes its document; here on small networks, or on numbers known before."""

import itertools
import mmap
import os
import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import signal

from app.benchmarks import document, machine, memory_use, models, pictures, reader, sheet, window
from app.benchmarks.alone import alone
from app.benchmarks.numbers import Spread, Trend, markdown, percentile_95, short, slope
from app.commands import bench, main
from app.start import NoScreenError
from networks import presets
from tests.app.conftest import SPEC, build


@pytest.fixture
def tiny(monkeypatch):
    """Every preset is the small test generator, in this process."""
    monkeypatch.setattr(pictures, "MIN_REPEATS", 2)
    monkeypatch.setattr(pictures, "find_faces", lambda: None)
    for module in (pictures, models):
        monkeypatch.setattr(module, "build_preset", lambda name, seed=0: build(SPEC, seed))
    for module in (pictures, reader, memory_use):
        monkeypatch.setattr(module, "alone", lambda function, *args, tuned=True: function(*args))


@pytest.fixture
def clock(monkeypatch):
    """Both clocks of the picture benchmark tick 2 ms at each look: times that no busy machine changes."""
    ticks = itertools.count()
    monkeypatch.setattr(
        pictures,
        "time",
        SimpleNamespace(perf_counter=lambda: next(ticks) / 500, process_time=lambda: next(ticks) / 500),
    )


def cells(lines):
    """The rows of the table among lines, without its head and rule."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    return rows[2:]


def test_the_picture_table_has_a_row_for_every_preset_and_every_cell_a_time(tiny, clock, monkeypatch):
    said = []
    monkeypatch.setattr(pictures, "measure", lambda name, device, _, m=pictures.measure: m(name, device, 0.0))
    rows = cells(pictures.table(False, "cpu", said.append))
    assert [row[0] for row in rows] == list(presets.PRESETS)
    assert len(said) == len(rows)
    for row in rows:
        assert len(row) == len(pictures.HEAD)
        assert all(float(re.match(r"[\d.]+", cell)[0]) > 0 for cell in row[2:])


def test_a_spread_holds_every_repeat_and_the_clock_of_the_processor(tiny, clock):
    import torch

    calls = []
    wall, cpu = pictures.repeat(lambda: calls.append(1), torch.device("cpu"), 0.0)
    assert len(calls) == 3  # one to warm up
    assert (
        wall.low == wall.median == wall.high == pytest.approx(4.0)
    )  # its own tick, and one of the other clock between
    assert 0 < wall.low <= wall.median <= wall.high
    assert cpu.median == pytest.approx(4.0)  # its own tick, and one of the other clock between


def test_memory_has_a_row_for_every_process_and_no_file_stays(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(memory_use.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(memory_use, "EVERY_S", 0.001)
    monkeypatch.setattr(memory_use, "walk", lambda path, device, _, m=memory_use.walk: m(path, device, 0.2))
    lines = memory_use.table(True, "cpu", lambda _: None)
    rows = cells(lines)
    many = "10 models of stylegan2-64-small, a picture of each"
    assert [row[0] for row in rows if len(row) == len(memory_use.HEAD)] == [
        "one picture, stylegan2-64-small", "one picture, stylegan3-t-64-small", f"{many}; the app keeps the last 6",
        f"{many}; all 10 kept",
    ]  # fmt: skip
    kept = [float(row[1]) for row in rows[2:4]]
    assert kept[1] / kept[0] == pytest.approx(10 / 6, rel=0.02)
    for row in rows[:4]:
        start, after, peak = map(float, row[2:])
        assert 0 < start <= after <= peak
    assert [row[0] for row in rows if len(row) == len(memory_use.WALK_HEAD)][2:] == ["resident", "in use"]
    assert "pictures of stylegan2-64-small" in "\n".join(lines)
    assert os.listdir(tmp_path) == []


def test_growth_is_told_per_model():
    turned = memory_use.Held(200.0, [300 + 100.0 * i for i in range(6)] + [800 + 2.0 * i for i in range(4)], 900.0, 6)
    every = memory_use.Held(200.0, [300 + 100.0 * i for i in range(10)], 1300.0, 10)
    text = "\n".join(memory_use.report([], turned, every))
    assert "+100 MB per model while all stay open" in text
    assert "+2.0 MB per model from the 7th on" in text
    assert memory_use.row("ten", every, 121.0) == ["ten", "1210", "200", "1200", "1300"]


def test_a_trend_is_that_of_polyfit():
    rng = np.random.default_rng(1)
    x = np.sort(rng.uniform(0, 0.2, 500))
    y = 640 + 7.5 * x + rng.normal(0, 0.3, 500)
    (slope_, _), covariance = np.polyfit(x, y, 1, cov=True)
    trend = Trend.of(list(x), list(y))
    assert trend.slope == pytest.approx(slope_, rel=1e-9)
    assert trend.error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-9)
    assert trend.correlated == pytest.approx(trend.error, rel=0.15)  # these samples are independent
    assert Trend.of([0, 1, 2, 3], [5, 7, 9, 11]) == Trend(2.0, 0.0, 0.0)


def test_the_error_of_correlated_samples_is_what_repeated_walks_scatter_by():
    """500 walks whose memory wanders with a correlation of 0.9 from sample to sample, and does not grow."""
    rng = np.random.default_rng(2)
    walks = signal.lfilter([1], [1, -0.9], rng.normal(size=(500, 700)))[:, 100:]
    trends = [Trend.of(range(600), walk) for walk in walks]
    scatter = np.std([trend.slope for trend in trends])
    assert np.mean([trend.correlated for trend in trends]) == pytest.approx(scatter, rel=0.15)
    assert np.mean([trend.error for trend in trends]) < 0.4 * scatter


def leak(megabytes, steps, kept):
    """A walk whose every picture leaves so many MB behind, or frees them; one a second by its own clock."""
    left, ticks = [], itertools.count()
    seconds = [0.0]

    def draw(number):
        block = bytearray(round(megabytes * 1e6))
        block[:: mmap.PAGESIZE] = bytes(len(range(0, len(block), mmap.PAGESIZE)) * [1])
        if kept:
            left.append(block)
        seconds[0] = float(next(ticks) + 1)

    return memory_use.watched(draw, steps, clock=lambda: seconds[0])


def test_a_leak_of_known_size_is_found_in_a_process_of_its_own():
    walked = alone(leak, 2.0, 60, True)
    assert walked.pictures == len(walked.resident.mb) == 60
    for samples in (walked.resident, walked.in_use):
        trend = samples.warm.trend()
        assert trend.slope == pytest.approx(2.0 * 3600, rel=0.03)  # MB per second -> per hour
        assert trend.slope > 50 * trend.correlated
        assert samples.most >= samples.mb[-1] > samples.mb[0] + 2 * 55
    still = alone(leak, 2.0, 60, False)
    for samples in (still.resident, still.in_use):
        assert abs(samples.warm.trend().slope) < 0.01 * 2.0 * 3600


def test_memory_in_use_is_what_was_not_freed():
    """Whatever the allocator keeps of it: one of the blocks is mapped, one lies in the heap."""
    before = machine.in_use_mb()
    blocks = [bytearray(30_000_000), [bytearray(100_000) for _ in range(200)]]
    assert 50 < machine.in_use_mb() - before < 50.5
    blocks.clear()
    assert abs(machine.in_use_mb() - before) < 0.5


def test_memory_is_looked_at_once_a_second_and_not_before_caches_are_full():
    seconds = [0.0]

    def draw(number):
        seconds[0] += 0.25

    walked = memory_use.watched(draw, 12.0, clock=lambda: seconds[0])
    assert walked.pictures == 48
    assert [round(at) for at in walked.resident.seconds] == list(range(12))
    assert walked.resident.warm.seconds == walked.resident.seconds[2:]
    assert walked.resident.warm.mb == walked.resident.mb[2:]
    at, mb = list(map(float, range(61))), [100.0 + 5 * (i > 30) - 2 * (i > 40) for i in range(61)]
    row = memory_use.walk_row("steps", memory_use.Samples(at, mb, 110.0))
    assert row[:5] == ["steps", "100", "103", "110", "5.00"]
    assert row[5].startswith("+")
    shrinks = memory_use.walk_row("shrinks", memory_use.Samples(at, [-x for x in mb], 0.0))
    assert shrinks[5:] == [row[5].replace("+", "-"), *row[6:]]
    assert memory_use.walk_row("short", memory_use.Samples([0.1, 0.2], [5.0, 5.0], 5.0))[-3:] == ["-"] * 3


def test_the_reader_opens_the_official_container(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(reader.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(reader, "write_official", lambda folder, resolution: official(folder))
    rows = cells(reader.table(True, "cpu", lambda _: None))
    assert [row[0] for row in rows] == ["stylegan2-64-small-0.safetensors", "small.pkl"]
    assert os.listdir(tmp_path) == []


def official(folder):
    from tests.official_layout import write_stylegan2

    return write_stylegan2(folder / "small.pkl", 16, channel_base=256, channel_max=16, w_dim=16)


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(models.InputError, match=r"could not write stylegan2-8.pkl.*No such file"):
        models.write_official(tmp_path / "missing", 8)


def test_a_measurement_is_alone_in_a_process_of_its_own():
    assert alone(os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        alone(divmod, 1, 0)


def test_memory_counts_what_is_held_now_and_the_most_ever():
    before = machine.resident_mb()
    held = mmap.mmap(-1, 60_000_000)  # goes back to the system at once, whatever malloc keeps
    for page in range(0, len(held), mmap.PAGESIZE):
        held[page] = 1
    assert 55 < machine.resident_mb() - before < 70
    held.close()
    assert machine.resident_mb() - before < 10
    assert machine.peak_mb() - before > 55


def test_without_a_screen_a_sentence_stands_in_place_of_the_table(monkeypatch):
    def no_screen():
        raise NoScreenError("there is no display and no Xvfb")

    monkeypatch.setattr(window, "some_screen", no_screen)
    assert window.table(True, "cpu", print, None) == ["Not measured: there is no display and no Xvfb"]


def test_the_window_is_measured_in_its_own_process(screen):
    """The real window, on the virtual screen of the tests."""
    from main import open_window

    rows = cells(window.table(True, "cpu", lambda _: None, open_window))
    assert [row[0] for row in rows] == list(window.QUICK)
    seconds = [float(cell.split()[0]) for cell in rows[0][1:3]]
    assert 0 < seconds[0] < seconds[1]
    assert float(rows[0][-1]) > 0


def test_numbers_have_three_digits():
    assert [short(x) for x in (0.01234, 1.234, 9.996, 12.34, 99.96, 12345.6)] == [
        "0.012", "1.23", "10.0", "12.3", "100", "12346",
    ]  # fmt: skip
    assert str(Spread.of([3.0, 1.0, 2.0])) == "2.00 (1.00 to 3.00)"
    assert percentile_95([float(i) for i in range(101)]) == pytest.approx(95, abs=1)
    assert slope([1.0, 3.0, 5.0]) == 2.0
    assert markdown(("a", "b"), [("x", "1")]) == ["| a | b |", "| :-- | --: |", "| x | 1 |"]


def test_the_document_keeps_other_sections_and_the_log():
    order = ("pictures", "memory")
    first = document.update("", {"memory": ["old memory"], "pictures": ["old pictures"]}, order)
    assert first.index("## Pictures") < first.index("## Memory") < first.index(document.MARKER) < first.index("## Log")
    by_hand = first + "| depthwise FIR | 1.5x | 2.3x | kept |\n"
    second = document.update(by_hand, {"pictures": ["new pictures"]}, order)
    assert second == by_hand.replace("old pictures", "new pictures")


def test_the_command_writes_each_section_with_what_it_was_measured_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(bench, "measure", lambda name: lambda *_: [f"table of {name}"])
    out = tmp_path / "docs" / "b.md"
    assert main(["bench", "--section", "reader", "--section", "memory", "--out", str(out)], None) == 0
    text = out.read_text()
    assert "table of reader" in text
    assert "table of memory" in text
    assert "Pictures" not in text
    assert text.count("torch 2") == text.count("Load of the machine") == 2
    assert "table of memory" in capsys.readouterr().out


def test_a_quick_run_leaves_the_published_document_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "measure", lambda name: lambda *_: ["table"])
    monkeypatch.setattr(bench, "DOCUMENT", tmp_path / "benchmarks.md")
    assert main(["bench", "--quick"], None) == 0
    assert os.listdir(tmp_path) == []


def test_the_sheet_table_measures_every_view_of_the_very_layer(monkeypatch):
    """On a small preset in this process; the upload is told by a number known before."""
    monkeypatch.setattr(pictures, "MIN_REPEATS", 2)
    monkeypatch.setattr(sheet, "build_preset", lambda name, seed=0: build(SPEC, seed))
    monkeypatch.setattr(sheet, "alone", lambda function, *args: 4.0 if function is sheet.upload else function(*args))
    monkeypatch.setattr(sheet, "QUICK", (("small", "b32.conv1"),))
    lines = sheet.table(True, "cpu", lambda _: None)
    ((name, *numbers),) = cells(lines)
    assert name == "8 of 32x32 (small b32.conv1) on 98x98 px"
    assert len(numbers) == len(sheet.HEAD) - 1
    values = [float(number) for number in numbers]
    assert values[-2] == 4.0
    assert values[-1] == pytest.approx(values[1] + values[2] + values[-2], abs=0.02)


def test_without_a_screen_the_upload_has_a_dash():
    taken = sheet.SheetTime((8, 32, 32), (98, 98), 10.0, 0.0, {name: Spread(1.0, 1.0, 1.0) for name in sheet.VIEWS})
    assert sheet.row("small", taken, None)[-2:] == ["-", "1.00"]


def test_pixels_reach_a_real_window_within_the_measurement(screen):
    assert alone(sheet.upload, (64, 64)) > 0
