"""The controller in the window: keys and gamepads of this machine, every panel's controls, and the stage's monitor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Protocol

import dearpygui.dearpygui as dpg

from app.control.controller import Controller
from app.control.parameters import Parameter
from app.display import joysticks
from app.display.stage import Stage, StageError, monitors
from app.frame import Frame
from app.window import shortcuts

LIVE_ACTIONS = ("F11", "F9", "Ctrl+S")  # shortcuts of the app that a button may press


class Steered(Protocol):
    """A panel as seen from here (widgets/panel.py)."""

    def parameters(self) -> Iterable[Parameter]: ...


class ControlDesk:
    """The one controller of the window; `adopt` once the panels are built."""

    def __init__(self, folder: Path) -> None:
        self.controller = Controller(folder, pads=joysticks.read, down=key_down)

    def adopt(self, panels: Sequence[Steered], actions: Sequence[shortcuts.ShortcutLike]) -> None:
        """Take over what can be moved, and what was bound in the last run."""
        live = [action for action in actions if action.keys in LIVE_ACTIONS]
        self.controller.offer(
            [
                *(parameter for panel in panels for parameter in panel.parameters()),
                *(_trigger(action) for action in live),
            ]
        )
        self.controller.start()

    # -- the stage ---------------------------------------------------------------------------------------------------

    def toggle_stage(self, stage: Stage, frame: Frame | None) -> str:
        """Open the stage on the chosen monitor, or close it; returns '' or why it could not open."""
        if stage.is_open:
            stage.close()
            return ""
        wanted = self.controller.options.monitor
        connected = monitors() if wanted else []
        places = [number for number, monitor in enumerate(connected) if monitor.name == wanted]
        try:
            if places:
                stage.open(places[0])
            else:
                stage.open()
        except StageError as error:
            return str(error)
        if frame is not None and frame.picture is not None:
            stage.show(frame.picture)
        return ""

    def monitors(self) -> dict[str, str]:
        """Those that are connected now: name -> words."""
        return {monitor.name: monitor.words for monitor in monitors()}

    def choose_monitor(self, name: str) -> None:
        """Where the stage opens from now on; '': where the main window is not, if there is a second one."""
        self.controller.configure(replace(self.controller.options, monitor=name))


def _trigger(action: shortcuts.ShortcutLike) -> Parameter:
    return Parameter(f"App/{action.text}", lambda: 0.0, lambda value: action.run(), kind="trigger")


def key_down(name: str) -> bool:
    """Whether a key is held to be played: nobody types, and neither Ctrl nor Alt is held."""
    if not dpg.is_key_down(_code(name)) or shortcuts.typing():
        return False
    modifiers = (code for held in ("Ctrl", "Alt") for code in shortcuts.MODIFIERS[held])
    return not any(dpg.is_key_down(getattr(dpg, code)) for code in modifiers)


@cache
def _code(name: str) -> int:
    return shortcuts.parse(name)[1]
