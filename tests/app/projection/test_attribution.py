"""Attribution: exact and bootstrap intervals, the words they allow, and a run over real projections."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binomtest

from app.errors import InputError
from app.projection import attribution, study
from app.projection.attribution import ratio_to_median, share_at_least, verdict
from app.renderer import Renderer
from app.request import Model, RenderRequest, Truncation
from app.studies.projection import Attributing, Photo, ProjectionSettings
from tests.networks.small import REFERENCE


@pytest.mark.parametrize(("given", "k"), [(0.5, 10), (4.5, 6), (10.0, 1), (11.0, 0)])
def test_the_share_has_the_exact_interval(given: float, k: int) -> None:
    share, (low, high) = share_at_least(np.arange(1.0, 11.0), given)
    wanted = binomtest(k, 10).proportion_ci(0.95, "exact")
    assert share == k / 10
    assert (low, high) == pytest.approx((wanted.low, wanted.high))


def test_the_ratio_is_to_the_median_and_its_interval_that_of_the_order_statistics() -> None:
    """The bootstrap median of 101 values stays, with 95 %, between about the 41st and the 61st of them."""
    own = np.arange(1.0, 102.0)
    ratio, (low, high) = ratio_to_median(own, 102.0)
    assert ratio == 2.0
    assert 102 / high == pytest.approx(41, abs=2)
    assert 102 / low == pytest.approx(61, abs=2)


@pytest.mark.parametrize(
    ("n", "k", "words"),
    [
        (4, 0, "too few to say"),
        (20, 0, "Farther away than every own picture, 3.0 x"),  # 0 of 20 still allows 17 %
        (100, 0, "Not a picture of this model"),
        (20, 9, "As near as this model's own pictures"),
        (20, 1, "Not decided: 5% of 20"),
    ],
)
def test_the_verdict_says_no_more_than_its_interval(n: int, k: int, words: str) -> None:
    wanted = binomtest(k, n).proportion_ci(0.95, "exact")
    assert words in verdict(n, k / n, (float(wanted.low), float(wanted.high)), 3.0)


@pytest.fixture
def question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attributing:
    look_around = study.Projection.look_around
    monkeypatch.setattr(study.Projection, "look_around", lambda self, draw: look_around(self, draw, 500))
    Image.fromarray(np.random.RandomState(0).randint(0, 255, (32, 32, 3), dtype=np.uint8)).save(tmp_path / "p.png")
    request = RenderRequest(Model(str(REFERENCE / "stylegan2.pkl"), "cpu"), truncation=Truncation(0.5))
    return Attributing(request, Photo(str(tmp_path / "p.png")), ProjectionSettings(steps=3), count=5, first=7)


def test_photo_and_own_pictures_are_projected_alike(question: Attributing) -> None:
    renderer = Renderer()
    updates = list(attribution.run(question, renderer))
    answer = updates[-1].answer
    photo = list(study.run(study.Projecting(question.request, question.photo, question.settings), renderer))[-1].answer
    assert answer.given == pytest.approx(photo.best.distance, rel=1e-5)
    assert len(answer.own) == 5
    assert len(set(answer.own.tolist())) == 5
    assert answer.psi == 0.5
    assert answer.share == float((answer.own >= answer.given).mean())
    assert sum(update.text == "own picture 5 of 5" for update in updates) == 3
    known = list(attribution.run(replace(question, given=answer.given), renderer))[-1].answer
    assert known.own.tolist() == answer.own.tolist()


def test_own_pictures_are_as_a_file_would_hold_them(question: Attributing) -> None:
    """Rounded to 8 bits, clipped, with noise that is not the stored one, at the psi of the request."""
    renderer = Renderer()
    opened = renderer.open(question.request)
    picture = attribution.own_target(question, renderer, opened, 2).picture
    levels = (picture.double().numpy() + 1) * 127.5
    assert np.abs(levels - levels.round()).max() < 1e-4
    assert -1 <= float(picture.min()) <= float(picture.max()) <= 1
    other = attribution.own_target(replace(question, first=9), renderer, opened, 0).picture
    assert np.array_equal(picture, other)
    untruncated = replace(question, request=replace(question.request, truncation=Truncation()))
    assert not np.array_equal(picture, attribution.own_target(untruncated, renderer, opened, 2).picture)


def test_too_few_own_pictures_are_refused(question: Attributing) -> None:
    with pytest.raises(InputError, match="4 own pictures say too little; take at least 5"):
        list(attribution.run(replace(question, count=4), Renderer()))
