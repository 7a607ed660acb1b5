"""`measure` on the command line: the numbers of the studies, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.commands import main
from app.diagnostics import contributions, noise_study, path_length, spectrum
from app.renderer import Renderer
from app.request import Model, RenderRequest, Truncation
from app.studies.contributions import ContributionShares
from app.studies.noise_study import NoiseSpread
from app.studies.path_length import PathLengths, summary
from app.studies.spectrum import AverageSpectrum

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
SG2, SG3 = (str(REFERENCE / name) for name in ("stylegan2.pkl", "stylegan3-t.pkl"))


@pytest.fixture
def run(capsys):
    def run_(*args: object) -> tuple[int, str, str]:
        code = main(["measure", *map(str, args)], lambda *_, **__: pytest.fail("no window"))
        return code, *capsys.readouterr()

    return run_


def request(path: str, psi: float = 1.0) -> RenderRequest:
    return RenderRequest(model=Model(path, "cpu"), truncation=Truncation(psi))


def test_contributions(run, tmp_path):
    out = tmp_path / "new" / "shares.json"
    code, text, _ = run("contributions", SG2, "--count", 3, "--seed", 5, "--psi", 0.6, "--device", "cpu", "--json", out)
    assert code == 0
    want = list(contributions.run(ContributionShares(request(SG2, 0.6), 3, 5), Renderer()))[-1].answer
    values = json.loads(out.read_text())
    assert values["share_percent"] == list(want.share)
    assert values["model"] == "stylegan2.pkl"
    lines = text.splitlines()
    assert [line.split()[:3] for line in lines[-5:-1]] == [[str(s), "x", str(s)] for s in (4, 8, 16, 32)]
    assert f"{want.share[-1]:.2f}" in lines[-2]


def test_spectrum(run, tmp_path):
    out = tmp_path / "spectrum.json"
    code, text, _ = run("spectrum", SG3, "--count", 2, "--beta", 4, "--device", "cpu", "--json", out)
    assert code == 0
    want = list(spectrum.run(AverageSpectrum(request(SG3), 2, 0, 4.0), Renderer()))[-1].answer
    values = json.loads(out.read_text())
    assert values["kaiser_beta"] == 4.0
    assert values["radial"]["power_db"] == pytest.approx(list(want.radial.power_db), abs=1e-3)
    row = next(line.split() for line in text.splitlines() if line.startswith("8 "))
    assert row[3] == f"{want.radial.power_db[8]:.1f}"


def test_noise(run, tmp_path):
    out = tmp_path / "noise.json"
    code, text, _ = run("noise", SG2, "--count", 2, "--noise-seed", 7, "--device", "cpu", "--json", out)
    assert code == 0
    want = list(noise_study.run(NoiseSpread(request(SG2), 2, 7), Renderer()))[-1].answer
    assert [row["mean_percent"] for row in json.loads(out.read_text())["layers"]] == [row.mean for row in want.rows]
    assert f"{want.rows[0].mean:.3f}" in next(line for line in text.splitlines() if line.startswith("all layers"))


def test_path_length(run, tmp_path):
    out = tmp_path / "lengths.json"
    code, text, _ = run("path-length", SG2, "--count", 3, "--seed", 4, "--draws", 2, "--device", "cpu", "--json", out)
    assert code == 0
    want = list(path_length.run(PathLengths(request(SG2), 4, 3, 2), Renderer()))[-1].answer
    values = json.loads(out.read_text())
    assert values["rows"]["each"] == want.rows.tolist()
    assert values["joint"]["mean"] == want.joint.mean()
    row = next(line.split() for line in text.splitlines() if line.startswith("rows apart"))
    assert row[2:4] == [f"{number:.4g}" for number in (want.rows.mean(), summary(want.rows).error)]
    assert sum(line.startswith("row ") for line in text.splitlines()) == 8


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [("contributions", SG3, "one to-RGB"), ("noise", SG3, "no noise inputs")],
)
def test_what_a_model_lacks_is_one_sentence(run, kind, path, words):
    code, _, errors = run(kind, path, "--device", "cpu")
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors
