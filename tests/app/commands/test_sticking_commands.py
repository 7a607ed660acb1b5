"""`sticking` and `equivariance` as a person uses them: tables, numbers as JSON, the sheet, sentences."""

import json

import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.commands._estimates import plain, shown
from app.diagnostics import equivariance, sticking
from app.renderer import Renderer
from app.request import Latent
from app.studies.equivariance import Equivariance
from app.studies.estimate import Estimate
from app.studies.sticking import NeighbourhoodMean
from tests.synthetic import Synthetic, spec, synthetics

__all__ = ["synthetics"]
SHORT = ("--count", 8, "--frames", 12, "--seeds", "0,1", "--segment", "0.5,0.1,0.9")


@pytest.fixture
def run(capsys):
    """Run main.py's arguments; returns (exit code, output, errors)."""

    def run_(*args):
        code = main([str(arg) for arg in args], lambda paths, device, **_: None)
        return code, *capsys.readouterr()

    return run_


def add(synthetics, name, **changes):
    return synthetics.add(Synthetic(spec(**changes)), name).model.path


def test_two_generators_side_by_side(run, synthetics, tmp_path):
    free, glued = add(synthetics, "free.pkl", glued=0.0), add(synthetics, "glued.pkl", glued=1.0)
    out, sheet = tmp_path / "out" / "s.json", tmp_path / "out" / "s.png"
    code, text, _ = run("sticking", free, glued, *SHORT, "--sigma", 1, "--json", out, "--sheet", sheet)
    assert code == 0
    rows = {line.split()[0]: line for line in text.splitlines() if line.split() and line.split()[0].endswith(".pkl")}
    document = json.loads(out.read_text())
    scores = {entry["checkpoint"].rpartition("/")[2]: entry["score"] for entry in document["results"]}
    assert scores["free.pkl"]["value"] < 0.3
    assert scores["glued.pkl"]["value"] > 0.9
    for name, row in rows.items():
        assert f"{scores[name]['value']:.2f} ±" in row
    picture = np.asarray(Image.open(sheet))
    assert picture.shape[1] > 2 * 300
    assert len(np.unique(picture[::5, ::5].reshape(-1, 3), axis=0)) > 1000


def test_the_numbers_are_those_of_the_study(run, synthetics, tmp_path):
    request = synthetics.add(Synthetic(spec(glued=0.5)), "half.pkl")
    out = tmp_path / "s.json"
    assert run("sticking", request.model.path, "--seeds", 3, "--count", 6, "--json", out)[0] == 0
    (entry,) = json.loads(out.read_text())["results"]
    assert entry["slit_scan"] is None
    latent = Latent(((3, 1.0),))
    question = NeighbourhoodMean(request.__class__(model=request.model, latent=latent), count=6)
    *_, update = sticking.run(question, Renderer())
    assert entry["score"] == plain(update.answer.score)


def test_an_ablation_is_a_row_and_one_that_changes_nothing_is_said(run, files, tmp_path):
    path = files.add("noisy.pkl", resolution=(16, 16), channels=(8, 8, 8)).model.path
    out = tmp_path / "s.json"
    args = ("--seeds", 0, "--count", 4, "--ablation", "noise-off", "--ablation", "input-frozen", "--json", out)
    code, text, errors = run("sticking", path, *args)
    assert code == 0
    assert "noisy.pkl, noise off" in text
    assert "learned transform frozen is left out, the input of a StyleGAN2 is a constant" in errors
    entries = json.loads(out.read_text())["results"]
    assert [entry["ablation"] for entry in entries] == ["none", "noise-off"]
    assert entries[1]["request"]["noise"]["mode"] == "none"


def test_equivariance_prints_and_writes_what_the_study_finds(run, synthetics, tmp_path):
    request = synthetics.add(Synthetic(spec(glued=0.5)), "half.pkl")
    out = tmp_path / "e.json"
    code, text, _ = run("equivariance", request.model.path, "--metric", "eqt,eqr", "--samples", 2, "--json", out)
    assert code == 0
    *_, update = equivariance.run(Equivariance(request, ("eqt", "eqr"), 2), Renderer())
    document = json.loads(out.read_text())
    assert document["metrics"] == {part.metric: plain(part.db) for part in update.answer.metrics}
    assert shown(update.answer.of("eqt").db) in next(line for line in text.splitlines() if line.startswith("EQ-T"))
    assert "47.6" in text


def test_where_the_input_is_a_constant_the_layers_are_probed(run, files, tmp_path):
    path = files.add("a.pkl", resolution=(16, 16), channels=(8, 8, 8)).model.path
    out = tmp_path / "e.json"
    code, text, _ = run("equivariance", path, "--probe-seeds", "0,1", "--json", out)
    assert code == 0
    names = [layer["name"] for layer in json.loads(out.read_text())["probe"]["layers"]]
    assert names == ["b4.const", "b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert all(name in text for name in names)
    code, _, errors = run("equivariance", path, "--metric", "eqt")
    assert code == 2
    assert "a.pkl: a StyleGAN2 starts from a constant" in errors


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("equivariance", "--metric", "eqx"), "'eqx' is no metric; there are eqt, eqt_frac, eqr, layers"),
        (("sticking", "--segment", "1,2"), "'1,2' is not three numbers"),
        (("sticking", "--segment", "0.5,0.9,0.1"), "the upper end first"),
    ],
)
def test_wrong_input_is_one_sentence(run, synthetics, args, words):
    path = add(synthetics, "a.pkl")
    code, _, errors = run(args[0], path, *args[1:], *(("--count", 2, "--frames", 3) if args[0] == "sticking" else ()))
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors


def test_numbers_without_an_interval_are_numbers():
    assert shown(Estimate(0.5)) == "0.50"
    assert shown(Estimate(0.5, 0.4, 0.6)) == "0.50 ± 0.10"
    assert shown(None) == "-"
    assert plain(Estimate(float("inf"))) == {"value": None, "low": None, "high": None}
