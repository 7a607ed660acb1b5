"""What the app remembers between runs: recent files, scale, limits. One JSON file, written whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import platformdirs

RECENT_LIMIT = 12


def config_dir() -> Path:
    """The folder for settings and layout; STYLESCOPE_CONFIG replaces the platform's own."""
    return Path(os.environ.get("STYLESCOPE_CONFIG") or platformdirs.user_config_dir("stylescope", appauthor=False))


@dataclass(frozen=True)
class Settings:
    """recent: newest first. ui_scale multiplies the screen's own scale. workspace: its name, '' for the first."""

    recent: tuple[str, ...] = ()
    ui_scale: float = 1.0
    fps_limit: int = 60
    workspace: str = ""

    def with_recent(self, path: str) -> Settings:
        """Put a path first in the recent list."""
        others = tuple(item for item in self.recent if item != path)
        return replace(self, recent=(path, *others)[:RECENT_LIMIT])


def read_settings(folder: Path) -> tuple[Settings, str]:
    """Return the settings and, where the file could not be used, a sentence on why defaults hold instead."""
    path = folder / "settings.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values["recent"], list):
            raise TypeError("'recent' is no list")
        return (
            Settings(
                recent=tuple(str(item) for item in values["recent"])[:RECENT_LIMIT],
                ui_scale=min(4.0, max(0.5, float(values["ui_scale"]))),
                fps_limit=min(240, max(5, int(values["fps_limit"]))),
                workspace=str(values.get("workspace", "")),
            ),
            "",
        )
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        return Settings(), f"The settings in {path} could not be read ({error}); defaults are used."


def write_settings(folder: Path, settings: Settings) -> str:
    """Write the settings by rename; return '' or a sentence on why it failed (full disk, read-only home)."""
    path = folder / "settings.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        return f"The settings could not be written to {path}: {error.strerror or error}."
    return ""
