"""Start the window: probe the screen, open it, build the panels, run the loop, close everything in the right order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.bundled import opening
from app.errors import InputError
from app.settings import config_dir, read_settings
from app.window.layout import default_layout, layout_file

if TYPE_CHECKING:
    from app.loop import Loop
    from app.window.desk import Desk
    from app.window.shortcuts import ShortcutLike
    from app.window.workspaces import Workspaces

SIZE = (1600, 1000)


class NoScreenError(InputError):
    """No window can open here; the sentence says why and what to do."""


class PanelClass(Protocol):
    """A panel class of widgets/, as main.py hands it in."""

    title: str
    area: str
    window_id: int

    def __call__(self, actions: Any) -> Any: ...


@dataclass(frozen=True)
class KeyAction:
    """A shortcut of the app itself (panels bring their own)."""

    keys: str
    text: str
    run: Callable[[], None]


@dataclass
class Running:
    """A window that is up: what the tour and the tests drive."""

    desk: Desk
    loop: Loop
    panels: Sequence[Any]
    window: Any
    workspaces: Workspaces
    started: float

    def turn(self) -> None:
        """One turn: fold, submit, show, draw. What raises is reported, and the window goes on."""
        from app.display.callbacks import guarded

        guarded(self.window.on_error, self.loop.step)
        guarded(self.window.on_error, self.desk.update)
        guarded(self.window.on_error, self.workspaces.update)
        self.window.frame()

    def panel(self, title: str) -> Any:
        """The panel with a title; raises KeyError."""
        for panel in self.panels:
            if panel.title == title:
                return panel
        raise KeyError(f"no panel {title!r}")


def run(
    paths: Sequence[str],
    device: str,
    panel_types: Sequence[PanelClass],
    help_overlay: Callable[[Sequence[ShortcutLike]], Callable[[], None]],
    script: Callable[[Running], Iterator[None]] | None = None,
    folder: Path | None = None,
    size: tuple[int, int] = SIZE,
    output: Path | None = None,
    recover: bool = False,
) -> None:
    """Open the window and stay until it is closed; raises NoScreenError where none can open.

    paths: checkpoints; the first one is opened, the others join the recent list. script: a generator that drives the
    window, advanced once per turn (the tour, tests); the window closes when it ends. help_overlay: builds the help
    page from all shortcuts and returns what shows it. folder: settings and layout; output: pictures and recordings
    (both default to the platform's own places). recover: nothing was named, so show what was open in a window that
    ended unexpectedly, where there is one, else a good picture of the first path.
    """
    from app.display.probe import DisplayProbe

    started = time.perf_counter()
    probe = DisplayProbe()
    from app.display.errors import FoldedErrors
    from app.display.window import Window
    from app.engine import Engine
    from app.window.desk import Desk
    from app.window.pictures import output_dir

    problem = probe.result()
    if problem:
        raise NoScreenError(problem)
    folder = folder or config_dir()
    settings, complaint = read_settings(folder)
    for path in reversed(paths[1:]):
        settings = settings.with_recent(str(Path(path).absolute()))

    def first_layout(width: int, height: int, scale: float) -> str:
        return default_layout(panel_types, width, height, scale)

    window = Window(
        "StyleScope",
        *size,
        folder,
        default_layout=first_layout,
        layout_file=layout_file(folder, panel_types),
        user_scale=settings.ui_scale,
        fps_limit=float(settings.fps_limit),
    )
    engine = Engine()
    try:
        desk = Desk(window, engine, settings, folder, output or output_dir(), device)
        window.on_error = FoldedErrors(also=desk.on_error)
        running = build(desk, panel_types, help_overlay, started)
        if complaint:
            desk.say(complaint, problem=True)
        window.show()
        running.workspaces.show(settings.workspace)
        if not (recover and desk.sessions.recover()) and paths:
            desk.open(paths[0])
            if recover:  # nothing was named
                desk.restore(opening(paths[0]))
        try:
            _stay(running, script(running) if script is not None else None)
        finally:
            desk.close()
    finally:
        engine.close()
        window.close()


def _stay(app: Running, steps: Iterator[None] | None) -> None:
    """Turn until the window is closed or the script ends."""
    with stopped_by_signals(app.window.stop):
        while app.window.is_running:
            app.turn()
            if steps is not None and next(steps, app) is app:
                app.window.stop()


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C in the terminal and SIGTERM close the window as Ctrl+Q does; a second one ends the program at once."""

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: object) -> None:
        restore()
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        restore()


