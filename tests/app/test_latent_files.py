"""Latents on disk, in every format, right and wrong."""

import json
import zipfile

import numpy as np
import pytest
import torch

from app import latent_files
from app.errors import InputError, WriteError

WS = np.random.RandomState(0).randn(1, 14, 8).astype(np.float32)


@pytest.mark.parametrize("suffix", ["npy", "npz", "pt", "json"])
def test_saved_and_opened_again_no_bit_changes(tmp_path, suffix):
    path = latent_files.write(tmp_path / f"w.{suffix}", WS)
    assert np.array_equal(latent_files.read(path, 14, 8), WS)


def test_npz_is_what_nvidias_projector_writes(tmp_path):
    with np.load(latent_files.write(tmp_path / "projected_w.npz", WS)) as saved:
        assert list(saved) == ["w"]
        assert saved["w"].shape == (1, 14, 8)


@pytest.mark.parametrize("shape", [(8,), (1, 8), (1, 1, 8)])
def test_a_single_w_fills_every_row(tmp_path, shape):
    np.save(tmp_path / "w.npy", WS[0, 0].reshape(shape))
    opened = latent_files.read(tmp_path / "w.npy", 14, 8)
    assert opened.shape == (1, 14, 8)
    assert (opened == WS[0, 0]).all()


def test_other_tools_files_open(tmp_path):
    torch.save({"latent": torch.from_numpy(WS[0])}, tmp_path / "a.pt")
    (tmp_path / "b.json").write_text(json.dumps(WS[0].tolist()))
    for name in ("a.pt", "b.json"):
        assert np.array_equal(latent_files.read(tmp_path / name, 14, 8), WS)


def test_a_wrong_shape_says_what_this_model_takes(tmp_path):
    np.save(tmp_path / "w.npy", WS)
    with pytest.raises(InputError, match=r"w.npy: the latent is \[1, 14, 8\]; this model takes w \[8\].*\[1, 18, 8\]"):
        latent_files.read(tmp_path / "w.npy", 18, 8)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran code')",))


def spoil(path, kind):
    if kind == "text":
        path.write_text("not numbers")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "pickle":
        if path.suffix == ".npy":
            np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
        else:
            torch.save(Bomb(), path)
    elif kind == "other key":
        with zipfile.ZipFile(path, "w") as file:
            for name in ("a.npy", "b.npy"):
                with file.open(name, "w") as entry:
                    np.save(entry, WS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(f"x.{s}", k) for s in ("npy", "npz", "pt", "json") for k in ("text", "empty")]
    + [("x.npy", "pickle"), ("x.pt", "pickle"), ("x.npz", "other key"), ("x.tiff", "text")],
)
def test_a_broken_or_hostile_file_is_one_sentence(tmp_path, name, kind):
    spoil(tmp_path / name, kind)
    with pytest.raises(InputError, match=f"^{name}: "):
        latent_files.read(tmp_path / name, 14, 8)


def test_nan_is_refused(tmp_path):
    np.save(tmp_path / "w.npy", np.full((1, 8), np.nan, np.float32))
    with pytest.raises(InputError, match="holds NaN"):
        latent_files.read(tmp_path / "w.npy", 14, 8)


def test_saving_into_a_file_as_folder_is_one_sentence(tmp_path):
    (tmp_path / "plain").write_text("")
    with pytest.raises(WriteError, match="the latent was not saved"):
        latent_files.write(tmp_path / "plain" / "w.npy", WS)
    with pytest.raises(InputError, match="a latent is saved as"):
        latent_files.write(tmp_path / "w.tiff", WS)
