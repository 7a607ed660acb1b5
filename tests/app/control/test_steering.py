"""From events to values: the modes, the latest value, limits, and what the user's hand holds."""

from __future__ import annotations

from typing import Any

import pytest

from app.control.events import Event
from app.control.mapping import Binding
from app.control.parameters import Parameter
from app.control.steering import STEERED_S, Steering


class Knob:
    """A control that only remembers."""

    def __init__(self, name: str, low: float = 0.0, high: float = 1.0, value: float = 0.0, **more: Any) -> None:
        self.value, self.log, self.on, self.in_hand, self.steered = value, [], True, False, False
        self.parameter = Parameter(
            name, lambda: self.value, self._set, lambda: (low, high), enabled=lambda: self.on,
            held=lambda: self.in_hand, steer=self._steer, **more,
        )  # fmt: skip

    def _set(self, value: float) -> None:
        self.value = value
        self.log.append(value)

    def _steer(self, on: bool) -> None:
        self.steered = on


def steering(*knobs: Knob, bindings: tuple[Binding, ...] = ()) -> Steering:
    made = Steering()
    made.parameters = {knob.parameter.name: knob.parameter for knob in knobs}
    made.bindings = bindings
    return made


def send(made: Steering, *events: tuple[str, float], seconds: float = 0.0) -> None:
    made.apply([Event(*event) for event in events], seconds)


def test_of_many_values_in_a_turn_the_last_is_set_once():
    psi = Knob("psi", -1, 2)
    made = steering(psi, bindings=(Binding("a", "psi", out_low=-1, out_high=2),))
    send(made, ("a", 0.1), ("a", 0.9), ("a", 0.5))
    assert psi.log == [0.5]
    send(made, ("a", 0.5))
    assert psi.log == [0.5]  # nothing new
    send(made, ("b", 0.5), ("c", 0.5))
    assert (psi.log, made.ignored) == ([0.5], 2)


def test_one_knob_moves_two_controls_and_two_knobs_one():
    a, b = Knob("a"), Knob("b", 0, 10)
    made = steering(a, b, bindings=(Binding("x", "a"), Binding("x", "b", out_high=10), Binding("y", "b", out_high=10)))
    send(made, ("x", 0.5))
    assert (a.value, b.value) == (0.5, 5.0)
    send(made, ("y", 0.25))
    assert (a.value, b.value) == (0.5, 2.5)


def test_values_stay_within_the_controls_own_ends_whatever_the_binding_says():
    psi, rows = Knob("psi", -1, 2), Knob("rows", 0, 14, kind="whole")
    made = steering(
        psi, rows, bindings=(Binding("a", "psi", out_low=-50, out_high=50), Binding("b", "rows", out_high=9))
    )
    send(made, ("a", 1.0), ("b", 0.52))
    assert (psi.value, rows.value) == (2.0, 5.0)
    send(made, ("a", 0.0))
    assert psi.value == -1.0


def test_relative_messages_all_count():
    x = Knob("x", -100, 100, 10.0)
    encoder = Binding("midi/1/cc/20", "x", "relative", -1, 1, -0.5, 0.5)
    made = steering(x, bindings=(encoder,))
    send(made, ("midi/1/cc/20", 1), ("midi/1/cc/20", 1), ("midi/1/cc/20", 127), ("midi/1/cc/20", 3))
    assert x.value == pytest.approx(10 + 0.5 * (1 + 1 - 1 + 3))


def test_slow_relative_steps_add_up_on_whole_numbers_until_somebody_else_moves_them():
    row = Knob("row", 0, 100, 50.0, kind="whole")
    made = steering(row, bindings=(Binding("a", "row", "relative", -1, 1, -0.3, 0.3),))
    for _ in range(4):
        send(made, ("a", 1.0))
    assert row.value == 51.0  # 4 x 0.3
    row.value = 20.0
    send(made, ("a", 1.0), ("a", 1.0))
    assert row.value == 21.0  # from 20, not from what had added up


def test_a_stick_sets_a_speed_that_lasts_until_it_returns():
    x = Knob("x", -1e9, 1e9)
    made = steering(x, bindings=(Binding("pad/0/axis/0", "x", "rate", -1, 1, -4, 4),))
    send(made, ("pad/0/axis/0", 0.5), seconds=0.1)
    for _ in range(4):
        send(made, seconds=0.1)
    assert x.value == pytest.approx(2.0 * 0.5)
    send(made, ("pad/0/axis/0", 0.0), seconds=0.1)
    send(made, seconds=1.0)
    assert x.value == pytest.approx(1.0)


def test_switching_a_source_off_lets_its_sticks_go():
    x = Knob("x", -1e9, 1e9)
    made = steering(x, bindings=(Binding("pad/0/axis/0", "x", "rate", -1, 1, -1, 1),))
    send(made, ("pad/0/axis/0", 1.0), seconds=1.0)
    made.let_go("pad/")
    send(made, seconds=1.0)
    assert x.value == pytest.approx(1.0)


def test_a_button_switches_and_another_acts_while_it_is_held():
    on, psi = Knob("on", kind="switch"), Knob("psi", -1, 2, 0.7)
    made = steering(on, psi, bindings=(Binding("a", "on", "toggle"), Binding("b", "psi", "momentary", 0, 1, 0.7, 1.5)))
    for value, want in ((1.0, 1.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)):  # only the press counts
        send(made, ("a", value))
        assert on.value == want
    send(made, ("b", 1.0))
    assert psi.value == 1.5
    send(made, ("b", 0.0))
    assert psi.value == 0.7
    on.value = 1.0  # switched by hand meanwhile: the next press switches it off
    send(made, ("a", 0.0), ("a", 1.0))
    assert on.value == 0.0


def test_a_trigger_fires_once_per_press_in_any_mode():
    go = Knob("go", kind="trigger")
    made = steering(go, bindings=(Binding("a", "go"), Binding("b", "go", "toggle")))
    send(made, ("a", 0.9))
    send(made, ("a", 1.0))
    send(made, ("a", 0.0))
    send(made, ("a", 1.0), ("b", 1.0))
    assert go.log == [1.0, 1.0]


def test_the_users_hand_and_dimmed_controls_are_left_alone():
    psi = Knob("psi")
    made = steering(psi, bindings=(Binding("a", "psi"),))
    psi.in_hand = True
    send(made, ("a", 0.5))
    psi.in_hand, psi.on = False, False
    send(made, ("a", 0.6))
    assert psi.log == []
    psi.on = True
    send(made, ("a", 0.7))
    assert psi.log == [0.7]


def test_a_control_counts_as_moving_until_a_quarter_second_after_the_last_value():
    psi = Knob("psi")
    made = steering(psi, bindings=(Binding("a", "psi"),))
    send(made, ("a", 0.5), seconds=0.1)
    assert psi.steered
    send(made, seconds=STEERED_S)
    send(made, ("a", 0.6), seconds=0.1)  # it goes on
    send(made, seconds=STEERED_S - 0.1)
    assert psi.steered
    send(made, seconds=0.1)
    send(made, seconds=0.1)
    assert not psi.steered


def test_bindings_to_what_is_not_there_do_nothing():
    made = steering(Knob("psi"), bindings=(Binding("a", "gone"), Binding("b", "gone", "rate")))
    send(made, ("a", 1.0), ("b", 1.0), seconds=1.0)
    send(made, seconds=1.0)
    assert made.ignored == 0
