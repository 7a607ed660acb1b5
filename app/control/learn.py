"""Learn mode: move a control in the window and a knob outside, in either order, and they belong together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.control.events import Event
from app.control.mapping import source_range
from app.control.parameters import Parameter

TRAVEL = 0.3  # share of a stick's range that it must move to be meant


class Learn:
    """Watches until it knows both a parameter and an address."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self.parameter: str = ""
        self.source: str = ""
        self._before = {name: parameter.get() for name, parameter in parameters.items() if parameter.kind != "trigger"}

    @property
    def done(self) -> bool:
        """Whether both are known."""
        return bool(self.parameter and self.source)

    @property
    def words(self) -> str:
        """What to do next."""
        if not self.parameter and not self.source:
            return "Move a control in this window or choose it below; then move the knob, fader, stick or key."
        if not self.source:
            return f"{self.parameter}: now move the knob, fader, stick or key that shall move it."
        return f"{self.source}: now move the control in this window that it shall move, or choose it below."

    def watch(self, events: Iterable[Event]) -> None:
        """Look at what the user's hand moves in the window, and at what comes from outside; the last one counts."""
        for name, before in self._before.items():
            parameter = self.parameters[name]
            now = parameter.get()
            if now != before and (parameter.held() or parameter.kind == "switch"):
                self.parameter = name
                self._before[name] = now
                break
        for event in events:
            if self._is_meant(event):
                self.source = event.address

    def _is_meant(self, event: Event) -> bool:
        low, high = source_range(event.address)
        if "/axis/" in event.address:
            return abs(event.value) > TRAVEL * (high - low)
        if event.address.startswith(("key/", "pad/")) or "/note/" in event.address:
            return event.value > 0  # letting a button go means nothing
        return True
