"""Contributions, Spectrum and Noise study in the whole window, by real events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app import colormaps
from app.renderer import Renderer
from app.studies.contributions import ResolutionPictures
from app.studies.spectrum import PictureSpectrum
from tests.app.whole_app import REFERENCE, WholeApp
from tests.gui_support import centre_of

pytestmark = pytest.mark.gui
SG1, SG2, SG3 = "stylegan1.pkl", "stylegan2.pkl", "stylegan3-t.pkl"


@pytest.fixture
def app(window: Any, screen: Any, tmp_path: Any) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def show(app: WholeApp, title: str, name: str = SG2) -> Any:
    """Open a model with a panel in front and wait for the picture."""
    app.open(name)
    panel = app.raise_tab(title)
    app.settle()
    return panel


def scroll_to(app: WholeApp, panel: Any, item: int | str) -> None:
    """Bring an item of a panel into sight."""
    place = dpg.get_item_rect_min(item)[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, max(0.0, dpg.get_y_scroll(panel.window_id) + place - 60))
    app.turn(3)


def click(app: WholeApp, panel: Any, item: int | str) -> None:
    """Scroll to an item of a panel and click its middle."""
    scroll_to(app, panel, item)
    app.hand.click(*centre_of(item))
    app.turn(2)


def click_place(app: WholeApp, panel: Any, canvas: Any, x: float, y: float) -> None:
    """Click a point of a drawing, in its own pixels."""
    scroll_to(app, panel, canvas.drawlist)
    left, top = dpg.get_item_rect_min(canvas.drawlist)
    app.hand.click(left + x, top + y)
    app.turn(2)


def measure(app: WholeApp, panel: Any) -> None:
    """Press the study's button and wait for the end."""
    before = panel.study.runs
    click(app, panel, panel.study.button.tag)
    assert panel.study.runs is not before  # they may have ended already
    app.until(lambda: not panel.study.running, "the study")
    app.turn(3)


def test_panels_behind_a_tab_ask_for_nothing(app):
    app.open(SG2)
    assert app.running.loop.request().measures == ()
    app.raise_tab("Contributions")
    assert app.running.loop.request().measures == (ResolutionPictures(),)
    app.raise_tab("Spectrum")
    assert app.running.loop.request().measures == (PictureSpectrum(),)
    app.raise_tab("Performance")
    assert app.running.loop.request().measures == ()


