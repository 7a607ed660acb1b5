"""The compare view without a GUI: linked zoom over pictures of different sizes, differences, rows, sentences."""

from __future__ import annotations

import numpy as np
import pytest

from widgets.compare_math import apart, difference, linked, look_of, parse_rows, same_look, unpaired
from widgets.view_math import Placement

SMALL = Placement().resized((400, 400), (64, 64))
LARGE = Placement().resized((400, 400), (1024, 1024))
LINKED = [True, True]


def shares(placement: Placement, x: float, y: float) -> tuple[float, float]:
    """Which share of the picture lies under a pixel of the view."""
    px, py = placement.point_at(x, y)
    return px / placement.picture[0], py / placement.picture[1]


def test_the_moved_view_leads_and_the_same_share_lies_at_the_same_place() -> None:
    moved = SMALL.zoomed(4.0, 100, 300).panned(30, -12)
    (first, second), looks = linked([moved, LARGE], [None, None], LINKED)
    assert first == moved
    for point in ((0, 0), (123, 45), (399, 399)):
        assert shares(second, *point) == pytest.approx(shares(moved, *point), abs=1e-9)
    assert second.zoom * 1024 == pytest.approx(moved.zoom * 64)
    again, _ = linked([first, second], looks, LINKED)
    assert again == [first, second]  # nothing moves by itself


def test_the_other_view_can_lead_as_well() -> None:
    (first, second), looks = linked([SMALL.zoomed(4.0, 100, 300), LARGE], [None, None], LINKED)
    moved = second.zoomed(2.0, 10, 10)
    (first, second), _ = linked([first, moved], looks, LINKED)
    assert second == moved
    assert shares(first, 55, 66) == pytest.approx(shares(moved, 55, 66), abs=1e-9)


def test_fitting_one_fits_all_also_in_views_of_other_sizes() -> None:
    narrow = Placement().resized((200, 400), (1024, 1024))
    placements, looks = linked([SMALL.zoomed(4.0, 100, 300), narrow], [None, None], LINKED)
    assert not placements[1].fitted
    (first, second), looks = linked([placements[0].fit(), placements[1]], looks, LINKED)
    assert (first.fitted, second.fitted, second.zoom) == (True, True, pytest.approx(200 / 1024))
    assert looks == [None, None]


def test_an_unlinked_view_neither_leads_nor_follows() -> None:
    moved = SMALL.zoomed(4.0, 100, 300)
    placements, looks = linked([moved, LARGE, SMALL], [None, None, None], [False, True, True])
    assert placements == [moved, LARGE, SMALL]
    placements, _ = linked([moved, LARGE.zoomed(2.0, 5, 5), SMALL], looks, [False, True, True])
    assert placements[0] == moved
    assert shares(placements[2], 7, 8) == pytest.approx(shares(placements[1], 7, 8), abs=1e-9)


def test_a_view_that_is_linked_again_takes_over_the_look_of_the_others() -> None:
    moved = LARGE.zoomed(4.0, 100, 300)
    placements, _ = linked([SMALL.zoomed(9.0, 1, 1), moved], ["new", look_of(moved)], LINKED)
    assert placements[1] == moved
    assert shares(placements[0], 7, 8) == pytest.approx(shares(moved, 7, 8), abs=1e-9)


def test_a_window_that_changes_its_size_moves_no_view() -> None:
    moved = SMALL.zoomed(4.0, 100, 300)
    placements, looks = linked([moved, LARGE], [None, None], LINKED)
    resized = [placements[0].resized((500, 300), (64, 64)), placements[1].resized((300, 500), (1024, 1024))]
    assert linked(resized, looks, LINKED)[0] == resized


def test_looks_are_the_same_up_to_rounding() -> None:
    assert same_look(None, None)
    assert not same_look(None, (1.0, 0.5, 0.5))
    assert same_look((1000.0, 0.5, 0.5), (1000.0005, 0.5, 0.5))
    assert not same_look((1000.0, 0.5, 0.5), (1000.0, 0.5, 0.51))


def test_the_difference_is_scaled_cut_and_opaque() -> None:
    a = np.array([[[10, 200, 0, 255], [0, 0, 0, 0]]], np.uint8)
    b = np.array([[[13, 190, 255, 100], [0, 0, 0, 0]]], np.uint8)
    assert difference(a, b, 1).tolist() == [[[3, 10, 255, 255], [0, 0, 0, 255]]]
    assert difference(b, a, 20).tolist() == [[[60, 200, 255, 255], [0, 0, 0, 255]]]
    mean, most = apart(a, b)
    assert (mean, most) == (pytest.approx((3 + 10 + 255) / 6), 255)


def test_rows_are_read_and_sorted() -> None:
    assert [parse_rows(words) for words in ("0-3, 8", "", "8, 1, 8", "x")] == [(0, 1, 2, 3, 8), (), (1, 8), None]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([(64, 64), (64, 64)], ""),
        ([(64, 64), (32, 32)], "two pictures of the same size; here are 64 × 64 px and 32 × 32 px."),
        ([(64, 64), None], "need a model in both panes."),
        ([(64, 64)] * 3, "need two panes; here are 3."),
    ],
)
def test_why_pictures_cannot_lie_over_each_other(sizes: list[tuple[int, int] | None], words: str) -> None:
    assert unpaired(sizes).endswith(words)
    assert bool(unpaired(sizes)) == bool(words)
