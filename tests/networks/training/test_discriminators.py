"""Shapes and small exact facts of the discriminators and of growing."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from networks.filters import fir_matrix, separable_filter, upfirdn2d
from networks.training import growing
from networks.training.config import widths
from networks.training.discriminator import EqualizedConv, ResidualDiscriminator, init_weights, minibatch_std
from networks.training.lite0 import Conv, Lite0
from networks.training.projected import ProjectedDiscriminator


def test_widths_follow_base_over_size_up_to_the_most():
    assert widths(64, 2048, 128) == (128, 128, 128, 64, 32)


@pytest.mark.parametrize("size", [16, 32])
def test_residual_discriminator_gives_one_logit_per_picture(size: int):
    critic = ResidualDiscriminator(widths(size, 128, 16))
    init_weights(critic, 0)
    assert critic(torch.randn(4, 3, size, size)).shape == (4, 1)


def test_same_seed_same_discriminator():
    first, second = (ResidualDiscriminator((8, 4)) for _ in range(2))
    for critic in (first, second):
        init_weights(critic, 3)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(first(x), second(x))


def test_minibatch_std_by_hand():
    """Two groups of two: pictures 0 and 2 differ by 2 everywhere (std 1), 1 and 3 agree (std 0)."""
    x = torch.zeros(4, 3, 4, 4)
    x[2] = 2.0
    y = minibatch_std(x, group=2)
    assert y.shape == (4, 4, 4, 4)
    assert_close(y[:, 3, 0, 0], torch.tensor([1.0, 1e-4, 1.0, 1e-4]))


def test_minibatch_std_takes_a_divisor_where_the_group_does_not_fit():
    assert minibatch_std(torch.randn(6, 2, 4, 4), group=4).shape == (6, 3, 4, 4)


@pytest.mark.parametrize("kernel", [1, 3])
def test_halving_keeps_a_constant_picture(kernel: int):
    """Weights that sum to 1 pass a constant; inside the border it stays what it was."""
    conv = EqualizedConv(1, 1, kernel, down=2, activate=False)
    conv.weight.data.fill_(1 / kernel**2 / conv.weight_gain)
    conv.bias.data.zero_()
    y = conv(torch.full((1, 1, 16, 16), 2.5))
    assert y.shape == (1, 1, 8, 8)
    assert_close(y[..., 2:-2, 2:-2], torch.full((1, 1, 4, 4), 2.5))


def test_halving_keeps_the_centre_in_place():
    """A picture that mirrors around its centre still does after halving."""
    conv = EqualizedConv(1, 1, 3, down=2, activate=False)
    conv.weight.data.fill_(1.0)
    conv.bias.data.zero_()
    x = torch.randn(1, 1, 16, 16)
    y = conv(x + x.flip(2, 3))
    assert_close(y, y.flip(2, 3))


def test_fir_matrices_agree_with_the_convolution():
    f = separable_filter((1, 3, 3, 1))
    for up, down, pad in ((2, 1, (2, 1, 2, 1)), (1, 2, (1, 1, 1, 1)), (2, 2, (3, -1, 0, 2))):
        x = torch.randn(2, 3, 9, 11)
        by_matrix = upfirdn2d(x.clone().requires_grad_(), f, up, down, pad, 4)
        assert_close(by_matrix, upfirdn2d(x, f, up, down, pad, 4))
    assert fir_matrix((0.5, 0.5), 4, 1, 2, 0, 0).tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]


def test_growing_stages():
    """8 trains for 10 pictures, 16 fades in for 10 and trains for 10, 32 likewise, then stays."""
    at = [growing.stage_at(seen, 8, 32, 10) for seen in (0, 9, 10, 15, 20, 29, 35, 40, 1000)]
    assert [(stage.size, stage.alpha) for stage in at] == [
        (8, 1.0), (8, 1.0), (16, 0.0), (16, 0.5), (16, 1.0), (16, 1.0), (32, 0.5), (32, 1.0), (32, 1.0),
    ]  # fmt: skip


def test_growing_discriminator_starts_a_fade_as_the_smaller_one():
    """With alpha 0 a picture of 16 px is judged as its 8 px version; with alpha 1 the newest block decides."""
    critic = growing.GrowingDiscriminator(widths(16, 64, 8))
    init_weights(critic, 0)
    pictures = torch.randn(4, 3, 16, 16)
    critic.stage = growing.Stage(16, 0.0)
    faded = critic(pictures)
    critic.stage = growing.Stage(8, 1.0)
    assert_close(faded, critic(torch.nn.functional.avg_pool2d(pictures, 2)))
    critic.stage = growing.Stage(16, 1.0)
    assert not torch.allclose(faded, critic(pictures))


def test_fading_pictures_start_as_doubled_small_ones():
    pictures = torch.randn(1, 3, 16, 16)
    start = growing.fade(pictures, growing.Stage(16, 0.0))
    assert_close(start[..., ::2, ::2], torch.nn.functional.avg_pool2d(pictures, 2))
    assert growing.fade(pictures, growing.Stage(16, 1.0)) is pictures
    assert growing.fade(pictures, growing.Stage(8, 1.0)).shape == (1, 3, 8, 8)


def test_projected_discriminator_learns_only_its_heads():
    critic = ProjectedDiscriminator(Lite0(), resolution=16, view=64, width=4, width_max=8)
    assert critic(torch.randn(2, 3, 16, 16)).shape == (2, 5)
    trained = {id(p) for p in critic.parameters() if p.requires_grad}
    assert trained == {id(p) for part in (critic.heads, critic.pixels) for p in part.parameters()}


def test_calibrated_maps_have_unit_variance():
    network = Lite0()
    for part in network.modules():
        if isinstance(part, Conv):
            part.weight.normal_(0, 0.2)
    critic = ProjectedDiscriminator(network, resolution=64, view=64, width=4)
    pictures = torch.randn(8, 3, 64, 64)
    critic.calibrate(pictures)
    assert [round(maps.std().item(), 4) for maps in critic._maps(pictures)] == [1.0] * 4


def test_lite0_features_shrink_by_4_8_16_32():
    maps = Lite0().features(torch.zeros(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
