"""The short version of tests/droplet_roc.py: planted droplets against networks that have none."""

import numpy as np
import pytest

from networks.checkpoint.load import load
from tests import droplet_roc as roc
from tests.planted import random_stylegan1

SMALL = {"channel_base": 2048, "channel_max": 24}


@pytest.fixture(scope="module")
def without():
    return [
        *roc.clean("StyleGAN", random_stylegan1(1, 128, **SMALL), 12),
        *roc.clean("StyleGAN2", roc.random_stylegan2(1, 64), 12),
        *roc.clean("bundled", load(roc.BUNDLED)[0], 24),
    ]


@pytest.fixture(scope="module")
def found():
    return list(roc.planted((0,), (2.0, 8.0, 16.0), 3, 2, **SMALL))


def test_no_alarm_without_a_droplet(without):
    assert [picture.report.verdict.flag for picture in without] == [False] * 48


@pytest.mark.parametrize("strength", [8.0, 16.0])
def test_droplets_of_8_sigma_and_more_are_told_from_none(found, without, strength):
    group = [picture for picture in found if picture.strength == strength]
    assert roc.auc(roc.scores(group), roc.scores(without)) >= 0.99
    assert len({picture.layer for picture in found}) > 1


def test_they_are_found_where_they_are(found):
    errors = [picture.error for picture in found if picture.strength >= 8]
    assert np.median(errors) < 0.01
    assert max(errors) < 0.03  # the largest: natural detail and 3x3 kernels push a peak by a sample of 1/64


def test_the_curve_is_no_foregone_conclusion(found, without):
    """Two standard deviations drown in the pictures' own detail: there the detector must not do as well."""
    faint = [picture for picture in found if picture.strength == 2]
    assert roc.auc(roc.scores(faint), roc.scores(without)) < 0.99


def test_auc_is_the_chance_of_the_higher_score():
    assert roc.auc([3, 4], [1, 2]) == 1.0
    assert roc.auc([1, 3], [2, 2]) == 0.5
    assert roc.auc([2], [2, 1]) == 0.75


def test_the_upper_end_of_a_share_is_wilsons():
    """0 of 200: z^2 / (n + z^2) = 1.9 %; 5 of 10: 76.3 %, as in Agresti and Coull 1998."""
    assert roc.wilson(0, 200) == pytest.approx(1.96**2 / (200 + 1.96**2))
    assert roc.wilson(5, 10) == pytest.approx(0.763, abs=1e-3)


def test_the_document_has_both_tables():
    text = roc.DOCUMENT.read_text(encoding="utf-8")
    for name in ("roc", "false alarms"):
        assert "| probe |" in roc.write(name, ["| probe |"], text)
    assert roc.RULE.in_words() in " ".join(text.split())
    with pytest.raises(ValueError, match="needs one"):
        roc.write("nothing", [], text)
