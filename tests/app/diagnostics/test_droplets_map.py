"""The measures of one layer against NumPy, and against maps of which the answer is known."""

import math

import numpy as np
import pytest
import torch

from app.diagnostics import droplets_map
from app.diagnostics.droplets_map import crop, layer_droplet, levels, shrink
from app.studies.droplets import DropletRule
from networks.plan import LayerInfo

RULE = DropletRule()


def info(x, rate=None):
    H, W = x.shape[1:]
    return LayerInfo(0, "b", "conv", (H, W), x.shape[0], sampling_rate=float(rate or W))


def measured(x, rate=None, resolution=None, **kwargs):
    x = torch.as_tensor(x, dtype=torch.float32)
    return layer_droplet(x[None], info(x, rate), "output", resolution or (x.shape[1], x.shape[2]), RULE, **kwargs)


def noise(channels=24, size=32, seed=0):
    return np.random.RandomState(seed).randn(channels, size, size)


def spiked(strength, place=(20, 9), channels=24, size=32, share=1.0, width=1.0):
    """Normal maps; in a share of the channels a Gaussian spike of so many standard deviations at (row, column)."""
    x = noise(channels, size)
    rows, columns = np.mgrid[:size, :size]
    spike = np.exp(-((rows - place[0]) ** 2 + (columns - place[1]) ** 2) / (2 * width**2))
    x[: round(share * channels)] += strength * spike
    return x


