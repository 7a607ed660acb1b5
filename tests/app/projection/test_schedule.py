"""The ramps of Karras et al. 2020, appendix D, at steps whose values can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from app.projection.schedule import Schedule

PAPER = Schedule(1000)


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 0.0),  # "ramped up from zero linearly during the first 50 iterations"
        (10, 0.02),
        (25, 0.05),
        (50, 0.1),  # "maximum learning rate 0.1"
        (749, 0.1),
        (875, 0.05),  # half way down the cosine of the last 250
        (1000, 0.0),
    ],
)
def test_the_learning_rate_rises_linearly_and_falls_along_a_cosine(step: int, rate: float) -> None:
    assert PAPER.rate(step) == pytest.approx(rate, abs=1e-6)


def test_a_quarter_down_the_cosine() -> None:
    assert PAPER.rate(750 + 125 // 2) == pytest.approx(0.1 * (0.5 + 0.5 * math.cos(math.pi * 62 / 250)))


@pytest.mark.parametrize(("step", "share"), [(0, 0.05), (375, 0.0125), (600, 0.002), (750, 0.0), (999, 0.0)])
def test_exploration_falls_as_a_square_during_three_quarters(step: int, share: float) -> None:
    """sigma = 0.05 sigma_w t^2, t from 1 to 0 over the first 750 of 1000 iterations."""
    assert PAPER.noise_share(step) == pytest.approx(share, abs=1e-12)


def test_other_numbers_of_steps_keep_the_shape() -> None:
    short = Schedule(200)
    assert [short.rate(step) for step in (5, 100, 175)] == pytest.approx(
        [PAPER.rate(step) for step in (25, 500, 875)]
    )  # fmt: skip
    assert short.noise_share(75) == pytest.approx(PAPER.noise_share(375))
