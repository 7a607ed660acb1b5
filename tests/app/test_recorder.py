"""The window's recorder: what runs, what it says, and that nothing is lost when the window closes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from app.engine import Engine
from app.frame import Frame
from app.renderer import Renderer
from app.request import Latent, RenderRequest
from app.window.recorder import Recorder


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    assert engine.close()


@pytest.fixture
def frames(request_: RenderRequest) -> list[Frame]:
    """Three seeds of the small generator, 128 x 128."""
    renderer = Renderer()
    return [renderer.render(replace(request_, latent=Latent(((seed, 1.0),)))) for seed in range(3)]


def recorder(engine: Engine) -> tuple[Recorder, Clock]:
    clock = Clock()
    return Recorder(engine, clock), clock


def said(recorder: Recorder) -> list[tuple[str, bool]]:
    """Everything that it has to say once its files are complete."""
    recorder.close()
    return recorder.finished()


def test_a_capture_keeps_true_times(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, clock = recorder(engine)
    film = tmp_path / "new" / "film.mp4"
    live.start_capture(film, frames[0])
    assert (live.capturing, live.busy) == (True, True)
    for frame, seconds in zip(frames[1:], (100.5, 102.0), strict=True):
        clock.now = seconds
        live.push(frame)
    state = live.state()
    assert (state.path, state.total, state.seconds) == (str(film), None, 2.0)
    clock.now = 103.0
    live.stop_capture()
    assert not live.capturing
    assert said(live) == [(f"Recorded {film} (4 frames)", False)]
    with av.open(str(film)) as container:
        times = [float(frame.time) for frame in container.decode(video=0)]
    assert times == pytest.approx([0, 0.5, 2.0, 3.0], abs=0.01)
    assert json.loads(Path(f"{film}.json").read_text())["frames"] == 4
    assert live.state().message == f"Recorded {film} (4 frames)"


def test_another_resolution_ends_the_capture_with_a_sentence(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, clock = recorder(engine)
    live.start_capture(tmp_path / "film.mp4", frames[0])
    clock.now += 1
    assert frames[1].model is not None
    live.push(replace(frames[1], model=replace(frames[1].model, resolution=(256, 256))))
    assert not live.capturing
    assert said(live) == [
        ("The recording ended because the model's resolution changed.", True),
        (f"Recorded {tmp_path}/film.mp4 (2 frames)", False),
    ]


def test_a_capture_waits_for_the_kernels_that_decide_its_bits(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, _ = recorder(engine)
    early = replace(frames[0], timing=replace(frames[0].timing, settled=False), picture=np.zeros((64, 64, 4), np.uint8))
    film = tmp_path / "film.mp4"
    live.start_capture(film, early)
    assert (live.capturing, live.state().path) == (True, str(film))
    live.push(early)  # not of the film yet
    assert live.finished()[0][0].startswith("The recording begins as soon as")
    assert live._waiting is not None
    live._waiting.frame.result(timeout=60)
    live.finished()
    assert live.state().frames >= 0
    live.stop_capture()
    said(live)
    with av.open(str(film)) as container:
        first = next(iter(container.decode(video=0))).to_ndarray(format="rgb24")
    assert first.max() > 0, "the picture that was drawn anew, not the black one"


def test_a_capture_that_never_began_leaves_no_file(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, _ = recorder(engine)
    live.start_capture(tmp_path / "film.mp4", replace(frames[0], timing=replace(frames[0].timing, settled=False)))
    live.stop_capture()
    assert not live.capturing
    said(live)
    assert not list(tmp_path.glob("film*"))


def test_a_folder_that_cannot_be_made_is_a_sentence(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, _ = recorder(engine)
    (tmp_path / "file").touch()
    live.start_capture(tmp_path / "file" / "film.mp4", frames[0])
    live.start_walk(tmp_path / "file" / "walk.mp4", frames[0].request, (0, 1), 1.0, 10, True)
    assert not live.busy
    (first, one), (second, two) = live.finished()
    assert first.startswith("The recording could not begin: ")
    assert second.startswith("The walk could not begin: ")
    assert one is two is True
    live.close()


def test_there_is_one_capture_at_a_time_and_none_without_a_picture(engine: Engine, frames: list[Frame], tmp_path: Path):
    live, _ = recorder(engine)
    live.start_capture(tmp_path / "none.mp4", replace(frames[0], picture=None))
    assert not live.capturing
    live.start_capture(tmp_path / "a.mp4", frames[0])
    live.start_capture(tmp_path / "b.mp4", frames[0])
    live.push(frames[1])
    live.close()
    assert [path.name for path in sorted(tmp_path.glob("*.mp4"))] == ["a.mp4"]


def test_a_walk_runs_to_its_end_and_says_where_it_lies(engine: Engine, request_: RenderRequest, tmp_path: Path):
    live, _ = recorder(engine)
    live.start_walk(tmp_path / "walk.mp4", request_, (0, 1), 0.5, 10, True)
    live.start_walk(tmp_path / "second.mp4", request_, (0, 1), 0.5, 10, True)
    assert live.finished() == [("A walk is being rendered already; cancel it first.", True)]
    assert live.state().total == 5
    assert live._walk is not None
    assert live._walk.join(60)
    assert live.finished() == [(f"Wrote {tmp_path}/walk.mp4", False)]
    assert not live.busy
    live.close()
    assert [path.name for path in sorted(tmp_path.glob("*.mp4"))] == ["walk.mp4"]


def test_a_walk_that_makes_no_sense_or_is_cancelled_says_so(engine: Engine, request_: RenderRequest, tmp_path: Path):
    live, _ = recorder(engine)
    live.start_walk(tmp_path / "never.mp4", request_, (0, 1), 0.0, 10, True)
    assert live.finished() == [("The walk could not begin: a walk of 0.0 s: give a length above 0", True)]
    live.start_walk(tmp_path / "walk.mp4", request_, (0, 1), 100.0, 100, True)
    live.close()  # cancels
    ((sentence, problem),) = live.finished()
    assert sentence.startswith(f"Wrote {tmp_path}/walk.mp4, cancelled after ")
    assert sentence.endswith("of 10000 frames")
    assert problem is False


def test_a_latent_is_saved_by_the_worker(engine: Engine, request_: RenderRequest, tmp_path: Path):
    live, _ = recorder(engine)
    live.save_latent(tmp_path / "w.npz", request_)
    live.save_latent(tmp_path / "w.docx", request_)
    (good, bad) = said(live)
    assert good == (f"Saved {tmp_path}/w.npz", False)
    assert bad[1] is True
    assert "w.docx" in bad[0]
    kept = np.load(tmp_path / "w.npz")["w"]
    assert np.array_equal(kept.reshape(-1), np.asarray(Renderer().ws(request_)).reshape(-1))
