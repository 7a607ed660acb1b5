"""Lines of tools: what is shortened, where lines break, who gets the room that is left."""

from __future__ import annotations

import pytest

from widgets.flow import Place, arranged, broken

LONG, SHORT, ALL = [100.0, 60.0, 40.0], [20.0, 60.0, 30.0], [1.0, 1.0, 0.0]


def test_room_that_is_left_over_is_shared_by_stretch() -> None:
    places, shortened = arranged(LONG, SHORT, [1.0, 3.0, 0.0], 250.0, 5.0)  # 200 and two gaps: 40 are left
    assert places == [Place(0, 0.0, 110.0), Place(0, 115.0, 90.0), Place(0, 210.0, 40.0)]
    assert shortened == [False, False, False]


def test_as_few_as_needed_are_shortened_before_a_line_breaks() -> None:
    places, shortened = arranged(LONG, SHORT, ALL, 209.0, 5.0)  # one px less than the long ones take
    assert shortened == [True, False, False]
    assert {place.line for place in places} == {0}
    assert places[-1].left + places[-1].width == 209.0


def test_lines_break_where_even_the_short_ones_do_not_fit() -> None:
    """20 + 60 + 30 and two gaps are 120: two lines either way, so nothing is shortened."""
    places, shortened = arranged(LONG, SHORT, ALL, 119.0, 5.0)
    assert [place.line for place in places] == [0, 1, 1]
    assert shortened == [False, False, False]
    assert places[0].width == 119.0
    assert places[2] == Place(1, 79.0, 40.0)


def test_what_is_short_saves_a_line() -> None:
    """100 | 60 + 40 at 104 px are three lines, 20 + 60 | 40 two."""
    places, shortened = arranged(LONG, SHORT, ALL, 104.0, 5.0)
    assert [place.line for place in places] == [0, 0, 1]
    assert shortened == [True, False, False]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (45.0, [[0], [1], [2]]),
        (92.0, [[0], [1], [2]]),
        (93.0, [[0], [1, 2]]),
        (142.0, [[0], [1, 2]]),
        (143.0, [[0, 1], [2]]),
        (186.0, [[0, 1, 2]]),
    ],
)
def test_lines_are_as_full_as_can_be(width: float, lines: list[list[int]]) -> None:
    """90, 50 and 40 px with gaps of 3; what is wider than a line has one of its own."""
    assert broken([90.0, 50.0, 40.0], width, 3.0) == lines