def test_a_tile_is_picked_and_what_it_adds_shown(app):
    panel = show(app, "Contributions")
    assert [caption.name for caption in panel.strip.captions] == ["4 × 4", "8 × 8", "16 × 16", "32 × 32"]
    assert (panel.view.pixels == app.picture).all()  # the last sum is the picture
    columns, wide, high = panel.strip.grid
    click_place(app, panel, panel.strip, (1 % columns + 0.5) * wide, (1 // columns + 0.3) * high)
    app.settle()
    assert panel.seen.chosen == 1
    assert panel.bars.chosen == 1
    assert dpg.get_item_label(panel.chosen_words) == "Up to 8 × 8"
    so_far = panel.view.pixels
    click(app, panel, panel.mode.buttons["alone"])
    app.settle()
    assert dpg.get_item_label(panel.chosen_words) == "Added at 8 × 8"
    assert (panel.view.pixels != so_far).any()
    click_place(app, panel, panel.bars, panel.bars.width / 2, 2.5 * panel.bars.row)  # a bar picks as well
    app.settle()
    assert panel.seen.chosen == 2


def test_shares_are_measured_stopped_and_saved(app):
    panel = show(app, "Contributions")
    assert dpg.get_item_label(panel.about) == "Share in this picture"
    own = panel.seen.share
    panel.count.set(8)
    measure(app, panel)
    assert (panel.shares.count, len(panel.bars.bars)) == (8, 4)
    assert sum(panel.shares.share) == pytest.approx(100)
    assert dpg.get_item_label(panel.about) == "Share over 8 latents (mark: this picture)"
    assert [bar.second for bar in panel.bars.bars] == list(own)
    click(app, panel, panel.study.save.tag)
    app.until(lambda: app.saved, "the file")
    values = json.loads(app.saved[-1].read_text())
    assert values["share_percent"] == list(panel.shares.share)
    assert values["latents"] == 8
    assert values["resolutions_px"] == [[4, 4], [8, 8], [16, 16], [32, 32]]
    panel.count.set(1024)
    click(app, panel, panel.study.button.tag)
    app.until(lambda: panel.shares.total == 1024 and panel.shares.count > 1, "two latents")
    assert dpg.get_item_label(panel.study.button.tag) == "Stop"
    click(app, panel, panel.study.button.tag)
    app.until(lambda: not panel.study.running, "the end")
    app.turn(2)
    assert 1 < panel.shares.count < 1024
    assert dpg.get_item_label(panel.study.button.tag) == "Measure shares"


def test_stylegan_shows_what_growing_left_and_one_to_rgb_is_said_in_words(app):
    panel = show(app, "Contributions", SG1)
    assert "growing" in dpg.get_value(panel.words)
    assert len(panel.strip.pictures) == 4
    assert (panel.view.pixels == app.picture).all()
    former = panel.strip.pictures[0]
    app.panel("Latent").x.set(1.0)  # a step of a walk: every tile follows
    app.settle()
    assert (panel.strip.pictures[0] != former).any()
    app.open(SG3)
    app.settle()
    assert "this generator has one to-RGB" in dpg.get_value(panel.words)
    assert app.running.loop.request().measures == ()
    assert not dpg.is_item_shown(panel.body)


def test_the_spectrum_of_the_picture_is_painted_in_the_chosen_range(app):
    panel = show(app, "Spectrum")
    live = panel.spectra["live"]
    assert (panel.view.pixels == colormaps.colourize(live.power_db, -60, 30, "inferno")).all()
    panel.low.set(-30.0)
    app.turn(3)
    assert (panel.view.pixels == colormaps.colourize(live.power_db, -30, 30, "inferno")).all()
    assert panel.scale_bar.shown == ("inferno", -30.0, 30.0, "dB")
    click(app, panel, panel.curve.buttons["radial"])
    frequency, power = dpg.get_value(panel.plot.lines[0])[:2]
    np.testing.assert_allclose(frequency, live.radial.frequency)
    np.testing.assert_allclose(power, live.radial.power_db, rtol=1e-5)
    grids = dpg.get_value(panel.plot.grid)[0]
    assert sorted(grids) == [4.0, 8.0, 16.0]
    assert len(panel.view.overlay.marks) == 10  # 16 cycles lie at one edge of the map alone
    panel.beta.set(0.0)
    app.settle()
    assert panel.spectra["live"].beta == 0.0


def test_the_spectrum_under_the_mouse_is_read_out(app):
    panel = show(app, "Spectrum")
    scroll_to(app, panel, panel.view.drawlist)
    left, top = dpg.get_item_rect_min(panel.view.drawlist)
    (x0, y0), (x1, y1) = panel.view.placement.corners()
    height, width = panel.spectra["live"].power_db.shape
    column, row = width // 2 + 4, height // 2  # 4 samples: 1 cycle per picture width
    app.hand.move(left + x0 + (column + 0.5) / width * (x1 - x0), top + y0 + (row + 0.5) / height * (y1 - y0))
    app.until(lambda: "cycles" in dpg.get_value(panel.view.status), "the read-out")
    words = dpg.get_value(panel.view.status)
    assert words.startswith("x +1  y +0 cycles / width")
    assert words.endswith(f"{panel.spectra['live'].power_db[row, column]:.1f} dB")


def test_two_models_are_averaged_and_overlaid(app):
    panel = show(app, "Spectrum")
    panel._add_path(str(REFERENCE / SG3))
    panel.count.set(3)
    measure(app, panel)
    assert [panel.spectra[source].count for source in ("mean", "second")] == [3, 3]
    assert [dpg.is_item_shown(line) for line in panel.plot.lines] == [True, True, True]
    assert panel.spectra["second"].size == Renderer().open(panel.questions["second"].request).info.resolution
    assert "Other: stylegan3-t.pkl in reference, 3 pictures, beta 8." in dpg.get_value(panel.about)
    click(app, panel, panel.source.buttons["second"])
    assert panel.view.pixels.shape[:2] == panel.spectra["second"].power_db.shape
    click(app, panel, panel.study.save.tag)
    app.until(lambda: app.saved, "the file")
    values = json.loads(app.saved[-1].read_text())
    assert sorted(values) == ["live", "mean", "second"]
    assert values["second"]["request"]["model"]["path"].endswith(SG3)
    assert len(values["mean"]["radial"]["power_db"]) == len(values["mean"]["radial"]["cycles_per_picture_width"]) > 16


def test_a_second_model_that_is_not_there_is_a_sentence_and_the_rest_goes_on(app):
    panel = show(app, "Spectrum")
    panel._add_path("/nowhere/lost.pkl")
    panel.count.set(2)
    measure(app, panel)
    assert "lost.pkl" in dpg.get_value(panel.study.words)
    assert panel.spectra["mean"].count == 2
    assert "second" not in panel.spectra


def test_a_bar_shows_its_layers_heat_map(app):
    panel = show(app, "Noise study")
    assert app.running.loop.request().measures == ()
    panel.draws.set(2)
    measure(app, panel)
    rows = panel.answer.rows
    layers = [layer.name for layer in panel.model.layers if layer.has_noise]
    assert [row.layer for row in rows] == ["", *layers]
    assert (panel.view.pixels == colormaps.colourize(rows[0].spread, 0, rows[0].largest, "inferno")).all()
    click_place(app, panel, panel.bars, panel.bars.width / 2, 3.5 * panel.bars.row)
    app.turn(2)
    assert (panel.view.pixels == colormaps.colourize(rows[3].spread, 0, rows[3].largest, "inferno")).all()
    click(app, panel, panel.scale.buttons["common"])
    app.turn(2)
    top = max(row.largest for row in rows)
    assert (panel.view.pixels == colormaps.colourize(rows[3].spread, 0, top, "inferno")).all()
    assert not dpg.is_item_shown(panel.changed)
    app.panel("Latent").x.set(1.0)
    app.settle()
    assert "changed since" in dpg.get_value(panel.changed)
    click(app, panel, panel.study.save.tag)
    app.until(lambda: app.saved, "the file")
    saved = json.loads(app.saved[-1].read_text())["layers"]
    assert [row["mean_percent"] for row in saved] == [row.mean for row in rows]


def test_without_noise_inputs_there_is_a_sentence_and_without_strength_another(app):
    panel = show(app, "Noise study", SG3)
    assert "this generator has no noise inputs" in dpg.get_value(panel.words)
    assert not dpg.is_item_shown(panel.body)
    app.open(SG2)
    app.turn(3)
    assert dpg.is_item_shown(panel.body)
    for row in app.panel("Noise").table.rows:
        row.on.set(False)
    app.settle()
    panel.draws.set(2)
    measure(app, panel)
    assert panel.answer.rows[0].largest == 0
    assert "Noise changes nothing" in dpg.get_value(panel.changed)
