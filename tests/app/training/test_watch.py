"""A run's folder is read as it grows: what is new, what is half there, what is no run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.errors import InputError
from app.safetensors_header import read_header
from app.training.run import write_generator
from app.training.watch import LOOK_EVERY_S, LossLog, RunWatch, is_run
from app.window.training import OpenRun, settings_in_words
from networks.training.snapshot import write_whole
from tests.app.conftest import SPEC, build

HEADER = "kimg,seconds,size,d_loss,g_loss,r1\n"


class Ticking:
    """A clock that each look moves on far enough for the next one."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += LOOK_EVERY_S
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with settings and nothing else."""
    run = tmp_path / "run"
    run.mkdir()
    about = {"config": {"batch": 8, "policy": ["color", "cutout"]}, "schedule": {"kimg": 100.0}, "machine": "a box",
             "data": {"source": "dots", "sha512": ["x"]}, "changes": ["batch=8 from 5000 pictures on"]}  # fmt: skip
    (run / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return run


def keep(run: Path, kimg: float) -> None:
    """A kept snapshot; its content does not matter to whoever only lists it."""
    path = run / "snapshots" / f"kimg-{kimg:08.1f}.safetensors"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"weights")


def write_latest(run: Path, kimg: float) -> None:
    write_generator(run / "latest.safetensors", build(SPEC), f"run-kimg-{kimg:08.1f}")


def kimgs(watch: RunWatch) -> list[float]:
    return [snapshot.kimg for snapshot in watch.snapshots]


def test_snapshots_are_listed_by_age_and_the_latest_comes_last_until_it_is_kept(folder):
    watch = RunWatch(folder, Ticking())
    assert (watch.snapshots, watch.newest) == ((), None)
    keep(folder, 20)
    keep(folder, 10)
    (folder / "snapshots" / "kimg-000030.0.safetensors.part").write_bytes(b"half")
    (folder / "snapshots" / "notes.safetensors").write_bytes(b"of someone else")
    write_latest(folder, 22)
    assert watch.look()
    assert kimgs(watch) == [10, 20, 22]
    assert Path(watch.newest.path).name == "latest.safetensors"
    assert not watch.look()
    write_latest(folder, 30)
    keep(folder, 30)
    assert watch.look()
    assert kimgs(watch) == [10, 20, 30]
    assert Path(watch.newest.path).name == "kimg-000030.0.safetensors"


def test_a_latest_that_is_half_copied_waits_for_the_next_look(folder):
    write_latest(folder, 22)
    watch = RunWatch(folder, Ticking())
    whole = (folder / "latest.safetensors").read_bytes()
    (folder / "latest.safetensors").write_bytes(whole[:500])
    watch.look()
    assert kimgs(watch) == [22]
    write_latest(folder, 24)
    watch.look()
    assert kimgs(watch) == [24]


def test_two_looks_in_half_a_second_are_one(folder):
    now = [0.0]
    watch = RunWatch(folder, lambda: now[0])
    keep(folder, 10)
    now[0] = 0.9 * LOOK_EVERY_S
    assert not watch.look()
    now[0] = LOOK_EVERY_S
    assert watch.look()


def test_the_log_is_read_on_and_an_unfinished_line_waits(tmp_path):
    path = tmp_path / "loss.csv"
    path.write_text(HEADER + "1,10,64,0.5,2,\n2,20,64,0.6,3,0.25\n3,30,6")
    log = LossLog(path)
    log.read()
    assert log.columns["kimg"].tolist() == [1, 2]
    assert np.isnan(log.columns["r1"][0])
    assert log.columns["r1"][1] == 0.25
    with path.open("a") as file:
        file.write("4,0.7,4,\n4,40,64,1,1,1\n")
    log.read()
    assert log.columns["kimg"].tolist() == [1, 2, 3, 4]
    assert log.columns["size"].tolist() == [64] * 4
    assert log.columns["g_loss"].tolist() == [2, 3, 4, 1]


def test_a_log_that_was_cut_by_a_resume_is_read_anew(tmp_path):
    path = tmp_path / "loss.csv"
    path.write_text(HEADER + "1,10,64,0.5,2,\n2,20,64,0.6,3,\n")
    log = LossLog(path)
    log.read()
    longer = HEADER + "1,10,64,0.5,2,\n5,20,64,0.6,3,\n6,20,64,0.6,3,\n"
    write_whole(path, lambda part: part.write_text(longer))
    log.read()
    assert log.columns["kimg"].tolist() == [1, 5, 6]


def test_what_is_no_run_is_said(tmp_path):
    assert not is_run(tmp_path)
    with pytest.raises(InputError, match=r"holds no run\.json, so it is no training run"):
        RunWatch(tmp_path)
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json cannot be read"):
        RunWatch(tmp_path)
    (tmp_path / "run.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="no table of settings"):
        RunWatch(tmp_path)


def test_a_folder_that_goes_away_and_comes_back(folder, tmp_path):
    keep(folder, 10)
    watch = RunWatch(folder, Ticking())
    shutil.move(folder, tmp_path / "away")
    assert watch.look()
    assert "cannot be read any more" in watch.problem
    assert kimgs(watch) == [10]
    shutil.move(tmp_path / "away", folder)
    assert watch.look()
    assert watch.problem == ""


def test_settings_damaged_on_the_way_stay_a_problem_until_they_are_mended(folder):
    watch = RunWatch(folder, Ticking())
    good = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text("{", encoding="utf-8")
    watch.look()
    watch.look()
    assert "run.json cannot be read" in watch.problem
    (folder / "run.json").write_text(good, encoding="utf-8")
    watch.look()
    assert watch.problem == ""


def test_following_opens_each_newer_snapshot_and_staying_does_not(folder):
    keep(folder, 10)
    run = OpenRun(RunWatch(folder, Ticking()))
    assert run.state.shown.kimg == 10
    write_latest(folder, 12)
    assert run.update().kimg == 12
    run.choose(run.state.snapshots[0])
    write_latest(folder, 14)
    assert run.update() is None
    assert (run.state.shown.kimg, run.state.following) == (10, False)
    assert run.follow(True).kimg == 14
    assert run.update() is None


def test_a_shown_snapshot_whose_file_was_replaced_stays_in_the_list(folder):
    keep(folder, 10)
    write_latest(folder, 12)
    run = OpenRun(RunWatch(folder, Ticking()))
    run.choose(run.state.shown)
    write_latest(folder, 14)
    run.update()
    assert [snapshot.kimg for snapshot in run.state.snapshots] == [10, 12, 14]
    assert run.state.shown == run.state.snapshots[1]
    run.choose(run.state.snapshots[0])
    assert [snapshot.kimg for snapshot in run.state.snapshots] == [10, 14]


def test_a_runs_settings_in_words(folder):
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert settings_in_words(about) == {
        "batch": "8", "policy": "color, cutout", "kimg": "100.0", "data source": "dots", "machine": "a box",
        "change 1": "batch=8 from 5000 pictures on",
    }  # fmt: skip
    assert OpenRun(RunWatch(folder)).state.planned_kimg == 100


def test_pictures_are_named_after_the_run_and_its_age(folder):
    write_latest(folder, 12.3)
    run = OpenRun(RunWatch(folder))
    assert run.name == "run-12.3-kimg"
    assert run.holds(str(folder / "snapshots" / "a.safetensors"))
    assert not run.holds(str(folder.parent / "b.safetensors"))
    assert not run.holds("")


def test_a_header_is_read_without_the_weights(folder, tmp_path):
    write_latest(folder, 12)
    header = read_header(folder / "latest.safetensors")
    assert (header["family"], header["source"]["name"]) == ("stylegan2", "run-kimg-000012.0")
    broken = tmp_path / "broken.safetensors"
    for content in (b"", b"\x05", b"\xff" * 64, (4).to_bytes(8, "little") + b"[1] ", (2).to_bytes(8, "little") + b"{}"):
        broken.write_bytes(content)
        assert read_header(broken) == {}
    assert read_header(tmp_path / "gone.safetensors") == {}
