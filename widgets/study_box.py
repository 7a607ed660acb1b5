"""A button that starts and stops studies, with their progress and what went wrong in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dearpygui.dearpygui as dpg

from app.studies import Study, Update
from widgets import look
from widgets.panel import Actions, StudyHandle
from widgets.rows import buttons, note

Ask = tuple[Study, Callable[[Any], None]]  # a question, and what takes its answers


@dataclass
class Run:
    """A study that was started; `seen` is the last update whose answer was taken."""

    handle: StudyHandle
    take: Callable[[Any], None]
    seen: Update | None = None


class StudyBox:
    """ask: the questions at the moment of the press, each with what takes its answers, partial ones too; none: there
    is nothing to measure yet. save: what the second button, 'Save as JSON', does."""

    def __init__(
        self, actions: Actions, label: str, hint: str, ask: Callable[[], Sequence[Ask]], save: Callable[[], None]
    ) -> None:
        self.actions, self.label, self.ask = actions, label, ask
        self.runs: list[Run] = []
        self.button, self.save = buttons(
            (label, hint, self._pressed),
            ("Save as JSON", "The numbers with their units, and what was asked, beside the saved pictures.", save),
            weights=(0.6, 0.4),
        )
        self.button.dress("primary")
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.words = note("", look.ERROR)
        self._running = False

    @property
    def running(self) -> bool:
        """Whether a study goes on."""
        return any(not run.handle.done for run in self.runs)

    def start(self) -> None:
        """Ask now; what ran before is stopped."""
        self.stop()
        self.runs = [Run(self.actions.study(question), take) for question, take in self.ask()]

    def stop(self) -> None:
        """Take no further step; what is known stays."""
        for run in self.runs:
            run.handle.cancel()

    def forget(self) -> None:
        """Stop, and hand over nothing more."""
        self.stop()
        self.runs = []

    def update(self) -> None:
        """Hand answers over, show progress; once per loop."""
        for run in self.runs:
            update = run.handle.state.update
            if update is not run.seen:
                run.seen = update
                if update.answer is not None:
                    run.take(update.answer)
        running = self.running
        if running != self._running:
            self._running = running
            self.button.rename("Stop" if running else self.label)
            self.button.dress("danger" if running else "primary")
            dpg.configure_item(self.progress, show=running)
        if running:
            states = [run.handle.state for run in self.runs]
            dpg.set_value(self.progress, sum(state.update.share or 0.0 for state in states) / len(states))
            working = next(state for run, state in zip(self.runs, states, strict=True) if not run.handle.done)
            dpg.configure_item(self.progress, overlay=working.update.text)
        problem = next((run.handle.state.problem for run in self.runs if run.handle.state.problem is not None), None)
        words = " ".join((f"{problem.title}: {problem.detail}", problem.hint)).strip() if problem else ""
        dpg.configure_item(self.words, default_value=words, show=bool(words))

    def _pressed(self) -> None:
        if self.running:
            self.stop()
        else:
            self.start()
