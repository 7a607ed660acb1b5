"""The rows of the Capture panel that record, play and render a performance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import LoopState
from widgets.controls import Checkbox
from widgets.icons import icon
from widgets.panel import Actions
from widgets.rows import Button, buttons, heading, note

RECORD, PLAY = f"{icon('circle-dot')}  Record performance", f"{icon('play')}  Play"
STOP = f"{icon('circle-stop')}  Stop"


class PerformanceRows:
    """Every change with its time, no picture: played again here, or rendered in full. choice: (rate, format)."""

    def __init__(self, actions: Actions, choice: Callable[[], tuple[int, str]]) -> None:
        self._actions, self._choice = actions, choice
        heading("Performance")
        self.record = Button(
            RECORD, "Keep every change of every control with its time, and no pictures: nothing can be dropped.",
            actions.toggle_performance, width=-1,
        )  # fmt: skip
        self.words = note()
        self.play, self.render = buttons(
            (PLAY, "Move every control again as it was moved, at the same pace.", actions.play_performance),
            ("Render", "Draw every frame at full resolution, at the rate above.", self._render),
        )
        self.between = Checkbox(
            "smooth drags", False,
            "Between two changes of a drag go on in a straight line, so that a film of a higher rate than the screen's"
            " moves in every frame. Without it each frame shows what was asked for at its time.",
        )  # fmt: skip
        self.render.dress("primary")

    def show(self, state: LoopState, ready: bool) -> None:
        """Follow what is recorded or played; ready: a model is open."""
        now = state.performance
        self.record.enabled = ready or now.recording
        so_far = f"{now.seconds:.1f} s, {now.changes} change{'' if now.changes == 1 else 's'}"
        self.record.rename(f"{STOP}   {so_far}" if now.recording else RECORD)
        self.record.dress("danger" if now.recording else "")
        there = bool(now.path) and not now.recording
        self.play.enabled = there
        self.play.rename(PLAY if now.playing is None else f"{STOP}   {now.playing:.1f} s")
        self.render.enabled = there and not state.recording.path
        dpg.configure_item(
            self.words, show=there,
            default_value=f"{Path(now.path).name.split('.performance')[0]}: {so_far}" if there else "",
        )  # fmt: skip

    def _render(self) -> None:
        fps, kind = self._choice()
        self._actions.render_performance(fps, self.between.value, kind)
