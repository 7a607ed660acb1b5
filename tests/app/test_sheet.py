"""The sheet of all maps and the large views, against numbers worked out by hand, by numpy and by scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from app import colormaps, sheet, view
from app.frame import LayerView
from app.request import View
from networks.plan import LayerInfo

INFO = LayerInfo(3, "b8.conv1", "conv", (3, 5), 6, sampling_rate=5.0)
LAYOUTS = pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["planes", "innermost"])


def noise(channels: int, H: int, W: int, layout: torch.memory_format = torch.contiguous_format) -> torch.Tensor:
    made = torch.randn(1, channels, H, W, generator=torch.Generator().manual_seed(0))
    return (made * torch.arange(1, channels + 1)[:, None, None]).contiguous(memory_format=layout)


def tile(shown: LayerView, place: int) -> np.ndarray:
    """The pixels of one place of a sheet, [h, w, 4], found by walking over the gaps."""
    (h, w), (row, column) = shown.tile, divmod(place - shown.first, shown.columns)
    top, left = row * (h + sheet.GAP), column * (w + sheet.GAP)
    return shown.pixels[top : top + h, left : left + w]


def looked(maps: torch.Tensor, **changes: object) -> LayerView:
    info = LayerInfo(3, "b8.conv1", "conv", (maps.shape[2], maps.shape[3]), maps.shape[1])
    return view.layer_view(maps, info, View("b8.conv1", count=4096, **changes))  # type: ignore[arg-type]


def test_a_sheet_shows_each_map_in_its_tile_with_gaps_of_one_pixel():
    maps = torch.arange(6).float()[None, :, None, None].expand(1, 6, 3, 5) / 10
    shown = looked(maps, normalize=False)
    assert (shown.columns, shown.tile, shown.count, shown.channels) == (2, (3, 5), 6, 6)
    assert shown.pixels.shape == (3 * 3 + 2, 2 * 5 + 1, 4)
    for channel in range(6):
        assert (tile(shown, channel)[..., 0] == int(channel / 10 * 127 + 128.5)).all()
    assert (shown.pixels[3] == [0, 0, 0, 255]).all()
    assert (shown.pixels[:, 5] == [0, 0, 0, 255]).all()


@LAYOUTS
@pytest.mark.parametrize("factor", [2, 3])
def test_maps_are_averaged_down_over_whole_and_over_cut_blocks(layout, factor):
    """By hand with numpy; 8 x 9 is no multiple of either factor both ways."""
    maps = noise(5, 8, 9, layout)
    small = sheet.averaged(maps, factor)[0].numpy()
    for channel in range(5):
        for row in range(small.shape[1]):
            for column in range(small.shape[2]):
                block = maps[0, channel, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
                assert small[channel, row, column] == pytest.approx(block.numpy().mean(), abs=1e-5)


@LAYOUTS
def test_averaging_exact_blocks_needs_no_pooling_of_torch(layout):
    maps = noise(3, 8, 12, layout)
    expected = maps[0].numpy().reshape(3, 2, 4, 3, 4).mean((2, 4))
    np.testing.assert_allclose(sheet.averaged(maps, 4)[0].numpy(), expected, rtol=1e-5, atol=1e-6)


def test_large_maps_are_averaged_down_to_a_bounded_sheet():
    plan = sheet.lay_out(64, (1024, 1024))
    assert (plan.columns, plan.rows, plan.factor, plan.tile) == (8, 8, 5, (205, 205))
    shown = looked(torch.zeros(1, 16, 1024, 1024))
    assert max(shown.pixels.shape) <= sheet.SHEET_PX
    assert shown.size == (1024, 1024)


@pytest.mark.parametrize(("count", "side"), [(512, 64), (32, 1024), (1024, 36), (512, 532), (81, 1044), (3, 1024)])
def test_the_layers_of_official_models_fit_on_one_sheet(count, side):
    plan = sheet.lay_out(count, (side, side))
    assert plan.columns * plan.rows >= count
    wide = plan.columns * (plan.tile[1] + sheet.GAP) - sheet.GAP
    assert max(wide, plan.rows * (plan.tile[0] + sheet.GAP) - sheet.GAP) <= sheet.SHEET_PX


def test_a_wide_map_gets_fewer_columns():
    assert sheet.lay_out(8, (4, 8)).columns == 2
    assert sheet.lay_out(8, (8, 4)).columns == 4


@LAYOUTS
def test_statistics_of_every_tile_agree_with_numpy_and_scipy(layout):
    maps = noise(7, 16, 24, layout)
    each, together = sheet.tile_statistics(maps, 1)
    flat = maps[0].numpy().reshape(7, -1).astype(np.float64)
    np.testing.assert_allclose(each.mean, flat.mean(1), atol=1e-5)
    np.testing.assert_allclose(each.std, flat.std(1), rtol=1e-5)
    assert np.array_equal(each.minimum, flat.min(1).astype(np.float32))
    assert np.array_equal(each.maximum, flat.max(1).astype(np.float32))
    np.testing.assert_allclose(each.kurtosis, scipy.stats.kurtosis(flat, axis=1, fisher=False), rtol=1e-4)
    assert together.mean == pytest.approx(flat.mean(), abs=1e-5)
    assert together.std == pytest.approx(flat.std(), rel=1e-5)
    assert together.kurtosis == pytest.approx(scipy.stats.kurtosis(flat.ravel(), fisher=False), rel=1e-4)


def test_a_constant_map_has_no_kurtosis():
    each, together = sheet.tile_statistics(torch.full((1, 2, 4, 4), 3.0), 1)
    assert each.kurtosis.tolist() == [0, 0]
    assert (together.mean, together.std, together.kurtosis) == (3, 0, 0)


@LAYOUTS
def test_big_layers_are_sampled_on_a_regular_grid(layout):
    maps = noise(40, 256, 256, layout)
    values, step = sheet.sampled(maps)
    assert step == 2
    assert torch.equal(values, maps[:, :, 1::2, 1::2])
    assert values.numel() <= sheet.SAMPLES
    assert looked(maps).tiles.step == 2


@pytest.mark.parametrize("sort", ["variance", "energy"])
def test_sorting_puts_the_largest_first_and_tiles_follow(sort):
    maps = noise(6, 4, 4) + torch.tensor([9.0, 0, 0, 0, 0, 0])[:, None, None]
    flat = maps[0].numpy().reshape(6, -1)
    expected = {"variance": flat.var(1), "energy": (flat**2).mean(1)}[sort]
    shown = looked(maps, sort=sort)
    assert list(shown.order) == sorted(range(6), key=lambda channel: -expected[channel])
    assert shown.order[0] == {"variance": 5, "energy": 0}[sort]
    np.testing.assert_allclose(shown.scores, expected, rtol=1e-4)
    plain = looked(maps)
    for place, channel in enumerate(shown.order):
        assert np.array_equal(tile(shown, place), tile(plain, channel))


def test_equal_scores_keep_the_order_of_the_numbers_and_nan_goes_last():
    score = np.array([1.0, np.nan, 2.0, 1.0, 2.0], np.float32)
    assert sheet.order(score, View(), 5).tolist() == [2, 4, 0, 3, 1]
    assert sheet.order(None, View(), 3).tolist() == [0, 1, 2]


def test_a_held_order_stays_and_channels_that_it_lacks_follow():
    score = np.array([5.0, 4.0, 3.0, 2.0, 1.0], np.float32)
    assert sheet.order(score, View(held=(3, 99, 1, 3)), 5).tolist() == [3, 1, 0, 2, 4]


def test_a_planted_spike_leads_the_sheet_sorted_by_droplets():
    maps = torch.randn(1, 8, 64, 64, generator=torch.Generator().manual_seed(1)) * torch.arange(8, 0, -1)[:, None, None]
    maps[0, 6, 20, 30] += 40  # 20 sigma of that map
    shown = looked(maps, sort="droplet")
    assert shown.order[0] == 6
    flat = maps[0, 6].numpy()
    away = np.abs(flat - np.median(flat))
    assert shown.scores[6] == pytest.approx(away.max() / (1.4826 * np.median(away)), rel=0.05)  # normal: scale = MAD
    assert shown.scores[:6].max() < 6


def test_a_spike_in_the_margin_is_no_droplet():
    info = LayerInfo(0, "L3_36_512", "conv", (36, 36), 2, sampling_rate=16.0)
    maps = torch.randn(1, 2, 36, 36, generator=torch.Generator().manual_seed(2))
    maps[0, 0, 2, 2] = 100
    maps[0, 1, 18, 18] = 50
    assert view.layer_view(maps, info, View("L3_36_512", sort="droplet")).order == (1, 0)


def test_the_response_is_the_mean_change_of_each_map():
    maps = noise(4, 8, 8)
    edited = maps.clone()
    edited[0, 2] *= 3
    edited[0, 1] += 0.5
    info = LayerInfo(0, "x", "conv", (8, 8), 4)
    shown = view.layer_view(edited, info, View("x", sort="response"), maps)
    np.testing.assert_allclose(shown.scores, (edited - maps).abs().numpy()[0].mean((1, 2)), rtol=1e-5, atol=1e-7)
    assert shown.order == (2, 1, 0, 3)
    assert looked(maps, sort="response").order == (0, 1, 2, 3)


def test_pages_follow_the_places_of_the_sorted_sheet():
    maps = torch.arange(10.0)[None, :, None, None] * torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    info = LayerInfo(0, "x", "conv", (2, 2), 10)
    shown = view.layer_view(maps, info, View("x", sort="variance", first=8, count=4, normalize=False, gain_db=-20))
    assert (shown.first, shown.count, shown.order[8:]) == (8, 2, (1, 0))
    assert tile(shown, 8)[0, 0, 0] == int(0.1 * 127 + 128.5)


# -- colours -----------------------------------------------------------------------------------------------------------


def test_normalizing_scales_each_map_by_its_own_largest_magnitude():
    maps = torch.tensor([0.1, 0.001, 0.0])[None, :, None, None] * torch.tensor([[1.0, -0.5], [0.0, 0.25]])
    shown = looked(maps, channel=1)
    assert shown.pixels[..., 0].tolist() == [[255, 65], [128, 160]]  # 127 x + 128.5, cut
    assert (shown.channel, shown.count, shown.first) == (1, 1, 0)
    assert looked(maps, channel=2).pixels[0, 0, 0] == 128  # all zero: no NaN
    assert np.array_equal(tile(looked(maps), 1), shown.pixels)


def test_gain_is_in_decibels():
    maps = torch.full((1, 1, 2, 2), 0.05)
    assert looked(maps, channel=0, normalize=False, gain_db=20.0).pixels[0, 0, 0] == int(0.5 * 127 + 128.5)


def test_diverging_colours_have_0_in_the_middle_and_others_begin_at_the_smallest_value():
    maps = torch.tensor([[[[-1.0, 0.0], [1.0, 4.0]]]])
    diverging, amount = looked(maps, channel=0, colours="berlin"), looked(maps, channel=0, colours="viridis")
    assert diverging.ends == (-4, 4)
    assert amount.ends == (-1, 4)
    levels = [int(value / 4 * 127 + 128.5) for value in (-1, 0, 1, 4)]
    assert np.array_equal(diverging.pixels.reshape(-1, 4), colormaps.table("berlin")[levels])
    assert np.array_equal(amount.pixels.reshape(-1, 4)[[0, 3]], colormaps.table("viridis")[[1, 255]])
    assert np.array_equal(amount.bar[0], colormaps.table("viridis")[1:])


def test_gaps_are_black_in_every_colour_map():
    for colours in colormaps.NAMES:
        shown = looked(torch.ones(1, 4, 2, 2), colours=colours)
        assert (shown.pixels[2] == [0, 0, 0, 255]).all()


# -- one map, three maps, principal components -------------------------------------------------------------------------


@LAYOUTS
def test_a_large_map_brings_its_very_values_and_their_histogram(layout):
    maps = noise(4, 12, 20, layout)
    shown = looked(maps, channel=2)
    expected = maps[0, 2].numpy()
    assert np.array_equal(shown.values, expected)
    assert shown.values.dtype == np.float32
    assert shown.pixels.shape == (12, 20, 4)
    assert shown.statistics.std == pytest.approx(expected.std(), rel=1e-5)
    assert shown.statistics.kurtosis == pytest.approx(scipy.stats.kurtosis(expected.ravel(), fisher=False), rel=1e-4)
    counts, edges = np.histogram(expected, len(shown.histogram.counts))
    assert (shown.histogram.low, shown.histogram.high) == (edges[0], edges[-1])
    assert shown.histogram.counts.sum() == expected.size
    assert np.abs(shown.histogram.counts - counts).sum() <= 4  # values on an edge may fall to either side


def test_a_map_that_does_not_vary_has_no_histogram():
    assert looked(torch.ones(1, 1, 4, 4), channel=0).histogram is None


def test_a_large_map_does_not_keep_the_layer_alive():
    maps = noise(4, 8, 8)
    shown = looked(maps, channel=1)
    maps.zero_()
    assert shown.values.any()


def test_three_maps_are_red_green_and_blue():
    maps = noise(5, 6, 6)
    shown = looked(maps, mode="rgb", rgb=(4, 0, 99))
    assert shown.order == (4, 0, 4)  # a number that the layer lacks: its last
    for plane, channel in enumerate((4, 0, 4)):
        one = looked(maps, channel=channel)
        assert np.array_equal(shown.pixels[..., plane], one.pixels[..., 0])
        assert np.array_equal(shown.values[plane], one.values)


@LAYOUTS
def test_components_agree_with_a_singular_value_decomposition(layout):
    """numpy's SVD of the centred [places, channels] table; signs by the same stated rule."""
    maps = noise(6, 16, 16, layout)
    shown = looked(maps, mode="pca")
    table = maps[0].numpy().reshape(6, -1).T.astype(np.float64)
    table -= table.mean(0)
    _, singular, rows = np.linalg.svd(table, full_matrices=False)
    rows *= np.sign(rows[np.arange(6), np.abs(rows).argmax(1)])[:, None]
    expected = (table @ rows[:3].T).T.reshape(3, 16, 16)
    np.testing.assert_allclose(shown.values, expected, atol=2e-4)
    np.testing.assert_allclose(shown.explained, (singular**2 / (singular**2).sum())[:3], rtol=1e-5)


