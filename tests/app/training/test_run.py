"""Runs as folders: what lies in them, stop and resume, publishing, several processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.errors import InputError
from app.training import metrics, publish
from app.training.curves import draw_curves
from app.training.grid import contact_sheet
from app.training.run import Run, Schedule, crossed, read_log, stored_config
from app.training.settings import changed, chosen
from networks.checkpoint.load import load
from networks.training.config import PRESETS
from networks.training.data import PictureSet
from networks.training.lite0 import Conv, Lite0
from networks.training.snapshot import load_state
from networks.training.trainer import Trainer

ROOT = Path(__file__).parents[3]
SETTINGS = ("z_dim=8", "w_dim=8", "mapping_layers=2", "channel_base=128", "channel_max=8", "d_channel_base=128",
            "d_channel_max=8", "batch=4", "r1_interval=2", "path_interval=2")  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A set of 32 flat pictures of 16 px."""
    path = tmp_path / "set"
    path.mkdir()
    colors = np.random.default_rng(0).integers(0, 255, (32, 1, 1, 3), dtype=np.uint8)
    np.save(path / "pictures.npy", np.broadcast_to(colors, (32, 16, 16, 3)))
    return path


def begin(folder, out, kimg, resume=False):
    config = replace(chosen("stylegan2", None, SETTINGS), resolution=16)
    out.mkdir(exist_ok=True)
    run = Run(
        out, Trainer(config, PictureSet(folder)), Schedule(kimg, snapshot_kimg=0.012, keep_kimg=0.024, log_steps=1)
    )
    if resume:
        run.resume()
    return run


def nothing(done, total, stats):
    pass


def test_run_writes_its_folder(folder, tmp_path):
    run = begin(folder, tmp_path / "run", 0.024)
    assert run.go(nothing)
    names = sorted(path.relative_to(run.folder).as_posix() for path in run.folder.rglob("*") if path.is_file())
    assert names == [
        "latest.safetensors", "loss.csv", "run.json", "samples/kimg-000000.0.png",
        "snapshots/kimg-000000.0.safetensors", "state.pt",
    ]  # fmt: skip
    rows = read_log(run.folder / "loss.csv")
    assert [round(1000 * row["kimg"]) for row in rows] == [4, 8, 12, 16, 20, 24]
    about = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert about["pictures_seen"] == 24
    generator, _ = load(run.folder / "snapshots" / "kimg-000000.0.safetensors")
    assert generator.resolution == (16, 16)
    with Image.open(run.folder / "samples" / "kimg-000000.0.png") as sheet:
        assert sheet.size == (12 * 16, 6 * 16)


def test_the_newest_average_lies_in_a_file_of_its_own_from_the_first_step_on(folder, tmp_path):
    run = begin(folder, tmp_path / "run", 0.024)
    seen = []

    def look(done, total, stats):
        if done in (4, 8, 16):  # before the first snapshot (at 12), and after it
            state = load(run.folder / "latest.safetensors")[0].state_dict()
            seen.append({key: value.clone() for key, value in state.items()})  # the file is replaced, not rewritten
            seen[-1]["pictures"] = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["pictures_seen"]

    run.go(look)
    assert [state.pop("pictures") for state in seen] == [0, 0, 12]
    assert all(torch.equal(value, seen[1][key]) for key, value in seen[0].items())
    assert not all(torch.equal(value, seen[2][key]) for key, value in seen[0].items())
    last, _ = load(run.folder / "latest.safetensors")
    exact = run.trainer.average.state_dict()
    assert all((value - exact[key]).abs().max() < 1e-3 for key, value in last.state_dict().items())
    assert not list(run.folder.rglob("*.part"))


def test_a_growing_run_says_how_far_its_newest_generator_is_trained(folder, tmp_path):
    config = replace(chosen("stylegan1", None, [s for s in SETTINGS if "path" not in s]), resolution=16)
    config = replace(config, growing_start=8, phase=1000)
    run = Run(tmp_path / "run", Trainer(config, PictureSet(folder)), Schedule(0.004))
    run.folder.mkdir()
    run.go(nothing)
    _, checkpoint = load(run.folder / "latest.safetensors")
    assert checkpoint.notes == (
        "Grown to 8 × 8 of 16 × 16 px so far: the layers above are still untrained.",
        "From the training run run-kimg-000000.0.",
    )


def test_stopped_and_resumed_run_ends_where_the_whole_one_does(folder, tmp_path):
    whole = begin(folder, tmp_path / "whole", 0.032)
    assert whole.go(nothing)

    def interrupt(done, total, stats):
        if done == 20:
            os.kill(os.getpid(), signal.SIGINT)

    cut = begin(folder, tmp_path / "cut", 0.032)
    assert not cut.go(interrupt)
    assert load_state(cut.folder / "state.pt")["seen"] == 20
    assert begin(folder, tmp_path / "cut", 0.032, resume=True).go(nothing)
    a, b = (load_state(tmp_path / name / "state.pt") for name in ("whole", "cut"))
    for part in ("generator", "average", "critic"):
        assert all(torch.equal(a[part][key], b[part][key]) for key in a[part])
    logs = [read_log(tmp_path / name / "loss.csv") for name in ("whole", "cut")]
    for log in logs:
        for row in log:
            row.pop("seconds")
    assert logs[0] == logs[1]


