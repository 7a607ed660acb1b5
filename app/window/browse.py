"""The dialog that picks a checkpoint. Files are recognized by content, so every file can be picked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

SUFFIXES = (".pkl", ".pt", ".pth", ".safetensors", ".xml", ".ckpt")
ACCENT = (86, 156, 246)


class Browser:
    """A file dialog that remembers its folder."""

    def __init__(self, on_pick: Callable[[str], None]) -> None:
        self._on_pick = on_pick
        self._folder = str(Path.cwd())
        self._dialog: int | str = 0

    def show(self) -> None:
        """Open the dialog in the folder of the last pick."""
        if self._dialog:
            dpg.delete_item(self._dialog)
        scale = dpg.get_global_font_scale()
        with dpg.file_dialog(
            label="Open a checkpoint",
            callback=self._picked,
            default_path=self._folder,
            width=int(760 * scale),
            height=int(480 * scale),
            modal=True,
        ) as self._dialog:
            dpg.add_file_extension(f"Checkpoints{{{','.join(SUFFIXES)}}}", color=ACCENT)
            dpg.add_file_extension(".*")

    def _picked(self, sender: int, app_data: dict[str, Any], user_data: object) -> None:
        path = next(iter(app_data.get("selections", {}).values()), app_data.get("file_path_name", ""))
        self._folder = str(Path(path).parent)
        self._on_pick(path)
