"""The feature maps under a real mouse and keyboard: pick, sort, search, enlarge, pin, compare with the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import Histogram, LayerView, TileStatistics
from app.studies.pinned_maps import Pin, PinnedMap, PinnedMaps
from networks.plan import LayerInfo
from tests.gui_support import Hand, Screen, centre_of
from tests.widgets.support import Bench, layers, model, ramp, sheet
from widgets.layers_panel import LayersPanel
from widgets.picture_panel import PicturePanel

pytestmark = pytest.mark.gui
NAME = "b32.conv1"
WIDTH, HEIGHT = 470, 620


def sorted_sheet(name: str = NAME) -> LayerView:
    """80 tiles of 16 px in 8 columns, the largest number first."""
    of = np.arange(80, dtype=np.float32)
    tiles = TileStatistics(of, of + 0.5, of - 2, of + 2, of + 3, step=4)
    return replace(sheet(name, count=80), order=tuple(range(79, -1, -1)), tiles=tiles, scores=of * 2)


def large(channel: int, name: str = NAME, **changes: Any) -> LayerView:
    """One map of 32 x 32 whose value is x + 100 y."""
    values = (np.arange(32)[None] + 100 * np.arange(32)[:, None]).astype(np.float32)
    counts = Histogram(np.array([3, 0, 1000], np.float32), 0.0, 3131.0)
    shown = replace(sheet(name), pixels=ramp(32, 32), channel=channel, tile=(32, 32), columns=1, count=1)
    return replace(shown, values=values, histogram=counts, ends=(-3131.0, 3131.0), bar=ramp(255, 1), **changes)


@pytest.fixture
def panel(bench: Bench) -> LayersPanel:
    """The panel with the sheet of one layer on it."""
    (panel,) = bench.add(LayersPanel, width=WIDTH, height=HEIGHT)
    bench.show()
    panel.pick_layer(next(layer for layer in layers() if layer.name == NAME))
    bench.show(layer_view=sorted_sheet())
    bench.turn(2)
    return panel


def on_tile(panel: LayersPanel, place: int) -> tuple[float, float]:
    """The middle of a tile in window pixels."""
    row, column = divmod(place, 8)
    return on_pixel(panel, column * 16 + 8, row * 16 + 8)


def on_pixel(panel: LayersPanel, x: float, y: float) -> tuple[float, float]:
    left, top = dpg.get_item_rect_min(panel.view.drawlist)
    (x0, y0), _ = panel.view.placement.corners()
    return left + x0 + x * panel.view.zoom, top + y0 + y * panel.view.zoom


def choose(hand: Hand, combo: Any, words: str) -> None:
    """Open a combo, click the line with these words."""
    hand.click(*centre_of(combo.tag))
    x, y = centre_of(combo.tag)
    lines = list(combo.choices.values())
    line = dpg.get_text_size("x")[1] + 8.0  # the popup's lines, as the theme spaces them
    hand.click(x, y + line * (1 + lines.index(words)))


def test_a_click_in_the_table_asks_for_all_maps_of_the_layer(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(LayersPanel, width=WIDTH, height=HEIGHT)
    bench.show()
    bench_hand.click(*centre_of(panel.table.rows["b4.conv1"]))
    view = bench.request.view
    assert (view.layer, view.stage, view.channel, view.first, view.sort, view.mode) == (
        "b4.conv1", "output", None, 0, "index", "maps",
    )  # fmt: skip
    assert view.count >= 80
    panel.close()
    assert bench.turn().view.layer == ""


def test_a_click_on_a_tile_shows_that_map_large(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    bench_hand.click(*on_tile(panel, 19))
    assert bench.request.view.channel == 79 - 19
    bench.show(layer_view=large(60))
    assert dpg.get_value(panel.words) == "b32.conv1: map 60 of 80"
    bench_hand.click(*centre_of(panel.sheet.tag))
    assert bench.request.view.channel is None
    assert panel.cursor.found == 60


def test_the_tooltip_of_a_tile_tells_its_statistics(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    bench_hand.move(*on_tile(panel, 10))
    bench.turn(2)
    words = dpg.get_value(panel.tip_words)
    assert words.splitlines()[:5] == [
        "map 69 of 80, place 10",
        "mean +69   std 69.5",
        "min +67   max +71",
        "kurtosis 72",
        "from every 4. row and column",
    ]
    assert panel.view.read_out() == "map 69: click to see it large"


def test_the_tile_under_the_mouse_is_framed(bench: Bench, panel: LayersPanel, bench_hand: Hand, screen: Screen) -> None:
    """What a person sees: near-white pixels around the tile, none a moment before."""
    place = 27
    x, y = (round(side) for side in on_pixel(panel, place % 8 * 16, place // 8 * 16 + 8))
    left, top = dpg.get_viewport_pos()
    area = (slice(round(top) + y - 2, round(top) + y + 2), slice(round(left) + x - 4, round(left) + x + 3))
    bench.turn(2)
    before = screen.pixels()[area].min(axis=-1).max()
    bench_hand.move(*on_tile(panel, place))
    bench.turn(3)
    assert before < 215 <= screen.pixels()[area].min(axis=-1).max()


def test_sorting_by_variance_is_chosen_from_the_list(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    choose(bench_hand, panel.settings.sort, "by variance")
    assert bench.request.view.sort == "variance"
    assert bench.request.view.held == ()


def test_the_lock_holds_the_order_until_something_else_is_sorted_by(
    bench: Bench, panel: LayersPanel, bench_hand: Hand
) -> None:
    bench_hand.click(*centre_of(panel.settings.hold.tag))
    assert bench.request.view.held == tuple(range(79, -1, -1))
    choose(bench_hand, panel.settings.sort, "by energy")
    assert (bench.request.view.sort, bench.request.view.held) == ("energy", ())


def test_a_number_is_searched_and_a_wrong_one_gets_a_sentence(
    bench: Bench, panel: LayersPanel, bench_hand: Hand
) -> None:
    bench_hand.click(*centre_of(panel.settings.number.tag))
    bench_hand.type("17")
    bench_hand.key("Return")
    assert panel.cursor.found == 17
    bench_hand.click(*centre_of(panel.settings.number.tag))
    bench_hand.type("80")
    bench_hand.key("Return")
    assert dpg.get_value(panel.words) == "b32.conv1 has maps 0 to 79, no 80."
    assert panel.cursor.found == 17


def test_the_value_under_the_mouse_is_the_maps_own(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    panel.cursor.pick_channel(60)
    bench.show(layer_view=large(60))
    bench.turn(2)
    bench_hand.move(*on_pixel(panel, 7.5, 12.5))
    assert panel.view.read_out() == "x 7 y 12   value +1207"
    assert dpg.get_value(panel.figures.at) == [[1207.0]]
    shown = [dpg.get_value(cell) for cell in panel.figures.figures._cells]
    assert shown == ["+0.5", "1.25", "-3", "+4", "3.1"]


def test_over_one_large_map_there_is_no_tooltip(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    panel.cursor.pick_channel(60)
    bench.show(layer_view=large(60))
    bench_hand.move(*on_pixel(panel, 7.5, 12.5))
    bench.turn(2)
    shown = [dpg.get_item_configuration(tip)["show"] for tip in (panel.tip, panel.tray.tip)]
    assert shown == [False, False]


def test_the_histogram_draws_every_count(bench: Bench, panel: LayersPanel) -> None:
    panel.cursor.pick_channel(60)
    bench.show(layer_view=large(60))
    places, heights = dpg.get_value(panel.figures.line)[:2]
    np.testing.assert_allclose(places, np.linspace(0, 3131, 4))
    np.testing.assert_allclose(heights, [np.log10(4), 0, np.log10(1001), np.log10(1001)])


# -- pins --------------------------------------------------------------------------------------------------------------


def test_a_right_click_pins_and_unpins_a_map(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    bench_hand.click(*on_tile(panel, 19), button=3)
    (question,) = bench.request.measures
    assert question == PinnedMaps((Pin(NAME, "output", 60),))
    bench.turn(3)  # the tray took its room
    bench_hand.click(*on_tile(panel, 19), button=3)
    assert bench.request.measures == ()


def pinned(pin: Pin) -> PinnedMap:
    return PinnedMap(pin, ramp(32, 32), sheet().statistics)


def test_pins_stay_while_layers_and_models_change(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    pin = Pin(NAME, "output", 60)
    panel.tray.toggle(pin)
    question = bench.turn().measures[0]
    bench.show(answers=((question, (pinned(pin),)),))
    panel.pick_layer(layers()[2])
    assert bench.turn(2).measures == (question,)
    other = model(layers=layers()[:4], name="coarse")
    bench.show(model=other, answers=((question, ()),))
    bench.turn(2)
    assert panel.tray.missing(pin) == "coarse has no layer b32.conv1."
    assert bench.turn().measures == (question,)
    bench.show(model=model(), answers=((question, (pinned(pin),)),))
    assert panel.tray.missing(pin) == ""


def test_a_map_that_another_model_lacks_says_why(bench: Bench, panel: LayersPanel) -> None:
    narrow = tuple(replace(layer, channels=16) for layer in layers())
    bench.show(model=model(layers=narrow, name="narrow"))
    assert panel.tray.missing(Pin(NAME, "output", 60)) == "b32.conv1 of narrow has 16 maps, so there is no map 60."
    assert "normalizes nothing" in panel.tray.missing(Pin(NAME, "pre_norm", 3))


def test_a_click_on_a_pin_looks_at_it_large_and_a_right_click_takes_it_out(
    bench: Bench, panel: LayersPanel, bench_hand: Hand
) -> None:
    panel.tray.toggle(Pin("b8.conv1", "output", 5))
    bench.turn(4)
    left, top = dpg.get_item_rect_min(panel.tray.drawlist)
    bench_hand.click(left + 40, top + 40)
    view = bench.request.view
    assert (view.layer, view.channel) == ("b8.conv1", 5)
    bench_hand.click(left + 40, top + 40, button=3)
    assert panel.tray.pins == []


# -- colours of three, over the picture --------------------------------------------------------------------------------


def test_three_maps_and_components_are_asked_for_by_a_click(bench: Bench, panel: LayersPanel, bench_hand: Hand) -> None:
    bench_hand.click(*centre_of(panel.mode.buttons["rgb"]))
    panel.settings.channels[0].set(99)
    view = bench.turn().view
    assert (view.mode, view.rgb) == ("rgb", (79, 1, 2))
    bench_hand.click(*centre_of(panel.mode.buttons["pca"]))
    bench.turn(2)
    assert (bench.request.view.mode, bench.request.view.fit) == ("pca", 0)
    bench_hand.click(*centre_of(panel.settings.refit.tag))
    assert bench.request.view.fit == 1
    bench.show(layer_view=replace(large(0), mode="pca", channel=None, explained=(0.61, 0.1, 0.08)))
    assert dpg.get_value(panel.words) == "b32.conv1: PCA, 61 + 10 + 8 %"


@pytest.mark.parametrize("crop", [True, False])
def test_the_map_lies_over_the_picture_where_it_belongs(bench: Bench, crop: bool) -> None:
    """A map of 36 x 36 with 10 samples of margin: its inner 16 x 16 cover the picture."""
    picture, panel = bench.add(PicturePanel, LayersPanel, width=WIDTH, height=HEIGHT)
    info = LayerInfo(0, "L3_36_16", "conv", (36, 36), 80, sampling_rate=16.0)
    bench.show(model=model(layers=(info,)))
    panel.pick_layer(info)
    panel.cursor.pick_channel(3)
    panel.settings.overlay.set(0.5)
    panel.settings.crop.set(crop)
    request = bench.turn()
    assert (request.view.overlay, request.view.crop) == (0.5, crop)
    shown = large(3, "L3_36_16", size=(36, 36), margin=(10.0, 10.0))
    bench.show(request=request, layer_view=replace(shown, pixels=ramp(36, 36)))
    (image,) = dpg.get_item_children(picture.map.layer, 2)
    drawn = dpg.get_item_configuration(image)
    (left, top), (right, bottom) = picture.view.placement.corners()
    inset = (10 / 36, 26 / 36) if crop else (0.0, 1.0)
    grow = 0.0 if crop else 10 / 16
    side = right - left
    assert drawn["pmin"][:2] == pytest.approx([left - grow * side, top - grow * side])
    assert drawn["pmax"][:2] == pytest.approx([right + grow * side, bottom + grow * side])
    assert drawn["uv_min"][:2] == pytest.approx([inset[0]] * 2)
    assert drawn["uv_max"][:2] == pytest.approx([inset[1]] * 2)
    assert drawn["color"][3] == pytest.approx(0.5, abs=0.01)


def test_a_sheet_or_a_layer_that_was_not_reached_is_no_overlay(bench: Bench, panel: LayersPanel) -> None:
    (picture,) = bench.add(PicturePanel)
    panel.cursor.pick_channel(3)
    panel.settings.overlay.set(0.5)
    bench.show(request=bench.turn(), layer_view=large(3))
    assert len(dpg.get_item_children(picture.map.layer, 2)) == 1
    bench.show(layer_view=None)
    assert dpg.get_item_children(picture.map.layer, 2) == []
    bench.show(layer_view=sorted_sheet())  # of a request that was made while one map was looked at
    assert dpg.get_item_children(picture.map.layer, 2) == []
    panel.cursor.back_to_sheet()
    bench.show(request=bench.turn(), layer_view=sorted_sheet())
    assert bench.request.view.overlay == 0.0
    assert dpg.get_item_children(picture.map.layer, 2) == []


def test_the_same_layer_of_another_file_stays_in_sight(bench: Bench, panel: LayersPanel) -> None:
    bench.show(model=model(path="/models/other.pkl", name="other"))
    assert bench.turn().view.layer == NAME
    bench.show(model=model(layers=layers()[:4]))
    assert bench.turn().view.layer == ""


def test_resetting_forgets_pins_and_settings(bench: Bench, panel: LayersPanel) -> None:
    panel.tray.toggle(Pin(NAME, "output", 3))
    panel.settings.colours.set("magma")
    panel.settings.toggle_hold()
    panel.reset()
    assert bench.turn().measures == ()
    panel.pick_layer(layers()[2])
    view = bench.turn().view
    assert (view.colours, view.held, view.sort) == ("grey", (), "index")
