"""Capture: pictures, live recordings, and walks rendered with an exact frame rate."""

from __future__ import annotations

from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, RecordingState
from app.request import RenderRequest
from widgets import look
from widgets.choices import Combo
from widgets.controls import Checkbox, IntSlider, Slider, TextField
from widgets.icons import icon
from widgets.panel import Panel
from widgets.performance_rows import PerformanceRows
from widgets.rows import Button, buttons, heading, note

RECORD = f"{icon('circle-dot')}  Record"
RECORD_HINT = (
    "Record what is on screen, as it happens (F9). Every change is kept beside it as a performance, which can be"
    " rendered at full size and rate afterwards."
)
KINDS = {
    "mp4": "MP4 film (h264)",
    "webm": "WebM film (VP9)",
    "gif": "GIF",
    "png": "folder of PNG files",
    "exr": "folder of EXR files",
    "sheet": "contact sheet (PNG)",
}
FORMATS = """MP4: h264 by the graphics card where one of its encoders works, else by x264 on the CPU.
WebM: VP9 on the CPU, for the web.
GIF: 256 colours for each frame, refined and dithered; times in 1/100 s.
PNG: every frame without loss, each with its state inside: drop one on the window to be there again.
EXR: linear light, 16 bits; a walk is not clipped, a recording of the screen has the 8 bits that were shown.
Contact sheet: 12 frames, evenly spaced, with their times."""


class CapturePanel(Panel):
    """Saves what is on screen, or renders a walk through seeds frame by frame."""

    title, order, window_id, area = "Capture", 92, 1_000_000_011, "left-top"

    def build(self) -> None:
        buttons(
            (
                f"{icon('camera')}  Picture",
                "PNG of the picture at full resolution (Ctrl+S).",
                self.actions.save_picture,
            ),
            (f"{icon('monitor')}  Window", "PNG of the whole window (Ctrl+Shift+S).", self.actions.save_window),
        )
        self.kind = Combo("format", "mp4", KINDS, FORMATS)
        self.fps = IntSlider("rate", 30, 1, 120, "Frames per second of what is rendered: exact.", unit="frames / s")
        self.record = Button(RECORD, RECORD_HINT, self.toggle, width=-1)
        self.performance = PerformanceRows(self.actions, self._choice)
        self.between = self.performance.between
        heading("Walk through seeds")
        self.seeds = TextField(
            "seeds", "Seeds to walk through, for instance 0, 1, 5-8.", placeholder="0, 1, 5-8", on_enter=False
        )
        self.add = Button("Add the shown seed", "Append the seed that weighs most in the picture.", self._add, width=-1)
        self.seconds = Slider("length", 6.0, 0.5, 120.0, "Length of the whole walk.", unit="s", decimals=1)
        self.loop = Checkbox("loop", True, "End where it began, so that it can be repeated without a jump.")
        self.render = Button("Render walk", "Render every frame at full resolution.", self._start, width=-1)
        self.render.dress("primary")
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.cancel = Button("Cancel", "Stop; the file so far stays readable.", self.actions.cancel_walk, width=-1)
        self.message = note()
        self.encoder = note()
        with dpg.tooltip(self.encoder):
            self.reasons = dpg.add_text(wrap=look.pixels(420))
        self.recording = RecordingState()
        self.shown_seed = 0

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if request.latent.seeds:
            self.shown_seed = max(request.latent.seeds, key=lambda item: item[1])[0]
        return request

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.recording = now = state.recording
        walking, live = bool(now.path) and now.total is not None, bool(now.path) and now.total is None
        ready = frame is not None and frame.model is not None
        self.record.enabled = ready and not walking
        self.record.rename(
            f"{icon('circle-stop')}  Stop   {now.seconds:.1f} s, {now.frames} frames" if live else RECORD
        )
        self.record.dress("danger" if live else "")
        self.performance.show(state, ready)
        valid = len(parse_seeds(self.seeds.value) or ()) >= 2
        self.render.enabled = ready and valid and not now.path
        dpg.configure_item(self.progress, show=walking)
        dpg.configure_item(self.cancel.tag, show=walking)
        if walking and now.total:
            dpg.configure_item(self.progress, overlay=f"{now.frames} of {now.total} frames")
            dpg.set_value(self.progress, now.frames / now.total)
        dpg.set_value(self.message, self._words(now))
        encoder, _, reasons = now.encoder.partition("; ")
        dpg.configure_item(self.encoder, default_value=encoder, show=bool(encoder))
        dpg.set_value(self.reasons, f"{reasons}." if reasons else "Chosen by encoding one frame of this size.")

    def _words(self, now: RecordingState) -> str:
        if self.seeds.value and parse_seeds(self.seeds.value) is None:
            return f"{self.seeds.value!r} is not a list of seeds; write for instance 0, 1, 5-8."
        dropped = f" {now.dropped} frames were dropped: the disk or the encoder is too slow." if now.dropped else ""
        return (f"Writing {Path(now.path).name}." if now.path else now.message) + dropped

    def toggle(self) -> None:
        """Start or stop the live recording."""
        if self.recording.path and self.recording.total is None:
            self.actions.stop_capture()
        elif not self.recording.path:
            self.actions.start_capture(self.kind.value)

    def _choice(self) -> tuple[int, str]:
        return self.fps.value, self.kind.value

    def _add(self) -> None:
        self.seeds.set(", ".join(filter(None, (self.seeds.value, str(self.shown_seed)))))

    def _start(self) -> None:
        seeds = parse_seeds(self.seeds.value)
        if seeds:
            self.actions.start_walk(seeds, self.seconds.value, self.fps.value, self.loop.value, self.kind.value)


def parse_seeds(words: str) -> list[int] | None:
    """'0, 1, 5-8' -> [0, 1, 5, 6, 7, 8]; None when it is no such list."""
    seeds: list[int] = []
    for part in filter(None, (part.strip() for part in words.split(","))):
        first, dash, last = part.partition("-")
        ends = (first.strip(), last.strip() if dash else first.strip())
        if not all(end.isascii() and end.isdigit() for end in ends):
            return None
        low, high = (int(end) for end in ends)
        if not low <= high < 2**32 or high - low > 10000:
            return None
        seeds.extend(range(low, high + 1))
    return seeds
