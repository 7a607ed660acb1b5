"""Performances: every change with its time, drawn again at any exact rate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from app.errors import InputError, WriteError
from app.recording import performance, sidecar
from app.recording.embedded import read_state
from app.recording.offline import TakeJob, record_take, replay
from app.recording.performance import Change, Performance, PerformanceRecorder, Take, mix, performed
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, Truncation, View, plane
from networks.plan import Intervention

ROOT = Path(__file__).parents[3]


@pytest.fixture
def steps(request_: RenderRequest) -> list[tuple[float, RenderRequest]]:
    """A drag, a setting, an edit: (second on some clock, what the loop asked for)."""
    edit = (Intervention("b16.conv1", "shift", 0.5, (3,)),)
    return [
        (100.0, replace(request_, latent=plane(0.0, 0.0))),
        (100.125, replace(request_, latent=plane(0.25, 0.0), max_height=0)),
        (100.25, replace(request_, latent=plane(0.5, 0.0), max_height=0)),
        (100.25, replace(request_, latent=plane(0.5, 0.0), view=View("b8.conv1"))),  # no change of the picture
        (100.5, replace(request_, latent=plane(0.5, 0.0), truncation=Truncation(0.5))),
        (100.875, replace(request_, latent=plane(0.5, 0.0), truncation=Truncation(0.5), edits=edit)),
    ]


@pytest.fixture
def record(steps, request_, tmp_path: Path) -> Callable[..., Performance]:
    def make(name: str = "a.performance.json") -> Performance:
        taken = PerformanceRecorder(tmp_path / name, Renderer().open(request_).info, 99.0)
        for seconds, request in steps:
            taken.push(request, seconds)
        return taken.stop(101.0)

    return make


def test_every_change_is_kept_with_its_time(record, steps, tmp_path: Path):
    made = record()
    assert [change.seconds for change in made.changes] == [0, 0.125, 0.25, 0.5, 0.875]
    assert [change.request for change in made.changes] == [performed(steps[i][1]) for i in (0, 1, 2, 4, 5)]
    assert [change.held for change in made.changes] == [False, True, True, False, False]
    assert (made.seconds, made.complete) == (1.0, True)
    assert [(model["name"], model["sha256"]) for model in made.models] == [("small.pkl", "0" * 64)]
    assert performance.read(tmp_path / "a.performance.json") == made
    assert [path.name for path in tmp_path.glob("*performance*")] == ["a.performance.json"]  # no journal is left
    kept = json.loads((tmp_path / "a.performance.json").read_text())
    assert [sorted(change["change"]) for change in kept["changes"][1:]] == [["latent"], ["latent"], ["truncation"],
                                                                            ["edits"]]  # fmt: skip


def test_a_frame_shows_the_last_change_at_or_before_its_time(record):
    take = Take(record(), Fraction(16))
    wanted = [0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4]  # changes at 0, 0.125, 0.25, 0.5 and 0.875 s
    assert take.count == 16
    assert [take.at(frame) for frame in range(16)] == [take.requests[number] for number in wanted]


def test_between_changes_of_a_drag_w_goes_straight_on(record):
    """Weights by hand: at 0.1875 s half of the way from x = 0.25 to x = 0.5, so x = 0.375."""
    take = Take(record(), Fraction(32), between=True)
    found = dict(take.at(6).latent.seeds)
    assert found == pytest.approx({0: 0.625, 1: 0.375})
    assert dict(take.at(2).latent.seeds) == pytest.approx({0: 1 - 0.125, 1: 0.125})  # 0.0625 s: half of 0 to 0.25
    assert take.at(15).truncation == Truncation(1.0)  # a setting is no drag: it jumps at its time
    assert take.at(16).truncation == Truncation(0.5)
    assert Take(record("b.performance.json"), Fraction(32)).at(6).latent == plane(0.25, 0.0)


def test_jumps_far_apart_changes_and_other_spaces_are_not_joined(request_: RenderRequest):
    a, b = replace(request_, latent=Latent(((1, 1.0),))), replace(request_, latent=Latent(((2, 1.0),)))
    for gap, held, share in ((0.2, True, 0.5), (0.3, True, 0.0), (0.2, False, 0.0)):
        made = Performance((Change(0.0, a), Change(gap, b, held)), 1.0)
        assert dict(made.at(gap / 2, between=True).latent.seeds).get(2, 0.0) == pytest.approx(share)
    z = Latent(((1, 0.5), (2, 0.5)), space="z")
    assert mix(z, Latent(((1, 0.5), (2, 0.5))), 0.5) is None
    halfway = mix(Latent(((1, 1.0),)), z, 0.5)
    assert (halfway.space, dict(halfway.seeds)) == ("z", pytest.approx({1: 0.75, 2: 0.25}))
    both = mix(Latent.of_file("w.npy"), Latent(((2, 1.0),)), 0.25)
    assert (dict(both.files), dict(both.seeds)) == ({"w.npy": 0.75}, {2: 0.25})


def test_drawn_twice_the_same_frames_at_exact_times(record, tmp_path: Path):
    take = Take(record(), Fraction(30000, 1001), between=True)
    first = record_take(take, tmp_path / "a.mp4", Renderer())
    second = record_take(take, tmp_path / "b", Renderer())
    assert first.frames_sha256 == second.frames_sha256
    assert (first.frames, first.size, first.complete) == (30, (128, 128), True)
    with av.open(str(tmp_path / "a.mp4")) as file:
        times = [float(frame.time) for frame in file.decode(video=0)]
    assert times == pytest.approx([i * 1001 / 30000 for i in range(30)], abs=1e-6)
    again = replay(sidecar.read(tmp_path / "a.mp4.json"), tmp_path / "c", Renderer())
    assert again.frames_sha256 == first.frames_sha256
    assert read_state(tmp_path / "a.mp4").request.latent == take.at(0).latent


def test_its_frames_are_the_engines_pictures(record, tmp_path: Path):
    from PIL import Image

    take = Take(record(), Fraction(10))
    record_take(take, tmp_path / "f", Renderer())
    for frame in range(take.count):
        shown = np.asarray(Image.open(tmp_path / "f" / f"frame-{frame:06d}.png"))
        assert np.array_equal(shown, Renderer().render(take.at(frame)).picture[..., :3])


def test_another_model_at_the_old_path_is_refused(record, tmp_path: Path):
    made = record()
    other = replace(made, models=({**made.models[0], "sha256": "1" * 64},))
    with pytest.raises(InputError, match=r"small.pkl: SHA-256 000000000000 is not that of the recording"):
        record_take(Take(other), tmp_path / "b", Renderer())


CRASH = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from app.recording.performance import PerformanceRecorder
from app.request import RenderRequest, plane
info = SimpleNamespace(path="/m.pkl", name="m", sha256="ab")
taken = PerformanceRecorder(Path(sys.argv[1]), info, 0.0)
for i in range(50):
    taken.push(RenderRequest(latent=plane(i / 100, 0)), i / 10)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_crash_loses_no_change(tmp_path: Path):
    path = tmp_path / "a.performance.json"
    ended = subprocess.run([sys.executable, "-c", CRASH, str(path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
    assert ended.returncode == -signal.SIGKILL
    journal = tmp_path / "a.performance.jsonl"
    made = performance.read(journal)
    assert [change.request.latent for change in made.changes] == [plane(i / 100, 0) for i in range(50)]
    assert [change.seconds for change in made.changes] == pytest.approx([i / 10 for i in range(50)])
    assert (made.complete, made.seconds) == (False, pytest.approx(4.9))
    with journal.open("a") as file:
        file.write('{"seconds": 5.0, "cha')  # the system went down in the middle of a line
    assert performance.read(journal) == made


def test_a_full_disk_is_one_sentence(request_: RenderRequest, tmp_path: Path):
    taken = PerformanceRecorder(tmp_path / "a.performance.json", Renderer().open(request_).info, 0.0)
    taken.push(request_, 0.0)
    taken._file.close()
    taken._file = open("/dev/full", "w")  # noqa: SIM115
    with pytest.raises(WriteError, match=r"writing failed, no space left on device; the first 1 changes are kept"):
        taken.push(replace(request_, latent=plane(0.5, 0.0)), 1.0)
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="the journal cannot be begun"):
        PerformanceRecorder(tmp_path / "file" / "a.performance.json", Renderer().open(request_).info, 0.0)


def damaged(**changes: object) -> dict[str, object]:
    made = Performance((Change(0.0, RenderRequest(model=Model("/m.pkl"))), Change(1.0, RenderRequest())), 2.0)
    return performance.to_dict(made) | changes


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1], "not a performance"),
        (damaged(format="x"), "not a performance"),
        (damaged(version=2), "performance version 2, this program reads 1"),
        (damaged(changes=[]), "it holds no change"),
        (damaged(seconds=0.5), "it lasts 0.5 s, but its last change is at 1.0 s"),
        (damaged(seconds=float("inf")), "it lasts inf s"),
        (damaged(models=[{"path": 1}]), "the performance is damaged"),
        (damaged(changes=[{"seconds": 0, "change": {"secret": 1}, "held": False}]), "no part 'secret'"),
        (damaged(changes=[{"seconds": s, "change": {}, "held": False} for s in (1, 0)]), "a change at 0.0 s follows"),
        (damaged(changes=[{"seconds": float("nan"), "change": {}, "held": False}]), "a change at nan s"),
    ],
)
def test_a_damaged_performance_is_one_sentence(values: object, sentence: str, tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=rf"^a\.json: .*{sentence}"):
        performance.read(tmp_path / "a.json")


def test_files_are_told_by_their_beginning(record, tmp_path: Path):
    record()
    (tmp_path / "w.json").write_text("[1]")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    found = [performance.is_performance(tmp_path / name) for name in ("a.performance.json", "w.json", "b.json", "no")]
    assert found == [True, False, False, False]


def test_films_that_are_too_long_or_too_fast_are_refused(record):
    made = record()
    with pytest.raises(InputError, match="241 frames a second: give 1 to 240"):
        Take(made, Fraction(241))
    with pytest.raises(InputError, match="give fewer"):
        Take(replace(made, seconds=1e6), Fraction(30))


def test_a_job_draws_it_beside_the_window(record, tmp_path: Path):
    from app.engine import Engine

    take = Take(record(), Fraction(10))
    engine = Engine()
    try:
        job = TakeJob(engine, take, tmp_path / "a")
        assert job.join(60)
        assert (job.state().message, job.state().frames) == (f"wrote {tmp_path / 'a'}", 10)
    finally:
        assert engine.close(60)
    alone = record_take(take, tmp_path / "b", Renderer())
    assert sidecar.read(tmp_path / "a.json").frames_sha256 == alone.frames_sha256


def test_other_ways_to_compute_stay_within_one_level(record, monkeypatch: pytest.MonkeyPatch):
    """docs/recording.md: at most 1/255 between compiled kernels and torch's own operations."""
    from networks.ops import compiled

    take = Take(record(), Fraction(8), between=True)
    frames = [Renderer().render(take.at(frame)).picture.astype(int) for frame in range(take.count)]
    monkeypatch.setattr(compiled, "kernels", lambda: None)
    plain = [Renderer().render(take.at(frame)).picture.astype(int) for frame in range(take.count)]
    assert max(np.abs(a - b).max() for a, b in zip(frames, plain, strict=True)) <= 1
