"""The command line as a person uses it: files, exit codes, sentences."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.bundled import first_model
from app.commands import main
from app.engine import Engine
from app.request import Latent, Model, RenderRequest, Truncation, View

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "tests" / "data" / "reference"
SG2 = str(REFERENCE / "stylegan2.pkl")
SG3 = str(REFERENCE / "stylegan3-t.pkl")
CONDITIONAL = str(REFERENCE / "stylegan2-conditional.pkl")


@pytest.fixture
def run(capsys):
    """Run main.py's arguments; returns (exit code, output, errors). What would open a window is noted."""

    def run_(*args):
        run_.opened = []
        code = main([str(arg) for arg in args], lambda paths, device, **_: run_.opened.append((list(paths), device)))
        return code, *capsys.readouterr()

    return run_


def test_render_npy_is_what_the_official_code_computes(run, tmp_path):
    io = np.load(REFERENCE / "stylegan2.io.npz")
    code, out, _ = run(
        "render", SG2, "--seeds", "0,7", "--psi", 0.7, "--cutoff", 4, "--format", "npy", "--out", tmp_path
    )
    assert code == 0
    assert out.split() == [str(tmp_path / "seed0000.npy"), str(tmp_path / "seed0007.npy")]
    for row, seed in enumerate((0, 7)):
        image = np.load(tmp_path / f"seed{seed:04d}.npy")
        assert (image.shape, image.dtype) == ((1, 3, 32, 32), np.float32)
        assert np.abs(image - io["img_const"][row : row + 1]).max() < 1e-5


def test_render_png_is_the_same_picture_rounded(run, tmp_path):
    for kind in ("png", "npy"):
        assert run("render", SG2, "--seeds", "3", "--noise", "none", "--format", kind, "--out", tmp_path)[0] == 0
    image = np.load(tmp_path / "seed0003.npy")
    expected = np.clip(image[0].transpose(1, 2, 0) * np.float32(127.5) + 128, 0, 255).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "seed0003.png")), expected)


def test_the_window_shows_the_same_bits(run, tmp_path):
    assert run("render", SG2, "--seeds", "3", "--psi", 0.8, "--out", tmp_path)[0] == 0
    engine = Engine()
    try:
        request = RenderRequest(model=Model(SG2), latent=Latent(((3, 1.0),)), truncation=Truncation(0.8))
        engine.submit(replace(request, max_height=0, view=View("b16.conv1")))
        assert engine.wait_idle(60)
        shown = engine.latest().picture[..., :3]
    finally:
        assert engine.close(60)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "seed0003.png")), shown)


def test_a_transform_is_given_as_six_numbers(run, tmp_path):
    io = np.load(REFERENCE / "stylegan3-t.io.npz")
    six = ",".join(str(number) for number in io["transform"][:2].reshape(-1).tolist())
    args = ("--seeds", "0-0", "--psi", 0.7, "--cutoff", 4, "--transform", six, "--format", "npy", "--out", tmp_path)
    assert run("render", SG3, *args)[0] == 0
    assert np.abs(np.load(tmp_path / "seed0000.npy") - io["img_transform"][:1]).max() < 1e-5


def test_a_saved_w_draws_the_same_picture(run, tmp_path):
    assert run("render", CONDITIONAL, "--seeds", "5", "--class", 2, "--save-w", "--out", tmp_path / "a")[0] == 0
    latent = tmp_path / "a" / "seed0005.npz"
    assert run("render", CONDITIONAL, "--latent", latent, "--class", 2, "--out", tmp_path / "b")[0] == 0
    pictures = [np.asarray(Image.open(tmp_path / name / "seed0005.png")) for name in "ab"]
    assert np.array_equal(*pictures)


def test_inspect_tells_the_layer_table_for_people_and_programs(run):
    code, out, _ = run("inspect", SG2)
    assert code == 0
    assert "stylegan2.pkl: StyleGAN2, 32x32, 3 channels" in out
    assert " 10  b32.conv1              conv           32x32       16    6   yes     16" in out
    facts = json.loads(run("inspect", SG3, "--json")[1])
    assert (facts["family"], facts["num_ws"], facts["transform"], facts["missing"]) == ("stylegan3", 10, True, [])
    assert facts["parameters"] > 0


def test_inspect_builds_no_network(run, monkeypatch):
    from networks.checkpoint import load

    monkeypatch.setattr(load, "build", lambda *_, **__: pytest.fail("built"))
    assert run("inspect", SG2)[0] == 0


def test_a_walk_and_its_sidecar(run, tmp_path):
    out = tmp_path / "walk.mp4"
    assert run("walk", SG2, "--seeds", "0,1,2", "--seconds", 1, "--fps", 5, "--loop", "--out", out)[0] == 0
    code, text, _ = run("walk", "--from", f"{out}.json", "--out", tmp_path / "again")
    assert code == 0
    assert "every frame is the same, bit for bit" in text
    assert len(list((tmp_path / "again").iterdir())) == 5


