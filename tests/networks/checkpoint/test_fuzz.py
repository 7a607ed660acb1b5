"""Mutated checkpoints: whatever bytes change, a file opens or is refused with a sentence; nothing else ever happens.

The cases are a fixed number of fixed ones (derandomized). Mutations prefer the bytes that mean something to a reader
(opcodes, lengths, names, headers) over weights, of which most bytes of a file consist.
"""

import io
import os
import pickletools
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.load import load, read_checkpoint
from networks.checkpoint.reader import read_source
from networks.checkpoint.safetensors_format import save_checkpoint
from tests.networks.checkpoint.hostile.cases import CANARY, REFERENCE
from tests.official_layout import Layout
from tests.pickle_writer import dumps

BLOB = 256  # bytes; opcodes with longer arguments hold weights
FIXED = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KINDS = ("stylegan1", "stylegan2", "stylegan3-t", "stylegan-t-conditional", "latin1", "zip", "legacy", "own")
OPCODES = bytes(ord(opcode.code) for opcode in pickletools.opcodes)


@cache
def whole(kind: str) -> bytes:
    """The bytes of a small checkpoint of each format."""
    if kind == "latin1":
        return dumps({"G_ema": Layout(8, channel_base=64, channel_max=8, w_dim=8).generator()}, 2)
    if kind in ("zip", "legacy"):
        out = io.BytesIO()
        state = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8)).state_dict()
        saved = {"g_ema": state, "args": {"size": 8, "half": torch.zeros(3, dtype=torch.float16)}}
        torch.save(saved, out, _use_new_zipfile_serialization=kind == "zip")
        return out.getvalue()
    return (REFERENCE / f"{kind}.pkl").read_bytes() if kind != "own" else own_format()


def own_format() -> bytes:
    path = Path(os.environ["STYLESCOPE_FUZZ"]) / "own.safetensors"
    save_checkpoint(read_checkpoint(REFERENCE / "stylegan2.pkl"), path)
    return path.read_bytes()


@cache
def meaningful(kind: str) -> list[int]:
    """Offsets of the bytes that are no weights."""
    data = whole(kind)
    if kind in ("zip", "legacy"):
        return list(range(len(data)))
    if kind == "own":
        return list(range(8 + int.from_bytes(data[:8], "little")))
    offsets: list[int] = []
    starts = [position for _, _, position in pickletools.genops(data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        offsets += range(start, min(end, start + BLOB))
    return offsets


# One to four edits: (what, place between 0 and 1, bytes).
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "opcode", "swap", "number"]),
        st.floats(0, 1, exclude_max=True, width=32),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def edited(kind: str, changes: list[tuple[str, float, bytes]]) -> bytes:
    data, offsets = bytearray(whole(kind)), meaningful(kind)
    for what, place, new in changes:
        at = min(offsets[int(place * len(offsets))], len(data) - 1)
        if what == "replace":
            data[at : at + len(new)] = new
        elif what == "insert":
            data[at:at] = new
        elif what == "delete":
            del data[at : at + new[0]]
        elif what == "opcode":
            data[at] = OPCODES[new[0] % len(OPCODES)]
        elif what == "number":
            data[at : at + 4] = b"\xff\xff\xff\x7f"
        else:
            other = offsets[new[0] * len(offsets) // 256] % len(data)
            data[at], data[other] = data[other], data[at]
    return bytes(data)


def check(path: Path, opener: Callable[[Path], object]) -> None:
    """Open; a refusal must be one sentence that begins with the file's name."""
    said = f"{path.name} opens"
    try:
        opener(path)
    except CheckpointError as error:
        said = str(error)
    assert re.match(rf"{re.escape(path.name)}[: ]", said), said
    assert "\n" not in said
    assert len(said) < 400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STYLESCOPE_FUZZ", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
@settings(FIXED, max_examples=150)
@given(changes=EDITS)
def test_reader(kind: str, folder: Path, changes: list[tuple[str, float, bytes]]) -> None:
    (folder / "mutated.pkl").write_bytes(edited(kind, changes))
    check(folder / "mutated.pkl", read_source)
    assert not (folder / CANARY).exists()


@pytest.mark.parametrize("kind", ["stylegan1", "stylegan2", "stylegan3-t", "stylegan-t-conditional", "own"])
@settings(FIXED, max_examples=40)
@given(changes=EDITS)
def test_load(kind: str, folder: Path, changes: list[tuple[str, float, bytes]]) -> None:
    (folder / "mutated.pkl").write_bytes(edited(kind, changes))
    check(folder / "mutated.pkl", load)


@settings(FIXED, max_examples=300)
@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\x80\x04", b"\x80\x02", b"(", b"PK\x03\x04"]))
def test_any_bytes(folder: Path, data: bytes, start: bytes) -> None:
    (folder / "bytes.pkl").write_bytes(start + data)
    check(folder / "bytes.pkl", read_source)


@settings(FIXED, max_examples=300)
@given(codes=st.lists(st.sampled_from(list(OPCODES)), max_size=40), values=st.binary(min_size=8, max_size=8))
def test_any_opcodes(folder: Path, codes: list[int], values: bytes) -> None:
    """Programs of opcodes in any order, with short arguments."""
    body = b"".join(bytes([code]) + values[: code % 9] for code in codes)
    (folder / "opcodes.pkl").write_bytes(b"\x80\x04" + body + b".")
    check(folder / "opcodes.pkl", read_source)
