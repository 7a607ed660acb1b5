"""Saving and recording: the part of the desk that puts pictures, films, latents and numbers on the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.display.window import Window
from app.frame import Frame
from app.recording.performance import SUFFIX
from app.recording.sinks import FORMATS
from app.request import Model, RenderRequest
from app.timeline import Timeline
from app.window.performances import Performances
from app.window.pictures import PictureWriter, file_name, free_path
from app.window.recorder import Recorder
from app.window.training import OpenRun


class Saving:
    """What panels and keys may ask the desk to write. Everything is called on the main thread."""

    window: Window
    output: Path
    model: Model
    frame: Frame | None
    run: OpenRun | None
    current: Callable[[], RenderRequest]
    pictures: PictureWriter
    recorder: Recorder
    performances: Performances

    def say(self, sentence: str, problem: bool = False) -> None:
        """Show a sentence in the window."""
        raise NotImplementedError

    def save_picture(self) -> None:
        """The last complete picture as PNG, with its request inside."""
        frame = self.frame
        if frame is None or frame.picture is None:
            self.say("There is no picture to save yet: open a model first.", problem=True)
            return
        self.pictures.write(self._new_path(".png"), frame.picture, frame.request, frame.model)

    def save_window(self) -> None:
        """What the window shows as PNG."""
        model = None if self.frame is None else self.frame.model
        self.pictures.write(self._new_path("-window.png"), self.window.grab(), self.current(), model)

    def start_capture(self, kind: str) -> None:
        """Record what is on the screen from now on; kind: a key of `sinks.FORMATS`."""
        if self.frame is None or self.frame.picture is None:
            self.say("There is nothing to record yet: open a model first.", problem=True)
            return
        suffix, encoding = FORMATS[kind]
        path = self._new_path(suffix)
        self.recorder.start_capture(path, self.frame, encoding)
        if self.recorder.capturing:
            beside = free_path(self.output, path.stem + SUFFIX)
            self.performances.start(beside, self.frame.model, with_film=True)

    def stop_capture(self) -> None:
        self.recorder.stop_capture()

    def toggle_capture(self) -> None:
        """Start or stop recording (F9)."""
        if self.recorder.capturing:
            self.stop_capture()
        else:
            self.start_capture("mp4")

    def start_walk(self, seeds: Sequence[int], seconds: float, fps: int, loop: bool, kind: str) -> None:
        """Render a walk through seeds at full size and an exact frame rate, beside the live picture."""
        if not self.model.path:
            self.say("There is nothing to walk through yet: open a model first.", problem=True)
            return
        suffix, encoding = FORMATS[kind]
        self.recorder.start_walk(self._new_path(suffix), self.current(), seeds, seconds, fps, loop, encoding)

    def start_timeline(self, timeline: Timeline, kind: str) -> None:
        """Render a timeline at full size and an exact frame rate, beside the live picture."""
        suffix, encoding = FORMATS[kind]
        self.recorder.start_film(self._new_path(suffix), timeline, encoding)

    def toggle_performance(self) -> None:
        """Start or stop recording every change, without pictures."""
        if self.performances.recording:
            self.performances.stop()
        else:
            self.performances.start(self._new_path(SUFFIX), None if self.frame is None else self.frame.model)

    def play_performance(self) -> None:
        """Play the last performance at its own pace, or stop it."""
        self.performances.toggle_playing()

    def render_performance(self, fps: int, between: bool, kind: str) -> None:
        """Render the last performance at full size and an exact frame rate, beside the live picture."""
        suffix, encoding = FORMATS[kind]
        self.performances.render(self._new_path(suffix), fps, between, encoding)

    def cancel_walk(self) -> None:
        self.recorder.cancel_walk()

    def save_latent(self, path: str) -> None:
        """Write the current W+ as the suffix says (npy, npz, pt, json)."""
        target = Path(path).expanduser() if path else self._new_path("-w.npz")
        self.recorder.save_latent(target, self.current())

    def save_numbers(self, name: str, values: Mapping[str, Any]) -> None:
        """What was measured as JSON; the name says what it is ('spectrum')."""
        self.pictures.write_json(self._new_path(f"-{name}.json"), values)

    def save_pixels(self, name: str, rgba: np.ndarray) -> None:
        """A picture that was made of measurements [H, W, 4] as PNG; the name says what it is ('sharpness')."""
        self.pictures.write(self._new_path(f"-{name}.png"), rgba)

    def new_path(self, suffix: str) -> str:
        """A path beside the saved pictures that does not exist yet, for a study that writes a file."""
        return str(self._new_path(suffix))

    def _new_path(self, suffix: str) -> Path:
        model = self.model.path if self.run is None else f"{self.run.name}.safetensors"
        return free_path(self.output, file_name(model, suffix))
