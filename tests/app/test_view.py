"""Tensors to pixels, against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from app import view
from app.request import View
from networks.plan import LayerInfo

INFO = LayerInfo(3, "b8.conv1", "conv", (3, 5), 6)


def nvidia_rounding(img):
    return (img * 127.5 + 128).clamp(0, 255).to(torch.uint8)


def test_a_picture_is_rounded_as_nvidias_tools_round():
    img = torch.cat([torch.linspace(-1.5, 1.5, 3 * 63 * 64), torch.tensor([-1.0, 0.0, 1.0] * 64)]).reshape(1, 3, 64, 64)
    pixels = view.picture(img)
    assert pixels.shape == (64, 64, 4)
    assert pixels.flags.c_contiguous
    assert np.array_equal(pixels[..., :3], nvidia_rounding(img)[0].permute(1, 2, 0).numpy())
    assert (pixels[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (1, (10, 10, 10, 255)),
        (2, (10, 10, 10, 20)),
        (3, (10, 20, 30, 255)),
        (4, (10, 20, 30, 40)),
        (5, (10, 20, 30, 255)),
    ],
)
def test_grey_and_alpha(channels, expected):
    img = ((torch.arange(1, 6) * 10 - 128 + 0.5) / 127.5)[None, :channels, None, None].expand(1, channels, 2, 3)
    assert tuple(view.picture(img)[1, 2]) == expected


def test_bgr_swaps_red_and_blue_and_a_range_of_0_to_1_is_stretched():
    img = torch.tensor([0.0, 0.5, 1.0])[None, :, None, None]
    assert view.picture(img, (0.0, 1.0))[0, 0].tolist() == [0, 128, 255, 255]
    assert view.picture(img, (0.0, 1.0), bgr=True)[0, 0].tolist() == [255, 128, 0, 255]


def test_difference_is_gain_times_the_share_of_the_range():
    a, b = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.4)
    assert view.difference(a, b, (-1, 1), 4.0)[0, 0].tolist() == [51, 51, 51, 255]  # 255 * 4 * 0.1 / 2
    assert view.difference(a, a, (-1, 1), 4.0)[0, 0].tolist() == [0, 0, 0, 255]


def test_a_sheet_shows_each_map_in_its_tile_with_gaps_of_one_pixel():
    maps = torch.arange(6).float()[None, :, None, None].expand(1, 6, 3, 5) / 10
    shown = view.layer_view(maps, INFO, View("b8.conv1", normalize=False))
    assert (shown.columns, shown.tile, shown.count, shown.channels) == (2, (3, 5), 6, 6)
    assert shown.pixels.shape == (3 * 3 + 2, 2 * 5 + 1, 4)
    tiles = shown.pixels[[0, 4, 8]][:, [0, 6], 0].reshape(-1)
    assert tiles.tolist() == [int(i / 10 * 127.5 + 128) for i in range(6)]
    assert (shown.pixels[3] == [0, 0, 0, 255]).all()
    assert (shown.pixels[:, 5] == [0, 0, 0, 255]).all()


def test_normalizing_scales_each_map_by_its_own_largest_magnitude():
    maps = torch.tensor([0.1, 0.001, 0.0])[None, :, None, None] * torch.tensor([[1.0, -0.5], [0.0, 0.25]])
    shown = view.layer_view(maps, INFO, View("b8.conv1", channel=1))
    assert shown.pixels[..., 0].tolist() == [[255, 64], [128, 159]]
    assert (shown.channel, shown.count, shown.first) == (1, 1, 1)
    assert view.layer_view(maps, INFO, View("b8.conv1", channel=2)).pixels[0, 0, 0] == 128  # all zero: no NaN


def test_gain_is_in_decibels():
    maps = torch.full((1, 1, 2, 2), 0.05)
    view_ = View("b8.conv1", channel=0, normalize=False, gain_db=20)
    assert view.layer_view(maps, INFO, view_).pixels[0, 0, 0] == int(0.5 * 127.5 + 128)


def test_large_maps_are_averaged_down_to_a_bounded_sheet():
    sheet = view.lay_out(64, (1024, 1024))
    assert (sheet.columns, sheet.rows, sheet.factor, sheet.tile) == (8, 8, 5, (205, 205))
    shown = view.layer_view(torch.zeros(1, 16, 1024, 1024), INFO, View("b8.conv1"))
    assert max(shown.pixels.shape) <= 2048
    assert shown.size == (1024, 1024)


def test_a_wide_map_gets_fewer_columns():
    assert view.lay_out(8, (4, 8)).columns == 2
    assert view.lay_out(8, (8, 4)).columns == 4


def test_statistics_against_hand_computed_numbers():
    stats = view.statistics(torch.tensor([[[0.0, 0.0]], [[0.0, 4.0]]]))
    assert (stats.mean, stats.minimum, stats.maximum) == (1.0, 0.0, 4.0)
    assert stats.std == pytest.approx(math.sqrt(3))
    assert stats.kurtosis == pytest.approx((3 * 1 + 81) / 4 / 9)
    normal = view.statistics(torch.randn(8, 256, 256, generator=torch.Generator().manual_seed(0)))
    assert normal.kurtosis == pytest.approx(3, abs=0.05)
    assert view.statistics(torch.ones(1, 2, 2)).kurtosis == 0