def test_a_walk_that_cannot_be_made_again_is_a_failure(run, tmp_path):
    run("walk", SG2, "--seeds", "0", "--seconds", 1, "--fps", 2, "--out", tmp_path / "a")
    path = tmp_path / "a.json"
    values = json.loads(path.read_text())
    values["frames_sha256"] = "0" * 64
    values["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(values))
    code, _, error = run("walk", "--from", path, "--out", tmp_path / "b")
    assert code == 1
    assert "the frames differ from those recorded; torch was 1.0" in error


def test_convert_writes_what_draws_the_same(run, tmp_path):
    out = tmp_path / "new.safetensors"
    code, text, _ = run("convert", SG2, out, "--check")
    assert code == 0
    assert "the same, bit for bit" in text
    assert json.loads(run("inspect", out, "--json")[1])["family"] == "stylegan2"
    code, _, error = run("convert", SG2, out)
    assert (code, "is there already; --force replaces it" in error) == (2, True)


def test_checkpoints_without_a_verb_open_the_window(run):
    assert run(SG2, SG3, "--device", "cpu")[0] == 0
    assert run.opened == [([SG2, SG3], "cpu")]
    assert run()[0] == 0
    assert run.opened == [([first_model()], "auto")]
    assert "stylegan2" in first_model()
    assert run("open", SG2)[0] == 0
    assert run.opened == [([SG2], "auto")]


def test_faces_opens_the_package_or_says_how_to_install_it(run, monkeypatch):
    from networks.checkpoint import faces

    monkeypatch.setattr(faces, "find_faces", lambda: Path("/somewhere/data"))
    assert run("faces", "--device", "cpu")[0] == 0
    assert run.opened == [(["/somewhere/data"], "cpu")]
    monkeypatch.setattr(faces, "find_faces", lambda: None)
    code, _, error = run("faces")
    assert code == 2
    assert "pip install" in error


WRONG = [
    (("render", "gone.pkl", "--seeds", 0, "--out", "o"), "'gone.pkl' does not exist"),
    (("render", __file__, "--seeds", 0, "--out", "o"), "test_commands.py"),
    (("render", SG2, "--out", "o"), "--seeds 0-3,7 or --latent FILE"),
    (("render", SG2, "--seeds", "3-1", "--out", "o"), "'3-1' runs backwards"),
    (("render", SG2, "--seeds", "a", "--out", "o"), "'a' is neither a number nor a range"),
    (("render", SG2, "--seeds", "4294967296", "--out", "o"), "is above 4294967295"),
    (("render", SG2, "--seeds", "0", "--transform", "1,2,3", "--out", "o"), "is not six numbers"),
    (("render", SG3, "--seeds", "0", "--transform", "0,0,0,0,0,0", "--out", "o"), "has no inverse"),
    (("render", SG2, "--seeds", "0", "--transform", "1,0,0,0,1,0", "--out", "o"), "a StyleGAN2 takes no --transform"),
    (("render", SG2, "--seeds", "0", "--class", "1", "--out", "o"), "this model has no classes"),
    (("render", CONDITIONAL, "--seeds", "0", "--class", "5", "--out", "o"), "class 5 is outside 0 to 4"),
    (("render", SG2, "--seeds", "0", "--prompt", "cat", "--out", "o"), "this model takes no text or vector"),
    (("render", SG2, "--seeds", "0", "--mix-seed", "1", "--out", "o"), "needs both --mix-seed and --mix-rows"),
    (("render", SG2, "--seeds", "0", "--mix-seed", 1, "--mix-rows", 8, "--out", "o"), "--mix-rows 8 is outside 0 to 7"),
    (("render", SG2, "--latent", __file__, "--out", "o"), "a latent file ends in .npy"),
    (("render", SG2, "--seeds", "0", "--out", f"{SG2}/x"), "the folder cannot be made"),
    (("walk", "--out", "o"), "a walk needs a checkpoint and --seeds"),
    (("walk", SG2, "--seeds", "0", "--out", "o.avi"), "a recording is .mp4, .webm, .gif"),
    (("walk", SG2, "--seeds", "0", "--fps", "x", "--out", "o"), "'x' is no frame rate"),
    (("walk", SG2, "--seeds", "0", "--fps", "1000", "--out", "o"), "give 1 to 240"),
    (("walk", "--from", __file__, "--out", "o"), "not a sidecar"),
    (("convert", SG2, "o.pkl"), "must end in .safetensors"),
    (("inspekt", SG2), "inspekt: no such file, and no verb of that name"),
    (("--device", "abacus"), "'abacus' is not one of"),
]


@pytest.mark.parametrize(("args", "sentence"), WRONG, ids=[" ".join(map(str, args))[-60:] for args, _ in WRONG])
def test_wrong_input_is_a_sentence_and_code_2(run, tmp_path, monkeypatch, args, sentence):
    monkeypatch.chdir(tmp_path)
    code, _, error = run(*args)
    assert code == 2
    assert sentence in " ".join(error.split())
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "o"])


def test_what_is_not_the_users_fault_is_code_1(run, tmp_path):
    (tmp_path / "seed0000.png").symlink_to("/dev/full")
    code, _, error = run("render", SG2, "--seeds", "0", "--out", tmp_path)
    assert (code, "no space left on device" in error) == (1, True)


@pytest.mark.parametrize(
    ("args", "code"),
    [(("inspect", SG2), 0), (("inspect", "gone.pkl"), 2), (("render", __file__, "--seeds", "0", "--out", "o"), 2)],
)
def test_the_process_ends_with_its_code(tmp_path, args, code):
    ended = subprocess.run([sys.executable, ROOT / "main.py", *args], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_names_every_verb_without_loading_torch():
    code = "import sys, runpy; sys.argv = ['main.py', '--help']\n"
    code += "try:\n  runpy.run_path('main.py', run_name='__main__')\n"
    code += "except SystemExit: pass\nassert 'torch' not in sys.modules and 'dearpygui' not in sys.modules"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for verb in ("inspect", "render", "walk", "convert", "faces", "tour", "bench"):
        assert f"  {verb} " in shown
