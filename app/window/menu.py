"""The menu bar: every action that has no panel of its own, with its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.session import SUFFIX
from app.window.browse import Browser
from app.window.desk import Desk
from app.window.workspaces import Workspaces

SCALES = (0.75, 1.0, 1.25, 1.5, 2.0, 3.0)


def build_menu(desk: Desk, titles: Sequence[str], workspaces: Workspaces, reset_layout: Callable[[], None]) -> None:
    """titles: of every panel, which the View menu brings to the front."""
    opened = Browser(lambda path: desk.sessions.open(Path(path)), "Open a session", (SUFFIX,))
    saved = Browser(lambda path: desk.sessions.save(Path(path)), "Save the session", (SUFFIX,), save_as=f"walk{SUFFIX}")
    with dpg.viewport_menu_bar():
        with dpg.menu(label="File"):
            _item("Open a checkpoint ...", "Ctrl+O", desk.browse)
            _item("Try again", "F5", desk.retry)
            dpg.add_separator()
            _item("Open a session ...", "", opened.show)
            _item("Save the session ...", "", saved.show)
            _item("Reopen the last session", "Ctrl+Shift+T", desk.sessions.reopen)
            dpg.add_separator()
            _item("Save the picture", "Ctrl+S", desk.save_picture)
            _item("Save a picture of the window", "Ctrl+Shift+S", desk.save_window)
            _item("Start or stop recording", "F9", desk.toggle_capture)
            dpg.add_separator()
            _item("Quit", "Ctrl+Q", desk.window.stop)
        with dpg.menu(label="Edit"):
            _item("Undo", "Ctrl+Z", desk.undo)
            _item("Redo", "Ctrl+Y", desk.redo)
            dpg.add_separator()
            _item("Copy as command line", "Ctrl+Shift+C", desk.copy_command)
            dpg.add_separator()
            _item("Everything back to its default", "Ctrl+0", desk.reset_all)
        with dpg.menu(label="View"):
            _item("The picture alone, full screen", "F11", desk.toggle_stage)
            with dpg.menu(label="Workspace"):
                workspaces.build_menu()
            with dpg.menu(label="Size of text and controls"):
                for scale in SCALES:
                    _item(f"{scale:.0%}", "", partial(desk.set_ui_scale, scale))
            with dpg.menu(label="Panels"):
                for title in titles:
                    _item(title, "", partial(workspaces.raise_panel, title))
            _item("Default layout", "", reset_layout)
        with dpg.menu(label="Help"):
            _item("Keys and mouse", "F1", desk.show_help)


def _item(label: str, shortcut: str, run: Callable[[], object]) -> None:
    dpg.add_menu_item(label=label, shortcut=shortcut, callback=lambda: run())
