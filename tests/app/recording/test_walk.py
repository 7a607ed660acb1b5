"""Walks: exact times, seeds as stations, a smooth way between."""

from fractions import Fraction

import numpy as np
import pytest

from app.errors import InputError
from app.recording.walk import Walk
from app.request import RenderRequest


def walk(seeds=(5, 6, 7), seconds=3.0, fps=10, **parts):
    return Walk(RenderRequest(max_height=0), seeds, seconds, Fraction(fps), **parts)


def test_the_number_of_frames_is_length_times_rate():
    assert walk(seconds=6, fps=30).count == 180
    assert walk(seconds=1, fps=Fraction(30000, 1001)).count == 30
    assert walk(fps=Fraction(30000, 1001)).seconds_at(2) == pytest.approx(2002 / 30000, rel=1e-15)


def test_stations_are_reached_exactly():
    for way in ("smooth", "linear"):
        assert walk(seconds=2.1, way=way).weights(0) == ((5, 1.0),)
        assert walk(seconds=2.1, way=way).weights(10) == ((6, 1.0),)
        assert walk(seconds=2.1, way=way).weights(20) == ((7, 1.0),)
        assert walk(loop=True, way=way).weights(10) == ((6, 1.0),)


def test_a_straight_way_has_two_stations_at_a_time():
    assert walk(seconds=2.1, way="linear").weights(5) == ((5, 0.5), (6, 0.5))
    assert dict(walk(loop=True, way="linear").weights(25)) == {7: 0.5, 5: 0.5}


def test_weights_sum_to_one_and_requests_ask_for_the_full_picture():
    for frame in range(30):
        request = walk(loop=True).at(frame)
        assert sum(weight for _, weight in request.latent.seeds) == pytest.approx(1, abs=1e-12)
        assert request.max_height is None


def path(walk_, frames):
    """Weight of each seed over the frames, [frames, seeds]."""
    return np.array([[dict(walk_.weights(frame)).get(seed, 0.0) for seed in walk_.seeds] for frame in frames])


def test_a_smooth_loop_has_no_seam_in_speed():
    looped, straight = walk(seconds=30, loop=True), walk(seconds=30, loop=True, way="linear")

    def bend(walk_, frame):
        """How much the step changes at a frame, as a share of the step."""
        steps = np.diff(path(walk_, [(frame + i) % walk_.count for i in (-1, 0, 1)]), axis=0)
        return np.abs(steps[1] - steps[0]).max() / np.abs(steps).max()

    for station in (0, 100, 200):
        assert bend(straight, station) == pytest.approx(2)  # a corner: one weight stops rising and falls
        assert bend(looped, station) < 0.06
        assert bend(looped, station) == pytest.approx(bend(looped, 0), rel=1e-6)  # the seam is like any other


def test_many_seeds_need_only_their_neighbourhood():
    many = walk(seeds=tuple(range(200)), seconds=100, loop=True)
    for frame in range(0, 1000, 37):
        assert len(many.weights(frame)) < 25
        assert sum(weight for _, weight in many.weights(frame)) == pytest.approx(1, abs=1e-12)


def test_one_seed_and_the_same_seed_twice_are_fine():
    assert walk(seeds=(3,)).weights(7) == ((3, 1.0),)
    [(seed, weight)] = walk(seeds=(3, 3), way="linear").weights(7)
    assert (seed, weight) == (3, pytest.approx(1))


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"seeds": ()}, "at least one seed"),
        ({"seconds": 0.0}, "a walk of 0.0 s"),
        ({"seconds": float("inf")}, "a walk of inf s"),
        ({"fps": 1000}, "1000 frames a second: give 1 to 240"),
        ({"seconds": 1e6}, "are 10000000 frames; give fewer"),
    ],
)
def test_impossible_walks_are_one_sentence(parts, sentence):
    with pytest.raises(InputError, match=sentence):
        walk(**parts)
