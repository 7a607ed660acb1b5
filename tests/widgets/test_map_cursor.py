"""Where one is among feature maps; which tile lies under a pixel. No GUI."""

from __future__ import annotations

from dataclasses import replace

import pytest

from networks.plan import LayerInfo
from tests.widgets.support import layers, ramp, sheet
from widgets.map_cursor import PAGE, MapCursor, box_of, tile_at

LAYER = layers()[3]  # b8.conv0, 80 maps
WIDE = LayerInfo(0, "wide", "conv", (4, 4), PAGE + 500)


def at(layer: LayerInfo = LAYER, **changes: object) -> MapCursor:
    cursor = MapCursor()
    cursor.pick_layer(layer)
    for name, value in changes.items():
        setattr(cursor, name, value)
    return cursor


def test_all_maps_of_a_layer_are_one_page() -> None:
    cursor = at()
    assert not cursor.can_turn(1)
    assert not cursor.can_turn(-1)


def test_more_maps_than_a_page_holds_are_turned_over() -> None:
    cursor = at(WIDE)
    cursor.turn(1)
    assert cursor.first == PAGE
    cursor.turn(1)
    assert cursor.first == PAGE
    cursor.turn(-1)
    assert cursor.first == 0


def test_from_one_map_to_the_next_goes_in_the_order_of_the_sheet() -> None:
    cursor = at(order=(5, 3, 9))
    cursor.pick_channel(5)
    assert not cursor.can_turn(-1)
    cursor.turn(1)
    assert cursor.channel == 3
    cursor = at()
    cursor.pick_channel(70)
    cursor.turn(-1)
    assert cursor.channel == 69


def test_back_on_the_sheet_the_map_is_marked_and_its_page_is_shown() -> None:
    cursor = at(WIDE, order=tuple(reversed(range(WIDE.channels))))
    cursor.pick_channel(0)  # the last place
    cursor.back_to_sheet()
    assert (cursor.channel, cursor.found, cursor.first) == (None, 0, PAGE)


def test_searching_marks_the_map_and_turns_to_its_page() -> None:
    cursor = at(WIDE)
    cursor.find(PAGE + 7)
    assert (cursor.found, cursor.first, cursor.channel) == (PAGE + 7, PAGE, None)
    cursor.find(WIDE.channels)
    assert cursor.found == PAGE + 7


def test_maps_that_the_layer_lacks_are_not_looked_at() -> None:
    cursor = at()
    cursor.pick_channel(80)
    assert cursor.channel is None
    cursor.pick_channel(-1)
    assert cursor.channel is None
    MapCursor().pick_channel(0)


def test_another_mode_is_another_view() -> None:
    shown = sheet(LAYER.name)
    assert at().shows(shown)
    assert not at(mode="pca").shows(shown)
    assert at(mode="pca", channel=3).shows(replace(shown, mode="pca"))
    assert not at(channel=3).shows(shown)
    assert not at(layers()[4]).shows(shown)


@pytest.mark.parametrize(("pixel", "channel"), [((0, 0), 64), ((15, 15), 64), ((16, 15), 65), ((127, 31), 79)])
def test_the_tile_under_a_pixel(pixel: tuple[int, int], channel: int) -> None:
    assert tile_at(sheet(first=64, count=16), *pixel) == channel


def test_a_sorted_sheet_gives_the_channel_at_the_place() -> None:
    shown = replace(sheet(count=3, channels=3), order=(2, 0, 1))
    assert [tile_at(shown, x, 3) for x in (0, 16, 32, 48)] == [2, 0, 1, None]


def test_tiles_are_told_apart_across_gaps() -> None:
    """Three columns of 5 x 4 pixels, one pixel between: 17 pixels wide."""
    gapped = replace(sheet(count=6), pixels=ramp(17, 9), columns=3, tile=(4, 5))
    assert [tile_at(gapped, x, 0) for x in (0, 4, 6, 10, 12, 16)] == [0, 0, 1, 1, 2, 2]
    assert [tile_at(gapped, 16, y) for y in (3, 5, 8)] == [2, 5, 5]


def test_the_box_of_a_place_is_the_inverse() -> None:
    gapped = replace(sheet(first=0, count=6), pixels=ramp(17, 9), columns=3, tile=(4, 5))
    assert box_of(gapped, 4) == (6, 5, 11, 9)
    for place in range(6):
        left, top, right, bottom = box_of(gapped, place)
        assert tile_at(gapped, left, top) == tile_at(gapped, right - 1, bottom - 1) == place
    assert box_of(gapped, 6) is None
    assert box_of(sheet(first=64, count=16), 63) is None


def test_an_empty_tile_is_no_channel() -> None:
    assert tile_at(sheet(first=64, count=12), 64, 20) is None
    assert tile_at(replace(sheet(), channel=3), 0, 0) is None
    assert tile_at(replace(sheet(), mode="pca"), 0, 0) is None
