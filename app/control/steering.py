"""From events to parameters: once per turn of the loop, on the main thread; the latest value wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from app.control.events import Event
from app.control.mapping import Binding, ticks
from app.control.parameters import Parameter

STEERED_S = 0.25  # after the last new value a parameter still counts as moving: early pictures will do


class Steering:
    """Applies events through bindings. `parameters` and `bindings` may be replaced at any time."""

    def __init__(self) -> None:
        self.parameters: Mapping[str, Parameter] = {}
        self.ignored = 0  # events whose address moves nothing
        self._bindings: tuple[Binding, ...] = ()
        self._by_source: dict[str, list[Binding]] = {}
        self._pressed: dict[Binding, bool] = {}
        self._speed: dict[Binding, float] = {}
        self._exact: dict[str, float] = {}  # of whole numbers: what slow steps have added up to
        self._steered: dict[str, float] = {}  # parameter -> seconds since its last new value

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return self._bindings

    @bindings.setter
    def bindings(self, bindings: Sequence[Binding]) -> None:
        self._bindings = tuple(bindings)
        self._by_source = {}
        for binding in self._bindings:
            self._by_source.setdefault(binding.source, []).append(binding)
        self._pressed = {binding: self._pressed.get(binding, False) for binding in self._bindings}
        self._speed = {binding: speed for binding, speed in self._speed.items() if binding in self._pressed}

    def apply(self, events: Iterable[Event], seconds: float) -> None:
        """Move what these events move; `seconds` since the last turn."""
        targets: dict[str, float] = {}
        for event in events:
            bound = self._by_source.get(event.address, ())
            self.ignored += not bound
            for binding in bound:
                self._hear(binding, event.value, targets)
        for binding, speed in self._speed.items():
            if speed:
                self._add(binding.parameter, speed * seconds, targets)
        for name, value in targets.items():
            self._set(self.parameters[name], value)
        self._let_go(seconds)

    def let_go(self, prefix: str) -> None:
        """A source was switched off: its sticks are in the middle, its keys up."""
        for binding in self._bindings:
            if binding.source.startswith(prefix):
                self._speed.pop(binding, None)
                self._pressed[binding] = False

    def _hear(self, binding: Binding, value: float, targets: dict[str, float]) -> None:
        parameter = self.parameters.get(binding.parameter)
        if parameter is None:
            return
        pressed, before = binding.pressed(value), self._pressed[binding]
        self._pressed[binding] = pressed
        if parameter.kind == "trigger":
            if pressed and not before:
                targets[parameter.name] = 1.0
        elif binding.mode == "absolute":
            targets[parameter.name] = binding.mapped(value)
        elif binding.mode == "relative":
            self._add(parameter.name, binding.mapped(ticks(binding.source, value), bounded=False), targets)
        elif binding.mode == "rate":
            self._speed[binding] = binding.mapped(value)
        elif binding.mode == "momentary":
            targets[parameter.name] = binding.out_high if pressed else binding.out_low
        elif pressed and not before:
            now = targets.get(parameter.name, parameter.get())
            near_high = abs(now - binding.out_high) < abs(now - binding.out_low)
            targets[parameter.name] = binding.out_low if near_high else binding.out_high

    def _add(self, name: str, amount: float, targets: dict[str, float]) -> None:
        parameter = self.parameters.get(name)
        if parameter is None or parameter.kind == "trigger":
            return
        exact = self._exact.get(name)
        now = parameter.get() if exact is None or parameter.clamp(exact) != parameter.get() else exact
        moved = targets.get(name, now) + amount
        targets[name] = self._exact[name] = min(parameter.high, max(parameter.low, moved))

    def _set(self, parameter: Parameter, value: float) -> None:
        """As the user's hand does it, unless that very hand is on it."""
        if not parameter.enabled() or parameter.held():
            return
        if parameter.kind == "trigger":
            parameter.set(1.0)
            return
        value = parameter.clamp(value)
        if value != parameter.get():
            parameter.set(value)
            parameter.steer(True)
            self._steered[parameter.name] = 0.0

    def _let_go(self, seconds: float) -> None:
        for name, since in list(self._steered.items()):
            if since > STEERED_S:
                del self._steered[name]
                if (parameter := self.parameters.get(name)) is not None:
                    parameter.steer(False)
            else:
                self._steered[name] = since + seconds
