"""`project` on the command line: the latent, the pictures and the numbers; what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.commands import main
from app.projection import study
from app.recording.embedded import read_state
from app.renderer import Renderer

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
SG2, SG3 = (str(REFERENCE / name) for name in ("stylegan2.pkl", "stylegan3-t.pkl"))


@pytest.fixture
def run(capsys, monkeypatch):
    look_around = study.Projection.look_around
    monkeypatch.setattr(study.Projection, "look_around", lambda self, draw: look_around(self, draw, 500))

    def run_(*args: object) -> tuple[int, str, str]:
        code = main(["project", *map(str, args)], lambda *_, **__: pytest.fail("no window"))
        return code, *capsys.readouterr()

    return run_


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.RandomState(0).randint(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "my photo.jpg")
    return tmp_path / "my photo.jpg"


def test_a_projection_with_its_check(run, photo, tmp_path):
    out = tmp_path / "new" / "out"
    code, text, errors = run(
        photo, SG2, "--steps", 3, "--attribution", 5, "--psi", 0.5, "--device", "cpu", "--out", out
    )
    assert code == 0, errors
    names = [f"my photo{ending}" for ending in (".npz", ".png", "-beside.png", ".json")]
    assert [Path(line).name for line in text.splitlines() if line.startswith(str(out))] == names
    values = json.loads((out / names[3]).read_text())
    assert values["steps_taken"] == len(values["distances"]) == 3
    assert values["best_distance"] == pytest.approx(min(values["distances"]))
    assert len(values["attribution"]["own_distances"]) == 5
    assert values["attribution"]["psi_of_own_pictures"] == 0.5
    assert values["attribution"]["photo_distance"] == values["best_distance"]
    assert f"distance {values['best_distance']:.4f} ({values['distance_name']})" in text
    assert values["attribution"]["verdict"] in text
    with np.load(out / names[0]) as file:
        assert file["w"].shape == (1, 8, 32)
        assert (file["w"] == file["w"][:, :1]).all()  # one w for all rows
    kept = read_state(out / names[1])  # the picture brings its request: dropped on the window it is shown again
    assert kept is not None
    drawn = Renderer().render(kept.request).picture
    with Image.open(out / names[1]) as picture, Image.open(out / names[2]) as beside:
        assert np.array_equal(np.asarray(picture), drawn[..., :3])
        assert beside.width == 984


def test_stylegan3_says_how_far_it_moved(run, photo, tmp_path):
    code, text, errors = run(photo, SG3, "--steps", 2, "--space", "w+", "--fit", "letterbox", "--out", tmp_path)
    assert code == 0, errors
    assert "picture widths, turned by" in text
    with np.load(tmp_path / "my photo.npz") as file:
        assert set(file.files) == {"w", "transform"}
        assert not (file["w"] == file["w"][:, :1]).all()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--class", 1], "this model has no classes"),
        (["--steps", 0], "0 is not in the range"),
        (["--attribution", 3], "3 is not in the range"),
    ],
)
def test_wrong_input_is_a_sentence_and_code_2(run, photo, tmp_path, args, sentence):
    code, _, errors = run(photo, SG2, *args, "--out", tmp_path)
    assert code == 2
    assert sentence in errors


def test_what_is_no_picture_is_refused(run, tmp_path):
    (tmp_path / "photo.png").write_text("words")
    code, _, errors = run(tmp_path / "photo.png", SG2, "--out", tmp_path / "out")
    assert code == 2
    assert "photo.png is no picture that can be read" in errors
