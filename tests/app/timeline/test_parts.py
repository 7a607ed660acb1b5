"""Every part of a request halfway between two keyframes, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from app.request import Condition, Diagnostic, Mix, Model, Push, RenderRequest, Transform, Truncation, View
from app.timeline import Keyframe, Timeline
from app.timeline.parts import Stretch, between, steps
from networks.plan import Disc, Intervention, LayerNoise, Noise

A = RenderRequest()


def halfway(a, b, share=0.25, **changes):
    return between(Stretch(a, b, share, **changes))


def with_(**parts):
    return replace(A, **parts)


def test_psi_goes_straight_and_the_cutoff_steps():
    a, b = with_(truncation=Truncation(1.0, 4)), with_(truncation=Truncation(0.2, 8))
    got = halfway(a, b).truncation
    assert (got.psi, got.cutoff) == (pytest.approx(0.8), 4)
    assert steps(a, b) == ("the cutoff",)


def test_smooth_numbers_follow_the_cubic_that_keeps_to_their_range():
    psis = (0.0, 1.0, 0.4, 0.5)
    before, a, b, after = (with_(truncation=Truncation(psi)) for psi in psis)
    expected = PchipInterpolator((-1, 0, 1, 2), psis)
    for share in (0.1, 0.5, 0.9):
        got = halfway(a, b, share, before=before, after=after, smooth=True).truncation.psi
        assert got == pytest.approx(float(expected(share)))
        assert 0.4 <= got <= 1.0


def test_noise_strengths_of_layers_and_off_is_strength_zero():
    a = with_(noise=Noise(layers=(LayerNoise("b8.conv0", strength=2.0), LayerNoise("b8.conv1", on=False))))
    b = with_(noise=Noise(layers=(LayerNoise("b8.conv0", strength=4.0), LayerNoise("b16.conv0", strength=0.0))))
    got = halfway(a, b).noise
    assert got.of("b8.conv0") == LayerNoise("b8.conv0", True, 2.5)
    assert got.of("b8.conv1") == LayerNoise("b8.conv1", True, 0.25)
    assert got.of("b16.conv0") == LayerNoise("b16.conv0", True, 0.75)
    assert steps(a, b) == ()


def test_the_phase_of_noise_only_goes_forwards():
    a, b = with_(noise=Noise("random", 3, phase=0.9)), with_(noise=Noise("random", 3, phase=0.3))
    assert halfway(a, b).noise.phase == pytest.approx(0.0)
    assert halfway(b, a).noise.phase == pytest.approx(0.45)
    other = with_(noise=Noise("random", 4, phase=0.3))
    assert halfway(a, other).noise == a.noise
    assert steps(a, other) == ("the seed of the noise",)
    assert steps(a, A) == ("noise from random to const",)


def test_shift_and_turn_the_short_way_and_by_whole_turns():
    a, b = with_(transform=Transform(0.0, 0.2, 170.0)), with_(transform=Transform(0.4, 0.0, -170.0))
    got = halfway(a, b).transform
    assert (got.x, got.y, got.angle_deg) == pytest.approx((0.1, 0.15, 175.0))
    assert halfway(a, b, turns=(0, 1, 0)).transform.angle_deg == pytest.approx(170 + 95 - 360)
    assert halfway(A, A, turns=(0, -2, 0)).transform.angle_deg == pytest.approx(-180.0)


def test_whole_matrices_are_turned_and_stretched_apart():
    a = with_(transform=Transform(matrix=((2.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))))
    b = with_(transform=Transform(0.4, 0.0, 90.0))
    got = np.array(halfway(a, b, 0.5).transform.matrix)
    sin = cos = np.sqrt(0.5)  # of 45 degrees
    expected = np.array([[cos, sin], [-sin, cos]]) @ np.diag([1.5, 1.0])
    np.testing.assert_allclose(got[:2, :2], expected, atol=1e-12)
    np.testing.assert_allclose(got[:2, 2], [0.2, 0.0])
    mirrored = with_(transform=Transform(matrix=((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))))
    assert halfway(a, mirrored).transform == a.transform
    assert steps(a, mirrored) == ("the transform, which is mirrored or flat at one end",)


def test_pushes_that_one_end_lacks_grow_from_nothing():
    smile, age = Push("pca", 0, 2.0, (0, 4)), Push("pca", 0, 1.0)  # the same direction of other rows
    got = halfway(with_(pushes=(smile,)), with_(pushes=(age, replace(smile, strength=-2.0)))).pushes
    assert got == (replace(smile, strength=1.0), replace(age, strength=0.25))


def test_edits_fade_to_the_value_that_does_nothing():
    scale, shift = Intervention("b8.conv0", "scale", 3.0, (1,)), Intervention("b8.conv0", "shift", 4.0)
    moved = Intervention("b8.conv1", "inpaint", 1.0, disc=Disc(0.2, 0.4, 0.1))
    a, b = with_(edits=(scale, moved)), with_(edits=(replace(moved, value=0.6, disc=Disc(0.6, 0.4, 0.3)), shift))
    got = halfway(a, b).edits
    assert [(edit.op, pytest.approx(edit.value)) for edit in got] == [("scale", 2.5), ("inpaint", 0.9), ("shift", 1.0)]
    disc = got[1].disc
    assert (disc.x, disc.y, disc.radius) == pytest.approx((0.3, 0.4, 0.15))
    assert steps(a, b) == ()


def test_a_clamp_that_one_end_lacks_steps_and_so_does_the_order():
    clamp, scale = Intervention("b8.conv0", "clamp", 1.0), Intervention("b8.conv1", "scale", 2.0)
    assert halfway(with_(edits=(clamp,)), A).edits == (clamp,)
    assert halfway(A, with_(edits=(clamp,))).edits == ()
    assert steps(A, with_(edits=(clamp,))) == ("the clamp of b8.conv0",)
    swapped = with_(edits=(scale, clamp)), with_(edits=(clamp, scale))
    assert halfway(*swapped).edits == (scale, clamp)
    assert steps(*swapped) == ("the order of the interventions",)


CLASSES = [
    (Condition(3), Condition(5), Condition(3, 5, blend=0.25)),
    (Condition(3), Condition(), Condition(None, 3, blend=0.75)),
    (Condition(3, 5, blend=0.2), Condition(3, 5, blend=0.6), Condition(3, 5, blend=0.3)),
    (Condition(3, 5, blend=0.2), Condition(5, 3, blend=0.0), Condition(3, 5, blend=0.4)),
    (Condition(3, 5, blend=1.0), Condition(7), Condition(5, 7, blend=0.25)),
    (Condition(prompt="a"), Condition(prompt="b"), Condition(prompt="a", prompt_b="b", blend=0.25)),
    (Condition(3, 9), Condition(3, 5), Condition(3)),
]


@pytest.mark.parametrize(("a", "b", "expected"), CLASSES)
def test_classes_and_prompts_become_a_blend(a, b, expected):
    got = halfway(with_(condition=a), with_(condition=b)).condition
    assert replace(got, blend=0.0) == replace(expected, blend=0.0)
    assert got.blend == pytest.approx(expected.blend)
    assert steps(with_(condition=a), with_(condition=b)) == ()


def test_three_classes_and_vectors_step():
    a, b = with_(condition=Condition(3, 5, blend=0.5)), with_(condition=Condition(7))
    assert halfway(a, b).condition == a.condition
    assert steps(a, b) == ("the class or prompt, for more than two take part",)
    vector = with_(condition=Condition(vector_file="a.npy"))
    assert halfway(vector, b).condition == vector.condition
    assert steps(vector, b) == ("the conditioning vector",)


def test_what_is_looked_at_moves_only_while_it_is_the_same():
    a = with_(view=View("b8.conv0", gain_db=0.0, overlay=0.2), diagnostic=Diagnostic("noise_difference", 4.0))
    b = with_(view=View("b8.conv0", gain_db=8.0, overlay=0.6), diagnostic=Diagnostic("noise_difference", 8.0))
    got = halfway(a, b)
    assert (got.view.gain_db, got.view.overlay, got.diagnostic.gain) == pytest.approx((2.0, 0.3, 5.0))
    other = with_(view=View("b8.conv1", gain_db=8.0))
    assert halfway(a, other).view == a.view
    assert "what the Layers panel shows" in steps(a, other)


def test_modes_and_names_step_at_the_keyframe_itself():
    a = with_(mix=Mix(1, (0,)), bgr=True, model=Model("a.pkl"))
    b = with_(mix=Mix(2, (0,)), model=Model("b.pkl"))
    timeline = Timeline((Keyframe(0.0, a), Keyframe(1.0, b)), 2.0)
    just_before, there = timeline.request_at(0.999), timeline.request_at(1.0)
    assert (just_before.mix, just_before.bgr, just_before.model) == (a.mix, True, a.model)
    assert there == b
    assert timeline.remarks == ((0, "steps: the model, style mixing, red and blue"),)
