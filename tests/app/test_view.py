"""Tensors to pixels, against numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch

from app import view


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


def test_statistics_against_hand_computed_numbers():
    stats = view.statistics(torch.tensor([[[0.0, 0.0]], [[0.0, 4.0]]]))
    assert (stats.mean, stats.minimum, stats.maximum) == (1.0, 0.0, 4.0)
    assert stats.std == pytest.approx(math.sqrt(3))
    assert stats.kurtosis == pytest.approx((3 * 1 + 81) / 4 / 9)
    normal = view.statistics(torch.randn(8, 256, 256, generator=torch.Generator().manual_seed(0)))
    assert normal.kurtosis == pytest.approx(3, abs=0.05)
    assert view.statistics(torch.ones(1, 2, 2)).kurtosis == 0
