"""`droplets` as a person uses it: rows that come one by one, runs that are stopped and go on, files that do not fit."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.diagnostics import droplets as measures
from app.diagnostics.droplets import look
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest
from app.studies.droplets import DropletRule
from tests.app.commands.test_commands import SG2, SG3
from tests.planted import Plant, plant, random_stylegan1, save


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A StyleGAN of 64 px whose droplet begins in b32.conv1."""
    path = tmp_path_factory.mktemp("planted") / "planted.safetensors"
    save(plant(random_stylegan1(0, 64, channel_max=16), Plant(24.0, (0.4, 0.6), "b32.conv1")).generator, path)
    return str(path)


@pytest.fixture
def run(capsys):
    """Run main.py's arguments; returns (exit code, output, errors)."""

    def run_(*args):
        code = main(["droplets", *(str(arg) for arg in args)], lambda *_, **__: pytest.fail("no window"))
        return code, *capsys.readouterr()

    return run_


@pytest.fixture
def drawn(monkeypatch):
    """The seeds that are really measured, in order."""
    seeds = []

    def noted(renderer, request, *args, **kwargs):
        seeds.append(request.latent.seeds[0][0])
        return look(renderer, request, *args, **kwargs)

    monkeypatch.setattr(measures, "look", noted)
    return seeds


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_json_and_csv_hold_what_the_measure_says(run, model, tmp_path):
    table, rows = tmp_path / "deep" / "a.jsonl", tmp_path / "a.csv"
    code, out, _ = run(model, "--seeds", "3,1", "--psi", 0.9, "--json", table, "--csv", rows)
    assert code == 0
    assert "droplets in 2 of 2 seeds" in out.splitlines()[-1]
    head, *found = lines(table)
    assert (head["format"], head["request"]["truncation"]["psi"]) == ("stylescope-droplets", 0.9)
    assert [row["seed"] for row in found] == [3, 1]
    request = RenderRequest(Model(model, "cpu"), Latent(((3, 1.0),)))
    request = RenderRequest(request.model, request.latent, truncation=type(request.truncation)(0.9))
    report = look(Renderer(), request, DropletRule()).report
    assert found[0]["strength"] == pytest.approx(report.verdict.strength, rel=1e-4)
    assert found[0]["spot"] == pytest.approx(report.verdict.spot, rel=1e-4)
    assert found[0]["resolutions"] == [32, 64]
    assert [layer["layer"] for layer in found[0]["layers"]] == [row.layer for row in report.layers]
    assert [layer["ratio"] for layer in found[0]["layers"]] == pytest.approx([r.ratio for r in report.layers], rel=1e-4)
    with open(rows, newline="") as file:
        other = list(csv.DictReader(file))
    assert [float(row["strength"]) for row in other] == pytest.approx([row["strength"] for row in found])
    assert (other[0]["flag"], other[0]["resolutions"], other[0]["file_sha256"]) == ("1", "32 64", head["file_sha256"])


def test_a_run_continues_where_it_stopped(run, model, tmp_path, drawn):
    whole, table, rows = tmp_path / "whole.jsonl", tmp_path / "a.jsonl", tmp_path / "a.csv"
    run(model, "--seeds", "0-3", "--json", whole)
    assert run(model, "--seeds", "0-1", "--json", table, "--csv", rows)[0] == 0
    with open(table, "a") as file:
        file.write('{"seed": 2, "flag": tr')  # the run was stopped in the middle of a line
    with open(rows, "a") as file:
        file.write("2,1,12.")
    drawn.clear()
    code, out, errors = run(model, "--seeds", "0-3", "--json", table, "--csv", rows)
    assert (code, drawn) == (0, [2, 3])
    assert "2 of 4 seeds are there already" in errors
    assert table.read_text() == whole.read_text()
    assert [row["seed"] for row in csv.DictReader(rows.read_text().splitlines())] == list("0123")
    assert "of 4 seeds" in out


