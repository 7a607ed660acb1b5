"""Panels under a real mouse and keyboard: what a person does, and the request that comes of it."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import pytest

from tests.gui_support import Hand, centre_of, point_in
from tests.widgets.support import Bench, layers, model
from widgets.class_panel import ClassPanel
from widgets.help import build_help, key_name
from widgets.latent_panel import LatentPanel
from widgets.layers_panel import LayersPanel
from widgets.noise_panel import NoisePanel
from widgets.panel import Panel, Shortcut
from widgets.picture_panel import PicturePanel
from widgets.registry import all_panels
from widgets.truncation_panel import TruncationPanel

pytestmark = pytest.mark.gui


def test_dragging_the_picture_moves_the_latent(bench: Bench, bench_hand: Hand) -> None:
    picture, latent = bench.add(PicturePanel, LatentPanel)
    bench.show()
    begin = centre_of(picture.view.drawlist)
    width = 32 * picture.view.zoom
    bench_hand.drag(begin, (begin[0] + width / 4, begin[1] - width / 8))
    assert latent.x.value == pytest.approx(0.25, abs=0.01)
    assert latent.y.value == pytest.approx(-0.125, abs=0.01)
    assert len(bench.request.latent.seeds) == 4


def test_while_the_picture_is_dragged_early_pictures_are_welcome(bench: Bench, bench_hand: Hand) -> None:
    (picture,) = bench.add(PicturePanel)
    bench.show()
    x, y = point_in(picture.view.drawlist, 0.3, 0.4)  # away from the last test's press: no double click
    bench_hand.move(x, y)
    bench_hand.press()
    assert not picture.dragging()
    bench_hand.move(x + 20, y)
    assert picture.dragging()
    bench_hand.release()
    assert not picture.dragging()


def test_dragging_psi_changes_the_request(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(TruncationPanel)
    bench.show()
    x, y = point_in(panel.psi.tag, 2 / 3, 0.5)
    bench_hand.move(x, y)
    bench_hand.press()
    bench_hand.move(*point_in(panel.psi.tag, 0.5, 0.5))
    assert panel.dragging()
    bench_hand.release()
    assert bench.request.truncation.psi == pytest.approx(0.5, abs=0.05)
    assert not panel.dragging()


def test_a_check_box_silences_the_noise_of_one_layer(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(NoisePanel)
    bench.show()
    bench_hand.click(*centre_of(panel.table.rows[2].on.tag))
    assert [(noise.name, noise.on) for noise in bench.request.noise.layers] == [("b8.conv1", False)]
    bench_hand.click(*centre_of(panel.table.rows[0].solo.tag))
    assert [row.name for row in panel.table.rows if bench.request.noise.of(row.name).on] == ["b4.conv1"]


def test_a_class_is_typed_and_clicked(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(ClassPanel)
    bench.show(model=model(condition="class", c_dim=1000))
    bench_hand.click(*centre_of(panel.search.tag))
    bench_hand.type("tabby")
    (found,) = dpg.get_item_children(panel.results, 1)
    bench_hand.click(*centre_of(found))
    assert bench.request.condition.class_index == 281


@pytest.mark.parametrize("kind", all_panels(), ids=lambda kind: kind.title)
def test_in_a_column_of_320_pixels_or_a_small_centre_no_button_is_cut_off(bench: Bench, kind: type[Panel]) -> None:
    width = 640 if kind.area in ("centre", "bottom") else 320
    bench.add(kind, width=width, height=600)
    bench.show(model=model(condition="class", c_dim=1000, has_transform=True))
    bench.turn(2)
    buttons = [item for item in dpg.get_all_items() if dpg.get_item_type(item).endswith("mvButton")]
    shown = [item for item in buttons if dpg.get_item_state(item).get("visible")]
    wide = {dpg.get_item_label(item): (text_width(item), dpg.get_item_rect_size(item)[0]) for item in shown}
    assert {label: widths for label, widths in wide.items() if widths[0] > widths[1]} == {}
    assert all(dpg.get_item_rect_max(item)[0] <= width for item in shown)


def text_width(item: int | str) -> float:
    return dpg.get_text_size(dpg.get_item_label(item))[0]


def test_the_help_page_lists_every_key(bench: Bench) -> None:
    toggle = build_help(
        [Shortcut("Ctrl+S", "Save the picture", lambda: None), Shortcut("F1", "this page", lambda: None)]
    )
    bench.turn()
    toggle()
    bench.turn(3)
    texts = {dpg.get_value(item) for item in dpg.get_all_items() if dpg.get_item_type(item).endswith("mvText")}
    assert {"Ctrl + S", "save the picture", "F1", "this page", "Wheel"} <= texts
    toggle()
    bench.turn()


@pytest.mark.parametrize(
    ("keys", "shown"),
    [("F5", "F5"), ("Ctrl+Shift+S", "Ctrl + Shift + S"), ("Ctrl++", "Ctrl + +"), ("Next", "Page down")],
)
def test_names_of_keys(keys: str, shown: str) -> None:
    assert key_name(keys) == shown


def test_layer_names_and_sizes_stand_in_the_table(bench: Bench) -> None:
    (panel,) = bench.add(LayersPanel)
    bench.show()
    assert list(panel.table.rows) == [layer.name for layer in layers()]
