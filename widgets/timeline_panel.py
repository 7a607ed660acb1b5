"""Timeline: keyframes of everything that the panels set, played by the clock and rendered frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo, RecordingState
from app.request import Latent, RenderRequest
from app.studies.retime import PictureSpeed, Speeds, film_speed, moving, retimed, unevenness
from app.timeline import Timeline, files
from app.timeline.draft import Draft
from widgets.file_dialog import ask_path
from widgets.panel import Panel, Shortcut, StudyHandle
from widgets.rows import note
from widgets.timeline_pictures import KeyPictures
from widgets.timeline_tools import LowerTools, Room, UpperTools, Verbs
from widgets.timeline_track import Shown, Track

DEPTH = 100  # edits that can be taken back


class TimelinePanel(Panel):
    """The draft is what is edited; `Actions.steer` sets all panels to a moment of it, as one drag."""

    title, order, window_id, area = "Timeline", 15, 1_000_000_043, "bottom"

    def build(self) -> None:
        self.draft = Draft()
        self.playhead = 0.0
        self.chosen: int | None = None
        self.playing = False
        self.speeds: tuple[Draft, Speeds] | None = None  # what was measured, and of which way
        self.words = ""  # of the last edit or problem
        self._past: list[Draft] = []
        self._future: list[Draft] = []
        self._dragged = False  # the edit goes on: the same step of undo
        self._made: tuple[object, Timeline | None] = (None, None)
        self._speed: tuple[object, tuple[float, ...]] = (None, ())
        self._study: StudyHandle | None = None
        self._asked = Draft()  # what the study measures
        self._recording = RecordingState()
        self._steered: RenderRequest | None = None
        verbs = Verbs(
            self.toggle, self.add, self.replace, self.remove, self.undo, self.redo, self.edit, self.even_speed,
            self.random, self.render, self._ask_open, self._ask_save, lambda: self.track.fit(),
        )  # fmt: skip
        self.upper = UpperTools(verbs)
        self.track = Track(self.actions.texture, self.scrub, self.choose, self.move)
        self.lower = LowerTools(verbs)
        self.line = note()
        self.room = Room(self.window_id, self.line)
        self.pictures = KeyPictures(self.actions)

    # -- the loop ----------------------------------------------------------------------------------------------------

    def tick(self, seconds: float) -> None:
        self.pictures.small.tick(seconds)
        timeline = self.timeline
        if not self.playing or timeline is None or self.track.held == "scrub":
            return
        self.playhead += seconds
        if self.playhead >= timeline.seconds:
            self.playing = timeline.loop
            self.playhead = self.playhead % timeline.seconds if timeline.loop else timeline.seconds
        self._steer()

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self._recording = state.recording
        self._collect()
        chosen = None if self.chosen is None else self.draft.keyframes[self.chosen]
        self.upper.show(self.draft, chosen, self.playing, bool(self._past), bool(self._future))
        running = self._study is not None and not self._study.done
        words = self._study.state.update.text if running and self._study is not None else ""
        self.lower.show(self.draft, words or ("waiting" if running else ""), state.recording)
        pictures = self.pictures.update(self.draft, frame, self.visible())
        self.track.show(
            Shown(self.draft, self.timeline, self.chosen, self._film_speed()), self.playhead, pictures, self.playing
        )
        self.track.below = self.room.update(self.upper, self.lower)
        self.track.update()
        self._dragged = self._dragged and (bool(self.track.held) or self._tools_held())
        dpg.set_value(self.line, self._status(words))

    def dragging(self) -> bool:
        return super().dragging() or self.playing or self.track.held == "scrub"

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        self._made = (None, None)

    @property
    def timeline(self) -> Timeline | None:
        """What is on the track; None without keyframes."""
        z_dim = 0 if self.model is None else self.model.z_dim
        key = (self.draft, z_dim)
        if self._made[0] != key:
            self._made = (key, self.draft.timeline(z_dim))
        return self._made[1]

    def _steer(self) -> None:
        """Set every panel to the playhead's moment; another model is opened first."""
        timeline = self.timeline
        if timeline is None:
            return
        request = timeline.request_at(self.playhead)
        if request == self._steered:
            return
        self._steered = request
        path = request.model.path
        if self.model is not None and path and path != self.model.path:
            self.actions.restore(request)
        else:
            self.actions.steer(request)

    # -- moving in time ----------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        """Play or stop; at the end, from the beginning."""
        self.playing = not self.playing and bool(self.draft.keyframes)
        self._steered = None
        self._raise()
        if self.playing and not self.draft.loop and self.playhead >= self.draft.seconds - self.draft.frame / 2:
            self.playhead = 0.0

    def scrub(self, seconds: float) -> None:
        """Move the playhead, and all panels with it; to a whole frame."""
        self.playhead = self.draft.snapped(seconds)
        self.chosen = self.draft.at(self.playhead)
        self._steer()

    def choose(self, number: int) -> None:
        """Choose a keyframe and show it."""
        self.playing = False
        self.chosen, self.playhead = number, self.draft.keyframes[number].seconds
        self._steered = None
        self._steer()

    def step(self, by: int) -> None:
        """To the next keyframe, or the one before."""
        times = [keyframe.seconds for keyframe in self.draft.keyframes]
        later = [place for place, at in enumerate(times) if (at - self.playhead) * by > self.draft.frame / 2]
        if later:
            self.choose(later[0] if by > 0 else later[-1])

    def drag_latent(self, dx: float, dy: float) -> None:
        self.playing = False

    def go_to(self, latent: Latent) -> None:
        self.playing = False

    # -- edits -------------------------------------------------------------------------------------------------------

    def change(self, draft: Draft, chosen: int | None, goes_on: bool = False) -> None:
        """Take another draft; goes_on: part of a drag, so one step of undo with what comes."""
        if draft == self.draft:
            return
        if not (goes_on and self._dragged):
            self._past = [*self._past[-(DEPTH - 1) :], self.draft]
            self._future.clear()
        self._dragged = goes_on
        self.draft, self.chosen, self.words = draft, chosen, ""

    def add(self) -> None:
        """A keyframe of what the panels show, at the playhead."""
        self.playing = False
        self._raise()
        draft, number = self.draft.added(self.playhead, self.actions.current())
        self.change(draft, number)
        self.playhead = draft.keyframes[number].seconds

    def replace(self) -> None:
        """The chosen keyframe shows what the panels show."""
        if self.chosen is not None:
            self.change(self.draft.replaced(self.chosen, self.actions.current()), self.chosen)

    def remove(self) -> None:
        """Delete the chosen keyframe; by a key only while one sees it."""
        if self.chosen is not None and self.visible():
            self.change(self.draft.removed(self.chosen), None)

    def move(self, number: int, seconds: float) -> None:
        """A keyframe is dragged."""
        self.change(self.draft.moved(number, seconds, self.upper.ripple.value), number, goes_on=True)
        self.playhead = self.draft.keyframes[number].seconds

    def edit(self, what: str, value: Any) -> None:
        """A control of the tools was set."""
        draft = self.draft
        if what in ("easing", "turns"):
            if self.chosen is not None:
                draft = draft.changed(self.chosen, **{what: value})
        elif what == "seconds":
            draft = draft.lasting(value)
        elif what == "loop":
            draft = draft.looped(value)
        elif what == "fps":
            draft = draft.timed(value)
        elif what == "way":
            draft = replace(draft, way=value, retime=None)
        else:
            draft = replace(draft, **{what: value})
        self.change(draft, self.chosen, goes_on=self._tools_held())
        self.playhead = min(self.playhead, self.draft.seconds)

    def undo(self) -> None:
        """Take back the last edit of the timeline."""
        self._travel(self._past, self._future)

    def redo(self) -> None:
        """Repeat what was taken back."""
        self._travel(self._future, self._past)

    def _travel(self, source: list[Draft], target: list[Draft]) -> None:
        if source:
            target.append(self.draft)
            self.draft, self._dragged = source.pop(), False
            self.playhead = min(self.playhead, self.draft.seconds)
            self.chosen = self.draft.at(self.playhead)

    def random(self, seed: int, stations: int) -> None:
        """A walk through random seeds in place of the keyframes."""
        draft = self.draft
        made = Timeline.random(
            seed, stations, draft.seconds, self.actions.current(), loop=draft.loop, fps=draft.fps
        )  # fmt: skip
        self.change(replace(draft, keyframes=made.keyframes, retime=None), None)

    # -- constant speed ----------------------------------------------------------------------------------------------

    def even_speed(self) -> None:
        """Measure and re-time; stop measuring; or go back to the easings."""
        if self._study is not None and not self._study.done:
            self._study.cancel()
            self._study = None
        elif self.draft.retime is not None:
            self.change(replace(self.draft, retime=None), self.chosen)
        elif (timeline := self.timeline) is not None and timeline.stretches:
            self.playing = False
            self._asked = self.draft
            self._study = self.actions.study(PictureSpeed(timeline))

    def _collect(self) -> None:
        """Take the study's answer when it is complete."""
        study = self._study
        if study is None or not study.done:
            return
        self._study = None
        state = study.state
        if state.problem is not None:
            self.words = f"The speed could not be measured. {state.problem.title}: {state.problem.detail}"
        elif (speeds := state.update.answer) is not None and speeds.complete:
            self._even(speeds)

    def _even(self, speeds: Speeds) -> None:
        timeline = self.timeline
        if timeline is None or way_of(self._asked) != way_of(self.draft):
            self.words = "The keyframes changed while the speed was measured; measure again."
            return
        try:
            even = retimed(timeline, speeds)
        except ValueError as error:
            self.words = f"{error}."
            return
        self.change(replace(self.draft, keyframes=even.keyframes, retime=even.retime), self.chosen)
        self.speeds = (self.draft, speeds)
        before = unevenness(moving(film_speed(timeline, speeds)))
        after = unevenness(moving(speeds.check)) if speeds.check is not None else float("nan")
        self.words = f"Spread of the picture's change per frame: {before:.0%} before, {after:.0%} now"

    def _film_speed(self) -> tuple[float, ...]:
        """Of the timeline as it is, as long as the way is the one that was measured."""
        timeline = self.timeline
        if self.speeds is None or timeline is None or way_of(self.speeds[0]) != way_of(self.draft):
            return ()
        if self._speed[0] != (timeline, self.speeds):
            self._speed = ((timeline, self.speeds), tuple(film_speed(timeline, self.speeds[1]).tolist()))
        return self._speed[1]

    # -- what is made of it ------------------------------------------------------------------------------------------

    def render(self) -> None:
        """Render, or stop rendering."""
        if self._recording.path and self._recording.total is not None:
            self.actions.cancel_walk()
        elif (timeline := self.timeline) is not None:
            self.actions.start_timeline(timeline, self.lower.kind.value)

    def save(self, path: str) -> None:
        """Write the timeline's file."""
        if (timeline := self.timeline) is None:
            return
        try:
            files.write(timeline, Path(path).expanduser())
            self.words = f"Saved {path}"
        except OSError as error:
            self.words = str(error)

    def open(self, path: str) -> None:
        """Take the place of the keyframes by those of a file."""
        try:
            self._take(files.read(Path(path).expanduser()))
        except ValueError as error:
            self.words = str(error)

    def take_file(self, path: str) -> bool:
        if Path(path).suffix.lower() != ".json" or not _is_timeline(Path(path)):
            return False
        self.open(path)
        return True

    def _take(self, timeline: Timeline) -> None:
        self.change(Draft.of(timeline), None)
        self.playhead, self.playing = 0.0, False
        self.track.fit()
        self.words = f"{len(timeline.keyframes)} keyframes, {timeline.seconds:g} s."

    def _ask_open(self) -> None:
        ask_path("Open a timeline", (".json",), self.open)

    def _ask_save(self) -> None:
        ask_path("Save the timeline", (".json",), self.save, save_as="timeline")

    def keep(self) -> dict[str, Any]:
        timeline = self.draft.timeline(1)
        return {} if timeline is None else {"timeline": files.to_dict(timeline)}

    def recall(self, kept: Mapping[str, Any]) -> None:
        try:
            self.draft = Draft.of(files.from_dict(kept["timeline"])) if "timeline" in kept else Draft()
        except ValueError as error:
            self.words = str(error)

    # -- words and keys ----------------------------------------------------------------------------------------------

    def _status(self, measuring: str) -> str:
        timeline = self.timeline
        if measuring:
            return f"Measuring the picture's change: {measuring}."
        if timeline is None:
            return self.words
        stretch, _ = timeline.place(self.playhead)
        frame = round(self.playhead * timeline.fps)
        told = [f"Frame {frame} of {timeline.count}, keyframe {stretch + 1} of {len(timeline.keyframes)}"]
        remarks = [words for place, words in timeline.remarks if place == stretch]
        told += [f"on the way to the next, {'; '.join(remarks)}"] if remarks else []
        return ". ".join(filter(None, (", ".join(told), self.words)))

    def _raise(self) -> None:
        """A key was pressed: bring the panel up, wherever it is."""
        if not self.visible():
            dpg.configure_item(self.window_id, show=True)
            self.come_forward()

    def _tools_held(self) -> bool:
        return any(
            control.active for control in (self.lower.seconds, self.lower.fps, self.lower.noise, self.upper.turns)
        )

    def shortcuts(self) -> Sequence[Shortcut]:
        return (
            Shortcut("K", "Keyframe of what the panels show, at the playhead", self.add),
            Shortcut("T", "Play the timeline, or stop", self.toggle),
            Shortcut("Delete", "Delete the chosen keyframe", self.remove),
            Shortcut("Ctrl+Left", "To the keyframe before", lambda: self.step(-1)),
            Shortcut("Ctrl+Right", "To the next keyframe", lambda: self.step(1)),
            Shortcut("Ctrl+Shift+Z", "Take back the last edit of the timeline", self.undo),
            Shortcut("Ctrl+Shift+Y", "Repeat what was taken back", self.redo),
        )


def way_of(draft: Draft) -> object:
    """What of a draft decides its pictures and their order, not their moments."""
    stepping = tuple((keyframe.request, keyframe.turns) for keyframe in draft.keyframes)
    return stepping, draft.way, draft.loop


def _is_timeline(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            return files.FORMAT in file.read(400)
    except (OSError, ValueError):
        return False
