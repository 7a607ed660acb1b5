"""Colour maps: the published tables, and which value gets which colour."""

from __future__ import annotations

import numpy as np
import pytest

from app import colormaps


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [  # as published, times 255
        ("viridis", (68, 1, 84), (253, 231, 37)),
        ("magma", (0, 0, 4), (252, 253, 191)),
        ("inferno", (0, 0, 4), (252, 255, 164)),
        ("grey", (0, 0, 0), (255, 255, 255)),
    ],
)
def test_the_ends_are_those_published(name, first, last):
    assert tuple(colormaps.table(name)[0]) == (*first, 255)
    assert tuple(colormaps.table(name)[-1]) == (*last, 255)


@pytest.mark.parametrize("name", ["viridis", "magma", "inferno", "grey"])
def test_more_is_lighter(name):
    light = colormaps.table(name)[:, :3].astype(float) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light) > -1.5).all()  # rounding to bytes
    assert light[-1] - light[0] > 150


def test_diverging_maps_are_extreme_in_the_middle():
    berlin, vik = (colormaps.table(name)[:, :3].sum(axis=1, dtype=int) for name in ("berlin", "vik"))
    assert 100 < berlin.argmin() < 156
    assert 100 < vik.argmax() < 156


def test_values_meet_their_colours():
    table = colormaps.table("magma")
    values = np.array([[-5.0, 0.0, 0.4999], [1.0, 99.0, np.nan]])
    picture = colormaps.colourize(values, 0.0, 1.0, "magma")
    assert picture.shape == (2, 3, 4)
    assert picture.dtype == np.uint8
    levels = [[0, 0, 127], [255, 255, 0]]
    assert (picture == table[np.array(levels)]).all()
    grey = colormaps.colourize(np.arange(256)[None], 0, 256, "grey")
    assert (grey[0, :, 0] == np.arange(256)).all()
    assert (grey[..., 3] == 255).all()


def test_bad_questions_are_answered_in_words():
    with pytest.raises(ValueError, match="no colour map 'jet'"):
        colormaps.table("jet")
    with pytest.raises(ValueError, match="upper end"):
        colormaps.colourize(np.zeros((2, 2)), 1.0, 1.0)
