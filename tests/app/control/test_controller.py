"""The controller: learning, sources on and off, and what is kept between runs."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from app.control.controller import FILE, Controller, Options
from app.control.events import ControlError, Event
from app.control.gamepad import Pad
from app.control.mapping import Binding
from tests.app.control.test_sources import FakeBackend
from tests.app.control.test_steering import Knob


def controller(folder: Path | None, *knobs: Knob, **devices: object) -> Controller:
    made = Controller(folder, **devices)
    made.offer([knob.parameter for knob in knobs])
    return made


def hear(made: Controller, *events: tuple[str, float], seconds: float = 0.0) -> None:
    for event in events:
        made.inbox.put(Event(*event))
    made.update(seconds)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_learning_binds_the_control_in_the_users_hand_to_the_knob_that_moves():
    psi, walking = Knob("Truncation/psi", -1, 2, 0.7), Knob("Latent/x", -1e9, 1e9)
    made = controller(None, psi, walking)
    hear(made, ("osc/old", 0.1))
    made.learn()
    walking.value = 3.0  # moves by itself: not meant
    made.update(0.0)
    assert made.learning.parameter == ""
    psi.in_hand, psi.value = True, 0.9
    made.update(0.0)
    assert made.learning.words.startswith("Truncation/psi: now move the knob")
    hear(made, ("osc/fader", 0.4))
    assert made.learning is None
    assert made.bindings == (Binding("osc/fader", "Truncation/psi", "absolute", 0.0, 1.0, -1.0, 2.0),)
    assert made.message == "osc/fader now moves Truncation/psi."
    psi.in_hand = False
    hear(made, ("osc/fader", 1.0))
    assert psi.value == 2.0


def test_learning_works_the_other_way_round_and_moves_nothing_meanwhile():
    a, b = Knob("a"), Knob("b")
    made = controller(None, a, b)
    made.bind(Binding("osc/x", "a"))
    made.learn()
    hear(made, ("osc/x", 0.8))
    assert a.value == 0.0
    assert made.learning.words.startswith("osc/x: now move the control")
    made.learning.parameter = "b"  # from the list
    made.update(0.0)
    assert [binding.parameter for binding in made.bindings] == ["a", "b"]
    made.learn()
    made.learn(False)
    hear(made, ("osc/x", 0.8))
    assert (a.value, b.value) == (0.8, 0.8)


def test_a_stick_at_rest_and_a_button_let_go_are_not_meant():
    made = controller(None, Knob("a"))
    made.learn()
    hear(made, ("pad/0/axis/1", 0.2), ("pad/0/button/0", 0.0), ("key/A", 0.0), ("midi/1/note/5", 0.0))
    assert made.learning.source == ""
    hear(made, ("pad/0/axis/1", -0.9))
    assert made.learning.source == "pad/0/axis/1"


def test_a_switch_that_was_clicked_is_meant():
    on = Knob("on", kind="switch")
    made = controller(None, on)
    made.learn()
    on.value = 1.0  # a click changes it when the button is let go
    made.update(0.0)
    assert made.learning.parameter == "on"


def test_binding_the_same_pair_again_changes_it_and_changing_keeps_its_place():
    made = controller(None, Knob("a"), Knob("b"))
    first, second = Binding("x", "a"), Binding("y", "b")
    made.bind(first)
    made.bind(second)
    made.bind(replace(first, out_high=0.5))
    made.bind(replace(second, mode="toggle"), instead_of=second)
    assert made.bindings == (replace(first, out_high=0.5), replace(second, mode="toggle"))
    with pytest.raises(ControlError, match="two different ends"):
        made.bind(replace(first, in_high=0.0))
    made.unbind(replace(second, mode="toggle"))
    assert [binding.source for binding in made.bindings] == ["x"]


def test_equal_names_are_told_apart():
    made = controller(None, Knob("gain"), Knob("gain"), Knob("gain"))
    assert list(made.parameters) == ["gain", "gain (2)", "gain (3)"]


def test_bindings_and_sources_come_back_in_the_next_run(tmp_path):
    port = free_port()
    made = controller(tmp_path, Knob("a"))
    made.bind(Binding("osc/x", "a", out_high=0.5))
    made.configure(Options(osc=True, osc_port=port, dead_zone=0.3, monitor="DP-1"))
    made.close()
    again = controller(tmp_path, Knob("a"))
    again.start()
    assert again.bindings == made.bindings
    assert again.options == made.options
    assert again.state("osc") == f"listening on 127.0.0.1:{port}, 0 messages / s"
    again.close()
    assert again.state("osc") == "off"


def test_a_file_that_cannot_be_read_is_told_and_laid_aside(tmp_path):
    (tmp_path / FILE).write_text("{broken")
    made = controller(tmp_path, Knob("a"))
    made.start()
    assert "is no JSON" in made.problems["file"]
    assert (tmp_path / "control.unread.json").read_text() == "{broken"
    made.bind(Binding("osc/x", "a"))
    assert "file" not in made.problems


def test_strange_options_keep_their_defaults(tmp_path):
    made = controller(tmp_path)
    made.keep()
    values = json.loads((tmp_path / FILE).read_text())
    values["sources"] |= {"osc": "yes", "osc_port": True, "dead_zone": 0.25, "code": "exec"}
    (tmp_path / FILE).write_text(json.dumps(values))
    made.start()
    assert made.options == Options(dead_zone=0.25)


def test_a_port_in_use_is_told_and_another_one_listened_on():
    made = controller(None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        made.configure(Options(osc=True, osc_port=port))
        assert made.state("osc") == (
            f"OSC: port {port} is in use by another program; close that one or choose another port."
        )
    made.again("osc")
    assert made.state("osc").startswith("listening on")
    made.configure(replace(made.options, osc=False))
    assert made.state("osc") == "off"


def test_midi_moves_a_control_and_a_device_that_is_not_there_is_told():
    psi, backend = Knob("psi", -1, 2), FakeBackend("Faders")
    made = controller(None, psi, midi_backend=lambda: backend)
    made.bind(Binding("midi/1/cc/74", "psi", in_high=127.0, out_low=-1.0, out_high=2.0))
    made.configure(Options(midi=True))
    assert made.midi_inputs() == ["Faders"]
    backend.ports["Faders"].play(bytes([0xB0, 74, 127]))
    made.update(0.0)
    assert psi.value == 2.0
    made.configure(Options(midi=True, midi_input="gone"))
    assert "no input 'gone'" in made.state("midi")


def test_a_gamepad_walks_and_stops_when_it_is_switched_off():
    x, pads = Knob("x", -1e9, 1e9), {0: Pad("pad", (1.0,), ())}
    made = controller(None, x, pads=lambda: pads)
    made.bind(Binding("pad/0/axis/0", "x", "rate", -1, 1, -2, 2))
    made.configure(Options(pads=True))
    made.update(0.5)
    made.update(0.5)
    assert x.value == pytest.approx(2.0)
    made.configure(Options(pads=False))
    made.update(0.5)
    assert x.value == pytest.approx(2.0)
    assert list(made.heard) == ["pad/0/axis/0"]


def test_only_bound_keys_are_played_but_all_while_learning():
    held = {"A", "B"}
    made = controller(None, Knob("a"), down=lambda name: name in held)
    made.bind(Binding("key/A", "a", "momentary"))
    assert made.live_keys == frozenset()  # off
    made.configure(Options(keys=True))
    assert made.live_keys == {"A"}
    made.update(0.0)
    assert list(made.heard) == ["key/A"]
    made.learn()
    assert "B" in made.live_keys
    made.update(0.0)
    assert made.learning.source == "key/B"


def test_saving_and_loading_say_what_came_of_it(tmp_path):
    made = controller(None, Knob("a"))
    made.bind(Binding("osc/x", "a"))
    made.bind(Binding("osc/y", "gone"))
    made.save(str(tmp_path / "mine"))
    assert made.message == f"2 bindings saved to {tmp_path / 'mine.json'}."
    other = controller(None, Knob("a"))
    other.load(str(tmp_path / "mine.json"))
    assert other.bindings == made.bindings
    assert other.message == "2 bindings loaded; of 1 the control is not there."
    (tmp_path / "bad.json").write_text("[]")
    other.load(str(tmp_path / "bad.json"))
    assert "no file of bindings" in other.message
    assert other.bindings == made.bindings
    other.save("/dev/null/x")
    assert "writing failed" in other.message
