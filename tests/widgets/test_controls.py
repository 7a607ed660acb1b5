"""Controls under a real mouse."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import pytest

from tests.gui_support import Hand, centre_of, point_in
from widgets.choices import Choice, Combo
from widgets.controls import Checkbox, Drag, IntField, IntSlider, Slider, TextField
from widgets.rows import Button

pytestmark = pytest.mark.gui
RIGHT = 3  # mouse button in X


def build(window, make):
    with dpg.window(pos=(10, 10), width=340, height=300):
        made = make()
    for _ in range(3):
        window.frame()
    return made


def test_a_slider_is_dragged_and_a_right_click_brings_the_default_back(window, hand: Hand) -> None:
    psi = build(window, lambda: Slider("psi", 1.0, -1.0, 2.0, "Distance from the centre of W."))
    hand.drag(point_in(psi.tag, 0.66, 0.5), point_in(psi.tag, 0.3, 0.5))
    assert psi.value == pytest.approx(-0.1, abs=0.08)
    assert psi.value == round(psi.value, 2)
    hand.click(*centre_of(psi.tag), button=RIGHT)
    assert (psi.value, dpg.get_value(psi.tag)) == (1.0, 1.0)


def test_a_control_is_active_while_it_is_held(window, hand: Hand) -> None:
    drag = build(window, lambda: Drag("x", 0.0, "Across the plane.", step=0.01))
    hand.move(*centre_of(drag.tag))
    assert not drag.active
    hand.press()
    assert drag.active
    hand.move(*point_in(drag.tag, 0.9, 0.5))
    assert drag.value > 0.2
    hand.release()
    assert not drag.active


def test_a_disabled_control_takes_no_input(window, hand: Hand) -> None:
    psi = build(window, lambda: Slider("psi", 1.0, -1.0, 2.0, "Distance from the centre of W."))
    psi.set(0.5)
    psi.enabled = False
    hand.drag(point_in(psi.tag, 0.5, 0.5), point_in(psi.tag, 0.1, 0.5))
    hand.click(*centre_of(psi.tag), button=RIGHT)
    assert psi.value == 0.5


def test_set_shows_the_value_and_calls_nobody(window) -> None:
    told = []
    text = build(window, lambda: TextField("path", "Path of a checkpoint.", on_change=told.append))
    text.set("a.pkl")
    window.frame()
    assert (text.value, dpg.get_value(text.tag), told) == ("a.pkl", "a.pkl", [])


def test_text_counts_when_enter_is_pressed(window, hand: Hand) -> None:
    told = []
    text = build(window, lambda: TextField("path", "Path of a checkpoint.", on_change=told.append))
    hand.click(*centre_of(text.tag))
    hand.type("ab")
    assert told == []
    hand.key("Return")
    assert told == ["ab"]


def test_a_whole_number_can_read_as_words(window, hand: Hand) -> None:
    cutoff = build(window, lambda: IntSlider("cutoff", 14, 0, 14, "Rows.", words={14: "all 14 rows"}))
    assert dpg.get_item_configuration(cutoff.tag)["format"] == "all 14 rows"
    hand.drag(point_in(cutoff.tag, 0.97, 0.5), point_in(cutoff.tag, 0.5, 0.5))
    assert cutoff.value in (6, 7, 8)
    assert dpg.get_item_configuration(cutoff.tag)["format"] == "%d"
    cutoff.limit(0, 4)
    assert cutoff.value == 4


def test_choices_check_boxes_numbers_and_buttons_answer_clicks(window, hand: Hand) -> None:
    pressed = []

    def make():
        return (
            Choice("noise", "const", {"none": "Off", "const": "Stored"}, "Noise."),
            Checkbox("walk", False, "Walk."),
            IntField("seed", 5, "Seed."),
            Button("Go", "Go.", lambda: pressed.append("go")),
        )

    choice, box, seed, button = build(window, make)
    hand.click(*centre_of(choice.buttons["none"]))
    hand.click(*centre_of(box.tag))
    hand.click(*point_in(seed.tag, 0.97, 0.5))  # the + at the right end
    hand.click(*centre_of(button.tag))
    assert (choice.value, box.value, seed.value, pressed) == ("none", True, 6, ["go"])
    hand.click(*centre_of(choice.buttons["const"]), button=RIGHT)
    assert choice.value == "const"


def test_a_combo_forgets_a_choice_that_is_gone(window) -> None:
    combo = build(window, lambda: Combo("device", "cpu", {"cpu": "CPU", "cuda": "CUDA"}, "Device."))
    combo.offer({"cuda": "CUDA", "mps": "MPS"})
    assert combo.value == ""
    combo.set("mps")
    assert dpg.get_value(combo.tag) == "MPS"


def test_units_stand_behind_numbers(window) -> None:
    slider, percent = build(
        window,
        lambda: (
            Slider("gain", 0.0, -40.0, 40.0, "Gain.", unit="dB", decimals=1),
            Slider("share", 0.0, 0.0, 100.0, "Share.", unit="%"),
        ),
    )
    formats = [dpg.get_item_configuration(item.tag)["format"] for item in (slider, percent)]
    assert formats == ["%.1f dB", "%.2f %%"]
