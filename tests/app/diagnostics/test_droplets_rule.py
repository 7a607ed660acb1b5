"""The verdict from layers, and which seeds lack what the others have."""

from dataclasses import replace

import numpy as np
import pytest

from app.diagnostics.droplets_rule import judge, mark, mark_missing
from app.studies.droplets import DropletRule, DropletSearchAnswer, LayerDroplet, SeedDroplet

RULE = DropletRule()


def layer(size, ratio, agreement=0.8, spot=(0.5, 0.5), prominence=9.0, name=None, aspect=1.0):
    name = name or f"b{size}"
    hot = ratio > RULE.ratio and agreement >= RULE.agreement and prominence > RULE.prominence
    array = np.ones(3, np.float32)
    return LayerDroplet(
        name, "output", (size, round(size * aspect)), float(size), 3, spot, 0.03, ratio, agreement, prominence, 0.1,
        array, array, np.ones((4, 4), np.float32), hot,
    )  # fmt: skip


def ladder(*ratios, **kwargs):
    return [layer(32 << i, ratio, **kwargs) for i, ratio in enumerate(ratios)]


def test_two_resolutions_in_a_row_make_a_droplet():
    verdict = judge(ladder(1.5, 6.0, 9.0, 7.0), RULE)
    assert verdict.flag
    assert verdict.strength == 7.0
    assert verdict.resolutions == (64, 128, 256)
    assert verdict.layers == ("b64", "b128", "b256")
    assert verdict.strongest == "b128"
    assert verdict.text.startswith(
        "Droplet at x 50%, y 50% of the picture, from 64 to 256 px: 9.0 x the median in b128"
    )
    assert "80% of its channels agree" in verdict.text


@pytest.mark.parametrize(
    ("rows", "strength", "why"),
    [
        (ladder(3.9, 3.9, 3.9), 3.9, "a droplet has more than 4"),
        (ladder(1.0, 9.0, 1.0), 1.0, "2 resolutions in a row share 1.0 x at one place"),
        ([layer(32, 9.0), layer(128, 9.0), layer(64, 3.0)], 3.0, "share 3.0 x"),
        (ladder(9.0, 9.0, agreement=0.29), 0.0, "only 29% of its channels"),
        (ladder(9.0, 9.0, prominence=3.9), 0.0, "it is wide, only 3.9 x what surrounds it"),
        ([layer(32, 9.0), layer(64, 8.0, spot=(0.57, 0.5))], 0.0, "pass the whole rule at no common place"),
        ([layer(8, 9.0), layer(16, 9.0), layer(32, 9.0)], 0.0, "pass the whole rule at no common place"),
        ([], 0.0, "No layer was measured"),
    ],
)
def test_what_is_no_droplet_and_why(rows, strength, why):
    verdict = judge(rows, RULE)
    assert not verdict.flag
    assert verdict.spot is None
    assert verdict.strength == strength
    assert why in verdict.text


def test_distances_are_in_picture_heights():
    wide = [layer(64, 9.0, aspect=2), layer(128, 9.0, spot=(0.54, 0.5), aspect=2)]
    assert judge(wide, RULE, 1.0).flag
    assert not judge(wide, RULE, 2.0).flag


def test_a_second_layer_of_a_resolution_can_carry_the_chain():
    rows = [layer(32, 5.0, name="b32.conv0"), layer(32, 8.0, name="b32.conv1", spot=(0.1, 0.1)), layer(64, 6.0)]
    verdict = judge(rows, RULE)
    assert verdict.flag
    assert verdict.layers == ("b32.conv0", "b64")
    assert [row.in_run for row in mark(rows, verdict)] == [True, False, True]


def test_the_spot_is_the_median_over_the_layers():
    rows = [layer(32 << i, 9.0, spot=spot) for i, spot in enumerate([(0.50, 0.40), (0.51, 0.42), (0.53, 0.40)])]
    assert judge(rows, RULE).spot == (0.51, 0.40)


def test_the_rule_in_words_has_its_numbers():
    words = replace(RULE, ratio=5.0, agreement=0.4, resolutions=3).in_words()
    assert "5 x its median" in words
    assert "40% of the channels" in words
    assert "in 3 resolutions" in words


def row(seed, strength, flag=None):
    flag = strength > 4 if flag is None else flag
    return SeedDroplet(seed, flag, strength, strength, 0.8, 0.1, 1.1, "b64", (0.5, 0.5), (64, 128) if flag else ())


def test_a_seed_that_lacks_what_the_others_have_is_missing():
    rows = mark_missing([*(row(seed, 12.0) for seed in range(9)), row(9, 1.5), row(10, 5.9), row(11, 0.0)])
    answer = DropletSearchAnswer(rows)
    assert [found.seed for found in answer.missing] == [11, 9]
    assert [found.seed for found in answer.strongest][:2] == [0, 1]
    assert (answer.flagged, answer.median_strength) == (10, 12.0)


@pytest.mark.parametrize("strengths", [[], [12.0] * 6 + [1.0], [12.0] * 2 + [3.5] * 6 + [0.5]])
def test_where_droplets_are_rare_or_seeds_are_few_none_is_missing(strengths):
    rows = [row(seed, strength) for seed, strength in enumerate(strengths)]
    assert not any(found.missing for found in mark_missing(rows))


def test_a_faint_droplet_is_not_missing_where_the_others_are_faint_too():
    rows = mark_missing([*(row(seed, 5.0) for seed in range(9)), row(9, 3.9)])
    assert not any(found.missing for found in rows)
