"""The two lines of controls above and below a timeline's track."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import dearpygui.dearpygui as dpg

from app.frame import RecordingState
from app.timeline import Keyframe
from app.timeline.draft import Draft
from widgets import look
from widgets.choices import Combo
from widgets.controls import Checkbox, Drag, IntField, IntSlider
from widgets.icons import icon
from widgets.rows import Button, Tag, columns

Press = Callable[[], None]
WAYS = {"spline": "Spline in W", "linear": "Straight in W", "slerp": "Slerp in Z"}
WAY_HINT = (
    "How the latent goes from keyframe to keyframe. Spline: a smooth curve through W, without a corner at a keyframe;"
    " all other numbers go smoothly too. Straight: lines in W. Slerp: along great circles in Z, mapped to W."
)
EASINGS = {
    "flow": "Flow",
    "linear": "Even",
    "smooth": "Ease in and out",
    "in": "Ease in",
    "out": "Ease out",
    "hold": "Hold",
}
EASING_HINT = (
    "How the way from the chosen keyframe to the next is timed. Flow: evenly, without a jump of speed at keyframes."
    " Even: at one speed. Ease: from or to rest. Hold: stay here, then jump."
)
TURNS_HINT = "Whole turns of the picture on the way to the next keyframe, besides the short way round."
NOISE_HINT = (
    "How often random noise goes round its loop from beginning to end (the Noise panel's `loop`): whole rounds close"
    " without a seam. Stored noise stands still."
)
SPEED_HINT = (
    "Measure how much the picture changes along the way, then time it so that it changes evenly: RMS change per frame."
    " The pictures stay the same, keyframes move. Lit: in effect; press again to go back to the easings."
)
RANDOM_HINT = "A walk through seeds that are drawn by a seed, in place of the keyframes; everything else as it is now."
RENDER_HINT = "Draw every frame at full size, beside the live picture."
SAVE_HINT = "Save the timeline as a file (JSON): for `walk --timeline`, or another day."
FIT_HINT = "Show the whole length; the wheel zooms at the mouse, the right button scrolls."
ADD_HINT = "Keep what the panels show as a keyframe at the playhead (K)."
REPLACE_HINT = "Let the chosen keyframe show what the panels show now."
UNDO_HINT = "Take back the last edit of the timeline (Ctrl+Shift+Z)."
LOOP_HINT = "Go back to the first keyframe at the end, so that a film can be repeated without a jump."
LOOP_WORDS = {0: "noise stands", 1: "1 noise loop"}
RIPPLE_HINT = "Moving a keyframe moves all later ones and the end along."
KINDS = {
    "mp4": "MP4", "webm": "WebM", "gif": "GIF", "png": "PNG folder", "exr": "EXR folder", "sheet": "Contact sheet",
}  # fmt: skip


@dataclass(frozen=True)
class Verbs:
    """What the tools do; each is a method of the panel."""

    play: Press
    add: Press
    replace: Press
    remove: Press
    undo: Press
    redo: Press
    edit: Callable[[str, object], None]  # (what of the draft or of the chosen keyframe, its value)
    speed: Press
    random: Callable[[int, int], None]  # (seed, stations)
    render: Press
    open: Press
    save: Press
    fit: Press


class UpperTools:
    """Play, edit keyframes, and what the chosen one has of its own."""

    def __init__(self, verbs: Verbs) -> None:
        with columns(0.5, 1.6, 1.05, 0.5, 0.5, 0.5, 0.5, 1.45, 1.0, 0.9) as self.row:
            self.play = Button(icon("play"), "Play from the playhead, by the clock, or stop (T).", verbs.play, width=-1)
            self.add = Button(f"{icon('plus')}  Keyframe", ADD_HINT, verbs.add, width=-1)
            self.replace = Button("Replace", REPLACE_HINT, verbs.replace, width=-1)
            self.remove = Button(icon("trash-2"), "Delete the chosen keyframe (Delete).", verbs.remove, width=-1)
            self.undo = Button(icon("undo-2"), UNDO_HINT, verbs.undo, width=-1)
            self.redo = Button(icon("redo-2"), "Repeat what was taken back (Ctrl+Shift+Y).", verbs.redo, width=-1)
            self.fit = Button(icon("maximize"), FIT_HINT, verbs.fit, width=-1)
            self.easing = Combo("", "flow", EASINGS, EASING_HINT, on_change=lambda value: verbs.edit("easing", value))
            self.turns = IntSlider("", 0, -4, 4, TURNS_HINT, unit="turns", words={1: "1 turn", -1: "-1 turn"})
            self.ripple = Checkbox("", False, RIPPLE_HINT, beside="ripple")
        look.bind_style(self.row, "tools")
        self.turns.on_change = lambda value: verbs.edit("turns", value)

    def show(self, draft: Draft, chosen: Keyframe | None, playing: bool, past: bool, future: bool) -> None:
        """Follow the timeline."""
        self.play.rename(icon("pause" if playing else "play"))
        self.play.dress("active" if playing else "")
        self.play.enabled = bool(draft.keyframes)
        self.undo.enabled, self.redo.enabled = past, future
        here = chosen is not None
        self.replace.enabled = self.remove.enabled = self.easing.enabled = self.turns.enabled = here
        if chosen is not None:
            self.easing.set(chosen.easing)
            self.turns.set(chosen.turns)


class LowerTools:
    """What the whole timeline has, what is made of it, and its file."""

    def __init__(self, verbs: Verbs) -> None:
        with columns(1.25, 1.1, 1.2, 1.3, 0.7) as self.row:
            self.seconds = Drag(
                "", 8.0, "Length of the film; keyframes stay where they are.", step=0.05, low=0.1, high=3600.0, unit="s"
            )
            dpg.configure_item(self.seconds.tag, format="length %.2f s")
            self.fps = IntSlider("", 30, 1, 120, "Frames per second of the film: exact.", unit="frames / s")
            self.noise = IntSlider("", 0, 0, 16, NOISE_HINT, unit="noise loops", words=LOOP_WORDS)
            self.way = Combo("", "spline", WAYS, WAY_HINT, on_change=lambda value: verbs.edit("way", value))
            self.loop = Checkbox("", True, LOOP_HINT, beside="loop")
        with columns(1.4, 1.2, 1.2, 1.2, 0.45, 0.45) as self.made:
            self.speed = Button("Constant speed", SPEED_HINT, verbs.speed, width=-1)
            self.random = Button(f"{icon('dices')}  Random", RANDOM_HINT, self._ask, width=-1)
            self.kind = Combo("", "mp4", KINDS, "What the film is rendered to; the Capture panel says more of each.")
            self.render = Button("Render", RENDER_HINT, verbs.render, width=-1, theme="primary")
            self.open = Button(icon("folder-open"), "Open a timeline's file (JSON).", verbs.open, width=-1)
            self.save = Button(icon("save"), SAVE_HINT, verbs.save, width=-1)
        for row in (self.row, self.made):
            look.bind_style(row, "tools")
        self.seconds.on_change = lambda value: verbs.edit("seconds", value)
        self.fps.on_change = lambda value: verbs.edit("fps", Fraction(value))
        self.noise.on_change = lambda value: verbs.edit("noise_turns", value)
        self.loop.on_change = lambda value: verbs.edit("loop", value)
        self.popup: Tag
        with dpg.window(popup=True, show=False, no_saved_settings=True, width=280, height=122) as self.popup:
            self.seed = IntField("seed", 0, "The same seed draws the same walk.")
            self.stations = IntSlider("stations", 6, 2, 24, "Seeds that are visited, evenly in time.")
            self.make = Button("Replace the keyframes", "Takes the place of all keyframes; undo brings them back.",
                               lambda: self._draw(verbs), width=-1)  # fmt: skip

    def show(self, draft: Draft, measuring: str, recording: RecordingState) -> None:
        """Follow the timeline. measuring: how far the study of its speed is, '' when none runs."""
        self.seconds.set(draft.seconds)
        self.fps.set(round(draft.fps))
        self.noise.set(draft.noise_turns)
        self.way.set(draft.way)
        self.loop.set(draft.loop)
        several = len(draft.keyframes) > 1
        rendering = bool(recording.path) and recording.total is not None
        self.speed.enabled = several or bool(measuring)
        self.speed.rename("Stop" if measuring else "Constant speed")
        self.speed.dress("danger" if measuring else "active" if draft.retime is not None else "")
        self.save.enabled = bool(draft.keyframes)
        self.render.enabled = rendering or (bool(draft.keyframes) and not recording.path)
        words = f"Stop {recording.frames} / {recording.total}" if rendering else "Render"
        self.render.rename(words)
        self.render.dress("danger" if rendering else "primary")

    def _ask(self) -> None:
        x, y = dpg.get_mouse_pos(local=False)
        dpg.configure_item(self.popup, show=True, pos=[int(x) - 40, max(0, int(y) - 130)])

    def _draw(self, verbs: Verbs) -> None:
        dpg.configure_item(self.popup, show=False)
        verbs.random(self.seed.value, self.stations.value)
