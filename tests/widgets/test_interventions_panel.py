"""Interventions: what the list becomes under a real hand, and the four pictures under one zoom."""

from __future__ import annotations

from dataclasses import replace

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.frame import LayerView
from app.studies.droplets import DropletMeasure, DropletReport, DropletRule, DropletVerdict, LayerDroplet
from app.studies.interventions import Comparison, Untouched
from networks.plan import OUTPUT, PRE_NORM, Disc, Intervention
from tests.gui_support import Hand, centre_of, point_in
from tests.widgets.support import Bench, layers, model, ramp, sheet
from widgets.interventions_panel import InterventionsPanel
from widgets.layers_panel import LayersPanel
from widgets.pane import arrange
from widgets.picture_panel import PicturePanel
from widgets.side_by_side_panel import SideBySidePanel, in_percent

pytestmark = pytest.mark.gui


def stylegan1() -> object:
    """The same layers with an instance norm."""
    normed = tuple(
        replace(layer, stages=(OUTPUT, PRE_NORM)) if layer.kind in ("conv", "up") else layer for layer in layers()
    )
    return model(title="StyleGAN", family="stylegan1", layers=normed)


def report(layer: str = "b16.conv1") -> DropletReport:
    """A droplet at (0.3, 0.398) that begins in b16.conv0."""

    def row(name: str, in_run: bool) -> LayerDroplet:
        values = {field: 0 for field in LayerDroplet.__dataclass_fields__}
        return LayerDroplet(**{**values, "layer": name, "stage": PRE_NORM, "spot": (0.3, 0.398), "radius": 0.04,
                               "in_run": in_run, "rho": np.ones(1), "kurtosis": np.ones(1)})  # fmt: skip

    rows = (row("b8.conv1", False), row("b16.conv0", True), row("b16.conv1", True))
    return DropletReport(
        rows, DropletVerdict(True, 9.0, (0.3, 0.398), strongest=layer, text="A droplet."), DropletRule()
    )


# -- the list ----------------------------------------------------------------------------------------------------------


def test_interventions_follow_the_map_that_is_looked_at(bench: Bench) -> None:
    panel, edits = bench.add(LayersPanel, InterventionsPanel)
    bench.show()
    panel.pick_layer(layers()[3])
    panel.cursor.pick_channel(7)
    bench.turn()
    edits.add()
    assert bench.turn().edits == (Intervention("b8.conv0", "scale", 0.0, (7,)),)
    panel.cursor.pick_channel(8)
    bench.turn()
    edits.form.op.set("clamp")
    edits.form.amounts["bound"].set(1.5)
    assert bench.turn().edits == (Intervention("b8.conv0", "scale", 0.0, (7,)),), "another map: nothing is added yet"
    edits.add()
    assert bench.turn().edits[1] == Intervention("b8.conv0", "clamp", 1.5, (8,))
    bench.show(model=model(layers=layers()[:4]))
    assert bench.turn().edits == ()
    assert not edits.list.can_undo


