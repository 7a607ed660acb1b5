"""The film of a drag against its raw numbers: a tiny network through the app's loop, on a clock that the test turns."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from scipy import ndimage

from app.benchmarks import drag, drag_chart, drag_film
from app.benchmarks.take import Event, Shown, Take
from app.commands import bench, main
from app.frame import Status
from app.models import ModelStore
from app.renderer import Renderer

EARLY_S, FULL_S = 0.053, 0.31  # what a picture takes by the clock of the test


class Clock:
    """Stands still but when somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class SlowEngine:
    """Really draws, at once; hands the picture out when the clock says that it is done. The newest request wins."""

    def __init__(self, clock):
        self.clock, self.renderer = clock, Renderer(ModelStore(count=1))
        self.slot = self.drawing = self.newest = None
        self.done, self.serial = 0.0, 0

    def submit(self, request):
        self.slot = request
        if self.drawing is None:
            self.begin()

    def begin(self):
        self.drawing = self.slot
        self.done = self.clock() + (FULL_S if self.slot.max_height is None else EARLY_S)

    def latest(self):
        if self.drawing is not None and self.clock() >= self.done:
            height = None if self.drawing.max_height is None else 16
            frame = self.renderer.render(replace(self.drawing, max_height=height))
            self.serial += 1
            self.newest = replace(frame, request=self.drawing, serial=self.serial)
            finished, self.drawing = self.drawing, None
            if finished != self.slot:
                self.begin()
        return self.newest

    def status(self):
        return Status()


@pytest.fixture
def dragged(files):
    """A drag of one second; 60 events or so, a picture for every fourth."""
    clock = Clock()
    dragging = drag.Drag(SlowEngine(clock), files.add("tiny.pkl"), clock, clock.sleep)
    dragging.leap()
    dragging.drag(0.5)
    began = dragging.begin()
    dragging.drag(1.0)
    take = dragging.take(began, dragging.release(), keep=True)
    conditions = {"threads": 1, "device": "cpu", "OMP_NUM_THREADS": None, "backend": "test"}
    return drag.Dragged(take, 1.0, dragging.frames[-1][1].model, conditions, (0.25, 0.5))


def by_hand(events, pictures):
    """Latency of each event from the raw columns, with the whole table of who shows whom."""
    asked, came = np.array(events["seconds"]), np.array(pictures["seconds"])
    point = np.array([-1 if event is None else event for event in pictures["event"]])
    shows = point[None, :] >= np.arange(len(asked))[:, None]  # [event, picture]
    assert shows.any(axis=1).all()
    return (came[shows.argmax(axis=1)] - asked) * 1000


def test_film_and_numbers_of_a_drag(dragged, tmp_path):
    film, numbers, still = drag_film.write(tmp_path, "tiny", dragged, lambda _: None)
    told = json.loads(numbers.read_text())
    assert told["seconds"] == pytest.approx(1.0 + 1.5, abs=0.05)  # the drag, and the least that follows it
    expected = by_hand(told["events"], told["pictures"])
    assert told["events"]["latency_ms"] == pytest.approx(expected, abs=0.002)
    assert told["p50_ms"] == pytest.approx(np.percentile(expected, 50), abs=0.01)
    assert told["p95_ms"] == pytest.approx(np.percentile(expected, 95, method="weibull"), abs=0.01)
    assert len(told["events"]["seconds"]) == pytest.approx(60, abs=1)
    assert min(expected) >= EARLY_S * 1000 - 0.01
    after = [s for s, whole in zip(told["pictures"]["seconds"], told["pictures"]["complete"], strict=True) if whole]
    assert told["full_after_release_ms"] == pytest.approx((after[-1] - told["released_s"]) * 1000, abs=0.01)
    assert told["load_before"] == 0.25
    assert "torch" in told["conditions"]
    with av.open(str(film)) as file:
        frames = sum(1 for _ in file.decode(video=0))
        assert file.streams.video[0].average_rate == 60
    assert frames == told["film"]["frames"] == round(Fraction(told["seconds"]) * 60)
    assert still.stat().st_size > 10_000


def test_each_frame_shows_the_newest_picture_that_had_come(dragged):
    film = drag_film.Film(dragged.take, "tiny", [])
    left, top, right, bottom = drag_film.PICTURE
    seen = {}
    for number in range(0, film.count, 9):
        newest = [p for p in dragged.take.pictures if p.seconds <= number / 60][-1]
        shown = film.frame(number)[top:bottom, left:right, :3]
        size = newest.pixels.shape[0]
        rows = (np.arange(bottom - top) + 0.5) * size / (bottom - top) - 0.5  # linear between centres of pixels
        places = np.meshgrid(rows, rows, [0, 1, 2], indexing="ij")
        expected = ndimage.map_coordinates(newest.pixels.astype(np.float32), places, order=1, mode="nearest")
        assert np.abs(shown - expected).max() < 2
        seen[newest.seconds] = size
    assert set(seen.values()) == {16, 128}
    assert len(seen) > 7


