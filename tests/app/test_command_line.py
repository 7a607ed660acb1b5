"""The copied command line: every part of a request is in it, and its picture is the window's."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.command_line import as_command
from app.commands import main
from app.renderer import Renderer
from app.request import Condition, Latent, Mix, Model, Push, RenderRequest, Transform, Truncation, plane
from networks.plan import Intervention, LayerNoise, Noise
from tests.app.test_restore_window import MATRIX

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
SG2, SG3 = str(REFERENCE / "stylegan2.pkl"), str(REFERENCE / "stylegan3-t.pkl")
PLAIN = RenderRequest(model=Model(SG2, "cpu"))
CASES = {
    "a seed": replace(PLAIN, latent=Latent(((7, 1.0),)), truncation=Truncation(0.7, 4), mix=Mix(3, (1, 2)), bgr=True),
    "a place on the plane": replace(PLAIN, latent=plane(3.1, 2.7), truncation=Truncation(1 / 3)),
    "a blend in z": replace(PLAIN, latent=Latent(((3, 0.6), (9, 0.8)), space="z")),
    "noise by layers": replace(PLAIN, noise=Noise("random", 5, (LayerNoise("b8.conv1", strength=2.0),), 0.3)),
    "plain noise": replace(PLAIN, noise=Noise("random", 5)),
    "edits": replace(PLAIN, edits=(Intervention("b8.conv1", "scale", 3.0, (1,)),)),
    "a shift": replace(PLAIN, model=Model(SG3, "cpu"), transform=Transform(0.1, -0.2, 33.0)),
    "a matrix and a frozen input": replace(
        PLAIN, model=Model(SG3, "cpu"), transform=replace(MATRIX, freeze_input=True)
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_draws_the_same_picture(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = CASES[case]
    python, script, *arguments = shlex.split(as_command(request))
    assert (python, script) == ("python", "main.py")
    monkeypatch.chdir(tmp_path)
    assert main(arguments, lambda *_, **__: None) == 0
    (path,) = (tmp_path / "pictures").iterdir()
    picture = Renderer().render(request).picture
    assert picture is not None
    assert np.array_equal(np.asarray(Image.open(path).convert("RGBA")), picture)


def test_a_seed_reads_as_a_person_would_write_it() -> None:
    assert as_command(RenderRequest(model=Model("a b.pkl"), latent=Latent(((7, 1.0),)))) == (
        "python main.py render 'a b.pkl' --seeds 7 --psi 1.0 --out pictures"
    )


def test_classes_pushes_and_files_are_said() -> None:
    words = shlex.split(as_command(replace(PLAIN, condition=Condition(class_index=3))))
    assert words[words.index("--class") + 1] == "3"
    words = shlex.split(as_command(replace(PLAIN, latent=Latent.of_file("w 1.npz"))))
    assert words[words.index("--latent") + 1] == "w 1.npz"
    blended = replace(PLAIN, condition=Condition(1, 2, blend=0.5), pushes=(Push("pca", 0, 2.0),))
    words = shlex.split(as_command(blended))
    assert '"class_b":2' in words[words.index("--request") + 1]
    assert '"strength":2.0' in words[words.index("--request") + 1]


@pytest.mark.parametrize("parts", ["{", '{"psi": 1}', '{"truncation": {"psi": "x"}}', "[]"])
def test_a_damaged_request_is_one_sentence(parts: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", SG2, "--request", parts, "--out", str(tmp_path)], lambda *_, **__: None) == 2
    assert "--request" in capsys.readouterr().err


def test_what_a_request_says_of_psi_holds_and_a_walk_refuses_its_latent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--seeds", "3", "--request", '{"truncation":{"psi":0.25}}']
    assert main(["render", SG2, *words, "--out", str(tmp_path / "said")], lambda *_, **__: None) == 0
    assert main(["render", SG2, "--seeds", "3", "--psi", "0.25", "--out", str(tmp_path)], lambda *_, **__: None) == 0
    said, plain = (np.asarray(Image.open(folder / "seed0003.png")) for folder in (tmp_path / "said", tmp_path))
    assert np.array_equal(said, plain)
    latent = '{"latent":{"seeds":[[9,1.0]]}}'
    arguments = ["walk", SG2, "--seeds", "0,1", "--request", latent, "--out", str(tmp_path / "w.mp4")]
    assert main(arguments, lambda *_, **__: None) == 2
    assert "leave the latent out" in capsys.readouterr().err
