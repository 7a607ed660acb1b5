"""Points between keyframes against scipy's splines through real ws, and slerp against its formula in z."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, PchipInterpolator

from app.errors import InputError
from app.recording.walk import Walk
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest, plane
from app.timeline import Keyframe, Timeline
from app.timeline.curves import eased, monotone, short_turn, slerp_weights, spline_bends, spline_weights
from app.timeline.points import Points
from tests.networks.small import REFERENCE

BASE = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"))
LATENTS = (Latent(((3, 1.0),)), plane(7.25, 2.5), Latent(((3, 0.25), (11, 0.75))), Latent(((20, 1.0),)))


def line(latents=LATENTS, **changes) -> Timeline:
    keyframes = tuple(Keyframe(float(second), replace(BASE, latent=latent)) for second, latent in enumerate(latents))
    return Timeline(keyframes, **({"seconds": float(len(latents) - 1)} | changes))


@pytest.mark.parametrize("loop", [False, True])
def test_the_spline_is_scipys_through_the_keyframes_ws(loop):
    renderer = Renderer()
    timeline = line(loop=loop, seconds=4.0 if loop else 3.0)
    stations = [renderer.ws(replace(BASE, latent=latent))[0] for latent in LATENTS]
    stations = np.stack([*stations, stations[0]] if loop else stations)
    spline = CubicSpline(np.arange(len(stations)), stations, bc_type="periodic" if loop else "natural")
    for seconds in np.linspace(0.05, timeline.seconds - 0.05, 11):
        np.testing.assert_allclose(renderer.ws(timeline.request_at(seconds))[0], spline(seconds), atol=1e-5)


def test_evenly_timed_seeds_are_the_old_walk():
    seeds = (1, 5, 9)
    walk = Walk(BASE, seeds, 3.0, Fraction(5), loop=True)
    timeline = line([Latent(((seed, 1.0),)) for seed in seeds], seconds=3.0, fps=Fraction(5), loop=True)
    assert timeline.count == walk.count == 15
    for frame in range(15):
        new, old = dict(timeline.at(frame).latent.seeds), dict(walk.at(frame).latent.seeds)
        assert new == pytest.approx(old, abs=1e-12)


def test_timing_does_not_change_the_way():
    """Keyframe 1 is reached late: the same pictures, at other moments."""
    even, uneven = line(), line()
    moved = tuple(
        replace(keyframe, seconds=at) for keyframe, at in zip(uneven.keyframes, (0.0, 2.5, 2.8, 3.0), strict=True)
    )
    uneven = replace(uneven, keyframes=moved)
    stretch, share = uneven.place(1.0)
    assert stretch == 0
    assert uneven.request_at(1.0).latent == even.between(0, share).latent


def test_a_straight_line_is_the_weighted_sum_of_both_ends():
    got = line(way="linear").request_at(1.25).latent
    expected = {3: 0.25 * 0.25, 11: 0.25 * 0.75}
    for seed, weight in plane(7.25, 2.5).seeds:
        expected[seed] = expected.get(seed, 0.0) + 0.75 * weight
    assert dict(got.seeds) == pytest.approx(expected)
    assert sum(expected.values()) == pytest.approx(1.0)


def test_slerp_has_the_formulas_weights_and_keeps_the_length():
    z_dim = 64
    z = [np.random.RandomState(seed).randn(1, z_dim)[0] for seed in (3, 20)]
    angle = math.acos(z[0] @ z[1] / np.linalg.norm(z[0]) / np.linalg.norm(z[1]))
    got = line([LATENTS[0], LATENTS[3]], way="slerp", z_dim=z_dim).request_at(0.3).latent
    assert got.space == "z"
    assert dict(got.seeds) == pytest.approx(
        {3: math.sin(0.7 * angle) / math.sin(angle), 20: math.sin(0.3 * angle) / math.sin(angle)}
    )
    unit = [vector / np.linalg.norm(vector) for vector in z]
    weights = slerp_weights(angle, 0.3)
    assert np.linalg.norm(weights[0] * unit[0] + weights[1] * unit[1]) == pytest.approx(1.0)


def test_slerp_to_the_opposite_or_the_same_direction_is_straight():
    assert slerp_weights(math.pi, 0.25) == slerp_weights(0.0, 0.25) == (0.75, 0.25)


def test_slerp_needs_the_length_of_z():
    with pytest.raises(InputError, match="z_dim"):
        line(way="slerp")


def test_w_and_z_do_not_mix_and_it_is_said():
    blend = Latent(((1, 0.6), (2, 0.8)), space="z")
    file = Latent.of_file("a.npy")
    points = Points((blend, file, LATENTS[0], blend), "spline", False, 16)
    assert points.at(0, 0.7) == blend
    assert "steps" in points.remark(0)
    assert points.at(1, 0.5) == Latent(((3, 0.5),), (("a.npy", 0.5),))
    assert points.remark(1) == ""
    assert points.at(2, 0.5).space == "z"
    assert "slerp" in points.remark(2)
    straight = Points((LATENTS[2], LATENTS[0]), "slerp", False, 16)
    assert dict(straight.at(0, 0.5).seeds) == pytest.approx({3: 0.625, 11: 0.375})
    assert "straight" in straight.remark(0)


def test_keyframes_of_the_same_point_rest_and_the_spline_comes_to_rest_beside_them():
    a, b = Latent(((1, 1.0),)), Latent(((2, 1.0),))
    points = Points((a, b, b, a), "spline", False, 0)
    assert points.at(1, 0.5) == b
    near = [dict(points.at(0, share).seeds)[2] for share in (0.998, 0.999)]
    assert near[1] - near[0] < 1e-5  # a straight line would be at 1e-3


@pytest.mark.parametrize("ends", [("natural", "natural"), ("rest", "natural"), ("rest", "rest"), "loop"])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_spline_weights_are_scipys(ends, count):
    kinds = {"natural": (2, 0.0), "rest": (1, 0.0)}
    knots = np.eye(count) if ends != "loop" else np.vstack([np.eye(count), np.eye(count)[:1]])
    zero = np.zeros(count)
    condition = "periodic" if ends == "loop" else tuple((kinds[end][0], zero) for end in ends)
    spline = CubicSpline(np.arange(len(knots)), knots, bc_type=condition)
    bends = spline_bends(count, ends)
    for stretch in range(len(knots) - 1):
        for share in (0.0, 0.3, 0.9):
            got = spline_weights(bends, stretch, share)
            np.testing.assert_allclose(got, spline(stretch + share), atol=1e-12)
            assert got.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("values", [(0, 1, 3, 2), (1, 1, 2, 9), (5, 1, 2, 2.5), (0, 9, 10, 0), (0, 1, 10, 0)])
def test_the_monotone_cubic_is_scipys_pchip(values):
    x, y = (0.0, 0.5, 2.0, 3.0), tuple(map(float, values))
    points = list(zip(x, y, strict=True))
    whole, left, right = PchipInterpolator(x, y), PchipInterpolator(x[1:], y[1:]), PchipInterpolator(x[:3], y[:3])
    for at in (0.5, 0.8, 1.9, 2.0):
        assert monotone(at, *points) == pytest.approx(float(whole(at)), abs=1e-12)
        assert monotone(at, None, *points[1:]) == pytest.approx(float(left(at)), abs=1e-12)
        assert monotone(at, *points[:3], None) == pytest.approx(float(right(at)), abs=1e-12)
        assert monotone(at, None, points[1], points[2], None) == pytest.approx(np.interp(at, x, y))


def test_easings_by_hand():
    assert [eased(0.25, easing) for easing in ("linear", "flow", "smooth", "in", "out", "hold")] == pytest.approx(
        [0.25, 0.25, 4 / 64, 1 / 64, 1 - 27 / 64, 0.0]
    )
    assert eased(0.75, "smooth") == pytest.approx(1 - 4 / 64)
    assert [eased(1.0, easing) for easing in ("linear", "smooth", "in", "out", "hold")] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize(("a", "b", "way"), [(170, -170, 20), (-170, 170, -20), (0, 90, 90), (10, 370, 0)])
def test_the_short_way_round(a, b, way):
    assert short_turn(a, b) == pytest.approx(way)
