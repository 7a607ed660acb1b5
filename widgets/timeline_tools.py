"""The lines of controls above and below a timeline's track."""

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
from widgets.flow import Flow, text_width
from widgets.icons import icon
from widgets.rows import Button, Tag
from widgets.timeline_track import SMALLEST

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
ADD, SPEED, RANDOM = f"{icon('plus')}  Keyframe", "Constant speed", f"{icon('dices')}  Random"
SPACING, EDGE = 7, 21  # screen pixels at scale 1: between two lines of controls, around and under the last one
PADDING, TOP = 12, 38  # on either side; above the first line, the tab included
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
        with Flow() as self.flow:
            self.play = Button(icon("play"), "Play from the playhead, by the clock, or stop (T).", verbs.play)
            self.add = Button(ADD, ADD_HINT, verbs.add)
            self.replace = Button("Replace", REPLACE_HINT, verbs.replace)
            self.remove = Button(icon("trash-2"), "Delete the chosen keyframe (Delete).", verbs.remove)
            self.undo = Button(icon("undo-2"), UNDO_HINT, verbs.undo)
            self.redo = Button(icon("redo-2"), "Repeat what was taken back (Ctrl+Shift+Y).", verbs.redo)
            self.fit = Button(icon("maximize"), FIT_HINT, verbs.fit)
            self.easing = Combo("", "flow", EASINGS, EASING_HINT, on_change=lambda value: verbs.edit("easing", value))
            self.turns = IntSlider("", 0, -4, 4, TURNS_HINT, unit="turns", words={1: "1 turn", -1: "-1 turn"})
            self.ripple = Checkbox("", False, RIPPLE_HINT, beside="ripple")
        self.flow.button(self.play, icon("play"))
        self.flow.button(self.add, ADD, icon("plus"), stretch=2)
        self.flow.button(self.replace, "Replace", icon("camera"), stretch=2)
        for button, name in ((self.remove, "trash-2"), (self.undo, "undo-2"), (self.redo, "redo-2")):
            self.flow.button(button, icon(name))
        self.flow.button(self.fit, icon("maximize"))
        self.flow.add(self.easing, EASINGS["flow"], boxes=1, stretch=3)
        self.flow.add(self.turns, "-4 turns", stretch=3)
        self.flow.tick(self.ripple, icon("link"))
        self.turns.on_change = lambda value: verbs.edit("turns", value)

    def show(self, draft: Draft, chosen: Keyframe | None, playing: bool, past: bool, future: bool) -> None:
        """Follow the timeline."""
        self.flow.update()
        self.flow.rename(self.play, icon("pause" if playing else "play"))
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
        with Flow() as self.flow:
            self.seconds = Drag(
                "", 8.0, "Length of the film; keyframes stay where they are.", step=0.05, low=0.1, high=3600.0, unit="s"
            )
            dpg.configure_item(self.seconds.tag, format="length %.2f s")
            self.fps = IntSlider("", 30, 1, 120, "Frames per second of the film: exact.", unit="fps")
            self.noise = IntSlider("", 0, 0, 16, NOISE_HINT, unit="noise loops", words=LOOP_WORDS)
            self.way = Combo("", "spline", WAYS, WAY_HINT, on_change=lambda value: verbs.edit("way", value))
            self.loop = Checkbox("", True, LOOP_HINT, beside="loop")
        self.flow.add(self.seconds, "length 8.00 s")
        self.flow.add(self.fps, "120 fps")
        self.flow.add(self.noise, "noise stands")
        self.flow.add(self.way, WAYS["spline"], boxes=1)
        self.flow.tick(self.loop, icon("repeat"))
        with Flow() as self.made:
            self.speed = Button(SPEED, SPEED_HINT, verbs.speed)
            self.random = Button(RANDOM, RANDOM_HINT, self._ask)
            self.kind = Combo("", "mp4", KINDS, "What the film is rendered to; the Capture panel says more of each.")
            self.render = Button("Render", RENDER_HINT, verbs.render, theme="primary")
            self.open = Button(icon("folder-open"), "Open a timeline's file (JSON).", verbs.open)
            self.save = Button(icon("save"), SAVE_HINT, verbs.save)
        self.made.button(self.speed, SPEED, icon("gauge"))
        self.made.button(self.random, RANDOM, icon("dices"))
        self.made.add(self.kind, KINDS["exr"], boxes=1)
        self.made.button(self.render, "Render", words="Stop 888 / 888")
        self.made.button(self.open, icon("folder-open"), stretch=0.3)
        self.made.button(self.save, icon("save"), stretch=0.3)
        self.flows = (self.flow, self.made)
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
        self.flow.update()
        self.made.update()
        self.seconds.set(draft.seconds)
        self.fps.set(round(draft.fps))
        self.noise.set(draft.noise_turns)
        self.way.set(draft.way)
        self.loop.set(draft.loop)
        several = len(draft.keyframes) > 1
        rendering = bool(recording.path) and recording.total is not None
        self.speed.enabled = several or bool(measuring)
        self.made.rename(self.speed, "Stop" if measuring else SPEED)
        self.speed.dress("danger" if measuring else "active" if draft.retime is not None else "")
        self.save.enabled = bool(draft.keyframes)
        self.render.enabled = rendering or (bool(draft.keyframes) and not recording.path)
        words = f"Stop {recording.frames} / {recording.total}" if rendering else "Render"
        self.made.rename(self.render, words)
        self.render.dress("danger" if rendering else "primary")

    def _ask(self) -> None:
        x, y = dpg.get_mouse_pos(local=False)
        dpg.configure_item(self.popup, show=True, pos=[int(x) - 40, max(0, int(y) - 130)])

    def _draw(self, verbs: Verbs) -> None:
        dpg.configure_item(self.popup, show=False)
        verbs.random(self.seed.value, self.stations.value)


class Room:
    """Shares a panel's height among tools, track and the line of words under them."""

    def __init__(self, window: Tag, line: Tag) -> None:
        self.window, self.line = window, line
        self._size: tuple[float, ...] = ()

    def update(self, upper: UpperTools, lower: LowerTools) -> float:
        """Screen pixels under the track; where even the smallest track does not fit, the panel scrolls."""
        words = dpg.get_item_rect_size(self.line)[1]
        size = (*dpg.get_item_rect_size(self.window), words, look.pixels(1000), text_width("0"))
        if size != self._size:
            self._size = size
            tools = sum(flow.height_at(size[0] - look.pixels(2 * PADDING)) for flow in (upper.flow, *lower.flows))
            least = tools + words + look.pixels(TOP + SMALLEST + 4 * SPACING + EDGE)
            dpg.configure_item(self.window, no_scrollbar=least <= size[1])
        return float(sum(flow.height for flow in lower.flows) + words + look.pixels(3 * SPACING + EDGE))
