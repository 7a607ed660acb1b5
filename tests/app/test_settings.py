"""What is kept between runs: bounded, whole or not at all, and a sentence where it cannot be read or written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.settings import RECENT_LIMIT, Settings, config_dir, read_settings, write_settings


def test_settings_survive(tmp_path: Path):
    settings = Settings(("/b.pkl", "/a.pkl"), 1.25, 30)
    assert write_settings(tmp_path / "new" / "folder", settings) == ""
    assert read_settings(tmp_path / "new" / "folder") == (settings, "")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["settings.json"]


def test_the_first_run_has_defaults_and_says_nothing(tmp_path: Path):
    assert read_settings(tmp_path) == (Settings(), "")


def test_recent_files_are_newest_first_without_repeats_and_bounded():
    settings = Settings()
    for number in (*range(RECENT_LIMIT + 3), 5):
        settings = settings.with_recent(f"{number}.pkl")
    assert settings.recent[:3] == ("5.pkl", "14.pkl", "13.pkl")
    assert len(settings.recent) == len(set(settings.recent)) == RECENT_LIMIT


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"recent": []}',
        b'{"recent": 3, "ui_scale": 1, "fps_limit": 60}',
        b"\xff",
        b'{"recent": "abc", "ui_scale": 1, "fps_limit": 60}',
    ],
)
def test_a_damaged_file_is_a_sentence_and_defaults(tmp_path: Path, content: bytes):
    (tmp_path / "settings.json").write_bytes(content)
    settings, sentence = read_settings(tmp_path)
    assert settings == Settings()
    assert sentence.startswith(f"The settings in {tmp_path / 'settings.json'} could not be read (")
    assert sentence.endswith("); defaults are used.")


@pytest.mark.parametrize(
    ("written", "read"),
    [({"ui_scale": 100, "fps_limit": 0}, (4.0, 5)), ({"ui_scale": -1, "fps_limit": 10**9}, (0.5, 240))],
)
def test_numbers_outside_are_brought_inside(tmp_path: Path, written: dict, read: tuple):
    (tmp_path / "settings.json").write_text(json.dumps({"recent": [], **written}))
    settings, sentence = read_settings(tmp_path)
    assert (settings.ui_scale, settings.fps_limit) == read
    assert sentence == ""


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_numbers_that_are_none_are_damage_or_bounded(tmp_path: Path, number: str):
    (tmp_path / "settings.json").write_text(f'{{"recent": [], "ui_scale": {number}, "fps_limit": {number}}}')
    settings, sentence = read_settings(tmp_path)
    assert settings == Settings()
    assert "could not be read" in sentence


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    assert write_settings(tmp_path / "file", Settings()).startswith(
        f"The settings could not be written to {tmp_path}/file/settings.json: "
    )


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("STYLESCOPE_CONFIG", str(tmp_path))
    assert config_dir() == tmp_path
    monkeypatch.delenv("STYLESCOPE_CONFIG")
    assert config_dir().name == "stylescope"
