"""MIDI in through mido and python-rtmidi: controllers, notes, pitch wheel, pressure and programs as addresses.

    midi/1/cc/74       0..127           midi/1/pitch      -8192..8191
    midi/1/note/60     0 (off)..127     midi/1/pressure   0..127
    midi/1/poly/60     0..127           midi/1/program    0..127

The first number is the channel, 1 to 16 as devices show it. Clock, sysex and the rest of the system messages are not
heard.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.control.events import ControlError, Event, Rate

ALL = ""  # in the place of a port's name: every input there is
NEEDED = (
    "MIDI needs python-rtmidi, which is not installed (its wheels are for Python 3.11 and 3.12): "
    "pip install python-rtmidi, with a compiler on newer Pythons."
)


class Port(Protocol):
    """An open input as mido gives it."""

    def close(self) -> None: ...


class Backend(Protocol):
    """What is used of mido."""

    def get_input_names(self) -> list[str]: ...
    def open_input(self, name: str, callback: Callable[[Any], None]) -> Port: ...


def backend() -> Backend:
    """mido with python-rtmidi; ControlError where it cannot be had."""
    try:
        mido: Any = importlib.import_module("mido")
        found: Backend = mido.Backend("mido.backends.rtmidi", load=True)
    except ImportError as error:
        raise ControlError(NEEDED) from error
    return found


def decode(message: Any) -> Event | None:
    """A mido message -> an event; None for what is not heard."""
    channel = getattr(message, "channel", None)
    if channel is None:
        return None
    at = f"midi/{channel + 1}"
    match message.type:
        case "control_change":
            return Event(f"{at}/cc/{message.control}", float(message.value))
        case "note_on":
            return Event(f"{at}/note/{message.note}", float(message.velocity))
        case "note_off":
            return Event(f"{at}/note/{message.note}", 0.0)
        case "pitchwheel":
            return Event(f"{at}/pitch", float(message.pitch))
        case "aftertouch":
            return Event(f"{at}/pressure", float(message.value))
        case "polytouch":
            return Event(f"{at}/poly/{message.note}", float(message.value))
        case "program_change":
            return Event(f"{at}/program", float(message.program))
    return None


def input_names(source: Backend | None = None) -> list[str]:
    """The inputs that are there; ControlError where MIDI cannot be used on this machine."""
    try:
        return list(dict.fromkeys((source or backend()).get_input_names()))
    except ControlError:
        raise
    except Exception as error:  # each platform's driver fails in its own way: no ALSA sequencer, no CoreMIDI, ...
        raise ControlError(f"MIDI: this system's MIDI service does not answer ({_first_line(error)}).") from error


class MidiSource:
    """Open inputs; mido calls `put` from its own threads."""

    def __init__(self, put: Callable[[Event], None], name: str = ALL, source: Backend | None = None) -> None:
        """name: one input, or ALL. Raises ControlError where it cannot be opened."""
        self._put = put
        self.rate = Rate()
        self._ports: list[Port] = []
        source = source or backend()
        names = input_names(source)
        if not names:
            raise ControlError("MIDI: no input is connected; connect a device and switch MIDI on again.")
        if name != ALL and name not in names:
            raise ControlError(f"MIDI: there is no input {name!r}; there are: {', '.join(names)}.")
        self.names: Sequence[str] = names if name == ALL else [name]
        for each in self.names:
            self._open(source, each)

    def _open(self, source: Backend, name: str) -> None:
        try:
            self._ports.append(source.open_input(name, callback=self._hear))
        except Exception as error:
            self.close()
            raise ControlError(
                f"MIDI: {name} cannot be opened ({_first_line(error)}); another program may hold it."
            ) from error

    @property
    def state(self) -> str:
        """In words: what is open, how much comes."""
        return f"{', '.join(self.names)}: {self.rate.per_second:.0f} messages / s"

    def close(self) -> None:
        """Close the inputs."""
        while self._ports:
            self._ports.pop().close()

    def _hear(self, message: Any) -> None:
        event = decode(message)
        if event is not None:
            self.rate.note()
            self._put(event)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
