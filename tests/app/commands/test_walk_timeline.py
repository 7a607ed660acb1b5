"""`walk --timeline`: a film of a timeline's file, its sidecar, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from app.commands import main
from app.recording import sidecar
from app.request import Latent, Mix, Model, RenderRequest
from app.timeline import Keyframe, Timeline, files
from tests.networks.small import REFERENCE

A = RenderRequest(model=Model(str(REFERENCE / "stylegan2.pkl"), device="cpu"), latent=Latent(((1, 1.0),)))
B = replace(A, latent=Latent(((2, 1.0),)))


@pytest.fixture
def run(capsys):
    """Run main.py's arguments; (exit code, output, errors)."""

    def run_(*arguments):
        code = main([str(each) for each in arguments], lambda *_, **__: None)
        return code, *capsys.readouterr()

    return run_


@pytest.fixture
def path(tmp_path):
    keyframes = (Keyframe(0.0, A, "in"), Keyframe(0.7, B))
    files.write(Timeline(keyframes, 1.0, Fraction(8), loop=True), tmp_path / "a.json")
    return tmp_path / "a.json"


def test_a_film_and_its_sidecar_again(run, path, tmp_path):
    code, out, _ = run("walk", "--timeline", path, "--out", tmp_path / "a.mp4")
    assert (code, "8 frames, 32x32" in out) == (0, True)
    kept = sidecar.read(tmp_path / "a.mp4.json")
    assert [each.request.latent for each in kept.walk.keyframes] == [A.latent, B.latent]
    code, out, _ = run("walk", "--from", tmp_path / "a.mp4.json", "--out", tmp_path / "again")
    assert (code, "every frame is the same, bit for bit" in out) == (0, True)


def test_another_rate_another_model_and_slerp_of_its_z(run, path, tmp_path):
    values = json.loads(path.read_text()) | {"way": "slerp", "z_dim": 8}
    path.write_text(json.dumps(values))
    other = REFERENCE / "stylegan3-t.pkl"
    code, _, errors = run("walk", other, "--timeline", path, "--fps", "4", "--out", tmp_path / "b")
    assert (code, errors) == (0, "")
    kept = sidecar.read(tmp_path / "b.json")
    assert (kept.frames, kept.models[0]["name"]) == (4, "stylegan3-t.pkl")
    z_dim = json.loads((tmp_path / "b.json").read_text())["timeline"]["z_dim"]
    assert z_dim not in (0, 8)


def test_constant_speed(run, path, tmp_path):
    code, out, _ = run("walk", "--timeline", path, "--even-speed", "--out", tmp_path / "c")
    assert code == 0
    assert "spread of the picture's change per frame: " in out
    assert sidecar.read(tmp_path / "c.json").walk.retime is not None


def test_what_steps_is_said(run, path, tmp_path):
    mixed = replace(B, mix=Mix(3, (0,)))
    files.write(Timeline((Keyframe(0.0, A), Keyframe(0.5, mixed)), 0.5, Fraction(4)), path)
    code, out, _ = run("walk", "--timeline", path, "--out", tmp_path / "d")
    assert (code, "from keyframe 1 to the next, steps: style mixing" in out) == (0, True)


def test_other_options_are_refused(run, path, tmp_path):
    code, _, errors = run("walk", "--timeline", path, "--seeds", "0,1", "--psi", "0.5", "--out", tmp_path / "e")
    assert code != 0
    assert "leave out --seeds, --psi" in errors
    code, _, errors = run("walk", REFERENCE / "stylegan2.pkl", "--seeds", "0", "--even-speed", "--out", tmp_path / "e")
    assert "--even-speed is for a timeline" in errors
    path.write_text("[]")
    code, _, errors = run("walk", "--timeline", path, "--out", tmp_path / "e")
    assert code != 0
    assert "a.json: not a timeline" in errors
