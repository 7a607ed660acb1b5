"""Files of directions: the shapes and names that tools write, latents that win, and files that lie."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from app.directions import files, sets
from app.directions.library import Library
from app.errors import InputError
from app.studies import direction_files
from tests.app.conftest import build

ROWS, DIM = 4, 6
RNG = np.random.default_rng(2)
ONE = RNG.normal(size=DIM)
MANY = RNG.normal(size=(3, DIM))
PLUS = RNG.normal(size=(ROWS, DIM))


def unit(array):
    return array / np.linalg.norm(array, axis=-1, keepdims=True)


def save(path, content):
    """Write an array or named arrays as the ending says."""
    if path.suffix == ".npy":
        np.save(path, content)
    elif path.suffix == ".npz":
        np.savez(path, **content)
    elif path.suffix == ".json":
        plain = (
            {k: np.asarray(v).tolist() for k, v in content.items()} if isinstance(content, dict) else content.tolist()
        )
        path.write_text(json.dumps(plain))
    elif path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(content, protocol=4))
    else:
        torch.save(
            {k: torch.as_tensor(v) for k, v in content.items()}
            if isinstance(content, dict)
            else torch.as_tensor(content),
            path,
        )
    return path


@pytest.mark.parametrize("suffix", [".npy", ".json", ".pt", ".pkl"])
@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (ONE, (1, DIM)),
        (ONE[None], (1, DIM)),
        (MANY, (3, DIM)),
        (MANY[:, None], (3, DIM)),
        (PLUS, (1, ROWS, DIM)),
        (np.stack([PLUS, PLUS + 1]), (2, ROWS, DIM)),
    ],
)
def test_every_shape_of_a_bare_array(tmp_path, suffix, array, shape):
    given = files.read(save(tmp_path / f"d{suffix}", array), ROWS, DIM)
    assert given.directions.shape == shape
    assert given.sigma is None
    flat = given.directions.reshape(shape[0], -1)
    np.testing.assert_allclose(unit(flat), unit(np.asarray(array).reshape(shape[0], -1)), atol=1e-5)
    np.testing.assert_allclose(np.square(flat).sum(axis=1), 1.0 if len(shape) == 2 else ROWS, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".npz", ".pt", ".pkl", ".json"])
def test_names_that_tools_write(tmp_path, suffix):
    sigma = np.array([3.0, 2.0, 1.0])
    shapes = {
        "own": {"directions": unit(MANY), "sigma": sigma, "mean": ONE},
        "ganspace": {"lat_comp": unit(MANY)[:, None], "lat_stdev": sigma, "lat_mean": ONE[None, None],
                     "act_comp": np.zeros((3, 1, DIM)), "act_stdev": sigma, "var_ratio": sigma},
        "other": {"comp": unit(MANY)[:, None], "std": sigma, "mean": ONE},
    }  # fmt: skip
    for name, content in shapes.items():
        given = files.read(save(tmp_path / f"{name}{suffix}", content), ROWS, DIM)
        np.testing.assert_allclose(given.directions, unit(MANY), atol=1e-6)
        np.testing.assert_allclose(given.sigma, sigma, rtol=1e-6)
    columns = files.read(save(tmp_path / f"factor{suffix}", {"eigvec": unit(MANY).T}), ROWS, DIM)
    np.testing.assert_allclose(columns.directions, unit(MANY), atol=1e-6)
    named = files.read(save(tmp_path / f"named{suffix}", {"smile": ONE, "age": MANY[0]}), ROWS, DIM)
    assert named.labels == ("smile", "age")
    np.testing.assert_allclose(named.directions, unit(np.stack([ONE, MANY[0]])), atol=1e-6)


def test_components_of_z_are_refused_unless_those_of_the_mapping_are_beside_them(tmp_path):
    in_z = {"lat_comp": unit(MANY)[:, None], "lat_stdev": np.ones(3)}
    with pytest.raises(InputError, match="these components lie in Z"):
        files.read(save(tmp_path / "z.npz", in_z), ROWS, DIM)
    beside = {**in_z, "act_comp": unit(MANY[::-1]), "act_stdev": np.array([4.0, 2.0, 1.0])}
    given = files.read(save(tmp_path / "w.npz", beside), ROWS, DIM)
    np.testing.assert_allclose(given.directions, unit(MANY[::-1]), atol=1e-6)
    np.testing.assert_allclose(given.sigma, [4.0, 2.0, 1.0])


def test_a_step_of_a_file_with_deviations_stays_what_it_was(tmp_path):
    """A direction of length 5 with sigma 2: one sigma is 10 long, whatever length directions have here."""
    long = 5 * unit(MANY)
    given = files.read(save(tmp_path / "d.npz", {"directions": long, "sigma": np.full(3, 2.0)}), ROWS, DIM)
    step = given.as_set(given.sigma).step(1)
    np.testing.assert_allclose(step, 2.0 * long[1], rtol=1e-5)


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_saved_set_comes_back(tmp_path, suffix):
    found = Library(build()).find("pca:200").first(4)
    path = sets.save(found, tmp_path / f"set{suffix}")
    given = files.read(path, 12, 16)
    np.testing.assert_allclose(given.directions, found.directions, atol=1e-6)
    np.testing.assert_allclose(given.sigma, found.sigma, rtol=1e-6)
    step = Library(build()).step(str(path), 2)
    np.testing.assert_allclose(step, found.step(2), rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "latent"),
    [
        (ONE, True),
        (ONE[None], True),
        (PLUS, True),
        (PLUS[None], True),
        (MANY, False),
        (np.stack([PLUS, PLUS]), False),
        ({"w": PLUS[None]}, True),
        ({"w": PLUS[None], "noise.b4": MANY}, True),
        ({"directions": ONE[None], "sigma": np.ones(1)}, False),
        ({"lat_comp": PLUS, "lat_stdev": np.ones(ROWS)}, False),
        ({"smile": ONE, "age": ONE}, False),
        ({"only": ONE}, True),
    ],
)
def test_a_latent_wins_where_names_do_not_tell(tmp_path, content, latent):
    path = save(tmp_path / ("d.npz" if isinstance(content, dict) else "d.npy"), content)
    assert files.is_latent(path, ROWS, DIM) is latent


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (RNG.normal(size=(3, 7)), r"the directions are \[3, 7\]; this model takes \[6\], \[K, 6\], \[4, 6\]"),
        (np.zeros((2, DIM)), "direction 0 is zero everywhere"),
        (np.full((2, DIM), np.inf), "NaN, infinite"),
        (np.full((2, DIM), 1e200), "absurdly large"),
        (np.array([["a"]]), "expected numbers"),
        (np.zeros((0, DIM)), r"float64 \[0, 6\]"),
        ({"w": ONE}, "`w` is a latent, a point and no direction"),
        ({"directions": MANY, "sigma": np.ones(2)}, "3 directions have 2 standard deviations"),
        ({"directions": MANY, "sigma": -np.ones(3)}, "negative or no number"),
        ({"directions": MANY, "sigma": np.full(3, np.nan)}, "NaN, infinite"),
        ({"a": MANY, "b": MANY}, "are not one direction each"),
        ({"x": np.float64(3)}, "no directions in it; found x"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(tmp_path, content, words):
    path = save(tmp_path / ("d.npz" if isinstance(content, dict) else "d.npy"), content)
    with pytest.raises(InputError, match=words) as caught:
        files.read(path, ROWS, DIM)
    assert str(caught.value).startswith("d.np")
    assert "\n" not in str(caught.value)


class Evil:
    """Would make a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_in_a_file_is_executed(tmp_path):
    proof = tmp_path / "executed"
    for name in ("evil.pkl", "evil.pt"):
        (tmp_path / name).write_bytes(pickle.dumps({"directions": Evil(proof)}, protocol=2))
    np.save(tmp_path / "evil.npy", np.array([Evil(proof)], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "evil.npz", directions=np.array([Evil(proof)], dtype=object))
    for name in ("evil.pkl", "evil.pt", "evil.npy", "evil.npz"):
        with pytest.raises(InputError, match="evil"):
            files.read(tmp_path / name, ROWS, DIM)
    assert not proof.exists()


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        header("(1000000, 1000000)") + bytes(64),  # asks for 8 TB
        header("(4, 6)") + bytes(100),  # too short
        header("(-4, 6)") + bytes(300),
        header("(4, 6") + bytes(300),
        header("('a',)") + bytes(300),
        b"\x93NUMPY\x09\x00" + bytes(300),
        bytes(300),
    ],
)
def test_arrays_whose_header_lies(tmp_path, data):
    (tmp_path / "bad.npy").write_bytes(data)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("directions.npy", data)
    (tmp_path / "bad.npz").write_bytes(buffer.getvalue())
    for name in ("bad.npy", "bad.npz"):
        with pytest.raises(InputError, match=f"{name}: not a readable"):
            files.read(tmp_path / name, ROWS, DIM)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(direction_files, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("directions.npy", header("(1000, 1000)") + bytes(8_000_000))
    with pytest.raises(InputError, match="more than 1,048,576 bytes unpacked"):
        files.read(tmp_path / "bomb.npz", ROWS, DIM)


@pytest.mark.parametrize(
    "text",
    ["", "[", "{}", "[" * 100_000, '{"directions": [[1, 2], [3]]}', '{"directions": "x"}', "null", '{"sliders": [3]}',
     '{"sliders": []}', '{"sliders": [{"direction": [1, 2]}]}'],
)  # fmt: skip
def test_json_that_is_no_set(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=r"bad\.json"):
        files.read(tmp_path / "bad.json", ROWS, DIM)


def test_an_encrypted_archive(tmp_path):
    path = save(tmp_path / "locked.npz", {"directions": MANY})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        files.read(path, ROWS, DIM)


def test_another_ending_is_named(tmp_path):
    (tmp_path / "d.txt").write_text("1 2 3")
    with pytest.raises(InputError, match=r"d\.txt: a file of directions ends in \.npz, \.npy"):
        files.read(tmp_path / "d.txt", ROWS, DIM)
