"""The step meter: changes that numpy finds in pictures drawn one by one, and when there is no step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest
from app.studies.step_size import SPAN_S, StepMeter, WalkPoint, WalkSample
from tests.networks.small import REFERENCE


def request(share: float = 0.0) -> RenderRequest:
    """A point between two seeds."""
    latent = Latent(((0, 1.0 - share), (1, share)))
    return RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"), latent=latent)


def sample(renderer: Renderer, asked: RenderRequest, side: int = 96) -> WalkPoint:
    return renderer.render(replace(asked, measures=(WalkSample(side),))).answer(WalkSample)


def point(level: float, w: float, size: tuple[int, int] = (8, 8)) -> WalkPoint:
    """A grey picture; two rows of ws, the second of which does not move."""
    return WalkPoint(np.full((3, 4, 4), level, np.float32), np.array([[w, 0.0], [0.0, 1.0]], np.float32), size)


def test_a_step_is_what_numpy_finds_between_two_pictures():
    renderer = Renderer()
    pictures = [renderer.image(request(share)).astype(np.float64) for share in (0.2, 0.25)]
    ws = [renderer.ws(request(share)).astype(np.float64) for share in (0.2, 0.25)]
    meter = StepMeter()
    assert meter.add(sample(renderer, request(0.2)), 1.0) is None
    step = meter.add(sample(renderer, request(0.25)), 1.5)
    change = (pictures[1] - pictures[0]) / 2  # of the range -1..1
    distance = np.linalg.norm(ws[1][0, 0] - ws[0][0, 0])  # all rows are equal
    assert step.mean_abs == pytest.approx(100 * np.abs(change).mean(), rel=1e-4)
    assert step.rms == pytest.approx(100 * math.sqrt((change**2).mean()), rel=1e-4)
    assert step.distance == pytest.approx(distance, rel=1e-4)
    assert step.per_second == pytest.approx(step.rms / 0.5)
    assert step.per_w == pytest.approx(step.rms / distance, rel=1e-4)


def test_large_pictures_are_sampled_at_every_nth_pixel():
    renderer = Renderer()
    found = sample(renderer, request(), side=10)  # 32 px: every 4th pixel
    np.testing.assert_array_equal(found.picture, sample(renderer, request()).picture[:, 1::4, 1::4])
    assert found.size == (32, 32)


def test_small_steps_are_not_lost_by_rounding():
    renderer, meter = Renderer(), StepMeter()
    meter.add(sample(renderer, request(0.2)), 0.0)
    step = meter.add(sample(renderer, request(0.2001)), 0.1)
    assert 0 < step.mean_abs < 100 / 255 / 10  # far below one of 255 levels


def test_there_is_no_step_after_a_rest_or_to_an_early_picture():
    meter = StepMeter()
    assert meter.add(point(0.0, 0.0), 0.0) is None
    assert meter.add(point(0.1, 1.0), 2.0) is None  # 2 s later
    assert meter.add(point(0.2, 2.0), 4.0, picture_s=1.0) is not None  # this model is that slow
    assert meter.add(point(0.3, 3.0, (4, 4)), 4.1) is None  # an early picture
    assert meter.add(point(0.4, 4.0, (4, 4)), 4.2) is not None
    assert meter.add(point(0.4, 4.0, (4, 4)), 4.3) is None  # the same again
    assert meter.add(point(0.5, 4.0, (4, 4)), 4.4).moved is False  # something else than w changed it
    assert math.isnan(meter.steps[-1].per_w)
    meter.clear()
    assert meter.add(point(0.6, 5.0, (4, 4)), 4.5) is None


def test_the_meter_forgets_and_adds_up():
    meter = StepMeter()
    for number in range(21):
        meter.add(point(0.01 * number, 0.5 * number), 0.1 * number)
    totals = meter.totals()
    assert len(meter.steps) == 20
    assert totals["mean_abs"] == pytest.approx(10.0, rel=1e-5)  # 1 % in 0.1 s
    assert totals["speed"] == pytest.approx(5.0 / math.sqrt(2), rel=1e-5)  # one of two rows moves
    assert totals["per_w"] == pytest.approx(1.0 / (0.5 / math.sqrt(2)), rel=1e-5)
    meter.forget(SPAN_S + 1.05)
    assert len(meter.steps) == 10
    meter.forget(100.0)
    assert math.isnan(meter.totals()["rms"])


def test_a_jump_is_a_step_that_changes_the_picture_far_more_than_its_distance_says():
    meter = StepMeter()
    level = 0.0
    for number in range(20):
        level += 0.05 if number == 12 else 0.01
        meter.add(point(level, 0.1 * number), 0.1 * number)
    (jump,) = meter.jumps()
    assert jump.at == pytest.approx(1.2)
    faster = StepMeter()  # the same change per unit of w, in fewer, larger steps: no jump
    for number in range(20):
        place = number if number < 10 else 10 * (number - 9)
        faster.add(point(0.01 * place, 0.1 * place), 0.1 * number)
    assert faster.jumps() == []
