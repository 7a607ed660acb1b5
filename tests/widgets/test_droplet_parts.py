"""What the droplet panels draw, in numbers: no window is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.colormaps import table
from app.request import Latent, Mix, Model, RenderRequest, Truncation, View
from app.studies import Update
from networks.plan import Noise
from tests.widgets.droplet_support import found, layer, report
from widgets.droplet_beside import comparable
from widgets.droplet_charts import bar_groups, histogram
from widgets.droplet_gallery import THUMB_PX, atlas
from widgets.droplet_ladder import GAP, SMALLEST, TILE_PX, Grid, rungs, tile
from widgets.droplet_search_panel import remaining


def test_a_rung_is_the_strongest_layer_of_its_resolution_from_coarse_to_fine():
    rows = (layer(32, 0, 2.0), layer(4, 1, 1.1), layer(32, 1, 7.0), layer(4, 0, 1.4))
    assert [row.layer for row in rungs(replace(report(1.0), layers=rows))] == ["b4.conv0", "b32.conv1"]


def test_in_a_tile_the_threshold_is_the_middle_of_the_colours():
    colours = table("magma")
    shown = tile(layer(4, ratio=4.0), 4.0)
    assert shown.shape == (TILE_PX, TILE_PX, 4)
    assert np.array_equal(shown[0, -1], colours[128])  # S / median = 4 of 0 .. 8
    assert np.array_equal(shown[-1, 0], colours[32])  # S / median = 1
    assert np.array_equal(tile(layer(4, ratio=40.0), 4.0)[0, -1], colours[255])


def test_a_map_that_was_reduced_by_maxima_keeps_the_scale_of_the_exact_ratio():
    row = layer(4, ratio=8.0)
    reduced = np.full((2, 2), 2.0, np.float32)  # every cell's maximum: the median of the maxima is 2, not 1
    reduced[0, 1] = 8.0
    shown = tile(layer(4, ratio=8.0, saliency=reduced), 4.0)
    assert np.array_equal(shown[-1, 0], table("magma")[64])
    assert np.array_equal(shown[0, -1], tile(row, 4.0)[0, -1])


@pytest.mark.parametrize("width", [60.0, 100.0, 227.0, 456.0, 900.0])
@pytest.mark.parametrize("count", [1, 5, 9])
@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_tiles_fill_lines_evenly_inside_of_the_panel_and_are_found_again(width: float, count: int, scale: float):
    grid = Grid(count, width, scale)
    corners = [grid.corner(number) for number in range(count)]
    assert max(x for x, _ in corners) + grid.side <= width + 1e-6
    assert max(y for _, y in corners) + grid.side < grid.height
    assert grid.side >= min(SMALLEST * scale, width)
    lines = -(-count // grid.columns)
    assert count > (lines - 1) * grid.columns
    assert all(grid.at(x + grid.side / 2, y + grid.side / 2) == number for number, (x, y) in enumerate(corners))
    assert grid.at(corners[0][0] + grid.side + GAP * scale / 2, 1.0) is None


def test_bars_of_two_models_stand_in_the_same_group_side_by_side():
    mine, other = report(1.0, 2.0, 5.0), report(1.5, 1.6)
    bars = bar_groups([mine, other])
    assert [(bar.model, bar.ratio, bar.hot) for bar in bars] == [
        (0, 1.0, False), (1, 1.5, False), (0, 2.0, False), (1, 1.6, False), (0, 5.0, True),
    ]  # fmt: skip
    assert [round(bar.x) for bar in bars] == [2, 2, 3, 3, 4]  # log2 of 4, 8, 16
    assert bars[1].x - bars[0].x == pytest.approx(bars[0].width)
    assert bars[4].x == 4.0


def test_every_seed_is_counted_once_on_its_side_of_the_threshold():
    values = [0.0, 3.9, 4.0, 4.01, 20.0, 1e9]
    centres, counts, width = histogram(values, 4.0)
    assert sum(counts) == len(values)
    assert sum(count for x, count in zip(centres, counts, strict=True) if x < 4) == 3
    assert (4.0 / width) == pytest.approx(round(4.0 / width))  # the threshold is an edge
    assert len(centres) < 100


def test_thumbnails_stand_in_the_order_of_the_rows_with_their_spots_ringed():
    sheet = atlas([found(seed, 5.0) for seed in range(9)])
    assert sheet.shape == (2 * THUMB_PX, 8 * THUMB_PX, 4)
    second = sheet[:THUMB_PX, THUMB_PX : 2 * THUMB_PX]
    assert np.array_equal(second, sheet[THUMB_PX:, :THUMB_PX])
    assert not sheet[THUMB_PX:, THUMB_PX:].any()
    y, x = np.nonzero((second[..., :3] != 128).any(axis=2))
    radius = np.hypot(x + 0.5 - THUMB_PX / 2, y + 0.5 - THUMB_PX / 2)
    assert radius.min() > 3.5
    assert radius.max() < 8.5
    assert len(x) > 50


def test_another_model_is_asked_about_nothing_that_only_this_one_has():
    here = RenderRequest(
        Model("/a.pkl"), Latent(((3, 1.0),)), truncation=Truncation(0.7), mix=Mix(1, (2,)), view=View("b8.conv0"),
        noise=Noise("random", 5),
    )  # fmt: skip
    assert comparable(here) == RenderRequest(
        latent=Latent(((3, 1.0),)), truncation=Truncation(0.7), noise=Noise("random", 5)
    )


def test_the_time_that_is_left_is_told_in_seconds_then_minutes():
    assert remaining(Update(0.25, ""), 20.0) == ", about 60 s left"
    assert remaining(Update(0.1, ""), 60.0) == ", about 9 min left"
    assert remaining(Update(0.001, ""), 60.0) == ""
