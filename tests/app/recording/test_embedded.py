"""What files say of themselves: read back as it was, and nothing that is damaged or hostile gets through."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app.errors import InputError
from app.recording import embedded
from app.recording.embedded import Kept, read_state
from app.recording.live import LiveCapture
from app.recording.offline import record_walk
from app.recording.sidecar import beside, pinned
from app.recording.sinks import Encoding
from app.recording.walk import Walk
from app.renderer import Renderer
from app.request import Latent, RenderRequest, Transform, Truncation, View, to_json
from app.window.pictures import write_png
from networks.plan import Disc, Intervention, LayerNoise, Noise

PIXELS = np.full((4, 4, 4), 200, np.uint8)


def rich(request: RenderRequest) -> RenderRequest:
    """Every part differs from its default."""
    return replace(
        request,
        latent=Latent(((3, 0.25), (4, 0.75))),
        truncation=Truncation(0.6, 5),
        noise=Noise("random", 4, (LayerNoise("b32.conv1", strength=2.0),)),
        edits=(Intervention("b16.conv1", "inpaint", 0.5, (3, 1), disc=Disc(0.25, 0.5, 0.125)),),
        transform=Transform(angle_deg=10),
        view=View("b8.conv1", rgb=(2, 1, 0)),
    )


@pytest.fixture
def walk(request_: RenderRequest) -> Walk:
    return Walk(rich(request_), (1, 2, 3), 0.3, Fraction(10), loop=True)


def test_a_png_gives_its_request_and_model_back(request_: RenderRequest, tmp_path: Path):
    info = Renderer().open(request_).info
    path = write_png(tmp_path / "a.png", PIXELS, rich(request_), info)
    assert read_state(path) == Kept(rich(request_), "small.pkl", "0" * 64, looks=True)
    assert read_state(write_png(tmp_path / "old.png", PIXELS, rich(request_))) == Kept(rich(request_), looks=True)
    assert read_state(write_png(tmp_path / "foreign.png", PIXELS)) is None


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.png"])
def test_a_walk_gives_its_first_frame_back(walk: Walk, tmp_path: Path, name: str):
    renderer = Renderer()
    record_walk(walk, tmp_path / name, renderer)
    first = pinned(walk.at(0), renderer.open(walk.request).info)
    beside(tmp_path / name).unlink()  # the file alone says it
    assert read_state(tmp_path / name) == Kept(first, "small.pkl", "0" * 64)


def test_a_folder_gives_every_frame_back(walk: Walk, tmp_path: Path):
    renderer = Renderer()
    record_walk(walk, tmp_path / "f", renderer)
    info = renderer.open(walk.request).info
    kept = [read_state(tmp_path / "f" / f"frame-{i:06d}.png") for i in range(3)]
    assert [state.request for state in kept] == [pinned(walk.at(i), info) for i in range(3)]


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_a_live_capture_gives_its_first_frame_back(request_: RenderRequest, tmp_path: Path, name: str):
    frame = Renderer().render(rich(request_))
    capture = LiveCapture(tmp_path / name, (128, 128), Encoding(), frame)
    capture.push_frame(frame, 0.0)
    capture.stop(0.5)
    beside(tmp_path / name).unlink()
    kept = read_state(tmp_path / name)
    assert kept == Kept(pinned(rich(request_), frame.model), "small.pkl", "0" * 64)
    assert np.array_equal(Renderer().render(kept.request).picture, frame.picture)


def test_a_sidecar_and_a_film_beside_its_sidecar_give_the_same(walk: Walk, tmp_path: Path):
    record_walk(walk, tmp_path / "a.mp4", Renderer())
    kept = read_state(tmp_path / "a.mp4")
    assert read_state(tmp_path / "a.mp4.json") == kept
    writer_without_note(tmp_path / "b.mp4")  # as older versions wrote it
    assert read_state(tmp_path / "b.mp4") is None
    (tmp_path / "a.mp4.json").rename(tmp_path / "b.mp4.json")
    assert read_state(tmp_path / "b.mp4") == kept


def writer_without_note(path: Path) -> None:
    from app.recording.writer import Shot, Writer

    writer = Writer(path, (16, 16), Fraction(1))
    writer.put(Shot(np.zeros((16, 16, 4), np.uint8), 0))
    writer.close()


def test_other_files_hold_no_state(tmp_path: Path):
    (tmp_path / "w.json").write_text(json.dumps({"w": [1, 2]}))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "a.pkl").write_bytes(b"x")
    assert [read_state(tmp_path / name) for name in ("w.json", "broken.json", "a.pkl", "gone.png")] == [None] * 4


def png_with(path: Path, text: str, key: str = embedded.REQUEST_KEY) -> Path:
    info = PngInfo()
    info.add_text(key, text)
    Image.new("RGB", (2, 2)).save(path, pnginfo=info)
    return path


GOOD = to_json(RenderRequest())
HOSTILE: dict[str, tuple[Any, str]] = {
    "no object": ([1], "it is list, not an object"),
    "unknown part": ({"secret": 1}, "a request has no part 'secret'"),
    "unknown setting": (GOOD | {"model": {"code": "x"}}, "model has no setting code"),
    "a word for a number": (GOOD | {"truncation": {"psi": "1", "cutoff": None}}, "truncation.*psi"),
    "not finite": (GOOD | {"truncation": {"psi": float("nan"), "cutoff": None}}, "truncation.*psi"),
    "a number for a path": (GOOD | {"model": {"path": 3}}, "model.*path"),
    "an unknown mode": (GOOD | {"noise": {"mode": "loud"}}, "noise.*mode"),
    "true for a seed": (GOOD | {"latent": {"seeds": [[True, 1.0]]}}, "latent.*seeds"),
    "a seed without weight": (GOOD | {"latent": {"seeds": [[1]]}}, "latent.*seeds"),
    "a part that is none": (GOOD | {"latent": None}, "the state in it is damaged"),
    "a huge number": (GOOD | {"mix": {"seed": 10**400, "rows": []}}, "mix.*seed"),
    "endless seeds": (GOOD | {"latent": {"seeds": [[0, 0.0]] * 100_001}}, "latent.*seeds"),
    "half a matrix": (GOOD | {"transform": {"matrix": [[1.0, 0.0]]}}, "transform.*matrix"),
    "an edit of another kind": (GOOD | {"edits": [{"layer": "a", "op": "explode"}]}, "edits.*op"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_or_hostile_state_is_one_sentence(tmp_path: Path, name: str):
    values, sentence = HOSTILE[name]
    with pytest.raises(InputError, match=rf"^a\.png: .*{sentence}") as caught:
        read_state(png_with(tmp_path / "a.png", json.dumps(values)))
    assert len(str(caught.value)) < 200


def test_text_that_is_no_json_or_too_deep_is_one_sentence(tmp_path: Path):
    for text in ("{", "[" * 100_000, '"' + "x" * 100 + '"'):
        with pytest.raises(InputError, match=r"^a\.png: the state in it is damaged"):
            read_state(png_with(tmp_path / "a.png", text))


def test_text_that_unpacks_to_far_more_than_it_is_stays_packed(tmp_path: Path):
    """A zTXt entry of 60 kB that would become 64 MB."""
    good = png_with(tmp_path / "a.png", "{}").read_bytes()
    body = embedded.REQUEST_KEY.encode() + b"\0\0" + zlib.compress(b" " * (64 << 20), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    (tmp_path / "b.png").write_bytes(good[:33] + chunk + good[33:])
    with pytest.raises(InputError, match=r"b\.png: not a PNG that can be read"):
        read_state(tmp_path / "b.png")


@pytest.mark.parametrize("name", ["a.png", "a.mp4", "a.webm"])
def test_files_that_are_cut_or_something_else_are_one_sentence(walk: Walk, tmp_path: Path, name: str):
    path = tmp_path / name
    record_walk(walk, path, Renderer())
    beside(path).unlink()
    whole = path.read_bytes()
    for part in (b"", b"not what its name says" * 10, whole[:20]):
        path.write_bytes(part)
        with pytest.raises(InputError, match=rf"^{path.name}: not a (PNG|film) that can be read"):
            read_state(path)


def test_a_note_of_another_version_or_with_a_broken_walk_is_one_sentence(walk: Walk, tmp_path: Path):
    note = json.loads(embedded.note([Renderer().open(walk.request).info], walk=walk))
    path = tmp_path / "a.png"
    for change, sentence in (
        ({"version": 9}, "its note has version 9, this program reads 1"),
        ({"walk": note["walk"] | {"seeds": []}}, "a walk needs at least one seed"),
        ({"walk": note["walk"] | {"fps": "1/0"}}, "the state in it is damaged"),
        ({"walk": note["walk"] | {"seconds": 1e9}}, "give fewer"),
        ({"walk": 3}, "the state in it is damaged"),
    ):
        with pytest.raises(InputError, match=rf"^a\.png: .*{sentence}"):
            read_state(png_with(path, json.dumps(note | change), embedded.NOTE_KEY))
    del note["walk"]
    with pytest.raises(InputError, match="the state in it is damaged"):
        read_state(png_with(path, json.dumps(note), embedded.NOTE_KEY))