def build(
    desk: Desk,
    panel_types: Sequence[PanelClass],
    help_overlay: Callable[[Sequence[ShortcutLike]], Callable[[], None]],
    started: float,
) -> Running:
    """Fill the desk's window with the panels, the menu and the shortcuts."""
    import dearpygui.dearpygui as dpg

    from app.loop import Loop
    from app.window.browse import Browser
    from app.window.menu import build_menu
    from app.window.shortcuts import Shortcuts
    from app.window.workspaces import Workspaces

    panels = [panel_type(desk) for panel_type in panel_types]
    for panel in reversed(panels):  # the last window that is made gets the focus: the picture
        with dpg.window(label=panel.title, tag=panel.window_id, no_close=True, no_scrollbar=panel.area == "centre"):
            panel.build()
    desk.panels = desk.restorer.panels = desk.sessions.panels = panels
    desk.on_browse = Browser(desk.open).show
    desk.messages.over = next((panel.window_id for panel in panels if panel.area == "centre"), 0)
    loop = Loop(desk.engine, panels, desk.base, desk.state, desk.on_frame)
    desk.current = lambda: replace(loop.request(), max_height=None)
    desk.asked = lambda: loop.asked
    workspaces = Workspaces([(panel.title, panel.window_id) for panel in panels], desk.set_workspace)
    build_menu(desk, [panel.title for panel in panels], workspaces, lambda: reset_layout(desk))
    shortcuts = [
        *app_shortcuts(desk),
        *workspace_shortcuts(workspaces),
        *(shortcut for panel in panels for shortcut in panel.shortcuts()),
    ]
    desk.on_help = help_overlay(shortcuts)
    desk.controls.adopt(panels, app_shortcuts(desk))
    Shortcuts(shortcuts, lambda: desk.controls.controller.live_keys)
    desk.window.on_drop(desk.drop)
    return Running(desk, loop, panels, desk.window, workspaces, started)


def reset_layout(desk: Desk) -> None:
    """Back to the first layout, now or at the next start."""
    if not desk.window.reset_layout():
        desk.say("The default layout will be back at the next start.")


def workspace_shortcuts(workspaces: Workspaces) -> list[KeyAction]:
    """Ctrl+1, Ctrl+2, ..."""
    from app.window.workspaces import NAMES

    return [
        KeyAction(f"Ctrl+{number}", f"workspace: {name.lower()}", partial(workspaces.show, name))
        for number, name in enumerate(NAMES, start=1)
    ]


def app_shortcuts(desk: Desk) -> list[KeyAction]:
    """Keys that belong to the whole app."""
    return [
        KeyAction("Ctrl+O", "open a checkpoint", desk.browse),
        KeyAction("Ctrl+Z", "undo the last change, whatever it was", desk.undo),
        KeyAction("Ctrl+Y", "take an undo back", desk.redo),
        KeyAction("Ctrl+Shift+C", "copy the command line that draws this picture", desk.copy_command),
        KeyAction("Ctrl+Shift+T", "reopen the last session", desk.sessions.reopen),
        KeyAction("F5", "try the same file again", desk.retry),
        KeyAction("Ctrl+S", "save the picture as PNG", desk.save_picture),
        KeyAction("Ctrl+Shift+S", "save a picture of the window", desk.save_window),
        KeyAction("F11", "the picture alone, full screen", desk.toggle_stage),
        KeyAction("F9", "start or stop recording", desk.toggle_capture),
        KeyAction("Ctrl+0", "everything back to its default", desk.reset_all),
        KeyAction("Ctrl++", "larger text and controls", lambda: desk.set_ui_scale(desk.settings.ui_scale * 1.1)),
        KeyAction("Ctrl+-", "smaller text and controls", lambda: desk.set_ui_scale(desk.settings.ui_scale / 1.1)),
        KeyAction("F1", "this page", desk.show_help),
        KeyAction("Ctrl+Q", "quit", desk.window.stop),
    ]
