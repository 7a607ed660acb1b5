"""A timeline as a film: written like a walk, made again from its sidecar or from what the film says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest

from app.errors import InputError
from app.recording import embedded, sidecar
from app.recording.offline import record_walk, replay
from app.renderer import Renderer
from app.request import Latent, Truncation, View
from app.timeline import Keyframe, Timeline
from networks.plan import Intervention, Noise


@pytest.fixture
def timeline(request_) -> Timeline:
    a = replace(request_, latent=Latent(((1, 1.0),)), noise=Noise("random", 4), view=View("b8.conv1"))
    edits = (Intervention("b16.conv1", "shift", 0.5, (3,)),)
    b = replace(a, latent=Latent(((2, 1.0),)), truncation=Truncation(0.5), edits=edits)
    return Timeline((Keyframe(0.0, a, "smooth"), Keyframe(0.6, b)), 1.0, Fraction(6), "spline", True, noise_turns=1)


def test_a_film_and_its_sidecar_make_the_same_frames_again(timeline, tmp_path):
    made = record_walk(timeline, tmp_path / "a.mp4", Renderer())
    kept = sidecar.read(tmp_path / "a.mp4.json")
    assert kept == made
    assert (kept.frames, kept.complete) == (6, True)
    assert kept.walk.requests[0].view == View()  # a film shows the picture alone
    again = replay(kept, tmp_path / "b", Renderer())
    assert again.frames_sha256 == made.frames_sha256


def test_each_frame_is_that_moments_request(timeline, tmp_path):
    made = record_walk(timeline, tmp_path / "a", Renderer())
    drawn = [Renderer().render(replace(timeline.request_at(frame / 6), view=View())).picture for frame in range(6)]
    assert made.frames_sha256 == sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in drawn)).hexdigest()


def test_the_film_itself_says_where_it_begins(timeline, tmp_path):
    record_walk(timeline, tmp_path / "a.mp4", Renderer())
    (tmp_path / "a.mp4.json").unlink()
    kept = embedded.read_state(tmp_path / "a.mp4")
    assert kept.request.latent == timeline.keyframes[0].request.latent
    assert kept.request.noise == timeline.keyframes[0].request.noise


def test_keyframes_of_two_models_make_one_film(timeline, tmp_path, files):
    other = files.add("other.pkl", resolution=(64, 64), channels=(16, 16, 16, 8, 8))
    late = replace(timeline.keyframes[1].request, model=other.model, edits=())
    both = replace(timeline, keyframes=(timeline.keyframes[0], replace(timeline.keyframes[1], request=late)))
    made = record_walk(both, tmp_path / "a", Renderer())
    assert (made.size, len(made.models)) == ((128, 128), 2)
    assert replay(made, tmp_path / "b", Renderer()).frames_sha256 == made.frames_sha256


def test_a_damaged_timeline_in_a_sidecar_is_one_sentence(timeline, tmp_path):
    record_walk(timeline, tmp_path / "a", Renderer())
    values = json.loads((tmp_path / "a.json").read_text())
    values["timeline"]["keyframes"][1]["seconds"] = -1
    (tmp_path / "a.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="all must lie from 0 to 1 s"):
        sidecar.read(tmp_path / "a.json")
