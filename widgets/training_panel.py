"""A training run, live: follow its newest snapshot, scrub through the older ones, see its losses and settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, Snapshot, TrainingRun
from widgets import look
from widgets.controls import Checkbox, IntSlider
from widgets.film_strip import MOST, FilmStrip
from widgets.icons import icon
from widgets.loss_plots import LossPlots
from widgets.panel import Panel
from widgets.readouts import KeyValues
from widgets.rows import Button, columns, heading, note

NO_RUN = (
    "No training run is open. Drop the folder of a run on the window, or start with it: python main.py RUN. A run is"
    " what python main.py train --out RUN writes."
)
WAITING = "No snapshot yet: the first one is shown as soon as it is written."
FOLLOW_HINT = (
    "Open each new snapshot as soon as the run has written it. Latent, layer, noise and edits stay as they are."
)
FILM_HINT = (
    f"Draw the present picture, and the layer that is looked at, with every snapshot (at most {MOST} of them) while"
    " nothing else is drawn. Numbers are kimg; click a tile to show its snapshot."
)
PLAY_S = 0.3  # that playing shows each picture
AT_REST_S = 300.0  # without a sign of life


class TrainingPanel(Panel):
    """Shows what the desk watches (`LoopState.training`) and asks it for other snapshots; keeps no state of the run."""

    title, order, window_id, area = "Training", 105, 1_000_000_030, "left-top"

    def build(self) -> None:
        self.run: TrainingRun | None = None
        self.frame: Frame | None = None
        self.playing, self.waited = False, 0.0
        self.empty = note(NO_RUN)
        self.group = dpg.add_group(show=False)
        dpg.push_container_stack(self.group)
        self.heading = heading("")
        with columns(0.26, 0.26, 0.12, 0.12, 0.12, 0.12):
            self.follow_newest = Checkbox("", True, FOLLOW_HINT, beside="follow")
            self.follow_newest.on_change = self.actions.follow_run
            self.film = Checkbox("", True, FILM_HINT, beside="film strip")
            first = _icon("skip-back", "The first snapshot.", lambda: self.pick(0))
            back = _icon("chevron-left", "The snapshot before this one.", lambda: self.step(-1))
            self.play = _icon("play", "Play through the snapshots, from the first if this is the last.", self.toggle)
            forward = _icon("chevron-right", "The snapshot after this one.", lambda: self.step(1))
            self.moves = (first, back, self.play, forward)
        self.place = IntSlider(
            "", 0, 0, 1, "The snapshot that is shown, in thousands of pictures that the run had seen (kimg)."
        )
        self.place.on_change = self.pick
        self.strip = FilmStrip(self.actions, self.actions.show_snapshot)
        self.progress = dpg.add_progress_bar(width=-1)
        self.words = note()
        self.problem = note("", look.ERROR)
        self.plots = LossPlots()
        with dpg.collapsing_header(label="Settings of the run"):
            self.settings = KeyValues()
        dpg.pop_container_stack()

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.frame = frame
        run, former = state.training, self.run
        if run is not former:
            self.run = run
            dpg.configure_item(self.empty, show=run is None)
            dpg.configure_item(self.group, show=run is not None)
            if run is not None:
                self._take(run, former)
        if run is not None:
            self._update_strip(run)
            self.plots.update()
            _say(self.words, pace_in_words(run, time.time()))

    def _update_strip(self, run: TrainingRun) -> None:
        wanted = self.film.value and len(run.snapshots) > 1
        dpg.configure_item(self.strip.box, show=wanted)
        if wanted and self.visible():
            self.strip.update(run, self.frame)
        else:
            self.strip.stop()

    def tick(self, seconds: float) -> None:
        """Playing leaves each snapshot's picture on the screen for a while."""
        if not self.playing or not self._is_shown():
            return
        self.waited += seconds
        if self.waited >= PLAY_S:
            self.waited = 0.0
            self.step(1)
            self.playing = self.run is not None and self._index() < len(self.run.snapshots) - 1
            self._show_play()

    def pick(self, index: int) -> None:
        """Show the snapshot with this number."""
        if self.run is not None and 0 <= index < len(self.run.snapshots):
            self.actions.show_snapshot(self.run.snapshots[index])

    def step(self, by: int) -> None:
        """Show a neighbour of the shown snapshot."""
        self.pick(self._index() + by)

    def toggle(self) -> None:
        """Start or stop playing."""
        if self.run is None:
            return
        self.playing, self.waited = not self.playing, 0.0
        if self.playing and self._index() == len(self.run.snapshots) - 1:
            self.pick(0)
        self._show_play()

    def reset(self) -> None:
        """The open run stays where it is."""
        self.playing = False
        self._show_play()

    def _index(self) -> int:
        assert self.run is not None
        return self.run.snapshots.index(self.run.shown) if self.run.shown is not None else 0

    def _is_shown(self) -> bool:
        """Whether the frame on the screen answers for the shown snapshot, be it with a problem."""
        run, frame = self.run, self.frame
        if run is None or run.shown is None or frame is None or not frame.complete:
            return False
        return frame.request.model.path == run.shown.path

    def _take(self, run: TrainingRun, former: TrainingRun | None) -> None:
        if former is None or former.folder != run.folder:
            self.playing = False
            self.come_forward()
        self._show_progress(run)
        self._show_place(run)
        if former is None or former.log is not run.log:
            self.plots.show(run.log)
        self.plots.mark(None if run.shown is None else run.shown.kimg)
        self.settings.show(run.settings)
        dpg.configure_item(self.problem, default_value=run.problem, show=bool(run.problem))

    def _show_progress(self, run: TrainingRun) -> None:
        seen = seen_kimg(run)
        dpg.set_item_label(self.heading, f"{Path(run.folder).name}:  {seen:,.1f} kimg")
        dpg.configure_item(self.progress, show=run.planned_kimg is not None)
        if run.planned_kimg:
            share = min(1.0, seen / run.planned_kimg)
            dpg.configure_item(self.progress, overlay=f"{share:.0%} of {run.planned_kimg:,.0f} kimg")
            dpg.set_value(self.progress, share)

    def _show_place(self, run: TrainingRun) -> None:
        count = len(run.snapshots)
        self.place.limit(0, max(1, count - 1), names(run.snapshots) or {0: WAITING, 1: WAITING})
        self.place.default = max(0, count - 1)  # a right click goes to the newest
        self.place.set(self._index())
        for control in (self.place, *self.moves):
            control.enabled = count > 1
        self.follow_newest.set(run.following)
        self._show_play()

    def _show_play(self) -> None:
        self.play.rename(icon("pause" if self.playing else "play"))