def test_axes_that_were_fitted_before_keep_their_meaning():
    """A picture of twice the contrast has twice the scores, not new axes: colours do not flicker while one drags."""
    maps = noise(5, 8, 8)
    info = LayerInfo(0, "x", "conv", (8, 8), 5)
    axes = view.fit_axes(maps)
    first = view.layer_view(maps, info, View("x", mode="pca"), None, axes)
    second = view.layer_view(maps * 2, info, View("x", mode="pca"), None, axes)
    centre = axes.directions @ axes.centre[:, 0, 0]
    np.testing.assert_allclose(second.values, first.values * 2 + centre.numpy()[:, None, None], atol=1e-4)


def test_a_layer_of_one_map_has_one_component():
    shown = looked(noise(1, 4, 4), mode="pca")
    assert shown.explained == (pytest.approx(1.0), 0.0, 0.0)
    assert (shown.pixels[..., 1] == 128).all()


@pytest.mark.parametrize(("rate", "margin"), [(0.0, 0.0), (16.0, 10.0), (36.0, 0.0), (15.0, 10.5)])
def test_the_margin_is_half_of_what_lies_beyond_the_picture(rate, margin):
    info = LayerInfo(0, "L3_36_512", "conv", (36, 36), 2, sampling_rate=rate)
    assert view.layer_view(torch.zeros(1, 2, 36, 36), info, View("x")).margin == (margin, margin)
