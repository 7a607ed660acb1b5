"""Films of the comparison: what is on the screen, or a walk through seeds drawn frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import RecordingState
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.controls import Checkbox, IntSlider, Slider, TextField
from widgets.icons import icon
from widgets.panel import Compared
from widgets.rows import Button, Tag, heading, note

RECORD = f"{icon('circle-dot')}  Record what is on the screen"
WIDTH = 360  # pixels at scale 1


class FilmWindow:
    """A small window with the two ways to make an MP4 of the panes side by side, labels under them."""

    def __init__(self, compared: Callable[[], Compared | None]) -> None:
        """compared: the comparison while it is on the screen."""
        self.compared = compared
        self.recording = RecordingState()
        self.window: Tag
        self.body: Tag
        with (
            dpg.window(popup=True, show=False, autosize=True, no_saved_settings=True) as self.window,
            dpg.child_window(width=look.pixels(WIDTH), auto_resize_y=True, border=False) as self.body,
        ):
            self._build()

    def _build(self) -> None:
        title = dpg.add_text("Film of the panes, side by side (MP4)")
        look.bind_font(title, "semibold")
        self.record = Button(
            RECORD, "Each pane as it changes, with its label, until you press again.", self._toggle, width=-1
        )
        heading("Walk through seeds")
        self.seeds = TextField(
            "seeds", "Seeds to walk through, for instance 0, 1, 5-8.", placeholder="0, 1, 5-8", on_enter=False
        )
        self.seconds = Slider("length", 6.0, 0.5, 120.0, "Length of the whole walk.", unit="s", decimals=1)
        self.fps = IntSlider("rate", 30, 1, 120, "Frames per second of the file: exact.", unit="frames / s")
        self.loop = Checkbox("loop", True, "End where it began, so that it can be repeated without a jump.")
        self.render = Button(
            "Render walk", "Every frame of every pane at full resolution, however long it takes.", self._start, width=-1
        )
        self.render.dress("primary")
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.cancel = Button("Cancel", "Stop; the film so far stays readable.", self._cancel, width=-1)
        self.message = note()

    def show(self, x: float, y: float) -> None:
        """Open it with its upper left corner there, in pixels of the viewport."""
        dpg.configure_item(self.body, width=look.pixels(WIDTH))
        dpg.configure_item(self.window, show=True, pos=(round(x), round(y)))

    @property
    def live(self) -> bool:
        """Whether what is on the screen is being recorded."""
        return bool(self.recording.path) and self.recording.total is None

    def update(self, now: RecordingState, ready: bool) -> None:
        """Follow the recorder; ready: some pane has a model."""
        self.recording = now
        walking = bool(now.path) and now.total is not None
        self.record.enabled = (ready or self.live) and not walking
        self.record.rename(self.words() if self.live else RECORD)
        self.record.dress("danger" if self.live else "")
        seeds = parse_seeds(self.seeds.value)
        self.render.enabled = ready and len(seeds or ()) >= 2 and not now.path
        dpg.configure_item(self.progress, show=walking)
        dpg.configure_item(self.cancel.tag, show=walking)
        if walking and now.total:
            dpg.configure_item(self.progress, overlay=f"{now.frames} of {now.total} frames")
            dpg.set_value(self.progress, now.frames / now.total)
        wrong = bool(self.seeds.value) and seeds is None
        said = f"{self.seeds.value!r} is not a list of seeds; write for instance 0, 1, 5-8." if wrong else self._said()
        dpg.configure_item(self.message, default_value=said, show=bool(said))

    def words(self) -> str:
        """What the button that stops says."""
        return f"{icon('circle-stop')}  Stop   {self.recording.seconds:.1f} s, {self.recording.frames} frames"

    def _said(self) -> str:
        now = self.recording
        dropped = f" {now.dropped} frames were dropped: the disk or the encoder is too slow." if now.dropped else ""
        return (f"Writing {Path(now.path).name}." if now.path else now.message) + dropped

    def _toggle(self) -> None:
        compared = self.compared()
        if compared is not None and self.live:
            compared.stop_capture()
        elif compared is not None:
            compared.start_capture()

    def _start(self) -> None:
        seeds, compared = parse_seeds(self.seeds.value), self.compared()
        if seeds and compared is not None:
            compared.start_walk(seeds, self.seconds.value, self.fps.value, self.loop.value)

    def _cancel(self) -> None:
        compared = self.compared()
        if compared is not None:
            compared.cancel_walk()
