"""Marks over the picture, and going to a point of W: what one panel asks for, every panel sees."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.request import Latent
from tests.gui_support import Hand, Screen
from tests.widgets.support import Bench
from widgets.latent_panel import LatentPanel
from widgets.overlay import Ring, Trail, on_view
from widgets.picture_panel import PicturePanel
from widgets.view_math import Placement

pytestmark = pytest.mark.gui
GREEN = (0, 255, 0, 255)


def green(bench: Bench, screen: Screen) -> np.ndarray:
    """Where the screen is pure green: (x, y) window pixels [K, 2]."""
    bench.turn(4)
    left, top = (int(value) for value in dpg.get_viewport_pos())
    pixels = screen.pixels().astype(int)
    y, x = np.nonzero((pixels[..., 1] > 240) & (pixels[..., 0] < 30) & (pixels[..., 2] < 30))
    return np.stack([x - left, y - top], 1)


def test_a_ring_lies_around_its_point_of_the_picture_at_any_zoom(
    bench: Bench, bench_hand: Hand, screen: Screen
) -> None:
    (picture,) = bench.add(PicturePanel)
    bench.show()
    bench.notes.mark("a", (Ring(0.25, 0.75, 0.125, GREEN),))
    for zoom in (picture.view.fit, picture.view.one_to_one):
        zoom()
        found = green(bench, screen)
        left, top = dpg.get_item_rect_min(picture.view.drawlist)
        x, y = on_view(picture.view.placement, 0.25, 0.75)
        radius = max(7.0, 0.125 * 32 * picture.view.zoom)
        distance = np.hypot(found[:, 0] - left - x, found[:, 1] - top - y)
        assert len(found) > 20
        assert np.abs(distance - radius).max() < 3


def test_marks_of_two_owners_stand_side_by_side_until_each_takes_its_own_away(bench: Bench, screen: Screen) -> None:
    bench.add(PicturePanel)
    bench.show()
    bench.notes.mark("a", (Ring(0.25, 0.25, 0.1, GREEN),))
    one = len(green(bench, screen))
    bench.notes.mark("b", (Trail(((0.5, 0.5), (0.9, 0.9)), GREEN),))
    both = len(green(bench, screen))
    bench.notes.mark("a", ())
    assert both - one == len(green(bench, screen)) > 50
    bench.notes.mark("b", ())
    assert len(green(bench, screen)) == 0


def test_a_label_stays_inside_of_the_picture(bench: Bench, screen: Screen) -> None:
    (picture,) = bench.add(PicturePanel)
    bench.show()
    for x in (0.05, 0.95):
        bench.notes.mark("a", (Ring(x, 0.5, 0.02, GREEN, "peak 7.9"),))
        found = green(bench, screen)[:, 0] - dpg.get_item_rect_min(picture.view.drawlist)[0]
        (left, _), (right, _) = picture.view.placement.corners()
        assert found.max() - found.min() > 50  # the words, not only the ring
        assert left <= found.min()
        assert found.max() <= right


def test_a_point_in_shares_lies_where_the_picture_is_placed() -> None:
    placement = Placement((200, 100), (50, 50), 2.0, (25.0, 25.0))  # the picture covers x 50..150, y 0..100
    assert on_view(placement, 0.0, 0.0) == (50.0, 0.0)
    assert on_view(placement, 0.5, 1.0) == (100.0, 100.0)


def test_going_to_a_seed_or_a_file_sets_the_latent(bench: Bench) -> None:
    (latent,) = bench.add(LatentPanel)
    latent.animate.set(True)
    bench.notes.go_to(Latent(((123456, 1.0),)))
    assert bench.turn(3, seconds=1.0).latent == Latent(((123456, 1.0),))
    bench.notes.go_to(Latent.of_file("/latents/w.npy"))
    assert bench.turn().latent.file == "/latents/w.npy"
    bench.notes.go_to(Latent(((4294967295, 0.2), (7, 0.8))))
    assert bench.turn().latent == Latent(((4294967295, 0.2), (7, 0.8)))
    latent.move(0.0, 0.0)
    assert bench.turn().latent == Latent(((7, 1.0),)), "the plane goes on from the seed that weighs most"
    bench.notes.go_to(Latent(((4294967295, 1.0),)))
    assert bench.turn().latent == Latent(((4294967295, 1.0),))
