"""The droplet panels in the whole app, on a StyleGAN with a planted droplet and on StyleGAN2, by real events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.request import Latent
from app.studies.droplets import DropletMeasure
from tests import planted
from tests.app.whole_app import REFERENCE, WholeApp
from tests.gui_support import Screen, centre_of, point_in
from widgets.overlay import Ring, Trail, on_view

pytestmark = pytest.mark.gui
PLANT = planted.Plant(strength=16.0, place=(0.6, 0.4), layer="b64.conv0", moves=(0.05, 0.05), missing=0.15)
SEEDS = range(12)


@pytest.fixture(scope="module")
def droplet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, planted.Planted]:
    """A checkpoint of 128 x 128 pixels whose droplets are known."""
    made = planted.plant(planted.random_stylegan1(channel_max=24), PLANT)
    path = tmp_path_factory.mktemp("planted") / "planted.safetensors"
    planted.save(made.generator, path)
    return path, made


@pytest.fixture
def app(window: Any, screen: Screen, tmp_path: Path) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def place(made: planted.Planted, seed: int) -> tuple[np.ndarray, bool]:
    """Where the droplet of a seed was planted (x, y), and whether it has one."""
    z = np.random.RandomState(seed).randn(1, made.generator.z_dim)
    w = made.generator.mapping(planted.torch.from_numpy(z).float()).detach()
    return made.place(w)[0].numpy(), bool(made.has(w)[0])


def ring(app: WholeApp) -> Ring:
    (found,) = (mark for mark in app.panel("Picture").view.overlay.marks if isinstance(mark, Ring))
    return found


def test_the_ring_lies_on_the_planted_droplet_while_seeds_go_by(
    app: WholeApp, droplet: tuple[Path, planted.Planted], screen: Screen
) -> None:
    path, made = droplet
    app.desk.open(str(path))
    app.settle()
    assert app.frame.request.measures == ()  # behind another tab
    panel = app.raise_tab("Droplets")
    app.settle()
    for _ in range(3):
        seed = app.frame.request.latent.seeds[0][0]
        there, has = place(made, seed)
        assert (dpg.get_value(panel.here.verdict).endswith("  Droplet")) == has
        if has:
            assert np.hypot(*(np.array([ring(app).x, ring(app).y]) - there)) < 0.04
        app.key("Right")
        app.settle()
    view = app.panel("Picture").view
    left, top = dpg.get_item_rect_min(view.drawlist)
    x, y = on_view(view.placement, ring(app).x, ring(app).y)
    app.hand.move(5, 5)
    app.turn(2)
    around = app.window.grab()[round(top + y) - 30 : round(top + y) + 30, round(left + x) - 30 : round(left + x) + 30]
    assert (np.abs(around[..., :3].astype(int) - ring(app).colour[:3]).max(axis=2) < 12).sum() > 40
    app.raise_tab("Layers")
    app.settle()
    assert app.frame.answer(DropletMeasure) is None
    assert app.panel("Picture").view.overlay.marks == []


def test_stylegan2_beside_it_is_measured_at_the_same_seed(app: WholeApp, droplet: tuple[Path, planted.Planted]) -> None:
    app.desk.open(str(droplet[0]))
    app.settle()
    panel = app.raise_tab("Droplets")
    app.hand.click(*centre_of(panel.beside.path.tag))
    app.hand.type(str(REFERENCE / "stylegan2.pkl"))
    app.hand.key("Return")
    app.until(lambda: panel.beside.report is not None, "the other model")
    app.turn(3)
    assert dpg.get_value(panel.there.name) == "StyleGAN2: stylegan2.pkl"
    assert dpg.get_value(panel.there.verdict).endswith("No droplet")
    assert panel.there.ladder.steps == (4, 8, 16, 32)
    former = panel.beside.answer
    app.key("Right")
    app.settle()
    app.until(lambda: panel.beside.answer is not former, "the other model at the next seed")
    assert panel.beside.question.request.latent == Latent(((1, 1.0),))


def test_a_search_finds_who_lacks_it_and_a_click_goes_there_and_the_walk_is_drawn(
    app: WholeApp, droplet: tuple[Path, planted.Planted]
) -> None:
    path, made = droplet
    app.desk.open(str(path))
    app.settle()
    panel = app.raise_tab("Droplet search")
    panel.seeds.set(f"0-{SEEDS[-1]}")
    app.turn(2)
    app.hand.click(*centre_of(panel.start.tag))
    app.until(lambda: panel.study is not None and not panel.running, "the search")
    app.turn(3)
    lacking = {seed for seed in SEEDS if not place(made, seed)[1]}
    assert {row.seed for row in panel.answer.missing} == lacking
    assert 1 <= len(lacking) < len(SEEDS) / 2
    below = dpg.get_item_rect_min(panel.list.buttons["missing"])[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, below - 60)
    app.turn(3)
    app.hand.click(*centre_of(panel.list.buttons["missing"]))
    app.turn(2)
    first = panel.gallery.rows[0]
    app.hand.click(*point_in(first.seed, 0.5, 0.5))
    app.settle()
    assert app.frame.request.latent == Latent(((first.found.seed, 1.0),))
    assert first.found.seed in lacking
    inspector = app.raise_tab("Droplets")
    app.settle()
    assert dpg.get_value(inspector.here.verdict).endswith("No droplet")
    has = [seed for seed in SEEDS if seed not in lacking][:2]
    inspector.walk.seeds.set(f"{has[0]},{has[1]}")
    inspector.walk.steps.set(4)
    app.turn(2)
    inspector.walk.start.press()
    app.until(lambda: inspector.walk.study.done, "the walk")
    app.turn(2)
    (trail,) = (mark for mark in app.panel("Picture").view.overlay.marks if isinstance(mark, Trail))
    ends = np.array([trail.points[0], trail.points[-1]])
    assert np.abs(ends - [place(made, seed)[0] for seed in has]).max() < 0.04
    assert len(trail.points) == 5