def test_a_finished_run_draws_nothing_and_says_the_same(run, model, tmp_path, drawn):
    table = tmp_path / "a.csv"
    first = run(model, "--seeds", "0-2", "--csv", table)[1].splitlines()[-1]
    drawn.clear()
    assert run(model, "--seeds", "0-2", "--csv", table)[1].splitlines()[-1] == first
    assert drawn == []


def test_each_file_gets_what_it_lacks(run, model, tmp_path, drawn):
    table, rows = tmp_path / "a.jsonl", tmp_path / "a.csv"
    run(model, "--seeds", "0,1", "--json", table)
    run(model, "--seeds", "1,2", "--json", table, "--csv", rows)
    assert drawn == [0, 1, 1, 2]
    assert [row["seed"] for row in lines(table)[1:]] == [0, 1, 2]
    assert [row["seed"] for row in csv.DictReader(rows.read_text().splitlines())] == ["1", "2"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_other_options_or_another_model_do_not_mix_into_a_file(run, model, tmp_path, name):
    table, option = tmp_path / name, "--json" if name.endswith("l") else "--csv"
    run(model, "--seeds", "0", option, table)
    before = table.read_bytes()
    for args, words in (
        ([model, "--psi", 0.5], "psi 0.5" if option == "--json" else "other options"),
        ([model, "--noise", "none"], "mode none" if option == "--json" else "other options"),
        ([SG2], "holds another model"),
    ):
        code, out, errors = run(*args, "--seeds", "1", option, table)
        assert (code, out) == (2, "")
        assert words in errors
        assert str(table) in errors
        assert len(errors.splitlines()) == 1
    assert table.read_bytes() == before


@pytest.mark.parametrize("content", ["my notes", "my notes\n", '{"a": 1}\n', "[1, 2]\n", "seed,x\n1,2\n", "\xff\xfe\n"])
def test_a_file_of_something_else_is_left_alone(run, model, tmp_path, content):
    for option in ("--json", "--csv"):
        path = tmp_path / "notes"
        path.write_text(content, encoding="latin-1")
        code, _, errors = run(model, "--seeds", "0", option, path)
        assert code == 2
        assert "is no file of droplet measures" in errors
        assert path.read_text(encoding="latin-1") == content


def test_the_sheet_shows_the_strongest(run, model, tmp_path, drawn):
    sheet, table = tmp_path / "sheet.png", tmp_path / "a.jsonl"
    code, out, _ = run(model, "--seeds", "0-3", "--json", table, "--sheet", sheet, "--sheet-rows", 2)
    assert code == 0
    assert str(sheet) in out
    strongest = sorted(lines(table)[1:], key=lambda row: -row["strength"])
    assert drawn[4:] == [row["seed"] for row in strongest[:2]]
    pixels = np.asarray(Image.open(sheet).convert("RGB")).astype(int)
    assert pixels.shape[0] > 500
    marks = (np.abs(pixels - (255, 196, 77)).sum(-1) < 12).sum()
    assert marks > 2 * 3 * 60  # rings and frames of two rows


def test_without_a_file_the_strongest_are_told(run, model):
    code, out, _ = run(model, "--seeds", "0-1", "--noise", "none")
    assert code == 0
    assert len([line for line in out.splitlines() if " yes " in line and line.endswith("conv1")]) == 2
    assert "median strength" in out.splitlines()[-1]


def test_a_model_without_droplets_says_so(run):
    code, out, _ = run(SG3, "--seeds", "0-1")
    assert code == 0
    assert out.splitlines()[-1].startswith("no droplets in 2 seeds; the largest peak is ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--seeds", "3-1"], "runs backwards"),
        ([], "Missing option '--seeds'"),
        (["--seeds", "0", "--sheet", "sheet.jpg"], "call it sheet.png"),
        (["--seeds", "0", "--class", "3"], "has no classes"),
        (["--seeds", "0", "--json", "/dev/null/a.jsonl"], "cannot be written"),
    ],
)
def test_wrong_input_is_one_sentence(run, args, words):
    code, _, errors = run(SG2, *args)
    assert code != 0
    assert words in errors
    assert "Traceback" not in errors
