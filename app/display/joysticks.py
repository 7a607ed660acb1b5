"""Gamepads and joysticks through GLFW, which the stage window is made with, too. Main thread only."""

from __future__ import annotations

import glfw

from app.control.gamepad import Pad
from app.display import native

TRIGGERS = (glfw.GAMEPAD_AXIS_LEFT_TRIGGER, glfw.GAMEPAD_AXIS_RIGHT_TRIGGER)  # rest at -1


def read() -> dict[int, Pad]:
    """Every device that is connected, by its number; none where GLFW finds no display."""
    with native.kept_context():
        glfw.ERROR_REPORTING = "exception"
        try:
            if not glfw.init():
                return {}
            glfw.poll_events()  # notices what was plugged in or pulled out
            return {number: _pad(number) for number in range(glfw.JOYSTICK_LAST + 1) if glfw.joystick_present(number)}
        except glfw.GLFWError:
            return {}


def _pad(number: int) -> Pad:
    """As an Xbox pad where GLFW knows the layout, else as the device counts its axes and buttons itself."""
    if glfw.joystick_is_gamepad(number) and (state := glfw.get_gamepad_state(number)) is not None:
        axes = [(axis + 1) / 2 if place in TRIGGERS else axis for place, axis in enumerate(state.axes)]
        return Pad(_text(glfw.get_gamepad_name(number)), tuple(axes), tuple(bool(button) for button in state.buttons))
    return Pad(_text(glfw.get_joystick_name(number)), _floats(number), _presses(number))


def _floats(number: int) -> tuple[float, ...]:
    values, count = glfw.get_joystick_axes(number)
    return tuple(float(values[place]) for place in range(count))


def _presses(number: int) -> tuple[bool, ...]:
    values, count = glfw.get_joystick_buttons(number)
    return tuple(bool(values[place]) for place in range(count))


def _text(name: bytes | str | None) -> str:
    if isinstance(name, bytes):
        return name.decode(errors="replace")
    return name or "gamepad"
