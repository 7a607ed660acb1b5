"""The tour: the real window, driven through its real controls. Makes the README's pictures, and shows that it works.

A script is a generator that is advanced once per turn of the loop; between two steps the window draws and the engine
works as they always do. Controls are set as the mouse would: the item's value, then its own callback.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.engine import content
from app.errors import InputError

if TYPE_CHECKING:
    from app.commands import OpenWindow
    from app.start import Running

PATIENCE_S = 180.0  # for one picture or one frame of a film, on a slow machine
SIZE = (1600, 1000)
WALK_SEEDS, WALK_SECONDS = "0, 2, 8", 2.0
Steps = Iterator[None]


def run(out: Path, open_window: OpenWindow, checkpoint: str = "") -> None:
    """Drive the window through a tour of a model (default: `faces`); prints the path of everything it made.

    Raises InputError when no model is named and the optional faces are not installed.
    """
    path = checkpoint or default_model()
    out.mkdir(parents=True, exist_ok=True)
    tour = Tour(out)
    with tempfile.TemporaryDirectory() as settings:
        open_window([path], "auto", tour.script, folder=Path(settings), size=SIZE, output=out)
    for made in tour.made:
        click.echo(str(made))


def default_model() -> str:
    """The model that the tour shows when none is named."""
    from networks.checkpoint.faces import FACES_HINT, find_faces

    faces = find_faces()
    if faces is None:
        raise InputError(f"the tour needs a model: name a checkpoint, or {FACES_HINT}")
    return str(faces)


STUDIO_KEYFRAMES, STUDIO_STEP_S = 5, 1.5


class Tour:
    """The steps, and what they made (`made`, in order)."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.made: list[Path] = []

    def script(self, app: Running) -> Steps:
        """Everything, in the order in which a person would try it."""
        yield from self.settled(app)
        yield from self.shot(app, "01-picture")
        yield from self.drag(app)
        yield from self.truncate(app)
        yield from self.noise(app)
        yield from self.layers(app)
        yield from self.mix(app)
        yield from self.help_page(app)
        yield from self.walk(app)
        yield from self.studio(app)

    # -- steps -------------------------------------------------------------------------------------------------------

    def drag(self, app: Running) -> Steps:
        """Record what is on the screen while the picture is dragged through W."""
        bring_up(app, "Capture")
        yield from turns(3)
        press(app.panel("Capture").record)
        view = app.panel("Picture").view
        for _ in range(30):
            view.on_drag(0.05, 0.02)
            yield
        yield from self.settled(app)
        press(app.panel("Capture").record)
        yield from self.written(app, "recording")
        yield from self.shot(app, "02-dragged")

    def truncate(self, app: Running) -> Steps:
        """psi down to 0.7."""
        bring_up(app, "Truncation")
        change(app.panel("Truncation").psi, 0.7)
        yield from self.settled(app)

    def noise(self, app: Running) -> Steps:
        """Random noise, single layers off, the difference that it makes."""
        panel = app.panel("Noise")
        if not panel.table.rows:
            return
        bring_up(app, "Noise")
        change(panel.mode, "random")
        for row in panel.table.rows[::2]:
            change(row.on, False)
            yield from turns(2)
        change(panel.difference, True)
        yield from self.settled(app)
        yield from self.shot(app, "03-noise")
        change(panel.difference, False)
        change(panel.mode, "const")
        for row in panel.table.rows[::2]:
            change(row.on, True)

    def layers(self, app: Running) -> Steps:
        """The maps of a layer in the middle as a contact sheet, then one of them large."""
        panel = app.panel("Layers")
        assert app.loop.frame is not None
        assert app.loop.frame.model is not None
        rows = [layer for layer in app.loop.frame.model.layers if layer.kind == "conv"]
        layer = rows[len(rows) // 2]
        bring_up(app, "Layers")
        press_item(panel.table.rows[layer.name])
        yield from self.settled(app)
        yield from self.shot(app, "04-feature-maps")
        panel.view.on_click(*(side // 3 for side in panel.view.shown_size))
        yield from self.settled(app)
        yield from self.shot(app, "05-one-map")
        press(panel.none)

    def mix(self, app: Running) -> Steps:
        """The finer rows from a second seed."""
        panel = app.panel("Mixing")
        bring_up(app, "Mixing")
        change(panel.seed, 3)
        for box in panel.rows[len(panel.rows) // 2 :]:
            change(box, True)
        yield from self.settled(app)
        yield from self.shot(app, "06-style-mixing")
        panel.reset()

    def help_page(self, app: Running) -> Steps:
        """The keys and the mouse."""
        app.desk.show_help()
        yield from self.shot(app, "07-help")
        app.desk.show_help()

    def walk(self, app: Running) -> Steps:
        """A walk through seeds, rendered at an exact frame rate beside the live picture."""
        panel = app.panel("Capture")
        bring_up(app, "Capture")
        change(panel.seeds, WALK_SEEDS)
        change(panel.seconds, WALK_SECONDS)
        change(panel.fps, 24)
        yield from self.settled(app)
        press(panel.render)
        yield from turns(20)
        yield from self.shot(app, "08-walk")
        yield from self.written(app, "walk")

    def studio(self, app: Running) -> Steps:
        """Keyframes of several seeds on the timeline, scrubbed to a moment between two of them."""
        app.workspaces.show("Walk studio")
        yield from turns(10)
        timeline, latent = app.panel("Timeline"), app.panel("Latent")
        latent.reset()
        for number in range(STUDIO_KEYFRAMES):
            timeline.scrub(number * STUDIO_STEP_S)
            latent.move(3.0, 0.0)
            yield from self.settled(app)
            timeline.add()
            yield from self.settled(app)
        timeline.scrub(1.5 * STUDIO_STEP_S)
        yield from self.settled(app)
        yield from self.shot(app, "09-walk-studio")

    # -- what steps are made of --------------------------------------------------------------------------------------

    def settled(self, app: Running) -> Steps:
        """Wait until the newest request has its full picture on the screen."""
        yield from turns(2)

        def done() -> bool:
            frame = app.loop.frame
            if frame is None or not frame.complete or app.desk.engine.status().busy:
                return False
            return content(frame.request) == content(app.loop.request())

        yield from waiting(done, "a picture")
        frame = app.loop.frame
        if frame is not None and frame.problem is not None:
            raise RuntimeError(f"{frame.problem.title}: {frame.problem.detail}")
        yield from turns(3)

    def shot(self, app: Running, name: str) -> Steps:
        """A picture of the window."""
        yield from turns(3)
        path = self.out / f"{name}.png"
        app.window.screenshot(path)
        self.made.append(path)

    def written(self, app: Running, what: str) -> Steps:
        """Wait for the file that is being recorded, and keep it under a short name."""
        yield from turns(2)
        recorder = app.desk.recorder
        yield from waiting(lambda: not recorder.busy, f"the {what}", lambda: recorder.state().frames)
        yield
        newest = max(self.out.glob("*-*.mp4"), key=lambda path: path.stat().st_mtime, default=None)
        if newest is None:
            raise RuntimeError(f"no {what} was written: {app.desk.messages.text}")
        path = newest.replace(self.out / f"{what}.mp4")
        newest.with_name(newest.name + ".json").replace(self.out / f"{what}.mp4.json")
        self.made += [path, self.out / f"{what}.mp4.json"]


def turns(count: int) -> Steps:
    """Let the loop turn."""
    for _ in range(count):
        yield


def waiting(done: Callable[[], bool], what: str, progress: Callable[[], object] = lambda: None) -> Steps:
    """Let the loop turn until something is done; RuntimeError after a long time without any progress."""
    seen, until = progress(), time.monotonic() + PATIENCE_S
    while not done():
        if (now := progress()) != seen:
            seen, until = now, time.monotonic() + PATIENCE_S
        if time.monotonic() > until:
            raise RuntimeError(f"waited {PATIENCE_S:.0f} s for {what}")
        yield


def change(control: Any, value: Any) -> None:
    """Set a control of a panel as its user would: tell its own callback the new value, then show it."""
    import dearpygui.dearpygui as dpg

    before = control.value
    callback = dpg.get_item_callback(control.tag)
    if callback is not None and not isinstance(value, str):
        callback(control.tag, value, dpg.get_item_user_data(control.tag))
    if control.value == before:
        control.set(value)
    else:
        dpg.set_value(control.tag, value)


def press(button: Any) -> None:
    """Press a button."""
    press_item(button.tag)


def press_item(tag: int | str) -> None:
    """Call an item's own callback, as a click does."""
    import dearpygui.dearpygui as dpg

    callback = dpg.get_item_callback(tag)
    assert callback is not None
    callback(tag, True, dpg.get_item_user_data(tag))


def bring_up(app: Running, title: str) -> None:
    """Bring a panel's tab to the front."""

    app.workspaces.raise_panel(title)
