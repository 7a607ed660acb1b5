"""Our own format: what is written comes back bit for bit, opens mapped, and is replaced in one step or not at all."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.load import build, load, read_checkpoint
from networks.checkpoint.reader import read_source
from networks.checkpoint.records import Checkpoint
from networks.checkpoint.safetensors_format import METADATA_KEY, save_checkpoint, save_safetensors

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
FILES = sorted(path.stem for path in REFERENCE.glob("*.pkl"))
DTYPES = (
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.bool,
)  # fmt: skip


def converted(name: str, folder: Path) -> tuple[Checkpoint, Path]:
    checkpoint = read_checkpoint(REFERENCE / f"{name}.pkl")
    save_checkpoint(checkpoint, folder / f"{name}.safetensors")
    return checkpoint, folder / f"{name}.safetensors"


@pytest.mark.parametrize("name", FILES)
def test_every_family_comes_back_the_same(name: str, tmp_path: Path) -> None:
    before, path = converted(name, tmp_path)
    after = read_checkpoint(path)
    assert (after.family, after.spec, after.w_avg_known) == (before.family, before.spec, before.w_avg_known)
    assert after.format == "stylescope-generator"
    a, b = build(before).state_dict(), build(after).state_dict()
    assert list(a) == list(b)
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_the_header_says_where_the_weights_come_from(tmp_path: Path) -> None:
    before, path = converted("stylegan3-t", tmp_path)
    header = json.loads(read_source(path).header[METADATA_KEY])
    assert header["format"] == "stylescope-generator"
    assert header["version"] == 1
    assert header["family"] == "stylegan3"
    assert header["spec"]["z_dim"] == 32
    assert header["source"] == {"name": "stylegan3-t.pkl", "format": before.format, "sha256": before.sha256}
    assert "licence" in header["licence"]
    assert read_checkpoint(path).notes[-1] == (
        f"Converted from stylegan3-t.pkl ({before.format}), SHA-256 {before.sha256[:12]}."
    )


def test_converting_twice_gives_the_same_tensors_and_names_the_first_conversion(tmp_path: Path) -> None:
    _, first = converted("stylegan2", tmp_path)
    second = tmp_path / "second.safetensors"
    save_checkpoint(read_checkpoint(first), second)
    a, b = read_source(first).root, read_source(second).root
    assert all(torch.equal(a[key], b[key]) for key in a | b)
    assert "stylegan2.pkl" in read_checkpoint(second).notes[0]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_safetensors_library_reads_ours_and_we_read_theirs(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {"a": torch.arange(6).reshape(2, 3).to(dtype), "scalar": torch.ones((), dtype=dtype)}
    state["empty"] = torch.empty(0, 3, dtype=dtype)
    save_safetensors(state, {"note": "x"}, tmp_path / "ours.safetensors")
    safetensors.torch.save_file(state, tmp_path / "theirs.safetensors", {"note": "x"})
    ours = safetensors.torch.load_file(tmp_path / "ours.safetensors")
    theirs = read_source(tmp_path / "theirs.safetensors")
    assert theirs.header == {"note": "x"}
    for read in (ours, theirs.root, read_source(tmp_path / "ours.safetensors").root):
        assert all(torch.equal(read[key], state[key]) and read[key].dtype == dtype for key in state | read)


def test_tensors_are_mapped_and_writing_to_them_leaves_the_file_alone(tmp_path: Path) -> None:
    save_safetensors({"a": torch.zeros(4096)}, {}, tmp_path / "a.safetensors")
    before = (tmp_path / "a.safetensors").read_bytes()
    tensor = read_source(tmp_path / "a.safetensors").root["a"]
    maps = [line for line in Path("/proc/self/maps").read_text().splitlines() if "a.safetensors" in line]
    assert any(int(m.split("-")[0], 16) <= tensor.data_ptr() < int(m.split()[0].split("-")[1], 16) for m in maps)
    tensor.fill_(1.0)
    assert (tmp_path / "a.safetensors").read_bytes() == before


def test_places_that_are_not_aligned_are_read_too(tmp_path: Path) -> None:
    data = np.arange(3, dtype=np.float32).tobytes()
    header = json.dumps({"a": {"dtype": "F32", "shape": [3], "data_offsets": [1, 13]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" + data)
    assert read_source(tmp_path / "a.safetensors").root["a"].tolist() == [0, 1, 2]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    checkpoint, path = converted("stylegan1", tmp_path)
    before = path.read_bytes()
    broken = replace(checkpoint, state={**checkpoint.state, "zz": torch.zeros(3, dtype=torch.complex64)})
    with pytest.raises(
        CheckpointError, match=r"stylegan1\.safetensors: zz is complex64, which safetensors cannot hold"
    ):
        save_checkpoint(broken, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(REFERENCE / "stylegan1.pkl")
    with pytest.raises(CheckpointError, match=r"x\.safetensors cannot be written in .*nowhere \(no such file"):
        save_checkpoint(checkpoint, tmp_path / "nowhere" / "x.safetensors")


def test_pictures_are_the_same_bit_for_bit(tmp_path: Path) -> None:
    _, path = converted("stylegan2-conditional", tmp_path)
    pictures = []
    for file in (REFERENCE / "stylegan2-conditional.pkl", path):
        generator, _ = load(file)
        z = torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0))
        c = torch.eye(generator.c_dim)[:1]
        pictures.append(generator.synthesize(generator.map(z, c)))
    assert torch.equal(*pictures)
