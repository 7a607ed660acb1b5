"""The desk: what panels may ask the app to do (`widgets.panel.Actions`), and the window's own state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import problems
from app.bundled import bundled_models
from app.command_line import as_command
from app.compare import Pane
from app.display.stage import Stage
from app.display.textures import PictureTexture
from app.display.window import Window
from app.engine import Engine
from app.errors import InputError
from app.frame import Frame, LoopState, Snapshot, Status
from app.request import Latent, Model, RenderRequest
from app.settings import Settings, write_settings
from app.studies import Study
from app.study_run import StudyRun
from app.training.watch import RunWatch, is_run
from app.window import dropped
from app.window.compare import CompareDesk
from app.window.control import ControlDesk
from app.window.desk_panel import DeskPanel
from app.window.kept_files import KeptFiles
from app.window.messages import Messages
from app.window.performances import Performances
from app.window.pictures import PictureWriter, file_name, free_path
from app.window.recorder import Recorder
from app.window.restore import Restorer
from app.window.saving import Saving
from app.window.sessions import Sessions
from app.window.training import OpenRun
from networks.checkpoint.folders import find_folder

log = logging.getLogger("stylescope")
TURNS = 30  # of the loop, for the window's own numbers


class Desk(Saving):
    """Opens models, saves and records, keeps settings; every panel gets this one object.

    `panels` is filled by start.py once they exist. Everything here runs on the main thread.
    """

    def __init__(
        self, window: Window, engine: Engine, settings: Settings, folder: Path, output: Path, device: str
    ) -> None:
        self.window, self.engine, self.folder, self.output = window, engine, folder, output
        self.settings = settings
        self.panels: Sequence[DeskPanel] = ()
        self.model = Model(device=device)
        self.frame: Frame | None = None  # the last with a picture
        self.newest: Frame | None = None  # be it a problem
        self.current: Callable[[], RenderRequest] = RenderRequest  # the loop's request, full size
        self.asked: Callable[[], RenderRequest] = RenderRequest  # the loop's request of this turn
        self.on_help: Callable[[], None] = lambda: None
        self.on_browse: Callable[[], None] = lambda: None
        self.messages = Messages()
        self.pictures = PictureWriter()
        self.recorder = Recorder(engine)
        self.stage = Stage()
        self.controls = ControlDesk(folder)
        self.comparison = CompareDesk(engine, lambda suffix: free_path(self.output, file_name("compare", suffix)))
        self.restorer = Restorer(lambda path: self._load(path, again=False), lambda: self.asked())
        self.performances = Performances(engine, self.recorder, self.steer, self.restore)
        self.sessions = Sessions(folder, lambda: self.current(), self.restore)
        self.run: OpenRun | None = None  # the training run that is watched
        self.bundled = bundled_models()
        self.files = KeptFiles(self.restore, self.say, self._known_models, lambda: self.asked())
        self._attempts = 0
        self._turns: list[tuple[float, float]] = []  # (when, ms of work) of the last turns of the loop

    # -- models ------------------------------------------------------------------------------------------------------

    def base(self) -> RenderRequest:
        """The part of the request that belongs to no panel."""
        return RenderRequest(model=self.model)

    def open(self, path: str) -> None:
        """Open a checkpoint, or the folder of a training run; the same path again tries it again."""
        path = path.strip().strip('"')
        if not path:
            return
        expanded = Path(path).expanduser()
        path = str(expanded.absolute()) if expanded.exists() else path
        if expanded.is_dir() and find_folder(expanded) is None:
            self.open_run(Path(path))
            return
        self.run = None
        self._load(path, again=path == self.model.path)

    def retry(self) -> None:
        """Try the same file once more."""
        if self.model.path:
            self._load(self.model.path)

    def _load(self, path: str, again: bool = True) -> None:
        """Have a checkpoint drawn; again: look at the file anew, also where it was read before."""
        self._attempts += again
        self.model = replace(self.model, path=path, attempt=self._attempts if again else 0)

    def open_run(self, folder: Path) -> None:
        """Watch a training run: its newest snapshot now, and each newer one as soon as it is there."""
        try:
            self.run = OpenRun(RunWatch(folder))
        except InputError as error:
            self.say(str(error) if is_run(folder) else dropped.about_folder(folder), problem=True)
            return
        if self.run.shown is None:
            self.say(f"{folder.name} holds no snapshot yet; the first one is shown as soon as it is written.")
        self._show_run(self.run.shown)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show one snapshot of the open run and stay there."""
        if self.run is not None and snapshot != self.run.shown:
            self._show_run(snapshot)
        if self.run is not None:
            self.run.choose(snapshot)

    def follow_run(self, on: bool) -> None:
        """Show the newest snapshot of the open run whenever there is a newer one, or stay where we are."""
        if self.run is not None:
            self._show_run(self.run.follow(on))

    def _show_run(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self._load(snapshot.path)

    def browse(self) -> None:
        self.on_browse()

    def drop(self, paths: list[str]) -> None:
        """Files were dropped on the window: a state comes back, panels may want latents, the rest are models."""
        for path in paths:
            if why := dropped.refusal(path):
                self.say(why, problem=True)
                continue
            if (first := self.performances.take(path)) is not None:
                self.files.show(Path(path).name, first)
                continue
            taken = (
                self.sessions.take(path)
                or self.files.take(path)
                or (not dropped.is_photo(path) and self.files.foreign(path))
                or any(panel.take_file(path) for panel in self.panels)
                or self.files.foreign(path)
            )
            if not taken:
                self.open(path)

    # -- where the user was ------------------------------------------------------------------------------------------

    def restore(self, request: RenderRequest) -> None:
        """Show a whole request again: its model (this one, where it names none), and every control."""
        self.restorer.restore(request, self.newest)

    def steer(self, request: RenderRequest) -> None:
        """Set every control as the hand would that drags them all: one step of undo, where it comes to rest."""
        self.restorer.steer(request, self.newest)

    def undo(self) -> None:
        """Back to what was before the last change, whatever it was (Ctrl+Z)."""
        if not self.restorer.undo(self.newest):
            self.say("There is nothing to undo.")

    def redo(self) -> None:
        """Take an undo back (Ctrl+Y)."""
        if not self.restorer.redo(self.newest):
            self.say("There is nothing to redo.")

    def copy_command(self) -> None:
        """The command line that draws the same picture, to the clipboard (Ctrl+Shift+C)."""
        if not self.model.path:
            self.say("There is no picture yet whose command line could be copied: open a model first.", problem=True)
            return
        command = as_command(self.current())
        self.window.copy(command)
        self.say(f"Copied: {command if len(command) <= 160 else command[:157] + '...'}")

    # -- what panels share -------------------------------------------------------------------------------------------

    def texture(self) -> PictureTexture:
        return self.window.textures.create()

    def study(self, question: Study) -> StudyRun:
        return self.engine.study(question)

    def compare(self, panes: Sequence[Pane], paired: bool = False) -> CompareDesk:
        self.comparison.declare(panes, paired)
        return self.comparison

    def drag_latent(self, dx: float, dy: float) -> None:
        for panel in self.panels:
            panel.drag_latent(dx, dy)

    def go_to(self, latent: Latent) -> None:
        for panel in self.panels:
            panel.go_to(latent)

    def favour(self, request: RenderRequest) -> None:
        for panel in self.panels:
            panel.take_favourite(request)

    def mark(self, owner: str, marks: Sequence[Any]) -> None:
        for panel in self.panels:
            panel.take_marks(owner, marks)

    def point(self, x: float, y: float) -> None:
        for panel in self.panels:
            panel.take_point(x, y)

    def reset_all(self) -> None:
        for panel in self.panels:
            panel.reset()

    def show_help(self) -> None:
        self.on_help()

    def say(self, sentence: str, problem: bool = False) -> None:
        """Show a sentence in the window; a problem goes to the terminal as well."""
        if problem:
            log.error("%s", sentence)
        self.messages.say(sentence, problem)

    def on_error(self, error: BaseException) -> None:
        """Something raised in the window's own thread; the terminal has the traceback already."""
        problem = problems.describe(error)
        self.messages.say(f"{problem.title}: {problem.detail}", problem=True)

    # -- the window itself -------------------------------------------------------------------------------------------

    def toggle_stage(self) -> None:
        """Full-screen second window with the picture alone (F11)."""
        if problem := self.controls.toggle_stage(self.stage, self.frame):
            self.say(problem, problem=True)

    def control(self) -> ControlDesk:
        """What moves controls from outside, and the stage's monitor."""
        return self.controls

    def set_fps_limit(self, fps: int) -> None:
        self.settings = replace(self.settings, fps_limit=fps)
        self.window.fps_limit = float(fps)

    def set_workspace(self, name: str) -> None:
        """Which panels are on the screen (app/window/workspaces.py); remembered."""
        self.settings = replace(self.settings, workspace=name)

    def set_ui_scale(self, scale: float) -> None:
        self.window.user_scale = scale
        self.settings = replace(self.settings, ui_scale=self.window.user_scale)

    def on_frame(self, frame: Frame) -> None:
        """A new frame came: remember it, show it on the stage, hand it to the recorder."""
        self.newest = frame
        if frame.problem is not None or frame.picture is None:
            return
        if frame.complete and frame.request.model.path:
            self._remember(frame.request.model.path)
        self.frame = frame
        if self.stage.is_open:
            self.stage.show(frame.picture)
        self.recorder.push(frame)

    def _known_models(self) -> list[str]:
        return [self.model.path, *self.settings.recent, *(model.path for model in self.bundled)]

    def _remember(self, path: str) -> None:
        """Among the recent files, a run counts as its folder; what comes with the app is in a list of its own."""
        if self.run is not None and self.run.holds(path):
            path = str(self.run.watch.folder)
        if path not in {model.path for model in self.bundled}:
            self.settings = self.settings.with_recent(path)

    def update(self) -> None:
        """Once per turn of the loop: messages, finished files, a run's new snapshot, the stage's own events."""
        if self.run is not None:
            self._show_run(self.run.update())
        self.files.update()
        self.performances.update(self.asked(), self.newest)
        self.restorer.update(self.asked(), self.newest, any(panel.dragging() for panel in self.panels))
        self.comparison.update(self.asked(), self.newest)
        self.sessions.update()
        self._report()
        self.messages.update()
        self.window.yielding = self.engine.status().busy or self.comparison.busy
        if self.stage.is_open:
            self.stage.frame()
        self._turns = [*self._turns[-(TURNS - 1) :], (time.perf_counter(), self.window.frame_ms)]

    def _report(self) -> None:
        for part in (self.pictures, self.recorder, self.performances, self.comparison, self.sessions):
            for sentence, problem in part.finished():
                self.say(sentence, problem)

    def state(self, status: Status, frame: Frame | None) -> LoopState:
        """The window's own numbers for the panels: median work per turn, and turns per second, of the last 30."""
        work = sorted(ms for _, ms in self._turns)
        span = self._turns[-1][0] - self._turns[0][0] if self._turns else 0.0
        return LoopState(
            gui_ms=work[len(work) // 2] if work else 0.0,
            gui_fps=(len(self._turns) - 1) / span if span > 0 else 0.0,
            render_ms=frame.timing.total_ms if frame is not None else 0.0,
            backend=self.window.textures.backend,
            status=status,
            recording=self.recorder.state(),
            recent=self.settings.recent,
            fps_limit=self.settings.fps_limit,
            ui_scale=self.settings.ui_scale,
            training=None if self.run is None else self.run.state,
            bundled=self.bundled,
            compared=self.comparison.models,
            performance=self.performances.state,
        )

    def close(self) -> None:
        """Finish recordings, keep the settings."""
        self.controls.controller.close()
        self.sessions.close()
        self.files.close()
        self.performances.close()
        self.recorder.close()
        self.comparison.close()
        self.pictures.close()
        self.stage.close()
        self._report()
        if problem := write_settings(self.folder, self.settings):
            self.say(problem, problem=True)
