"""The spot's way along a walk through seeds: the question, the plots, the line on the picture."""

from __future__ import annotations

import dearpygui.dearpygui as dpg

from app.request import RenderRequest
from app.studies.droplets import DropletRule, DropletTrack, DropletTrackAnswer
from widgets import look
from widgets.capture_panel import parse_seeds
from widgets.controls import Checkbox, IntSlider, TextField
from widgets.droplet_charts import TrackPlots
from widgets.overlay import Trail
from widgets.panel import Actions, StudyHandle
from widgets.rows import buttons, note

EMPTY = "Name two or more seeds: the spot is followed from one to the next."


class WalkSection:
    """Controls, progress and result of a DropletTrack."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.seeds = TextField(
            "seeds", "Seeds to walk through, for instance 0, 1, 5-8.", placeholder="0, 1, 5-8", on_enter=False
        )
        self.steps = IntSlider("steps", 16, 4, 96, "Pictures from one seed to the next.", unit="per leg")
        self.loop = Checkbox("loop", False, "Walk on from the last seed to the first.")
        self.start, self.cancel, self.clear = buttons(
            (
                "Follow",
                "Draw every step in the background and note where the spot lies: in the picked layer, else in the one "
                "that is strongest in the middle of the walk.",
                self._start,
            ),
            ("Cancel", "Stop here; what is known so far stays.", self._cancel),
            ("Clear", "Forget the walk and its line on the picture.", self.forget),
            weights=(1.2, 0.9, 0.9),
        )
        self.start.dress("primary")
        self.progress = dpg.add_progress_bar(width=-1, show=False)
        self.words = note(EMPTY)
        self.plots = TrackPlots()
        self.study: StudyHandle | None = None
        self.question: DropletTrack | None = None
        self.request: RenderRequest | None = None  # of the picture on the screen
        self.layer, self.rule = "", DropletRule()

    def show(self, request: RenderRequest | None, layer: str, rule: DropletRule) -> None:
        """Once per frame. request: the newest picture's; layer: the picked one, '' for none."""
        self.request, self.layer, self.rule = request, layer, rule
        running = self.study is not None and not self.study.done
        self.start.enabled = request is not None and len(parse_seeds(self.seeds.value) or ()) >= 2 and not running
        self.cancel.enabled = running
        self.clear.enabled = self.study is not None
        update = self.study.state.update if self.study is not None else None
        dpg.configure_item(self.progress, show=running)
        if update is not None and running:
            dpg.configure_item(self.progress, overlay=update.text)
            dpg.set_value(self.progress, update.share or 0.0)
        self._show_words()
        question = self.question
        self.plots.show(self.answer, question.seeds if question else (), bool(question and question.loop))

    @property
    def answer(self) -> DropletTrackAnswer | None:
        """What is known so far."""
        answer = self.study.state.update.answer if self.study is not None else None
        return answer if isinstance(answer, DropletTrackAnswer) else None

    @property
    def trail(self) -> Trail | None:
        """The line to draw on the picture."""
        answer = self.answer
        return Trail(tuple(point.spot for point in answer.points), look.ACCENT) if answer is not None else None

    def _show_words(self) -> None:
        problem = self.study.state.problem if self.study is not None else None
        answer = self.answer
        words, colour = EMPTY, look.MUTED
        if self.seeds.value and parse_seeds(self.seeds.value) is None:
            words = f"{self.seeds.value!r} is not a list of seeds; write for instance 0, 1, 5-8."
            colour = look.WARNING
        elif problem is not None:
            words, colour = f"{problem.title}: {problem.detail}", look.ERROR
        elif answer is not None:
            words = track_words(answer)
        elif self.study is not None and self.study.done:
            words = "Cancelled before the first step."
        dpg.configure_item(self.words, default_value=words, color=colour)

    def _start(self) -> None:
        seeds = parse_seeds(self.seeds.value)
        if self.request is None or not seeds:
            return
        self._cancel()
        self.question = DropletTrack(
            self.request, tuple(seeds), self.steps.value, self.loop.value, layer=self.layer, rule=self.rule,
            thumbnail_px=16,
        )  # fmt: skip
        self.study = self.actions.study(self.question)

    def _cancel(self) -> None:
        if self.study is not None:
            self.study.cancel()

    def forget(self) -> None:
        """Forget the walk; the controls stay."""
        self._cancel()
        self.study = self.question = None

    def reset(self) -> None:
        """Forget the walk, every control back to its default."""
        self.forget()
        for control in (self.seeds, self.steps, self.loop):
            control.reset()


def track_words(answer: DropletTrackAnswer) -> str:
    """What came of a walk, in a sentence."""
    flagged, known = sum(point.flag for point in answer.points), len(answer.points)
    lowest, highest = (pick(point.ratio for point in answer.points) for pick in (min, max))
    return (
        f"{answer.layer}: droplet in {flagged} of {known} pictures, peak ratio {lowest:.1f} to {highest:.1f}. "
        "The line on the picture is the spot's way; the ticks below are the seeds."
    )
