"""Where a picture lies in its view."""

from __future__ import annotations

import pytest

from widgets.view_math import Placement


def placed(view: tuple[int, int], picture: tuple[int, int]) -> Placement:
    return Placement().resized(view, picture)


def test_a_picture_first_fits_its_view() -> None:
    square = placed((400, 300), (100, 100))
    tall = placed((400, 300), (50, 100))
    assert (square.zoom, square.corners()) == (3.0, ((50, 0), (350.0, 300.0)))
    assert (tall.zoom, tall.corners()) == (3.0, ((125, 0), (275.0, 300.0)))


@pytest.mark.parametrize(("x", "expected"), [(49, None), (50, 0), (52, 0), (53, 1), (349, 99), (350, None)])
def test_the_pixel_under_the_mouse_changes_exactly_at_its_edge(x: int, expected: int | None) -> None:
    pixel = placed((400, 300), (100, 100)).pixel_at(x, 0)
    assert pixel == (None if expected is None else (expected, 0))


@pytest.mark.parametrize("factor", [1.25, 0.8, 7.0])
@pytest.mark.parametrize("cursor", [(120.5, 40.5), (300.5, 239.5)])
def test_zoom_keeps_the_point_under_the_cursor(factor: float, cursor: tuple[float, float]) -> None:
    before = placed((400, 300), (1000, 700)).panned(30, -20)
    after = before.zoomed(factor, *cursor)
    assert after.zoom == pytest.approx(before.zoom * factor)
    for old, new in zip(before.point_at(*cursor), after.point_at(*cursor), strict=True):
        assert old == pytest.approx(new, abs=1e-9)


def test_whole_pixels_lie_on_whole_pixels() -> None:
    place = placed((401, 303), (100, 100))
    assert place.corners()[0] == (49.0, 0.0)
    assert place.one_to_one().corners() == ((151.0, 102.0), (251.0, 202.0))


def test_many_small_zooms_do_not_drift() -> None:
    start = placed((401, 303), (1000, 700)).zoomed(2.0, 100.5, 90.5)
    there = start
    for _ in range(40):
        there = there.zoomed(1.01, 100.5, 90.5)
    for _ in range(40):
        there = there.zoomed(1 / 1.01, 100.5, 90.5)
    assert there.zoom == pytest.approx(start.zoom)
    assert there.centre == pytest.approx(start.centre)


def test_zoom_has_ends() -> None:
    place = placed((400, 400), (100, 100))
    assert place.zoomed(1e6, 200, 200).zoom == 64.0
    assert place.zoomed(1e-6, 200, 200).zoom == 0.25


def test_panning_moves_by_screen_pixels_and_keeps_the_picture_in_reach() -> None:
    place = placed((400, 400), (100, 100))
    assert place.panned(8, -4).centre == (48.0, 51.0)
    assert place.panned(1e6, 0).centre == (0.0, 50.0)


def test_a_fitted_picture_follows_the_window_and_a_zoomed_one_keeps_its_zoom() -> None:
    fitted = placed((400, 300), (100, 100))
    assert fitted.resized((800, 600), (100, 100)).zoom == 6.0
    zoomed = fitted.zoomed(2.0, 200, 150)
    assert zoomed.resized((800, 600), (100, 100)).zoom == 6.0
    assert zoomed.zoom == 6.0
    assert not zoomed.resized((800, 600), (100, 100)).fitted


def test_another_resolution_keeps_the_look() -> None:
    zoomed = placed((400, 400), (100, 100)).zoomed(2.0, 0, 0)
    finer = zoomed.resized((400, 400), (200, 200))
    assert finer.zoom == zoomed.zoom / 2
    assert finer.corners() == zoomed.corners()
