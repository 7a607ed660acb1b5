"""The controller: sources switched on and off, bindings learnt, kept and applied. One object for the whole window."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from app.control import mapping
from app.control.events import ControlError, Event, Inbox
from app.control.gamepad import DEAD_ZONE, GamepadSource, Read
from app.control.keys import PLAYABLE, PREFIX, Down, KeySource
from app.control.learn import Learn
from app.control.mapping import Binding, suggested
from app.control.midi import ALL, Backend, MidiSource, backend, input_names
from app.control.osc import EVERYWHERE, LOOPBACK, PORT, OscSource
from app.control.parameters import Parameter
from app.control.steering import Steering

FILE = "control.json"  # in the folder of the settings
HEARD = 6  # addresses that are shown as heard last
SOURCES = ("osc", "midi", "pads", "keys")


@dataclass(frozen=True)
class Options:
    """Which sources are on, and how. Nothing listens until it is switched on."""

    osc: bool = False
    osc_port: int = PORT
    osc_everywhere: bool = False  # listen to other computers, too
    midi: bool = False
    midi_input: str = ALL
    pads: bool = False
    dead_zone: float = DEAD_ZONE
    keys: bool = False
    monitor: str = ""  # the stage's; '' leaves the choice to the app


class Source(Protocol):
    """One that is on."""

    @property
    def state(self) -> str: ...
    def close(self) -> None: ...


class Controller:
    """Everything on the main thread but the threads of OSC and MIDI, which only fill the inbox.

    folder: where bindings and options are kept (None: nowhere). pads, down: how gamepads and keys are read.
    """

    def __init__(
        self, folder: Path | None, pads: Read = dict, down: Down = lambda name: False,
        midi_backend: Callable[[], Backend] = backend,
    ) -> None:  # fmt: skip
        self.folder, self._pads, self._down, self._midi_backend = folder, pads, down, midi_backend
        self.options = Options()
        self.inbox = Inbox()
        self.steering = Steering()
        self.sources: dict[str, Source] = {}
        self.problems: dict[str, str] = {}  # source -> why it is not on; 'file': why bindings were not kept
        self.learning: Learn | None = None
        self.heard: dict[str, float] = {}  # address -> last value, the newest last
        self.message = ""  # what was done last, in a sentence

    # -- parameters and bindings -------------------------------------------------------------------------------------

    def offer(self, parameters: Iterable[Parameter]) -> None:
        """What can be moved; a name that comes twice gets a number."""
        named: dict[str, Parameter] = {}
        for parameter in parameters:
            name, number = parameter.name, 2
            while name in named:
                name, number = f"{parameter.name} ({number})", number + 1
            named[name] = replace(parameter, name=name)
        self.steering.parameters = named

    @property
    def parameters(self) -> dict[str, Parameter]:
        return dict(self.steering.parameters)

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return self.steering.bindings

    def bind(self, binding: Binding, instead_of: Binding | None = None) -> None:
        """Add a binding, or put it in the place of another; ControlError where it cannot work."""
        mapping.check(binding)
        same = [each for each in self.bindings if (each.source, each.parameter) == (binding.source, binding.parameter)]
        old = instead_of or (same[0] if same else None)
        kept = [binding if each == old else each for each in self.bindings]
        kept = kept if old in self.bindings else [*kept, binding]
        self._replace([each for each in kept if each == binding or each not in same])

    def unbind(self, binding: Binding) -> None:
        """Take a binding away."""
        self._replace([each for each in self.bindings if each != binding])

    def _replace(self, bindings: Sequence[Binding]) -> None:
        self.steering.bindings = tuple(dict.fromkeys(bindings))
        self.keep()

    # -- learning ----------------------------------------------------------------------------------------------------

    def learn(self, on: bool = True) -> None:
        """Begin, or call off."""
        self.learning = Learn(self.parameters) if on else None

    def _learnt(self, learn: Learn) -> None:
        parameter = self.steering.parameters[learn.parameter]
        binding = suggested(learn.source, parameter)
        self.learning = None
        self.bind(binding)
        self.message = f"{binding.source} now moves {binding.parameter}."

    # -- sources -----------------------------------------------------------------------------------------------------

    def configure(self, options: Options) -> None:
        """Switch sources on and off; what cannot be switched on is told in `problems`."""
        before, self.options = self.options, options
        for name in SOURCES:
            if _of(name, before) != _of(name, options):
                self._close(name)
                if getattr(options, name):
                    self._open(name)
        if before != options:
            self.keep()

    def again(self, name: str) -> None:
        """Try a source that is on once more (a device was connected)."""
        self._close(name)
        if getattr(self.options, name):
            self._open(name)

    def _open(self, name: str) -> None:
        options = self.options
        try:
            if name == "osc":
                host = EVERYWHERE if options.osc_everywhere else LOOPBACK
                self.sources[name] = OscSource(self.inbox.put, host, options.osc_port)
            elif name == "midi":
                self.sources[name] = MidiSource(self.inbox.put, options.midi_input, self._midi_backend())
            elif name == "pads":
                self.sources[name] = GamepadSource(self._pads, options.dead_zone)
            else:
                self.sources[name] = KeySource(self._down)
        except ControlError as error:
            self.problems[name] = str(error)

    def _close(self, name: str) -> None:
        self.problems.pop(name, None)
        if (source := self.sources.pop(name, None)) is not None:
            source.close()
        self.steering.let_go(_PREFIXES[name])

    def state(self, name: str) -> str:
        """A source in words."""
        source = self.sources.get(name)
        return self.problems.get(name) or ("off" if source is None else source.state)

    def midi_inputs(self) -> list[str]:
        """Names of the MIDI inputs that are there; none where MIDI cannot be used."""
        try:
            return input_names(self._midi_backend())
        except ControlError:
            return []

    @property
    def live_keys(self) -> frozenset[str]:
        """Keys that are played now: their shortcuts rest."""
        if not self.options.keys:
            return frozenset()
        if self.learning is not None:
            return frozenset(PLAYABLE)
        return frozenset(each.source.removeprefix(PREFIX) for each in self.bindings if each.source.startswith(PREFIX))

    # -- each turn ---------------------------------------------------------------------------------------------------

    def update(self, seconds: float) -> None:
        """Once per turn of the loop: hear, then learn or move."""
        events = self.inbox.take()
        for source in self.sources.values():
            if isinstance(source, GamepadSource):
                events += source.poll()
            elif isinstance(source, KeySource):
                events += source.poll(self.live_keys)
        self._note(events)
        if self.learning is not None:
            self.learning.watch(events)
            events = []
            if self.learning.done:
                self._learnt(self.learning)
        self.steering.apply(events, seconds)

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self.heard.pop(event.address, None)
            self.heard[event.address] = event.value
        while len(self.heard) > HEARD:
            del self.heard[next(iter(self.heard))]

    # -- files -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what was kept; what cannot be read is told in `problems`."""
        if self.folder is None or not (self.folder / FILE).is_file():
            return
        path = self.folder / FILE
        try:
            self.steering.bindings = mapping.read(path)
            kept = json.loads(path.read_text(encoding="utf-8")).get("sources", {})
        except (ControlError, OSError, ValueError) as error:
            aside = path.with_suffix(".unread.json")
            with contextlib.suppress(OSError):
                os.replace(path, aside)
            self.problems["file"] = f"Bindings of the last run are not used and lie in {aside.name} now. {error}"
            return
        self.configure(_options(kept))

    def keep(self) -> None:
        """Write bindings and options beside the settings."""
        if self.folder is None:
            return
        values = {**mapping.to_json(self.bindings), "sources": asdict(self.options)}
        try:
            mapping.write(self.folder / FILE, values)
            self.problems.pop("file", None)
        except ControlError as error:
            self.problems["file"] = str(error)

    def save(self, path: str) -> None:
        """Write the bindings to a file of the user's choice."""
        target = Path(path).expanduser()
        target = target if target.suffix else target.with_suffix(".json")
        try:
            mapping.write(target, mapping.to_json(self.bindings))
            self.message = f"{_count(len(self.bindings))} saved to {target}."
        except ControlError as error:
            self.message = str(error)

    def load(self, path: str) -> None:
        """Take the bindings of a file instead of those there are; a file that cannot be used changes nothing."""
        try:
            self._replace(mapping.read(Path(path).expanduser()))
        except ControlError as error:
            self.message = str(error)
            return
        lost = sum(each.parameter not in self.steering.parameters for each in self.bindings)
        missing = f"; of {lost} the control is not there" if lost else ""
        self.message = f"{_count(len(self.bindings))} loaded{missing}."

    def close(self) -> None:
        """Stop listening."""
        for name in SOURCES:
            self._close(name)


_PREFIXES = {"osc": "osc/", "midi": "midi/", "pads": "pad/", "keys": PREFIX}


def _of(name: str, options: Options) -> tuple[Any, ...]:
    """The options of one source."""
    return tuple(value for key, value in asdict(options).items() if key.startswith(name) or _OWNERS.get(key) == name)


_OWNERS = {"dead_zone": "pads"}


def _options(values: Any) -> Options:
    """Options from JSON: what is missing or of another kind keeps its default."""
    plain = Options()
    if not isinstance(values, dict):
        return plain
    fitting = {
        item.name: values[item.name]
        for item in fields(Options)
        if item.name in values and type(values[item.name]) is type(getattr(plain, item.name))
    }
    return replace(plain, **fitting)


def _count(number: int) -> str:
    return f"{number} binding{'' if number == 1 else 's'}"