def lower_median(values):
    """The lower of the two in the middle, as torch has it."""
    return np.sort(values.ravel())[(values.size - 1) // 2]


def test_every_number_is_what_numpy_says():
    x = spiked(6.0) * np.linspace(0.1, 40, 24)[:, None, None] + np.linspace(-9, 9, 24)[:, None, None]
    found = measured(x)
    d = x - np.sort(x.reshape(24, -1), 1)[:, 511][:, None, None]  # the lower of the two in the middle
    squares = np.sort(d.reshape(24, -1) ** 2, 1)[:, : math.floor(0.95 * 1024)]
    scale = np.sqrt(squares.mean(1) / 0.7588)
    z = d / scale[:, None, None]
    S = np.sqrt(np.exp(np.log(1 + z**2).mean(0)) - 1)
    row, column = np.unravel_index(S.argmax(), S.shape)
    rows, columns = np.mgrid[:32, :32]
    away = np.hypot(rows - row, columns - column)
    disc = away <= 2.5
    ring = (away <= 10) & (away > 5)
    peaks = np.abs(d).reshape(24, -1).argmax(1)
    mean, std = x.mean((1, 2)), x.std((1, 2))
    np.testing.assert_allclose(found.saliency, S, rtol=1e-4)
    assert found.ratio == pytest.approx(S.max() / lower_median(S), rel=1e-4)
    assert found.prominence == pytest.approx(S.max() / lower_median(S[ring]), rel=1e-4)
    assert found.agreement == pytest.approx(disc.ravel()[peaks].mean())
    assert found.energy == pytest.approx((S[disc] ** 2).sum() / (S**2).sum(), rel=1e-4)
    np.testing.assert_allclose(found.rho, std / x[:, ~disc].std(1), rtol=1e-4)
    fourth = ((x - mean[:, None, None]) ** 4).mean((1, 2))
    np.testing.assert_allclose(found.kurtosis, fourth / std**4, rtol=1e-3)
    assert found.radius == pytest.approx(2.5 / 32)


@pytest.mark.parametrize("strength", [4, 8, 16, 32])
def test_where_all_channels_stand_k_deviations_off_the_saliency_is_k(strength):
    found = measured(spiked(strength, channels=64))
    assert float(found.saliency.max()) == pytest.approx(strength, rel=0.12)
    assert found.spot == pytest.approx(((9 + 0.5) / 32, (20 + 0.5) / 32), abs=0.01)


def test_normal_maps_have_no_spike():
    ratios = [measured(noise(seed=seed)).ratio for seed in range(20)]
    assert max(ratios) < 2.5
    assert not any(measured(noise(seed=seed)).hot for seed in range(20))


def test_one_channel_does_not_speak_for_all():
    """Of the root mean square over channels the first would be 1000 / sqrt(24) = 204."""
    one, all_ = measured(spiked(1000.0, share=1 / 24)), measured(spiked(16.0))
    assert one.ratio < 3 < 12 < all_.ratio
    assert not one.hot
    assert all_.hot


def test_a_flat_background_does_not_turn_the_picture_into_spikes():
    """More than half of each map is constant, so MAD is 0; what varies covers a third."""
    x = np.zeros((24, 32, 32))
    x[:, 8:26, 8:26] = noise(size=18)
    found = measured(x)
    assert np.median(np.abs(x - np.median(x, axis=(1, 2), keepdims=True)), axis=(1, 2)).max() == 0
    assert float(found.saliency.max()) < 3
    assert not found.hot


def test_an_object_is_wide_and_a_droplet_is_not():
    wide, small = (measured(spiked(8.0, (31, 31), size=64, width=width)) for width in (10.0, 1.0))
    assert wide.prominence < 2.5 < RULE.prominence < small.prominence
    assert small.hot
    assert not wide.hot


def test_the_grid_of_samples_gives_levels_within_its_stated_error():
    x = torch.from_numpy(noise(48, 256)).float() * 3 + 1
    centre, scale = levels(x)
    exact_centre, exact_scale = levels(x, sample_px=256)
    assert (scale / exact_scale - 1).square().mean().sqrt() < 1.3 * 0.022 * 1.2  # a trimmed scale errs a little more
    assert ((centre - exact_centre) / 3).square().mean().sqrt() < 1.3 * 0.039
    assert exact_scale.mean() / 3 == pytest.approx(1.0, abs=0.01)


def test_sampled_and_exact_ratio_of_a_large_map_agree(monkeypatch):
    x = spiked(10.0, (150, 70), 16, 256, width=3.0)
    sampled = measured(x)
    monkeypatch.setattr(droplets_map, "levels", lambda x: levels(x, sample_px=256))
    exact = measured(x)
    assert sampled.ratio == pytest.approx(exact.ratio, rel=0.02)
    assert (sampled.spot, sampled.agreement) == (pytest.approx(exact.spot, abs=1e-3), exact.agreement)


def test_blocks_of_channels_change_nothing(monkeypatch):
    x = spiked(6.0)
    whole = measured(x)
    monkeypatch.setattr(droplets_map, "BLOCK", 3000)
    parts = measured(x)
    np.testing.assert_allclose(parts.saliency, whole.saliency, rtol=1e-5)
    np.testing.assert_allclose(parts.kurtosis, whole.kurtosis, rtol=1e-5)
    assert parts.agreement == whole.agreement


def test_rho_is_what_instance_norm_takes_from_the_rest():
    """A spike of 40 deviations on 1 of 1024 samples: variance 1 + 40^2 / 1024."""
    x = noise()
    x[:, 5, 5] += 40
    found = measured(x)
    assert found.median_rho == pytest.approx(math.sqrt(1 + 40**2 / 1024), rel=0.05)
    from networks.stylegan1 import instance_norm

    t = torch.from_numpy(x[None]).float()
    t[..., 5, 5] -= 40
    without = instance_norm(t)[0, :, 20:].std()
    t[..., 5, 5] += 40
    assert float(without / instance_norm(t)[0, :, 20:].std()) == pytest.approx(found.median_rho, rel=0.05)


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_a_map_that_does_not_vary_has_ratio_0(value):
    found = measured(np.full((4, 16, 16), value))
    assert (found.ratio, found.hot, found.agreement) == (0.0, False, 0.0)
    assert np.isfinite(found.rho).all()
    assert np.isfinite(found.kurtosis).all()


def test_channels_that_do_not_vary_have_no_say_in_the_agreement():
    x = spiked(16.0)
    x[12:] = 7.0
    assert measured(x).agreement == 1.0


def test_the_margin_of_stylegan3_is_left_out():
    x = noise(24, 52)
    x[:, 3, 3] += 500  # in the margin of 10 samples
    x[:, 10 + 4, 10 + 20] += 12
    found = measured(x, rate=32, resolution=(64, 64))
    assert found.size == (32, 32)
    assert found.spot == pytest.approx((20.5 / 32, 4.5 / 32), abs=0.01)


@pytest.mark.parametrize("place", [(0, 0), (1, 30), (31, 16)])
def test_a_spike_at_the_edge_is_one_too(place):
    found = measured(spiked(12.0, place))
    assert found.hot
    assert found.spot == pytest.approx(((place[1] + 0.5) / 32, (place[0] + 0.5) / 32), abs=0.025)


def test_a_tall_picture_keeps_its_shape():
    x = torch.zeros(1, 40, 20)
    assert crop(x, info(x, rate=20), (64, 32)).shape == (1, 40, 20)
    x = np.random.RandomState(0).randn(16, 64, 32)
    x[:, 48, 8] += 20
    assert measured(x).spot == pytest.approx((8.5 / 32, 48.5 / 64), abs=0.01)


def test_a_small_map_for_display_loses_no_spike():
    S = torch.rand(100, 60)
    S[77, 31] = 50.0
    small = shrink(S, 25)
    assert small.shape == (25, 15)
    assert small[77 // 4, 31 // 4] == 50.0
    assert measured(spiked(9.0), map_px=8).saliency.shape == (8, 8)


def test_half_precision_maps_are_measured_in_single():
    x = torch.from_numpy(spiked(30.0) * 1000).half()
    found = layer_droplet(x[None], info(x), "output", (32, 32), RULE)
    assert np.isfinite(found.kurtosis).all()
    assert found.ratio == pytest.approx(measured(spiked(30.0)).ratio, rel=0.02)
