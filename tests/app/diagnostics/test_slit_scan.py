"""The slit scan against generators whose glued share and speed are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from app.diagnostics import slit_scan
from app.errors import InputError
from app.latents import draw_z
from app.renderer import Renderer
from app.studies.slit_scan import SlitScan
from tests.synthetic import Synthetic, spec

SEEDS = (0, 1)
FRAMES = 24


def per_frame() -> np.ndarray:
    """(x, y) in units of w that the content goes from frame to frame, on a straight walk between the seeds."""
    first, second = (draw_z(seed, 2)[0][0] for seed in SEEDS)
    return (second - first) / (FRAMES - 1)


def upright(speed_px: float, **changes) -> Synthetic:
    """Content that moves down by so many px per frame, and not across."""
    generator = Synthetic(spec(**changes))
    step = per_frame()
    along = step / np.dot(step, step) * speed_px  # w -> px along the walk
    picture = generator.picture
    generator.picture = lambda w, asked: picture(np.array([0.0, along @ w / generator.spec.gain_px]), asked)
    return generator


def last(question):
    *_, update = slit_scan.run(question, Renderer())
    return update.answer


def ask(request, **changes):
    return SlitScan(request, seeds=SEEDS, frames=FRAMES, y0=0.15, y1=0.85, way="linear", **changes)


@pytest.mark.parametrize("speed", [0.35, -0.6])
def test_the_coarse_velocity_is_that_of_the_content(synthetics, speed):
    answer = last(ask(synthetics.add(upright(speed))))
    assert answer.v_coarse == pytest.approx(abs(speed), rel=0.12)
    assert answer.stride == 1
    assert answer.explained > 0.9


def test_streaks_come_in_the_order_of_the_glued_share(synthetics):
    found = []
    for glued in (0.0, 0.25, 0.5, 0.75, 1.0):
        answer = last(ask(synthetics.add(upright(0.5, glued=glued), f"{glued}.pkl")))
        band = answer.bands[1]
        assert (band.shortest_px, band.longest_px) == (4.0, 8.0)
        found.append(band.streak.value)
        assert abs(band.streak.value - glued) < 0.15, found
    assert found == sorted(found)


def test_slow_content_is_compared_over_more_frames(synthetics):
    answer = last(ask(synthetics.add(upright(0.1, glued=0.5))))
    assert answer.stride == 4
    assert answer.v_coarse == pytest.approx(0.1, rel=0.15)
    assert abs(answer.bands[1].streak.value - 0.5) < 0.2


def test_no_score_where_nothing_or_too_much_moves(synthetics):
    still = last(ask(synthetics.add(upright(0.01), "still.pkl")))
    assert [band.streak for band in still.bands] == [None] * 3
    assert "0.3 are needed" in still.bands[0].reason
    fast = last(ask(synthetics.add(upright(1.6), "fast.pkl")))
    assert fast.bands[0].streak is None
    assert "more frames" in fast.bands[0].reason
    assert fast.bands[2].streak is not None


def test_no_score_where_the_content_changes_and_does_not_move(synthetics):
    """Two pictures that fade into each other."""
    generator = Synthetic(spec())
    ends = [generator.coarse.at(np.array([[1, 0, 31.0 * i], [0, 1, 17.0 * i]])) for i in range(2)]
    step = per_frame()
    start = draw_z(SEEDS[0], 2)[0][0]

    def fade(w, asked):
        share = (w - start) @ step / (step @ step) / (FRAMES - 1)
        return 8 * ((1 - share) * ends[0] + share * ends[1])

    generator.picture = fade
    answer = last(ask(synthetics.add(generator)))
    assert answer.bands[0].streak is None
    assert "motion explains" in answer.bands[0].reason or "are needed" in answer.bands[0].reason


def test_the_scan_is_the_column_of_each_frame(synthetics):
    request = synthetics.add(upright(0.5))
    answer = last(ask(request, x=0.25))
    x, y0, y1 = answer.segment_px
    assert (x, y0, y1) == (16, 10, 54)
    assert answer.scan.shape == (44, FRAMES, 4)
    assert (answer.scan[:, -1] == answer.picture[y0:y1, x]).all()


def test_the_derivative_is_exact_for_band_limited_columns():
    y = torch.arange(64, dtype=torch.float64) + 0.5
    wave = torch.cos(np.pi / 64 * 20 * y)[None, :, None]  # even at both ends, as the mirror continues it
    slope = -np.pi / 64 * 20 * torch.sin(np.pi / 64 * 20 * y)
    assert torch.allclose(slit_scan.derivative(wave)[0, :, 0], slope, atol=1e-10)


BAD = [({"frames": 2}, "at least 3"), ({"y0": 0.7, "y1": 0.2}, "upper end first"), ({"x": 1.5}, "shares"),
       ({"y0": 0.5, "y1": 0.51}, "longer")]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_has_no_meaning_is_said(synthetics, change, words):
    question = replace(SlitScan(synthetics.add(Synthetic(spec()))), **change)
    with pytest.raises(InputError, match=words):
        next(slit_scan.run(question, Renderer()))