def test_what_was_added_follows_the_controls(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    panel.form.op.set("mean")
    bench.turn(2)
    bench_hand.click(*centre_of(panel.add_button.tag))
    bench_hand.click(*centre_of(panel.form.maps.tag))
    bench_hand.type("3, 7-9")
    assert bench.request.edits == (Intervention("b4.const", "mean", 1.0, (3, 7, 8, 9)),)
    slider = panel.form.amounts["strength"].tag
    bench_hand.drag(point_in(slider, 0.97, 0.5), point_in(slider, 0.5, 0.5))
    assert bench.request.edits[0].value == pytest.approx(0.5, abs=0.05)


def test_a_drag_is_one_step_back(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    panel.form.op.set("mean")
    panel.add()
    bench.turn(2)
    slider = panel.form.amounts["strength"].tag
    bench_hand.drag(point_in(slider, 0.97, 0.5), point_in(slider, 0.3, 0.5), steps=6)
    assert bench.request.edits[0].value < 0.4
    bench_hand.click(*centre_of(panel.back.tag))
    assert bench.turn().edits[0].value == 1.0
    assert panel.form.amounts["strength"].value == 100.0
    bench_hand.click(*centre_of(panel.again.tag))
    assert bench.turn().edits[0].value < 0.4
    bench_hand.click(*centre_of(panel.back.tag))
    bench_hand.click(*centre_of(panel.back.tag))
    assert bench.turn().edits == ()


def test_rows_are_switched_chosen_lifted_and_removed(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    for key in ("silence", "mean", "clamp"):
        panel.form.op.set(key)
        panel.add()
        panel.list.choose(None)
    bench.turn(3)
    ops = lambda: [edit.op for edit in bench.turn().edits]  # noqa: E731
    assert ops() == ["scale", "mean", "clamp"]
    bench_hand.click(*centre_of(panel.rows.rows[1].on.tag))
    assert ops() == ["scale", "clamp"]
    bench_hand.click(*centre_of(panel.rows.rows[2].words))
    assert (panel.form.op.value, panel.list.now.chosen) == ("clamp", 2)
    panel.form.amounts["bound"].set(0.25)
    assert bench.turn().edits[1] == Intervention("b4.const", "clamp", 0.25)
    bench_hand.click(*centre_of(button_of(panel, 2, 0)))
    assert [item.edit.op for item in panel.list.now.rows] == ["scale", "clamp", "mean"]
    assert panel.list.now.chosen == 1
    bench_hand.click(*centre_of(button_of(panel, 0, 1)))
    assert [item.edit.op for item in panel.list.now.rows] == ["clamp", "mean"]
    bench_hand.click(*centre_of(panel.clear.tag))
    assert bench.turn().edits == ()
    bench_hand.click(*centre_of(panel.back.tag))
    assert ops() == ["clamp"]


def button_of(panel: InterventionsPanel, row: int, number: int) -> int:
    """'earlier' (0) or 'remove' (1) of a row of the list."""
    line = dpg.get_item_children(panel.rows.tag, 1)[row]
    found = [item for item in dpg.get_item_children(line, 1) if dpg.get_item_type(item).endswith("mvButton")]
    return found[number]


@pytest.mark.parametrize(
    ("typed", "channels", "words"),
    [
        ("", None, ""),
        ("all", None, ""),
        ("5", (5,), ""),
        ("3, 7–9, 3", (3, 7, 8, 9), ""),
        ("x", None, "'x' is no list of maps; for instance 3, 7-12."),
        ("79-80", None, "b4.const has maps 0 to 79; 80 is not there."),
    ],
)
def test_lists_of_maps(bench: Bench, typed: str, channels: tuple[int, ...] | None, words: str) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    panel.add()
    panel.form.maps.set(typed)
    assert bench.turn().edits[0].channels == channels
    assert dpg.get_value(panel.form.complaint) == words


def test_another_model_is_not_sent_what_belongs_to_this_one(bench: Bench) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    panel.add()
    request = bench.turn()
    assert len(panel.contribute(replace(request, edits=())).edits) == 1
    for path, count in (("/models/snapshot-2.pkl", 1), ("/elsewhere/other.pkl", 0)):
        asked = replace(request, model=replace(request.model, path=path), edits=())
        assert len(panel.contribute(asked).edits) == count


# -- spikes ------------------------------------------------------------------------------------------------------------


def test_ops_on_the_norm_are_offered_where_there_is_one(bench: Bench) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show()
    assert not {"no_norm", "clean_norm", "untouched_norm", "inpaint_same_norm"} & set(panel.form.op.choices)
    bench.show(model=stylegan1())
    panel.form.layer.set("b8.conv0")
    bench.turn(2)
    assert {"no_norm", "clean_norm", "untouched_norm", "inpaint_same_norm"} <= set(panel.form.op.choices)
    panel.form.op._changed(panel.form.op.tag, "instance norm off", None)
    panel.add()
    assert bench.turn(2).edits == (Intervention("b8.conv0", "no_norm", 1.0, stage=PRE_NORM),)
    assert not panel.form.stage.enabled
    panel.form.onward.set(True)
    assert bench.turn().edits[0].onward


def test_a_click_on_the_picture_places_the_disc(bench: Bench, bench_hand: Hand) -> None:
    panel, picture = bench.add(InterventionsPanel, PicturePanel)
    bench.show()
    panel.form.op.set("inpaint")
    panel.add()
    bench.turn(2)
    left, top = dpg.get_item_rect_min(picture.view.drawlist)
    (x, y), _ = picture.view.placement.corners()
    zoom = picture.view.zoom
    bench_hand.click(left + x + 8.5 * zoom, top + y + 24.5 * zoom)
    disc = bench.turn().edits[0].disc
    assert (disc.x, disc.y) == pytest.approx((8.5 / 32, 24.5 / 32), abs=0.001)
    (ring,) = picture.marks["interventions"]
    assert (ring.x, ring.y, ring.radius) == (disc.x, disc.y, disc.radius)
    panel.form.op.set("mean")
    bench.turn(2)
    assert list(picture.marks["interventions"]) == []


def test_a_click_on_one_large_map_places_the_disc_too(bench: Bench, bench_hand: Hand) -> None:
    """On sample (3, 12) of a map of 16 x 16, with the list behind another tab."""
    maps, panel = bench.add(LayersPanel, InterventionsPanel, width=400)
    bench.show()
    panel.form.op.set("inpaint")
    panel.add()
    maps.pick_layer(next(layer for layer in layers() if layer.name == "b16.conv1"))
    maps.cursor.pick_channel(5)
    bench.turn()
    panel.list.choose(0)
    dpg.configure_item(panel.window_id, show=False)
    bench.show(layer_view=one_map())
    left, top = dpg.get_item_rect_min(maps.view.drawlist)
    (x, y), _ = maps.view.placement.corners()
    zoom = maps.view.zoom
    bench_hand.click(left + x + 3.5 * zoom, top + y + 12.5 * zoom)
    disc = bench.turn().edits[0].disc
    assert (disc.x, disc.y) == pytest.approx((3.5 / 16, 12.5 / 16), abs=0.001)


def one_map() -> LayerView:
    """Map 5 of b16.conv1, large."""
    shown = sheet("b16.conv1")
    return replace(shown, pixels=ramp(16, 16), size=(16, 16), channel=5, first=5, count=1, columns=1, tile=(16, 16))


def test_the_droplets_spot_is_asked_for_and_taken(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(InterventionsPanel, width=480)
    bench.show(model=stylegan1())
    panel.form.op.set("inpaint")
    panel.add()
    bench.turn(2)
    bench_hand.click(*centre_of(panel.spot.tag))
    asked = bench.turn()
    assert asked.edits == (), "in the untouched picture"
    (question,) = asked.measures
    assert isinstance(question, DropletMeasure)
    bench.show(answers=((question, report()),))
    taken = Intervention("b16.conv1", "inpaint", 1.0, stage=PRE_NORM, disc=Disc(0.3, 0.398, 0.08))
    assert bench.turn().edits == (taken,)
    assert bench.request.measures == ()


def test_a_recipe_takes_the_spike_out_from_where_it_begins_with_all_norms_held(bench: Bench, bench_hand: Hand) -> None:
    (panel,) = bench.add(InterventionsPanel)
    bench.show(model=stylegan1())
    panel.form.layer.set("b8.conv0")
    panel.add()
    bench.turn(3)
    bench_hand.click(*centre_of(panel.recipes[1].tag))
    (question,) = bench.turn().measures
    bench.show(answers=((question, report()),))
    assert bench.turn().edits == (
        Intervention("b16.conv0", "inpaint", 1.0, None, PRE_NORM, Disc(0.3, 0.398, 0.08), onward=True),
        Intervention("b16.conv0", "untouched_norm", 1.0, None, PRE_NORM, onward=True),
    )
    assert dpg.get_value(panel.verdict) == "A droplet."
    panel.undo()
    assert [edit.op for edit in bench.turn().edits] == ["scale"]


# -- before and after --------------------------------------------------------------------------------------------------


def comparison(**changes: object) -> Comparison:
    grey = np.full((32, 32, 4), 100, np.uint8)
    values = {"untouched": grey, "amount": ramp(32, 32), "signed": ramp(32, 32), "largest": 37.4, "mean": 2.44,
              "changed": 50.0, "inside": 0.031, "outside": None}  # fmt: skip
    return Comparison(**{**values, **changes})


def test_the_untouched_picture_is_asked_for_only_when_looked_at(bench: Bench) -> None:
    edits, panel = bench.add(InterventionsPanel, SideBySidePanel, width=400)
    bench.show()
    assert bench.turn().measures == ()
    edits.add()
    panel.gain.set(8.0)
    assert bench.turn().measures == (Untouched(8.0),)
    dpg.configure_item(panel.window_id, show=False)
    assert bench.turn(3).measures == ()


def test_four_pictures_and_five_numbers(bench: Bench) -> None:
    edits, panel = bench.add(InterventionsPanel, SideBySidePanel, width=400)
    bench.show()
    edits.add()
    request = bench.turn()
    answer = comparison()
    bench.show(request=request, answers=((Untouched(), answer),))
    wanted = (answer.untouched, bench.frame.picture, answer.amount, answer.signed)
    assert all(pane.pixels is pixels for pane, pixels in zip(panel.group.panes, wanted, strict=True))
    assert [dpg.get_value(cell) for cell in panel.figures._cells] == ["37 %", "2.4 %", "50 %", "0.031 %", "–"]
    bench.show(request=replace(request, edits=()), answers=())
    assert panel.untouched.pixels is None
    assert "Nothing is changed yet" in panel.untouched.empty


def test_the_pictures_share_zoom_and_pixel(bench: Bench, bench_hand: Hand) -> None:
    edits, panel = bench.add(InterventionsPanel, SideBySidePanel, width=460)
    bench.show()
    edits.add()
    bench.show(request=bench.turn(), answers=((Untouched(), comparison()),))
    bench.turn(3)
    bench_hand.move(*point_in(panel.changed.drawlist, 0.4, 0.6))
    bench_hand.wheel(4)
    zooms = {(pane.placement.zoom, pane.placement.centre) for pane in panel.group.panes}
    assert len(zooms) == 1
    assert panel.changed.zoom > 2 * panel.changed.placement.fitting_zoom
    x, y = panel.changed.pointed
    assert panel.changed.read_out() == f"x {x} y {y}   r {x} g {y} b 200"
    assert panel.amount.read_out() == f"x {x} y {y}   r {x - 100:+} g {y - 100:+} b +100"
    assert [len(pane.overlay.marks) for pane in panel.group.panes] == [1, 0, 1, 1]


def test_panes_lie_so_that_pictures_are_largest() -> None:
    assert arrange(4, (800, 800), (1, 1), 0, gap=0) == [
        (0, 0, 400, 400), (400, 0, 400, 400), (0, 400, 400, 400), (400, 400, 400, 400),
    ]  # fmt: skip
    assert [left for left, *_ in arrange(4, (1600, 500), (1, 1), 50, gap=0)] == [0, 400, 800, 1200]
    assert [top for _, top, *_ in arrange(3, (200, 900), (1, 1), 0, gap=0)] == [0, 300, 600]
    assert arrange(2, (108, 50), (1, 1), 0) == [(0, 0, 50, 50), (58, 0, 50, 50)]


@pytest.mark.parametrize(("share", "words"), [(0.0, "0 %"), (0.0312, "0.031 %"), (2.44, "2.4 %"), (37.4, "37 %")])
def test_shares_in_words(share: float, words: str) -> None:
    assert in_percent(share) == words
