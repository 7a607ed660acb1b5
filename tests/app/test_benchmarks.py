"""The benchmark measures what it says, quickly here on tiny stand-ins."""

import os

import pytest

from app.benchmarks import memory_use, pictures
from networks import presets
from tests.app.conftest import SPEC, build


@pytest.fixture
def tiny(monkeypatch):
    """Every preset is the small test generator."""
    monkeypatch.setattr(pictures, "MIN_SECONDS", 0.0)
    for module in (pictures, memory_use):
        monkeypatch.setattr(module, "build_preset", lambda name, seed=0: build(SPEC, seed))


def test_the_picture_table_has_a_row_for_every_preset(tiny):
    lines = pictures.table(quick=False, device_name="cpu")
    rows = [line.split("|")[1:-1] for line in lines[4:]]
    assert [row[0].strip() for row in rows] == list(presets.PRESETS)
    for row in rows:
        assert all(float(cell) > 0 for cell in row[2:])


def test_the_memory_table_opens_ten_models_and_leaves_no_file(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(memory_use.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(memory_use, "RENDERS", 21)
    lines = memory_use.table(quick=True)
    assert [line.split("|")[1].strip() for line in lines[5:]] == [
        "1 pictures", "20 pictures", "21 pictures",
        "4 models opened in turn", "7 models opened in turn", "10 models opened in turn",
    ]  # fmt: skip
    assert os.listdir(tmp_path) == []
    assert memory_use.resident_mb() > 50
