"""`directions`, and pushes on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.directions import files

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
SG2 = str(REFERENCE / "stylegan2.pkl")


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("STYLESCOPE_CACHE", str(tmp_path / "cache"))

    def run_(*args):
        code = main([str(arg) for arg in args], lambda *_, **__: None)
        return code, *capsys.readouterr()

    return run_


def draw(run, folder, *args):
    code, _, errors = run("render", SG2, "--seeds", 3, "--format", "npy", *args, "--out", folder)
    assert code == 0, errors
    return np.load(folder / "seed0003.npy")


def test_a_sheet_and_the_set_in_two_formats(run, tmp_path):
    out = tmp_path / "out"
    code, told, errors = run(
        "directions", SG2, "--samples", 500, "--count", 3, "--columns", 3, "--side", 32, "--seed", 3, "--out", out
    )
    assert code == 0, errors
    assert told.count("%") == 3
    given = files.read(out / "directions.npz", 100, json.loads((out / "directions.json").read_text())["w_dim"])
    assert len(given.directions) == len(given.sigma) == 3
    sheet = np.asarray(Image.open(out / "directions.png").convert("RGBA"))
    still = Image.open(draw_png(run, tmp_path / "still"))
    assert contains(sheet, np.asarray(still.convert("RGBA"))) == 3  # strength 0 in the middle of every row


def draw_png(run, folder):
    assert run("render", SG2, "--seeds", 3, "--out", folder)[0] == 0
    return folder / "seed0003.png"


def contains(sheet, picture):
    """How often a picture lies in a sheet."""
    high, wide = picture.shape[:2]
    rows, columns = np.nonzero((sheet[: -high + 1, : -wide + 1] == picture[0, 0]).all(axis=2))
    return sum(np.array_equal(sheet[y : y + high, x : x + wide], picture) for y, x in zip(rows, columns, strict=True))


def test_a_push_on_the_command_line_is_the_push_of_the_set_that_was_saved(run, tmp_path):
    assert run("directions", SG2, "--kind", "sefa", "--count", 3, "--side", 32, "--out", tmp_path / "set")[0] == 0
    pushed = draw(run, tmp_path / "a", "--push", "sefa:2:1.5:0-2")
    path = tmp_path / "set" / "directions.npz"
    assert np.abs(pushed - draw(run, tmp_path / "b", "--push", f"{path}:2:1.5:0-2")).max() < 1e-4
    assert np.abs(pushed - draw(run, tmp_path / "c")).max() > 0.01
    assert np.abs(pushed - draw(run, tmp_path / "d", "--push", "sefa:2:1.5")).max() > 0.01


def test_pushes_add_up(run, tmp_path):
    both = draw(run, tmp_path / "a", "--push", "pca:500:0:1", "--push", "pca:500:0:-3")
    assert np.abs(both - draw(run, tmp_path / "b", "--push", "pca:500:0:-2")).max() < 1e-4


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["render", SG2, "--seeds", "1", "--push", "pca:0"], "write pca:0:2.5 or style:b64.conv1:17:8"),
        (["render", SG2, "--seeds", "1", "--push", "pca:0:x"], "'pca:0:x' is no SOURCE:INDEX:STRENGTH"),
        (["render", SG2, "--seeds", "1", "--push", "pca:5:0:1"], "write pca:N with N from 100"),
        (["render", SG2, "--seeds", "1", "--push", "pca:9999:1"], "there is no direction 9999"),
        (["render", SG2, "--seeds", "1", "--push", "pca:0:1:0-99"], "rows 0 to 99 are not all there"),
        (["directions", SG2, "--kind", "file"], "--kind file and --file FILE belong together"),
        (["directions", SG2, "--kind", "sefa", "--sefa-rows", "x"], "write sefa:FIRST-LAST"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(run, tmp_path, args, words):
    code, _, errors = run(*args, "--out", tmp_path)
    assert code == 2
    assert words in " ".join(errors.split())
    assert "Traceback" not in errors
