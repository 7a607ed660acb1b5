"""The base of every panel, and what a panel may ask the app to do.

One direction: `contribute` folds a panel's controls into the request, `show` displays the frame that came back.
A panel never calls another panel; what concerns the whole app goes through `Actions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import dearpygui.dearpygui as dpg
import numpy as np

from app.compare import Pane as ComparePane
from app.compare import PaneState
from app.control.controller import Controller
from app.control.parameters import Parameter
from app.frame import Frame, LoopState, ModelInfo, RecordingState, Snapshot, Status
from app.request import Latent, RenderRequest
from app.studies import Study, StudyState
from app.timeline import Timeline
from widgets.controls import Control
from widgets.overlay import Mark
from widgets.steered import parameters

__all__ = ["Actions", "Frame", "LoopState", "Panel", "RecordingState", "Shortcut", "Status", "Texture"]


@dataclass(frozen=True)
class Shortcut:
    """A key that does something: 'R', 'Ctrl+O', 'F11', 'Left'; the help page lists it with its text.

    listed: what the help page says instead, where one line stands for several keys; '' leaves it out.
    """

    keys: str
    text: str
    run: Callable[[], None]
    listed: str | None = None


class Texture(Protocol):
    """A picture slot on the screen (app/display/textures.py makes them); an upload may change its tag and uv_max."""

    @property
    def tag(self) -> int | str: ...
    @property
    def size(self) -> tuple[int, int]: ...  # (W, H) of what was last uploaded
    @property
    def uv_max(self) -> tuple[float, float]: ...

    def upload(self, rgba: np.ndarray) -> None:
        """Show rgba uint8 [H, W, 4] from the next frame on."""

    def set_filter(self, linear: bool) -> None:
        """Interpolate linearly, or show square pixels."""


class StudyHandle(Protocol):
    """A study that was started."""

    @property
    def state(self) -> StudyState: ...
    @property
    def done(self) -> bool: ...
    def cancel(self) -> None: ...
    @property
    def paused(self) -> bool: ...
    def pause(self, on: bool = True) -> None: ...


class Compared(Protocol):
    """The panes of a comparison (app/window/compare.py): their pictures, and films of them side by side."""

    @property
    def frames(self) -> Sequence[PaneState]: ...
    @property
    def recording(self) -> RecordingState: ...
    def start_capture(self) -> None: ...
    def stop_capture(self) -> None: ...
    def start_walk(self, seeds: Sequence[int], seconds: float, fps: int, loop: bool) -> None: ...
    def cancel_walk(self) -> None: ...


class ControlDesk(Protocol):
    """What moves controls from outside (app/window/control.py): the controller, and where the stage opens."""

    @property
    def controller(self) -> Controller: ...
    def monitors(self) -> Mapping[str, str]: ...
    def choose_monitor(self, name: str) -> None: ...


class Actions(Protocol):
    """What panels may ask of the app."""

    def open(self, path: str) -> None: ...
    def browse(self) -> None: ...
    def retry(self) -> None: ...
    def show_snapshot(self, snapshot: Snapshot) -> None: ...
    def follow_run(self, on: bool) -> None: ...
    def reset_all(self) -> None: ...
    def texture(self) -> Texture: ...
    def study(self, question: Study) -> StudyHandle: ...
    def compare(self, panes: Sequence[ComparePane], paired: bool = False) -> Compared: ...
    def current(self) -> RenderRequest: ...
    def restore(self, request: RenderRequest) -> None: ...
    def steer(self, request: RenderRequest) -> None: ...
    def favour(self, request: RenderRequest) -> None: ...
    def say(self, sentence: str) -> None: ...
    def drag_latent(self, dx: float, dy: float) -> None: ...
    def go_to(self, latent: Latent) -> None: ...
    def mark(self, owner: str, marks: Sequence[Mark]) -> None: ...
    def point(self, x: float, y: float) -> None: ...
    def save_picture(self) -> None: ...
    def save_window(self) -> None: ...
    def start_capture(self, kind: str) -> None: ...
    def stop_capture(self) -> None: ...
    def start_walk(self, seeds: Sequence[int], seconds: float, fps: int, loop: bool, kind: str) -> None: ...
    def start_timeline(self, timeline: Timeline, kind: str) -> None: ...
    def cancel_walk(self) -> None: ...
    def toggle_performance(self) -> None: ...
    def play_performance(self) -> None: ...
    def render_performance(self, fps: int, between: bool, kind: str) -> None: ...
    def toggle_stage(self) -> None: ...
    def control(self) -> ControlDesk: ...
    def set_fps_limit(self, fps: int) -> None: ...
    def set_ui_scale(self, scale: float) -> None: ...
    def show_help(self) -> None: ...
    def new_path(self, suffix: str) -> str: ...
    def save_latent(self, path: str) -> None: ...
    def save_numbers(self, name: str, values: Mapping[str, Any]) -> None: ...
    def save_pixels(self, name: str, rgba: np.ndarray) -> None: ...


class Panel:
    """One window of controls. Sub-classes set `title` and `order` and write the three verbs.

    `window_id` is a fixed integer: the layout file knows windows by it. It lies far above the ids that Dear PyGui
    hands out by itself (they count up from 10), or an item would take its place.
    """

    title: ClassVar[str] = ""
    order: ClassVar[int] = 0
    window_id: ClassVar[int] = 0
    area: ClassVar[str] = "left-top"  # its place in the first layout (app/window/layout.py)

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.model: ModelInfo | None = None

    def build(self) -> None:
        """Create the controls; called once, inside the panel's own window."""

    def contribute(self, request: RenderRequest) -> RenderRequest:
        """Return the request with this panel's part filled in; called every loop, so it must be cheap."""
        return request

    def restore(self, request: RenderRequest) -> None:
        """Set the controls so that `contribute` gives this request's part again; the request's model is open."""

    def keep(self) -> dict[str, Any]:
        """What a session remembers of this panel beyond the request, as plain JSON values: its changed controls."""
        named = {name: control for name, control in vars(self).items() if isinstance(control, Control)}
        return {name: control.value for name, control in named.items() if control.value != control.default}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """The inverse of `keep`; what does not fit is left out. Called before `restore`."""
        for name, value in kept.items():
            control = vars(self).get(name)
            if isinstance(control, Control) and type(value) is type(control.default):
                control.set(value)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        """Display what came back; called every loop (compare `frame.serial` before doing work)."""

    def tick(self, seconds: float) -> None:
        """Advance animations by wall-clock seconds; called every loop before `contribute`."""

    def shortcuts(self) -> Sequence[Shortcut]:
        """Keys that this panel answers to, whichever window has the focus (text fields excepted)."""
        return ()

    def dragging(self) -> bool:
        """Whether the user holds one of this panel's controls (an early picture is then welcome)."""
        return any(control.active for control in self.controls() if control.held_to_change)

    def drag_latent(self, dx: float, dy: float) -> None:
        """The user dragged the picture by (dx, dy) picture widths; Actions.drag_latent tells every panel."""

    def go_to(self, latent: Latent) -> None:
        """A point of W was chosen somewhere else; Actions.go_to tells every panel."""

    def take_marks(self, owner: str, marks: Sequence[Mark]) -> None:
        """`owner` wants these marks over the picture instead of its former ones; Actions.mark tells every panel."""

    def take_point(self, x: float, y: float) -> None:
        """The picture was clicked at (x, y), shares of its width and height; Actions.point tells every panel."""

    def take_favourite(self, request: RenderRequest) -> None:
        """A picture was found worth keeping somewhere else; Actions.favour tells every panel."""

    def take_file(self, path: str) -> bool:
        """A file was dropped on the window: return True when it is for this panel (models are not)."""
        return False

    def visible(self) -> bool:
        """Whether the panel was drawn in the last frame: not behind another tab, not closed. What costs time (a
        measure in the request) is asked for only then."""
        return bool(dpg.does_item_exist(self.window_id) and dpg.is_item_visible(self.window_id))

    def come_forward(self) -> None:
        """Raise this panel's tab, also where the workspace leaves the panel out."""
        dpg.configure_item(self.window_id, show=True)
        dpg.focus_item(self.window_id)

    def follow(self, frame: Frame | None) -> None:
        """Call `adopt` when the frame comes from another model than the last one."""
        if frame is not None and frame.model is not None and frame.model != self.model:
            self.model, former = frame.model, self.model
            self.adopt(frame.model, former)

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        """Fit the controls to a model; the same file on another device or precision counts as another model."""

    def reset(self) -> None:
        """Put everything back to its default."""
        for control in self.controls():
            control.reset()

    def parameters(self) -> Iterator[Parameter]:
        """What knobs, faders, pads and keys may move of this panel (app/control)."""
        return parameters(self)

    def controls(self) -> Iterator[Control[Any]]:
        """Every control that is an attribute of this panel."""
        return (value for value in vars(self).values() if isinstance(value, Control))
