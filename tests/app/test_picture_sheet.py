"""Sheets of pictures: every picture stands where its words say, in the very pixels of the renderer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.diagnostics import picture_sheet
from app.diagnostics.picture_sheet import Page
from app.errors import InputError
from app.renderer import Renderer
from app.request import Condition, Mix, Truncation
from app.studies.picture_list import mixed, of_seed, truncated, unmixed
from app.studies.picture_sheet import PictureSheet, Sheet, mixing_sheet, psi_sheet, row_words, seed_sheet, settings
from networks.plan import Noise


def drawn(question: PictureSheet, renderer: Renderer) -> Sheet:
    updates = list(picture_sheet.run(question, renderer))
    count = sum(cell.request is not None for row in question.rows for cell in row)
    assert [update.answer is None for update in updates] == [True] * (count - 1) + [False]
    return updates[-1].answer


def places(question: PictureSheet, sheet: Sheet, side: int) -> dict[tuple[int, int], np.ndarray]:
    """What stands in each cell of the sheet, [side, side, 4]."""
    page = Page(question, {(0, 0): np.zeros((side, side, 4), np.uint8)})
    page.draw()
    found = {}
    for line, row in enumerate(question.rows):
        for column in range(len(row)):
            x, y = page.corner(line, column)
            found[line, column] = sheet.pixels[y : y + side, x : x + side]
    return found


def test_seeds_line_by_line(request_) -> None:
    renderer = Renderer()
    renderer.open(request_)
    question = seed_sheet(request_, range(5, 10), columns=3, side=128)
    found = places(question, drawn(question, renderer), 128)
    assert list(found) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    for seed, pixels in zip(range(5, 10), found.values(), strict=True):
        assert np.array_equal(pixels, renderer.render(of_seed(request_, seed)).picture)
    assert [cell.words for row in question.rows for cell in row] == ["5", "6", "7", "8", "9"]


def test_the_mixing_table_is_sources_down_and_styles_across(request_) -> None:
    renderer = Renderer()
    renderer.open(request_)
    base = replace(request_, mix=Mix(99, (5,)))  # what is mixed now plays no part
    question = mixing_sheet(base, (1, 2), (7, 8, 9), (0, 1), side=128)
    found = places(question, drawn(question, renderer), 128)
    for line, source in enumerate((1, 2), 1):
        assert np.array_equal(found[line, 0], renderer.render(unmixed(base, source)).picture)
        for column, style in enumerate((7, 8, 9), 1):
            assert np.array_equal(found[line, column], renderer.render(mixed(base, source, style, (0, 1))).picture)
            assert np.array_equal(found[0, column], renderer.render(unmixed(base, style)).picture)
    assert question.heads == ("", "7", "8", "9")
    assert question.names == ("", "1", "2")
    assert "rows 0-1 of ws" in question.title
    assert "99" not in question.about


def test_a_strip_of_psi_and_small_pictures_enlarged(request_) -> None:
    renderer = Renderer()
    renderer.open(request_)
    question = psi_sheet([("3", of_seed(request_, 3)), ("4", of_seed(request_, 4))], (-1.0, 0.0, 1.0), side=300)
    found = places(question, drawn(question, renderer), 256)
    for line, seed in enumerate((3, 4)):
        for column, psi in enumerate((-1.0, 0.0, 1.0)):
            picture = renderer.render(truncated(of_seed(request_, seed), psi)).picture
            assert np.array_equal(found[line, column], picture.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(found[0, 1], found[1, 1])
    assert question.heads == ("ψ -1", "ψ 0", "ψ 1")


def test_what_cannot_be_drawn_leaves_its_place_and_a_sentence(request_, tmp_path) -> None:
    gone = replace(request_, model=replace(request_.model, path=str(tmp_path / "gone.pkl")))
    renderer = Renderer()
    renderer.open(request_)
    question = seed_sheet(request_, (0, 1), 2, side=128)
    broken = replace(question, rows=((replace(question.rows[0][0], request=gone), question.rows[0][1]),))
    sheet = drawn(broken, renderer)
    assert len(sheet.problems) == 1
    assert "gone.pkl" in sheet.problems[0]
    assert np.array_equal(places(broken, sheet, 128)[0, 1], renderer.render(of_seed(request_, 1)).picture)


def test_a_sheet_that_nothing_could_open_is_refused(request_) -> None:
    with pytest.raises(InputError, match="ask for fewer"):
        next(picture_sheet.run(seed_sheet(request_, range(200), 200, side=256), Renderer()))
    with pytest.raises(InputError, match="at least one"):
        next(picture_sheet.run(seed_sheet(request_, (), 4), Renderer()))


def test_words_on_a_sheet(request_) -> None:
    assert row_words((0, 1, 2, 5, 7, 8)) == "0-2, 5, 7-8"
    assert row_words(()) == "none"
    asked = replace(
        request_, truncation=Truncation(0.7, 4), mix=Mix(3, (1, 2)), noise=Noise("none"), condition=Condition(5)
    )
    assert settings(asked) == "ψ 0.7, on rows below 4, class 5, rows 1-2 of ws from seed 3, no noise"
    assert settings(asked, psi=False, mixing=False) == "on rows below 4, class 5, no noise"
