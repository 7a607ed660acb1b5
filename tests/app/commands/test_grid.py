"""`grid` on the command line: the sheets of app/studies/picture_sheet.py, written as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.commands.grid import wide_enough
from app.diagnostics.picture_sheet import run as draw
from app.renderer import Renderer
from app.request import Model, RenderRequest, Truncation
from app.studies.picture_list import of_seed, psi_values
from app.studies.picture_sheet import PictureSheet, mixing_sheet, psi_sheet, seed_sheet

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
SG2 = str(REFERENCE / "stylegan2.pkl")
BASE = RenderRequest(model=Model(SG2, "cpu"), truncation=Truncation(0.5))


@pytest.fixture
def run(capsys):
    def run_(*args: object) -> tuple[int, str, str]:
        code = main(["grid", *map(str, args)], lambda *_, **__: pytest.fail("no window"))
        return code, *capsys.readouterr()

    return run_


SHEETS = {
    "seeds": (("--seeds", "3-8", "--columns", 4), seed_sheet(BASE, range(3, 9), 4, 64)),
    "mixing": (
        ("--seeds", "1,2", "--styles", "5-7", "--mix-rows", "0-2"),
        mixing_sheet(BASE, (1, 2), (5, 6, 7), (0, 1, 2), 64),
    ),
    "group": (
        ("--seeds", "1,2", "--styles", "5", "--mix-group", "coarse"),
        mixing_sheet(BASE, (1, 2), (5,), (0, 1, 2), 64),
    ),
    "psi": (("--seeds", "4", "--psi-strip", 5), psi_sheet([("4", of_seed(BASE, 4))], psi_values(5), 64)),
    "psi of 9": (("--seeds", "4", "--psi-strip"), psi_sheet([("4", of_seed(BASE, 4))], psi_values(9), 64)),
}


@pytest.mark.parametrize("name", SHEETS)
def test_the_sheet_is_that_of_the_study(run, tmp_path, name: str) -> None:
    args, question = SHEETS[name]
    out = tmp_path / "new" / "sheet.png"
    code, text, error = run(SG2, *args, "--psi", 0.5, "--size", 64, "--device", "cpu", "--out", out)
    assert (code, error) == (0, "")
    want = list(draw(question, Renderer()))[-1].answer.pixels
    assert np.array_equal(np.asarray(Image.open(out).convert("RGBA")), want)
    assert f"{want.shape[1]} x {want.shape[0]} px" in text


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--styles", "1"), "either --mix-rows 0-3 or --mix-group coarse"),
        (("--styles", "1", "--mix-rows", "0", "--mix-group", "fine"), "either --mix-rows"),
        (("--styles", "1", "--mix-rows", "77"), "--mix-rows 77 is outside 0 to 7"),
        (("--styles", "1", "--mix-rows", "1", "--mix-seed", "3"), "leave out --mix-seed"),
        (("--mix-group", "fine"), "name those seeds as well"),
        (("--styles", "1", "--psi-strip", "5"), "ask for one"),
        (("--seeds", "0-999", "--columns", "1000"), "ask for fewer or smaller ones"),
    ],
)
def test_wrong_input_is_a_sentence_and_code_2(run, tmp_path, args, sentence: str) -> None:
    code, _, error = run(SG2, *args, "--out", tmp_path / "x.png")
    assert code == 2
    assert sentence in error
    assert not (tmp_path / "x.png").exists()


def test_without_columns_the_sheet_is_about_square() -> None:
    assert [wide_enough(count) for count in (1, 2, 4, 5, 35, 36, 37)] == [1, 2, 2, 3, 6, 6, 7]


def test_a_question_is_a_plain_value() -> None:
    assert isinstance(hash(SHEETS["mixing"][1]), int)
    assert SHEETS["seeds"][1] == PictureSheet(**vars(SHEETS["seeds"][1]))