def test_resume_drops_rows_of_the_log_that_are_newer_than_the_snapshot(folder, tmp_path):
    run = begin(folder, tmp_path / "run", 0.012)
    run.go(nothing)
    with (run.folder / "loss.csv").open("a", encoding="utf-8") as file:
        file.write("0.016,9,16,1,1,1,1,,,\n")
    begin(folder, tmp_path / "run", 0.024, resume=True)
    assert [round(1000 * row["kimg"]) for row in read_log(run.folder / "loss.csv")] == [4, 8, 12]


def test_settings_changed_on_the_way_are_kept_with_the_run(folder, tmp_path):
    begin(folder, tmp_path / "run", 0.012).go(nothing)
    config = changed(stored_config(tmp_path / "run"), ("batch=8", "g_rate=0.5"))
    run = Run(tmp_path / "run", Trainer(config, PictureSet(folder)), Schedule(0.020))
    run.resume(("batch=8", "g_rate=0.5"))
    assert run.trainer.g_optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * 2 / 3)  # k / (k + 1) of interval 2
    run.go(nothing)
    assert load_state(run.folder / "state.pt")["seen"] == 20
    about = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert about["changes"] == ["batch=8 from 12 pictures on", "g_rate=0.5 from 12 pictures on"]
    with pytest.raises(InputError, match="channel_max cannot change in a run"):
        changed(config, ("channel_max=4",))


def test_nothing_to_resume_is_said(tmp_path):
    with pytest.raises(InputError, match="nothing to resume"):
        stored_config(tmp_path)


def test_settings_are_parsed_by_type():
    config = chosen("stylegan2", "projected", ("batch=32", "policy=color,cutout", "mirror=yes"))
    assert (config.batch, config.policy, config.mirror, config.critic) == (32, ("color", "cutout"), True, "projected")
    with pytest.raises(InputError, match="no setting 'bath'"):
        chosen("stylegan2", None, ("bath=3",))
    with pytest.raises(InputError, match="'many' is no int"):
        chosen("stylegan2", None, ("batch=many",))


@pytest.mark.parametrize(("before", "after", "expected"), [(0, 999, False), (999, 1000, True), (1000, 1999, False)])
def test_crossing_a_multiple(before, after, expected):
    assert crossed(before, after, 1.0) is expected


def test_frechet_distance_of_shifted_and_stretched_gaussians():
    """Means 3 apart in one dimension, standard deviations 1 and 2 in the other: 9 + (2 - 1)^2."""
    x = np.random.default_rng(0).standard_normal((200_000, 2))
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    assert abs(metrics.frechet_distance(x, x * (1, 2) + (3, 0)) - 10) < 0.01
    assert abs(metrics.frechet_distance(x, x)) < 1e-6


def test_nearest_neighbours_by_angle():
    known = np.array([[1.0, 0.0], [0.0, 5.0], [2.0, 2.0]])
    assert metrics.nearest(np.array([[0.1, 9.0]]), known, 3).tolist() == [[1, 2, 0]]


def test_contact_sheet_fills_line_by_line():
    pictures = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), dtype=np.uint8)
    sheet = contact_sheet(pictures, 2)
    assert sheet.shape == (4, 4, 3)
    assert sheet[::2, ::2, 0].tolist() == [[0, 1], [2, 255]]


def test_curves_draw_what_is_logged():
    rows = [{"kimg": k / 10, "d_loss": 1.0 / (k + 1), "g_loss": float(k)} for k in range(20)]
    sheet = draw_curves(rows)
    assert sheet.size == (720, 180)
    assert (np.asarray(sheet) == (44, 100, 190)).all(axis=2).sum() > 300


def test_publish_writes_weights_card_and_grids(folder, tmp_path, monkeypatch):
    run = begin(folder, tmp_path / "tiny", 0.012)
    run.go(nothing)
    network = Lite0()
    for part in network.modules():
        if isinstance(part, Conv):
            part.weight.normal_(0, 0.2)
    monkeypatch.setattr(publish, "load_lite0", lambda: network)
    done = publish.publish(run.folder, tmp_path / "models", "tiny", publish.Effort(8, 16), lambda text: None)
    assert sorted(path.name for path in done.iterdir()) == [
        "card.json", "card.md", "losses.png", "neighbours.png", "samples-psi-0.7.png", "samples-psi-1.0.png",
        "tiny.safetensors",
    ]  # fmt: skip
    card = json.loads((done / "card.json").read_text(encoding="utf-8"))
    assert card["training"]["pictures_seen"] == 12
    assert card["measured"]["pictures_each"] == 8
    assert "Trained on 12 pictures" in (done / "card.md").read_text(encoding="utf-8")
    shipped, _ = load(done / "tiny.safetensors")
    z = torch.randn(4, 8)
    exact = run.trainer.average
    assert (exact.synthesize(exact.map(z)) - shipped.synthesize(shipped.map(z))).abs().max() < 0.01


def test_two_processes_train_one_model(folder, tmp_path):
    """torchrun with gloo: one log, one state with two random streams, both having seen the same model."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = tmp_path / "pair"
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port",
               str(port), "main.py", "train", "--data", str(folder), "--out", str(out), "--device", "cpu", "--kimg",
               "0.012", *(word for pair in SETTINGS for word in ("--set", pair))]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("finished at 0.0 kimg") == 1
    state = load_state(out / "state.pt")
    assert state["seen"] == 12
    assert len(state["rng"]) == 2
    assert not torch.equal(*state["rng"])


def test_presets_name_their_family():
    assert {name: config.family for name, config in PRESETS.items()} == {name: name for name in PRESETS}
