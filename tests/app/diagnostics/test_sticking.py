"""The neighbourhood mean against generators whose glued share is known, and against sums written out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.stats import t as student

from app.diagnostics import sticking
from app.diagnostics.bands import details, sigma_of
from app.diagnostics.jackknife import jackknife
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Transform
from app.studies.ablations import ABLATIONS, ablation
from app.studies.sticking import NeighbourhoodMean
from networks.plan import Noise
from tests.synthetic import SIDE, Synthetic, spec

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def last(question, renderer=None):
    *_, update = sticking.run(question, renderer or Renderer())
    return update.answer


@pytest.mark.parametrize("glued", SHARES)
def test_the_score_is_the_glued_share_of_the_detail(synthetics, glued):
    answer = last(NeighbourhoodMean(synthetics.add(Synthetic(spec(glued=glued))), count=64, sigma=1.0))
    assert abs(answer.score.value - glued) < 0.08
    assert answer.score.low - 0.02 <= glued <= answer.score.high + 0.02
    assert answer.telling
    assert abs(np.nanmean(answer.sharpness) - glued) < 0.1


def test_the_map_shows_where_detail_is_glued(synthetics):
    generator = Synthetic(spec(glued=0.5))
    generator.fixed = half_of(generator.fixed)
    answer = last(NeighbourhoodMean(synthetics.add(generator), count=48, sigma=1.0))
    left, right = answer.sharpness[:, :24], answer.sharpness[:, -24:]
    assert np.nanmean(left) > 0.4
    assert np.nanmean(right) < 0.1


def half_of(fixed):
    """Waves that are there in the left half alone."""

    class Half:
        def at(self, back):
            return fixed.at(back) * (np.arange(SIDE) < SIDE // 2)

    return Half()


def test_the_score_is_the_formula(synthetics):
    """By hand: the same pictures, scipy's Gaussian, the formula and the leave-out values written out."""
    request = replace(synthetics.add(Synthetic(spec(glued=0.3))), latent=Latent(((5, 1.0),)))
    N, sigma = 20, 0.4
    answer = last(NeighbourhoodMean(request, count=N, sigma=sigma, seed=3))
    generator = synthetics.generators[request.model.path]
    std = np.concatenate([np.random.RandomState(seed).randn(1, 2) for seed in range(1024)]).std(axis=0, ddof=1)
    stream, w0 = np.random.RandomState(3), np.random.RandomState(5).randn(1, 2)
    pictures = [
        generator.synthesize(torch.tensor((w0 + sigma * std * stream.randn(1, 2))[None], dtype=torch.float32)).numpy()[
            0
        ]
        for _ in range(N)
    ]
    low = [gaussian_filter(p.astype(float), (0, *[8 * np.sqrt(np.log(2) / 2) / np.pi] * 2)) for p in pictures]
    H = [p - q for p, q in zip(pictures, low, strict=True)]

    def score(chosen):
        n, A = len(chosen), np.square(np.mean(chosen, axis=0)).mean()
        B = np.mean([np.square(h).mean() for h in chosen])
        return (n * A - B) / ((n - 1) * B)

    groups = [[h for i, h in enumerate(H) if i % 16 != k] for k in range(16)]
    values = np.array([score(group) for group in groups])
    half = student.ppf(0.975, 15) * np.sqrt(15 / 16 * np.square(values - values.mean()).sum())
    assert answer.score.value == pytest.approx(score(H), abs=2e-4)
    assert answer.score.half_width == pytest.approx(half, rel=0.02)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """The mean of 12 normal numbers, 400 times: 95 % of the intervals hold 0."""
    stream = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        x = stream.normal(size=12)
        estimate = jackknife(x.mean(), [np.delete(x, i).mean() for i in range(12)])
        held += estimate.low <= 0 <= estimate.high
    assert 0.92 < held / 400 < 0.98


def test_the_high_pass_has_gain_one_half_at_its_period():
    y = torch.cos(2 * torch.pi * torch.arange(256) / 8.0)[:, None].expand(256, 256)
    assert details(y, 8.0)[64:192].std() / y[64:192].std() == pytest.approx(0.5, abs=0.01)
    assert sigma_of(8.0) == pytest.approx(1.5, abs=0.01)


def test_noise_that_is_drawn_anew_does_not_stick_and_noise_that_stays_does(files):
    """A small StyleGAN2 with noise of strength 0.5, its maps much stronger than what w moves."""
    request = files.add("noisy.pkl", resolution=(32, 32), channels=(8, 8, 8, 8))
    question = NeighbourhoodMean(request, count=24, sigma=0.3)
    scores = {
        name: last(replace(question, request=ablation(name)(request))).score.value
        for name in ("none", "noise-fresh", "noise-off")
    }
    assert scores["noise-fresh"] < scores["none"] - 0.1


def test_a_flat_picture_has_no_score(synthetics):
    generator = Synthetic(spec())
    generator.coarse = generator.moving = generator.fixed = type(
        "Flat", (), {"at": lambda self, back: np.zeros((3, SIDE, SIDE))}
    )()
    answer = last(NeighbourhoodMean(synthetics.add(generator), count=3))
    assert answer.score is None
    assert np.isnan(answer.sharpness).all()


BAD = [({"count": 1}, "at least 2"), ({"sigma": 0}, "sigma"), ({"period_px": 2}, "2 px")]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_has_no_meaning_is_said(synthetics, change, words):
    question = replace(NeighbourhoodMean(synthetics.add(Synthetic(spec()))), **change)
    with pytest.raises(InputError, match=words):
        next(sticking.run(question, Renderer()))


def test_ablations_change_what_they_say(files):
    request = files.add("a.pkl")
    changed = {item.name: item(request) for item in ABLATIONS}
    assert changed["none"] == request
    assert changed["noise-off"].noise == Noise("none")
    assert changed["noise-fresh"].noise.mode == "random"
    assert changed["input-frozen"].transform == Transform(freeze_input=True)
    assert changed["fp32"].model.precision == "fp32"
    info = Renderer().open(request).info
    refused = {item.name: item.refusal(info) for item in ABLATIONS}
    assert refused["none"] == refused["noise-off"] == refused["noise-fresh"] == ""
    assert "constant" in refused["input-frozen"]
    assert "fp32 on cpu" in refused["fp32"]


def test_a_study_s_random_noise_differs_from_picture_to_picture_and_is_the_same_again(files):
    request = replace(files.add("a.pkl", resolution=(16, 16), channels=(8, 8, 8)), noise=Noise("random", 4))
    question = NeighbourhoodMean(request, count=4)
    first, again = last(question), last(question)
    assert (first.mean == again.mean).all()
    assert (first.mean != last(replace(question, request=replace(request, noise=Noise("random", 5)))).mean).any()
