"""Names, places and writing of pictures."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.request import Latent, RenderRequest, from_json
from app.window.pictures import REQUEST_KEY, PictureWriter, file_name, free_path, output_dir, write_png


def rgba(alpha: int = 255) -> np.ndarray:
    picture = np.arange(4 * 6 * 4, dtype=np.uint8).reshape(4, 6, 4)
    picture[..., 3] = alpha
    return picture


@pytest.mark.parametrize(
    ("model", "stem"),
    [("/models/ffhq.pkl", "ffhq"), ("a b/ψ näch?.pt", "n-ch"), ("", "picture"), ("..pkl", "picture"), ("/", "picture")],
)
def test_a_file_is_named_after_its_model_and_the_time(model: str, stem: str):
    name = file_name(model, ".png", moment=0.0)
    assert name.startswith(f"{stem}-19")
    assert name.endswith("00.png")
    assert name.isascii()
    assert len(name) == len(stem) + len("-19700101-000000.png")


def test_nothing_is_overwritten(tmp_path: Path):
    assert free_path(tmp_path, "a.png") == tmp_path / "a.png"
    (tmp_path / "a.png").touch()
    (tmp_path / "a-2.png").touch()
    assert free_path(tmp_path, "a.png") == tmp_path / "a-3.png"
    (tmp_path / "walk").mkdir()
    assert free_path(tmp_path, "walk") == tmp_path / "walk-2"


def test_the_output_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("STYLESCOPE_OUTPUT", str(tmp_path))
    assert output_dir() == tmp_path
    monkeypatch.delenv("STYLESCOPE_OUTPUT")
    assert output_dir().name == "StyleScope"


@pytest.mark.parametrize(("alpha", "channels"), [(255, 3), (100, 4)])
def test_alpha_is_kept_where_there_is_some(tmp_path: Path, alpha: int, channels: int):
    request = RenderRequest(latent=Latent(((7, 0.25), (8, 0.75))))
    path = write_png(tmp_path / "new" / "a.png", rgba(alpha), request)
    with Image.open(path) as saved:
        assert np.array_equal(np.asarray(saved), rgba(alpha)[..., :channels])
        assert from_json(json.loads(saved.text[REQUEST_KEY])) == request
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_a_failed_write_leaves_nothing_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def save(self: Image.Image, path: Path, *_: object, **__: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = PictureWriter()
    (tmp_path / "file").touch()
    writer.write(tmp_path / "good.png", rgba())
    writer.write(tmp_path / "file" / "a.png", rgba())
    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", save)
        writer.write(tmp_path / "full.png", rgba())
        writer.close()
    said = dict(writer.finished())
    assert writer.finished() == []
    assert [problem for problem in said.values()].count(True) >= 2
    assert f"{tmp_path}/full.png could not be written: No space left on device; free some space or choose another " in (
        next(text for text in said if "full.png" in text)
    )
    assert not (tmp_path / "full.png").exists()
    assert not list(tmp_path.glob("*.part"))
