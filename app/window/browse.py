"""The dialogs that pick a file. Files are recognized by content, so every file can be picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

SUFFIXES = (".pkl", ".pt", ".pth", ".safetensors", ".xml", ".ckpt")
ACCENT = (86, 156, 246)


class Browser:
    """A file dialog that remembers its folder. save_as: the proposed name of a new file."""

    def __init__(
        self,
        on_pick: Callable[[str], object],
        label: str = "Open a checkpoint",
        suffixes: Sequence[str] = SUFFIXES,
        save_as: str = "",
    ) -> None:
        self._on_pick, self._label, self._suffixes, self._save_as = on_pick, label, suffixes, save_as
        self._folder = str(Path.cwd())
        self._dialog: int | str = 0

    def show(self) -> None:
        """Open the dialog in the folder of the last pick."""
        if self._dialog:
            dpg.delete_item(self._dialog)
        scale = dpg.get_global_font_scale()
        with dpg.file_dialog(
            label=self._label,
            callback=self._picked,
            default_path=self._folder,
            default_filename=self._save_as or ".",
            width=int(760 * scale),
            height=int(480 * scale),
            modal=True,
        ) as self._dialog:
            dpg.add_file_extension(f"Known files{{{','.join(self._suffixes)}}}", color=ACCENT)
            dpg.add_file_extension(".*")

    def _picked(self, sender: int, app_data: dict[str, Any], user_data: object) -> None:
        selected = "" if self._save_as else next(iter(app_data.get("selections", {}).values()), "")
        path = selected or app_data.get("file_path_name", "")
        self._folder = str(Path(path).parent)
        self._on_pick(path)
