"""Control: OSC, MIDI, gamepads and the keyboard move the controls of this window; the stage's monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg

from app.control.controller import Controller, Options
from app.frame import Frame, LoopState
from app.request import RenderRequest
from widgets import look
from widgets.choices import Choice, Combo
from widgets.control_rows import BindingList
from widgets.controls import Checkbox, Control, IntField, Slider
from widgets.file_dialog import ask_path
from widgets.icons import icon
from widgets.panel import Panel
from widgets.rows import Button, Tag, buttons, columns, heading, note, tooltip

HINTS = {
    "osc": "Open Sound Control over UDP: TouchOSC, Max, Pure Data, TouchDesigner, a script.",
    "midi": "Faders, knobs, pads and keys of MIDI devices.",
    "pads": "Gamepads and joysticks: sticks, triggers and buttons.",
    "keys": "Keys that are bound are played: 1 while held. Their shortcuts rest meanwhile.",
}
NAMES = {"osc": "OSC", "midi": "MIDI", "pads": "Gamepad", "keys": "Live keys"}
PLACES = {"here": "Local", "everywhere": "Network"}
PLACE_HINT = (
    "Who may send. Local: programs on this computer. Network: every computer that reaches this one can move what is "
    "bound below, and nothing else."
)
LEARN_HINT = (
    "Move a control in this window (or choose it in the list), then the knob, fader, stick or key: they are bound. "
    "While learning, bound knobs do not move anything."
)
HEARD_HINT = (
    "The last addresses that sent something, with their values. Addresses that are bound to nothing are ignored."
)
LEARN = f"{icon('target')}  Learn"
AUTO = {"": "where the main window is not"}
LOOK_S = 2.0  # between two looks at which monitors and inputs there are


class ControlPanel(Panel):
    """Sources on top, then learning and the bindings, then the stage."""

    title, order, window_id, area = "Control", 113, 1_000_000_042, "right-bottom"

    def build(self) -> None:
        self.on: dict[str, Checkbox] = {}
        self.states: dict[str, Tag] = {}
        self._source("osc")
        with columns(0.1, 0.24, 0.66):
            dpg.add_text("port", color=look.MUTED)
            self.port = IntField("", 9000, "UDP port that OSC is heard on, 1024 to 65535.", low=1024, high=65_535,
                                 buttons=False)  # fmt: skip
            self.place = Choice("", "here", PLACES, PLACE_HINT)
        self._source("midi")
        self.input = Combo("input", "", {"": "all inputs"}, "Which MIDI input is heard.")
        self._source("pads")
        self.dead_zone = Slider("dead zone", 0.12, 0.0, 0.5, "How far a stick moves before it counts.")
        self._source("keys")
        tooltip(heading("Learn"), LEARN_HINT)
        with columns(0.3, 0.7):
            self.learn = Button(LEARN, LEARN_HINT, self._learn, width=-1, theme="primary")
            self.choice = Combo("", "", {"": "choose a control ..."}, "A control to bind, instead of moving it.",
                                on_change=self._choose)  # fmt: skip
        self.words = note()
        self.heard = note()
        tooltip(self.heard, HEARD_HINT)
        heading("Bindings")
        self.list = BindingList(lambda sentence: self.actions.say(sentence))
        self.save, self.load, self.clear = buttons(
            ("Save ...", "Write the bindings to a file.", self._ask_save),
            ("Load ...", "Take the bindings of a file instead of these.", self._ask_load),
            ("Clear", "Delete all bindings.", self._clear),
        )
        heading("Stage")
        self.monitor = Combo("monitor", "", AUTO, "Where the picture alone is shown, full screen.",
                             on_change=lambda name: self.actions.control().choose_monitor(name))  # fmt: skip
        buttons((f"{icon('monitor')}  Open or close the stage (F11)", "Full screen; Esc closes it, too.",
                 self.actions.toggle_stage))  # fmt: skip
        self.now, self.looked = 0.0, -LOOK_S
        self.started = False

    def _source(self, name: str) -> None:
        """A switch and the state beside it."""
        with columns(0.34, 0.66):
            self.on[name] = Checkbox("", False, HINTS[name], beside=NAMES[name])
            self.states[name] = note("off")

    @property
    def controller(self) -> Controller:
        return self.actions.control().controller

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.controller.update(seconds)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        if not self.started:
            self.started = True
            self._take_up(self.controller.options)
        if not self.visible():
            return
        if self.now - self.looked >= LOOK_S:
            self.looked = self.now
            self._look_round()
        if not (self.dead_zone.held or self.port.held):
            self.controller.configure(self._options())
        self._show_states()
        self._show_learning()
        self.list.update(self.controller)
        self.save.enabled = self.clear.enabled = bool(self.controller.bindings)

    def controls(self) -> Iterator[Control[Any]]:
        """None: a knob that moves what knobs do would be a puzzle, and 'everything back' keeps devices connected."""
        return iter(())

    def keep(self) -> dict[str, Any]:
        """Nothing: devices belong to the machine, not to a session."""
        return {}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Nothing, so that no session opens a port."""

    def restore(self, request: RenderRequest) -> None:
        """Nothing of a request is shown here."""

    # -- sources -----------------------------------------------------------------------------------------------------

    def _take_up(self, options: Options) -> None:
        for name, box in self.on.items():
            box.set(getattr(options, name))
        self.port.set(options.osc_port)
        self.place.set("everywhere" if options.osc_everywhere else "here")
        self.dead_zone.set(options.dead_zone)
        if options.midi_input:
            self.input.offer({"": "all inputs", options.midi_input: options.midi_input})
        self.input.set(options.midi_input)
        if options.monitor:
            self.monitor.offer(AUTO | {options.monitor: options.monitor})
        self.monitor.set(options.monitor)

    def _options(self) -> Options:
        return replace(
            self.controller.options,
            osc=self.on["osc"].value, osc_port=self.port.value, osc_everywhere=self.place.value == "everywhere",
            midi=self.on["midi"].value, midi_input=self.input.value,
            pads=self.on["pads"].value, dead_zone=self.dead_zone.value, keys=self.on["keys"].value,
        )  # fmt: skip

    def _look_round(self) -> None:
        """Offer the monitors and the MIDI inputs that are there; a chosen one that is gone stays chosen."""
        there = self.actions.control().monitors()
        self.monitor.offer(AUTO | _with_chosen(there, self.monitor.value))
        if "midi" in self.controller.sources:
            inputs = {name: name for name in self.controller.midi_inputs()}
            self.input.offer({"": "all inputs"} | _with_chosen(inputs, self.input.value))

    def _show_states(self) -> None:
        for name, tag in self.states.items():
            problem = name in self.controller.problems
            dpg.configure_item(
                tag, default_value=self.controller.state(name), color=look.ERROR if problem else look.MUTED
            )

    # -- learning ----------------------------------------------------------------------------------------------------

    def _learn(self) -> None:
        self.controller.learn(self.controller.learning is None)
        self.choice.set("")

    def _choose(self, name: str) -> None:
        """A control from the list; Learn begins with it where it has not begun."""
        if not name:
            return
        if self.controller.learning is None:
            self.controller.learn()
        if self.controller.learning is not None:
            self.controller.learning.parameter = name

    def _show_learning(self) -> None:
        controller = self.controller
        learning = controller.learning
        self.learn.rename("Cancel" if learning is not None else LEARN)
        self.learn.dress("danger" if learning is not None else "primary")
        self.choice.offer({"": "choose a control ..."} | {name: name for name in controller.parameters})
        if learning is None:
            self.choice.set("")
        elif learning.parameter:
            self.choice.set(learning.parameter)
        words = controller.problems.get("file") or (learning.words if learning is not None else controller.message)
        dpg.configure_item(self.words, default_value=words, show=bool(words))
        parts = [f"{address} {value:.3g}" for address, value in reversed(controller.heard.items())]
        ignored = controller.steering.ignored
        parts += [f"{ignored} ignored (bound to nothing)"] if ignored else []
        dpg.configure_item(self.heard, default_value="heard: " + ",  ".join(parts), show=bool(parts))

    # -- files -------------------------------------------------------------------------------------------------------

    def _ask_save(self) -> None:
        ask_path("Save the bindings", (".json",), self._told(self.controller.save), save_as="control")

    def _ask_load(self) -> None:
        ask_path("Load bindings", (".json",), self._told(self.controller.load))

    def _told(self, action: Callable[[str], None]) -> Callable[[str], None]:
        """The action, and then what came of it."""

        def run(path: str) -> None:
            action(path)
            self.actions.say(self.controller.message)

        return run

    def _clear(self) -> None:
        for binding in self.controller.bindings:
            self.controller.unbind(binding)


def _with_chosen(there: Mapping[str, str], chosen: str) -> dict[str, str]:
    """What is there, and what was chosen although it is gone."""
    return dict(there) | ({chosen: f"{chosen} (not connected)"} if chosen and chosen not in there else {})