def names(snapshots: Sequence[Snapshot]) -> dict[int, str]:
    """What stands on the scrubber for each snapshot."""
    count = len(snapshots)
    return {index: f"{snapshot.kimg:,.1f} kimg   ({index + 1} of {count})" for index, snapshot in enumerate(snapshots)}


def seen_kimg(run: TrainingRun) -> float:
    """Thousands of pictures that the run has seen, by its log or its newest snapshot."""
    logged = run.log.get("kimg")
    last = float(logged[-1]) if logged is not None and len(logged) else 0.0
    return max([last, *(snapshot.kimg for snapshot in run.snapshots[-1:])])


def pace_in_words(run: TrainingRun, now: float, rows: int = 20) -> str:
    """How fast the run is, by its last rows, what is left, and when it last wrote something."""
    parts = []
    kimg, seconds = run.log.get("kimg"), run.log.get("seconds")
    rate = 0.0
    if kimg is not None and seconds is not None and len(kimg) > 1:
        took = float(seconds[-1] - seconds[-rows:][0])
        rate = 1000 * float(kimg[-1] - kimg[-rows:][0]) / took if took > 0 else 0.0
        parts.append(f"{duration(float(seconds[-1]))} of training")
    silent = now - run.written
    if silent > AT_REST_S:
        return "; ".join((*parts, f"at rest: nothing was written for {duration(silent)}")) + "."
    if rate > 0:
        parts.append(f"{rate:.3g} pictures / s")
        if run.planned_kimg and (left := 1000 * (run.planned_kimg - seen_kimg(run))) > 0:
            parts.append(f"{duration(left / rate)} to go")
    return "; ".join((*parts, f"last written {max(0.0, silent):.0f} s ago")) + "."


def duration(seconds: float) -> str:
    """'42 s', '12 min', '3.4 h', '2.1 days'."""
    for most, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < most:
            return f"{seconds / unit:.{1 if name == 'h' else 0}f} {name}"
    return f"{seconds / 86400:.1f} days"


def _say(item: int | str, words: str) -> None:
    if dpg.get_value(item) != words:
        dpg.set_value(item, words)


def _icon(name: str, hint: str, press: object) -> Button:
    assert callable(press)
    return Button(icon(name), hint, press, width=-1, theme="ghost")
