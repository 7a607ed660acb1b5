"""MIDI through a port that mido itself would open, gamepads through a joystick that is only numbers, keys likewise."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any

import mido
import pytest

from app.control import midi
from app.control.events import ROOM, ControlError, Event, Inbox, Rate
from app.control.gamepad import GamepadSource, Pad, without_dead_zone
from app.control.keys import PLAYABLE, KeySource


class FakePort:
    """An open input: `play` hands bytes through mido's own parser to the callback, as python-rtmidi's thread does."""

    def __init__(self, name: str, callback: Callable[[Any], None]) -> None:
        self.name, self.callback, self.closed = name, callback, False

    def play(self, *messages: bytes) -> None:
        for message in messages:
            for parsed in mido.parse_all(message):
                self.callback(parsed)

    def close(self) -> None:
        self.closed = True


class FakeBackend:
    """Inputs that are only names; one of them may be held by another program."""

    def __init__(self, *names: str, held: str = "", broken: bool = False) -> None:
        self.names, self.held, self.broken = list(names), held, broken
        self.ports: dict[str, FakePort] = {}

    def get_input_names(self) -> list[str]:
        if self.broken:
            raise RuntimeError("MidiInAlsa::initialize: error creating ALSA sequencer client object.\nmore")
        return self.names

    def open_input(self, name: str, callback: Callable[[Any], None]) -> FakePort:
        if name == self.held:
            raise OSError("busy")
        self.ports[name] = FakePort(name, callback)
        return self.ports[name]


def test_midi_messages_become_addresses():
    backend, heard = FakeBackend("Faders"), []
    source = midi.MidiSource(heard.append, "Faders", backend)
    backend.ports["Faders"].play(
        bytes([0xB0, 74, 100]), bytes([0x9F, 60, 64]), bytes([0x90, 60, 0]), bytes([0x80, 61, 64]),
        bytes([0xE0, 0, 0]), bytes([0xE0, 127, 127]), bytes([0xD2, 90]), bytes([0xA0, 60, 5]), bytes([0xC0, 12]),
        bytes([0xF8]), bytes([0xF0, 1, 2, 0xF7]),
    )  # fmt: skip
    assert heard == [
        Event("midi/1/cc/74", 100.0), Event("midi/16/note/60", 64.0), Event("midi/1/note/60", 0.0),
        Event("midi/1/note/61", 0.0), Event("midi/1/pitch", -8192.0), Event("midi/1/pitch", 8191.0),
        Event("midi/3/pressure", 90.0), Event("midi/1/poly/60", 5.0), Event("midi/1/program", 12.0),
    ]  # fmt: skip  # clock and sysex are not heard
    assert source.rate.total == 9
    assert source.state.startswith("Faders: ")
    source.close()
    assert backend.ports["Faders"].closed


def test_all_inputs_are_opened_or_one():
    backend = FakeBackend("a", "b", "a")
    midi.MidiSource(lambda event: None, midi.ALL, backend)
    assert sorted(backend.ports) == ["a", "b"]
    backend = FakeBackend("a", "b")
    midi.MidiSource(lambda event: None, "b", backend)
    assert sorted(backend.ports) == ["b"]


@pytest.mark.parametrize(
    ("backend", "name", "words"),
    [
        (FakeBackend(), midi.ALL, "no input is connected; connect a device"),
        (FakeBackend("a"), "gone", "no input 'gone'; there are: a"),
        (FakeBackend("a", "b", held="b"), midi.ALL, r"b cannot be opened \(busy\); another program may hold it"),
        (FakeBackend(broken=True), midi.ALL, r"service does not answer \(MidiInAlsa.*object\.\)\.$"),
    ],
)
def test_what_is_wrong_with_midi_is_one_sentence(backend, name, words):
    with pytest.raises(ControlError, match=words):
        midi.MidiSource(lambda event: None, name, backend)
    assert all(port.closed for port in backend.ports.values())


def test_without_python_rtmidi_there_is_a_sentence(monkeypatch):
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "rtmidi":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name == "mido.backends.rtmidi"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ControlError, match=r"MIDI needs python-rtmidi.*pip install python-rtmidi"):
        midi.backend()


def test_dead_zones_begin_at_zero_and_reach_the_ends():
    assert [without_dead_zone(value, 0.2) for value in (0.1, -0.2, 0.6, 1.0, -1.0, -1.2)] == [
        0.0, 0.0, pytest.approx(0.5), 1.0, -1.0, -1.0,
    ]  # fmt: skip


def test_a_gamepad_tells_what_changed():
    pads: dict[int, Pad] = {}
    source = GamepadSource(lambda: pads, dead_zone=0.1)
    assert source.poll() == []
    assert source.state == "no gamepad is connected"
    pads[0] = Pad("Fake pad", (0.05, -1.0), (False, False))
    assert source.poll() == [Event("pad/0/axis/1", -1.0)]  # the other one is within its dead zone
    assert source.state == "0: Fake pad, 2 axes, 2 buttons"
    assert source.poll() == []
    pads[0] = Pad("Fake pad", (0.55, -1.0), (False, True))
    assert source.poll() == [Event("pad/0/axis/0", pytest.approx(0.5)), Event("pad/0/button/1", 1.0)]
    pads.clear()  # unplugged: nothing goes on moving
    assert sorted(event.address for event in source.poll()) == ["pad/0/axis/0", "pad/0/axis/1", "pad/0/button/1"]
    assert source.poll() == []


def test_keys_are_pressed_and_let_go():
    held = {"A"}
    source = KeySource(lambda name: name in held)
    assert source.poll({"A", "Up", "Esc"}) == [Event("key/A", 1.0)]
    assert source.state == "held: A"
    held |= {"Up", "Esc"}  # Esc is not to be played
    assert source.poll({"A", "Up", "Esc"}) == [Event("key/Up", 1.0)]
    assert source.poll({"Up"}) == [Event("key/A", 0.0)]  # its binding is gone
    assert source.poll(()) == [Event("key/Up", 0.0)]


def test_every_playable_key_exists():
    from app.window.shortcuts import parse

    assert len({parse(name)[1] for name in PLAYABLE}) == len(PLAYABLE)


def test_the_inbox_keeps_the_newest_and_counts_what_it_lost():
    inbox = Inbox()
    for number in range(ROOM + 5):
        inbox.put(Event("a", float(number)))
    events = inbox.take()
    assert (len(events), events[0].value, events[-1].value, inbox.lost) == (ROOM, 5.0, ROOM + 4.0, 5)
    assert inbox.take() == []


def test_rates_are_those_of_the_last_seconds():
    now = 100.0
    rate = Rate(lambda: now)
    for _ in range(20):
        rate.note()
    assert rate.per_second == 10.0
    now = 103.0
    assert (rate.per_second, rate.total) == (0.0, 20)