def test_the_section_leaves_a_film_of_each_network_after_the_last_was_measured(dragged, monkeypatch, tmp_path):
    order = []
    monkeypatch.setattr(drag, "files", lambda folder, quick: {"one": folder / "1", "two (large)": folder / "2"})
    monkeypatch.setattr(drag, "alone", lambda function, path, *_: order.append(path[-1]) or dragged)
    monkeypatch.setattr(drag_film, "FPS", Fraction(4))
    (films := tmp_path / "films").mkdir()
    lines = drag.table(True, "cpu", order.append, films)
    assert order == ["drag: one", "1", "drag: two (large)", "2", "drag: drag-one.mp4, 10 frames",
                     "drag: drag-two.mp4, 10 frames"]  # fmt: skip
    assert sorted(path.name for path in films.iterdir()) == [
        "drag-one.json", "drag-one.mp4", "drag-two.json", "drag-two.mp4", "drag.jpg"
    ]  # fmt: skip
    assert [line.split("|")[1].strip() for line in lines[-2:]] == ["one", "two (large)"]


def near(pixels, point, colour, reach=1):
    """Whether one of the pixels around a place has about this colour."""
    x, y = round(point[0]), round(point[1])
    around = pixels[y - reach : y + reach + 1, x - reach : x + reach + 1, :3].astype(int)
    return bool((np.abs(around - colour).max(axis=-1) < 50).any())


def steps_take():
    """Five events far apart; latencies of 60, 30, 90, 150 and 45 ms."""
    asked, waited = (0.2, 0.6, 1.0, 1.4, 1.8), (60, 30, 90, 150, 45)
    pixels = np.full((4, 4, 4), 128, np.uint8)
    came = [Shown(at + ms / 1000, 4, i, False, pixels) for i, (at, ms) in enumerate(zip(asked, waited, strict=True))]
    events = tuple(Event(at, 0.5 * i, 0.25 * i) for i, at in enumerate(asked))
    full = Shown(2.5, 4, 4, True, pixels)
    return Take(events, (Shown(-0.1, 4, None, False, pixels), *came, full), 2.0, 3.0), waited


def test_the_curve_lies_where_the_numbers_say_and_ends_at_what_is_known():
    take, waited = steps_take()
    assert take.latency_ms() == pytest.approx(waited)
    film = drag_film.Film(take, "steps", [])
    left, top, right, bottom = drag_chart.CHART
    width, height, scale = right - left, bottom - top, 160.0
    at_end, early = film.drawn(2.99), film.drawn(1.2)
    for event, ms in zip(take.events, waited, strict=True):
        place = left + width * event.seconds / 3.0, bottom - height * ms / scale
        if event is not take.events[0] and event is not take.events[-1]:
            assert near(at_end, place, drag_chart.ACCENT)
            assert not near(at_end, (place[0], place[1] - 12), drag_chart.ACCENT)
        if event.seconds > 1.2:
            assert not near(early, place, drag_chart.ACCENT)
    half = left + width * 0.8 / 3.0, bottom - height * 60 / scale  # on the line from 30 at 0.6 s to 90 ms at 1.0 s
    assert near(early, half, drag_chart.ACCENT)
    assert near(early, (half[0], bottom - 10), drag_chart.DIM)
    limit = bottom - height * 120 / scale
    dashes = [near(at_end, (x, limit), drag_chart.WARNING, 0) for x in range(left + 20, left + 110)]
    assert 0.3 < np.mean(dashes) < 0.8  # the line of 120 ms is dashed


def test_the_hand_and_the_point_of_the_picture_lie_on_the_plane():
    take, _ = steps_take()
    film = drag_film.Film(take, "steps", [])
    frame = film.drawn(1.45)  # event 3 came at 1.4 s, its picture not yet: event 2 is shown
    hand, shown = film.plane.at(1.5, 0.75), film.plane.at(1.0, 0.5)
    assert near(frame, hand, drag_chart.ACCENT, 0)
    assert near(frame, (shown.x - 7, shown.y), drag_chart.INK, 2)
    assert not near(frame, film.plane.at(2.0, 1.0), drag_chart.ACCENT, 3)
    later = film.drawn(1.6)
    assert near(later, (hand.x - 7, hand.y), drag_chart.INK, 2)


def test_pictures_larger_than_the_film_are_averaged_and_smaller_ones_kept():
    large = np.full((1024, 1024, 4), 255, np.uint8)
    large[::2, :, :3] = 55
    averaged = np.full((512, 512, 4), 255, np.uint8)
    averaged[..., :3] = 155
    assert np.array_equal(drag.reduced(large), averaged)
    small = large[:512]
    assert drag.reduced(small) is small


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_folder_that_cannot_be_is_one_sentence_before_anything_is_measured(monkeypatch, tmp_path, capsys, place):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr(bench, "measure", lambda name: pytest.fail("measured"))
    assert main(["bench", "--quick", "--section", "drag", "--film", str(tmp_path / place)], None) == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: no film can be written to")
    assert told.count("\n") == 1


def test_a_film_of_another_section_is_refused(tmp_path, capsys):
    assert main(["bench", "--quick", "--section", "reader", "--film", str(tmp_path)], None) == 2
    assert "films are made of the section drag" in capsys.readouterr().err
