"""Moments, frames, loops, re-timing and files of timelines."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from scipy.interpolate import PchipInterpolator

from app.errors import InputError
from app.request import Latent, Push, RenderRequest, Transform, Truncation
from app.timeline import Keyframe, Timeline, files
from networks.plan import Intervention, LayerNoise, Noise

A = RenderRequest(latent=Latent(((0, 1.0),)), noise=Noise("random", 5, phase=0.3))
B = replace(A, latent=Latent(((1, 1.0),)), truncation=Truncation(0.5))
C = replace(A, latent=Latent(((2, 0.4), (3, 0.6))), transform=Transform(0.1, 0, 20))


def line(*times: float, **changes) -> Timeline:
    keyframes = tuple(Keyframe(at, request) for at, request in zip(times, (A, B, C), strict=False))
    return Timeline(keyframes, **({"seconds": 4.0} | changes))


def test_at_a_keyframe_there_is_the_keyframe_itself():
    timeline = line(0.5, 1.7, 3.1)
    assert [timeline.request_at(at) for at in (0.5, 1.7, 3.1)] == [A, B, C]
    assert [timeline.request_at(at) for at in (0.0, 3.9)] == [A, C]  # rests before the first and after the last


def test_a_loop_ends_where_it_begins_bit_for_bit():
    timeline = line(0.0, 1.3, 2.9, loop=True, noise_turns=2)
    assert timeline.request_at(4.0) == timeline.request_at(0.0) == A
    near = timeline.request_at(4.0 - 1e-9)
    assert dict(near.latent.seeds)[0] == pytest.approx(1.0, abs=1e-6)
    assert near.transform.angle_deg == pytest.approx(0.0, abs=1e-6)
    assert near.noise.phase == pytest.approx(A.noise.phase, abs=1e-6)


def test_a_loop_whose_first_keyframe_is_late_returns_to_it_over_the_end():
    timeline = line(1.0, 2.0, 3.0, loop=True)
    timeline = replace(timeline, keyframes=tuple(replace(each, easing="linear") for each in timeline.keyframes))
    assert timeline.place(3.5) == (2, pytest.approx(0.25))
    assert timeline.place(0.5) == (2, pytest.approx(0.75))
    assert timeline.request_at(1.0) == A


def test_frames_of_a_loop_stop_just_before_its_beginning_and_others_show_both_ends():
    loop, once = line(0.0, 2.0, loop=True, fps=Fraction(5)), line(0.0, 4.0, fps=Fraction(5))
    assert (loop.count, once.count) == (20, 21)
    assert loop.at(20) == loop.at(0)
    assert [once.at(0), once.at(20)] == [A, B]
    assert once.seconds_at(20) == 4.0


def test_noise_goes_round_evenly_while_the_timing_is_uneven():
    timeline = replace(line(0.0, 1.0, loop=True, noise_turns=1), keyframes=(Keyframe(0.0, A, "smooth"), Keyframe(1, A)))
    phases = [timeline.request_at(at).noise.phase for at in (0.0, 1.0, 2.0, 3.0, 4.0)]
    assert phases == pytest.approx([0.3, 0.55, 0.8, 0.05, 0.3])
    still = timeline.changed(lambda request: replace(request, noise=Noise()))
    assert still.request_at(1.0).noise == Noise()


def test_easings_time_the_way():
    for easing, share in (("linear", 0.25), ("smooth", 0.0625), ("hold", 0.0)):
        keyframes = (Keyframe(0.0, A, easing), Keyframe(2.0, B))
        assert Timeline(keyframes, 2.0).place(0.5) == (0, pytest.approx(share))


def test_what_flows_has_no_jump_of_speed():
    timeline = line(0.0, 1.0, 4.0)
    expected = PchipInterpolator((0.0, 1.0, 4.0), (0.0, 1.0, 2.0))
    for at in (0.3, 0.99, 1.01, 2.5):
        assert sum(timeline.place(at)) == pytest.approx(float(expected(at)))


def test_a_retimed_timeline_follows_its_table_and_may_rest():
    table = ((0.0, 0.0), (1.0, 0.5), (1.0, 1.0), (3.0, 1.0), (4.0, 2.0))
    timeline = line(0.0, 2.0, 4.0, retime=table)
    got = [sum(timeline.place(at)) for at in (0.5, 0.999999, 1.0, 2.0, 3.5, 4.0)]
    assert got == pytest.approx([0.25, 0.5, 1.0, 1.0, 1.5, 2.0], abs=1e-5)
    assert timeline.request_at(4.0) == C
    with pytest.raises(InputError, match="must not run backwards"):
        replace(timeline, retime=((0.0, 0.0), (2.0, 1.5), (3.0, 1.0), (4.0, 2.0)))
    with pytest.raises(InputError, match="must lead from 0 s to 4 s"):
        replace(timeline, retime=((0.0, 0.0), (3.0, 2.0)))


def test_a_random_walk_is_the_same_for_the_same_seed():
    walk = Timeline.random(7, 4, 8.0, A)
    assert walk == Timeline.random(7, 4, 8.0, A)
    assert [keyframe.request.latent.seeds[0][0] for keyframe in walk.keyframes] == [1977, 3880, 52, 2551]
    assert [keyframe.seconds for keyframe in walk.keyframes] == [0.0, 2.0, 4.0, 6.0]
    assert walk != Timeline.random(8, 4, 8.0, A)
    assert Timeline.random(7, 3, 8.0, A, loop=False).keyframes[-1].seconds == 8.0


def test_one_keyframe_is_a_picture_that_stays():
    for loop in (False, True):
        timeline = line(1.0, loop=loop)
        assert {timeline.at(frame) for frame in range(0, timeline.count, 30)} == {A}


@pytest.mark.parametrize(
    ("times", "changes", "words"),
    [
        ((), {}, "at least one keyframe"),
        ((0.0, 0.0), {}, "each must be later"),
        ((0.0, 5.0), {}, "all must lie from 0 to 4 s"),
        ((0.0, 4.0), {"loop": True}, "no time to return"),
        ((0.0,), {"seconds": float("nan")}, "a timeline of nan s"),
        ((0.0,), {"fps": Fraction(0)}, "give 1 to 240"),
        ((0.0,), {"seconds": 86400.0}, "give fewer"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(times, changes, words):
    with pytest.raises(InputError, match=words):
        line(*times, **changes)


def test_a_file_brings_back_every_value(tmp_path):
    rich = replace(
        B,
        pushes=(Push("pca", 2, 1.5, (0, 4)),),
        edits=(Intervention("b8.conv0", "scale", 2.0, (1, 2)),),
        noise=Noise("random", 3, (LayerNoise("b8.conv1", False),), 0.25),
    )
    keyframes = (Keyframe(0.0, A, "in", 2), Keyframe(1.5, rich, "hold", -1), Keyframe(3.0, C))
    timeline = Timeline(
        keyframes, 4.0, Fraction(24000, 1001), "slerp", True, 3, 512, ((0.0, 0.0), (1.0, 0.5), (4.0, 3.0))
    )  # fmt: skip
    files.write(timeline, tmp_path / "a.json")
    assert files.read(tmp_path / "a.json") == timeline


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.update(format="x"), "a.json: not a timeline"),
        (lambda v: v.update(version=9), "a.json: timeline version 9, this program reads 1"),
        (lambda v: v.update(seconds="4"), "a.json: the timeline is damaged"),
        (lambda v: v.update(fps="1/0"), "a.json: the timeline is damaged"),
        (lambda v: v.update(way="zigzag"), "zigzag"),
        (lambda v: v.update(loop=1), "a.json: the timeline is damaged"),
        (lambda v: v.update(noise_turns=1e99), "a.json: the timeline is damaged"),
        (lambda v: v.update(keyframes=[]), "a.json: a timeline needs at least one keyframe"),
        (lambda v: v["keyframes"][0].pop("request"), "a.json: the timeline is damaged"),
        (lambda v: v["keyframes"][0].update(easing="bounce"), "bounce"),
        (lambda v: v["keyframes"][0]["request"].update(latent={"seeds": 3}), "a.json: the timeline is damaged"),
        (lambda v: v.update(retime=[[0, 0], [1]]), "a.json: the timeline is damaged"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, change, words):
    values = json.loads(json.dumps(files.to_dict(line(0.0, 1.0))))
    change(values)
    (tmp_path / "a.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=words):
        files.read(tmp_path / "a.json")


def test_a_file_that_is_not_there_or_no_json_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"no\.json: cannot be read"):
        files.read(tmp_path / "no.json")
    (tmp_path / "a.json").write_text("[")
    with pytest.raises(InputError, match=r"a\.json: not a timeline, it holds no JSON"):
        files.read(tmp_path / "a.json")
