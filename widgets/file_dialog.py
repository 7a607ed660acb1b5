"""Ask the user for a path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from widgets import look


def ask_path(title: str, suffixes: Sequence[str], then: Callable[[str], None], *, save_as: str = "") -> None:
    """Open a file dialog; `then` gets the path, or nothing happens. save_as: the proposed name of a new file."""

    def chosen(sender: int | str, app_data: dict[str, Any], user_data: Any) -> None:
        picked = list(app_data.get("selections", {}).values())
        path = Path(picked[0] if picked and not save_as else app_data["file_path_name"])
        if save_as and path.suffix.lower() not in suffixes:
            path = path.with_suffix(suffixes[0])
        dpg.delete_item(sender)
        then(str(path))

    def cancelled(sender: int | str, app_data: Any, user_data: Any) -> None:
        dpg.delete_item(sender)

    width, height = min(900, dpg.get_viewport_client_width() - 80), min(600, dpg.get_viewport_client_height() - 80)
    with dpg.file_dialog(
        label=title,
        modal=True,
        width=max(look.pixels(300), width),
        height=max(look.pixels(200), height),
        callback=chosen,
        cancel_callback=cancelled,
        default_filename=save_as or ".",
        file_count=1,
    ):
        joined = ",".join(suffixes)
        dpg.add_file_extension(f"{' '.join(suffixes)}{{{joined}}}")
        for suffix in suffixes:
            dpg.add_file_extension(suffix)
        if not save_as:
            dpg.add_file_extension(".*")
