"""Films on the command line: formats, contact sheets, performances."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from app.commands import main
from app.recording.embedded import read_state
from app.recording.performance import Change, Performance, to_dict
from app.recording.sidecar import write_text
from app.renderer import Renderer
from app.request import Model, RenderRequest, Truncation, plane

SG2 = str(Path(__file__).parents[2] / "data" / "reference" / "stylegan2.pkl")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run main.py's arguments; returns (exit code, output, errors)."""

    def run_(*args: Any) -> tuple[int, str, str]:
        code = main([str(arg) for arg in args], lambda *_, **__: None)
        output, errors = capsys.readouterr()
        return code, output, errors

    return run_


def walk(*args: Any) -> tuple[Any, ...]:
    return ("walk", SG2, "--seeds", "0,1", "--seconds", "0.5", "--fps", "8", *args)


def test_a_webm_with_a_sheet_beside_it(run, tmp_path: Path):
    code, out, _ = run(*walk("--out", tmp_path / "w.webm", "--sheet", 3))
    assert code == 0
    assert "VP9 on the CPU (libvpx)" in out
    with av.open(str(tmp_path / "w.webm")) as file:
        assert [float(frame.time) for frame in file.decode(video=0)] == [0.0, 0.125, 0.25, 0.375]
    with Image.open(tmp_path / "w-sheet.png") as sheet:
        assert sheet.size[0] > 3 * 160
    assert read_state(tmp_path / "w-sheet.png") == read_state(tmp_path / "w.webm")


def test_exr_is_a_folder_and_what_does_not_fit_is_refused(run, tmp_path: Path):
    assert run(*walk("--out", tmp_path / "f", "--exr"))[0] == 0
    assert len(list((tmp_path / "f").glob("frame-*.exr"))) == 4
    for more, sentence in (
        (("--out", tmp_path / "w.mp4", "--exr", "float"), "--exr writes a folder, but w.mp4 names a mp4 file"),
        (("--out", tmp_path / "w.mp4", "--crf", 60), "--crf 60: an MP4 takes 0 to 51"),
        (("--out", tmp_path / "w.mp4", "--encoder", "vaapi"), "VA-API (h264_vaapi) does not work here"),
    ):
        code, _, errors = run(*walk(*more))
        assert code == 2
        assert sentence in " ".join(errors.split())


def test_a_rendered_picture_can_be_dropped(run, tmp_path: Path):
    assert run("render", SG2, "--seeds", "3", "--psi", "0.5", "--out", tmp_path)[0] == 0
    kept = read_state(tmp_path / "seed0003.png")
    assert (kept.request.latent.seeds, kept.request.truncation.psi) == (((3, 1.0),), 0.5)
    assert kept.sha256 == Renderer().open(RenderRequest(model=Model(SG2, device="cpu"))).info.sha256


def test_a_performance_is_drawn_twice_the_same(run, tmp_path: Path):
    base = RenderRequest(model=Model(SG2, device="cpu"), latent=plane(0.5, 0.0))
    info = Renderer().open(base).info
    changes = (Change(0.0, base), Change(0.25, replace(base, truncation=Truncation(0.5))))
    models = ({"path": SG2, "name": info.name, "sha256": info.sha256},)
    path = tmp_path / "a.performance.json"
    write_text(json.dumps(to_dict(Performance(changes, 0.5, models))), path)
    said = []
    for name in ("a.mp4", "b"):
        code, out, errors = run("walk", "--from", path, "--fps", "16", "--out", tmp_path / name)
        assert code == 0, errors
        said.append(out.splitlines()[-1])
    assert said[0] == said[1]
    assert said[0].startswith("2 changes in 0.50 s; frames' SHA-256 ")
    shown = [read_state(file).request.truncation.psi for file in sorted((tmp_path / "b").glob("*.png"))]
    assert shown == [1.0] * 4 + [0.5] * 4
    code, out, _ = run("walk", "--from", tmp_path / "a.mp4.json", "--out", tmp_path / "c.webm")
    assert "every frame is the same, bit for bit" in out
