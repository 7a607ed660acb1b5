"""A recording and its sidecar: the same frames again, bit for bit."""

import json
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from app.engine import Engine
from app.errors import InputError
from app.recording import sidecar
from app.recording.live import LiveCapture
from app.recording.offline import WalkJob, record_walk, replay
from app.recording.sinks import Encoding
from app.recording.walk import Walk
from app.renderer import Renderer
from app.request import Latent, Transform, Truncation, View, plane
from networks.plan import Intervention, LayerNoise, Noise

WAIT_S = 60


@pytest.fixture
def walk(request_):
    rich = replace(
        request_,
        truncation=Truncation(0.6, 5),
        noise=Noise("random", 4, (LayerNoise("b32.conv1", strength=2.0),)),
        edits=(Intervention("b16.conv1", "shift", 0.5, (3,)),),
        transform=Transform(angle_deg=10),
        view=View("b8.conv1"),
    )
    return Walk(rich, (1, 2, 3), 0.5, Fraction(10), loop=True)


def test_a_sidecar_makes_the_same_frames_again(walk, tmp_path):
    made = record_walk(walk, tmp_path / "a.mp4", Renderer())
    kept = sidecar.read(tmp_path / "a.mp4.json")
    assert kept == made
    again = replay(kept, tmp_path / "b", Renderer())
    assert again.frames_sha256 == made.frames_sha256
    assert (again.frames, again.complete) == (5, True)


def test_the_film_shows_the_frames_of_the_engine(walk, tmp_path):
    record_walk(walk, tmp_path / "a.mp4", Renderer(), encoding=Encoding(crf=1))
    renderer = Renderer()
    with av.open(str(tmp_path / "a.mp4")) as file:
        for i, frame in enumerate(file.decode(video=0)):
            rgb = renderer.render(walk.at(i)).picture[..., :3] / 255
            luma = 16 + 219 * (rgb @ [0.2126, 0.7152, 0.0722])  # BT.709, limited range
            error = frame.to_ndarray(format="yuv420p")[:128] - luma
            assert np.sqrt((error**2).mean()) < 1
    assert i == 4


def test_another_checkpoint_at_the_old_path_is_refused(walk, tmp_path, files):
    record_walk(walk, tmp_path / "a", Renderer())
    text = (tmp_path / "a.json").read_text().replace("0" * 64, "1" * 64)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=r"small.pkl: SHA-256 000000000000 is not that of the recording"):
        replay(sidecar.read(tmp_path / "a.json"), tmp_path / "b", Renderer())


def test_a_checkpoint_that_was_moved_is_found_by_hand(walk, tmp_path, files):
    made = record_walk(walk, tmp_path / "a", Renderer())
    other = files.add("elsewhere.pkl").model.path
    assert replay(made, tmp_path / "b", Renderer(), checkpoint=other).frames_sha256 == made.frames_sha256


def test_a_cancelled_walk_keeps_what_was_written(walk, tmp_path):
    drawn = []
    made = record_walk(walk, tmp_path / "a.mp4", Renderer(), progress=drawn.append, cancelled=lambda: len(drawn) == 3)
    assert (made.frames, made.complete) == (3, False)
    assert replay(made, tmp_path / "b", Renderer()).frames_sha256 == made.frames_sha256


def test_a_crash_in_the_middle_leaves_a_sidecar_that_makes_the_whole_walk(walk, tmp_path):
    seen = []
    whole = record_walk(
        walk,
        tmp_path / "a",
        Renderer(),
        progress=lambda _: seen.append(sidecar.read(tmp_path / "a.json")),
    )
    assert (seen[0].frames, seen[0].frames_sha256, seen[0].complete) == (5, "", False)
    assert replay(seen[0], tmp_path / "b", Renderer()).frames_sha256 == whole.frames_sha256


def test_a_live_capture_is_made_again_from_its_sidecar(request_, tmp_path):
    renderer = Renderer()
    capture = LiveCapture(tmp_path / "live.mp4", (128, 128))
    times = (100.0, 100.05, 100.3)
    for at, request in zip(
        times,
        (
            replace(request_, latent=plane(0.5, 0)),
            replace(request_, latent=plane(0.6, 0), max_height=40),
            replace(request_, latent=Latent(((9, 1.0),)), view=View("b8.conv1")),
        ),
        strict=True,
    ):
        assert capture.push_frame(renderer.render(request), at)
    assert capture.state(100.5).seconds == pytest.approx(0.5)
    written = capture.stop(101.0)
    assert [seconds for seconds, _ in written.shots] == pytest.approx([0, 0.05, 0.3, 1.0])
    kept = sidecar.read(tmp_path / "live.mp4.json")
    assert [request.max_height for _, request in kept.requests()] == [None, 32, None, None]
    assert replay(kept, tmp_path / "again.mp4", Renderer()).frames_sha256 == kept.frames_sha256
    with av.open(str(tmp_path / "again.mp4")) as file:
        assert [float(f.time) for f in file.decode(video=0)] == pytest.approx([0, 0.05, 0.3, 1.0], abs=1e-4)


def test_a_capture_of_the_window_cannot_be_made_again(tmp_path):
    capture = LiveCapture(tmp_path / "live.mp4", (8, 8))
    capture.push(np.zeros((8, 8, 4), np.uint8), 0.0)
    capture.stop(1.0)
    with pytest.raises(InputError, match="cannot be made again"):
        list(sidecar.read(tmp_path / "live.mp4.json").requests())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.update(version=99), "sidecar version 99, this program reads 1"),
        (lambda v: v.update(format="other"), "not a sidecar of a recording"),
        (lambda v: v.pop("walk"), None),
        (lambda v: v["walk"].update(fps="0/0"), "the sidecar is damaged"),
        (lambda v: v["walk"].update(seeds=[]), "at least one seed"),
        (lambda v: v["walk"]["request"].update(secret=1), "a request has no part 'secret'"),
        (lambda v: v.update(size=[1]), "the sidecar is damaged"),
    ],
)
def test_a_damaged_sidecar_is_one_sentence(walk, tmp_path, change, sentence):
    record_walk(walk, tmp_path / "a", Renderer())
    values = json.loads((tmp_path / "a.json").read_text())
    change(values)
    (tmp_path / "a.json").write_text(json.dumps(values))
    if sentence is None:
        assert list(sidecar.read(tmp_path / "a.json").requests()) == []
        return
    with pytest.raises(InputError, match=sentence):
        sidecar.read(tmp_path / "a.json")


def test_a_job_draws_beside_the_engine_with_its_models(walk, tmp_path, files):
    engine = Engine()
    try:
        engine.submit(walk.request)
        assert engine.wait_idle(WAIT_S)
        job = WalkJob(engine, walk, tmp_path / "a.mp4")
        assert job.join(WAIT_S)
        assert job.state().message == f"wrote {tmp_path / 'a.mp4'}"
        assert (job.state().frames, job.state().total, job.state().path) == (5, 5, "")
        assert files.loads == ["small.pkl"]
        alone = record_walk(walk, tmp_path / "b", Renderer())
        assert sidecar.read(tmp_path / "a.mp4.json").frames_sha256 == alone.frames_sha256
    finally:
        assert engine.close(WAIT_S)


def test_a_job_that_fails_says_so(walk, tmp_path):
    (tmp_path / "file").write_text("")
    engine = Engine()
    try:
        job = WalkJob(engine, walk, tmp_path / "file" / "a.mp4")
        assert job.join(WAIT_S)
        assert job.state().message.startswith("Writing failed: ")
    finally:
        assert engine.close(WAIT_S)
