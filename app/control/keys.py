"""The keyboard played live: a key is 1 while it is held and 0 afterwards ('key/A', 'key/Space', 'key/Up')."""

from __future__ import annotations

from collections.abc import Callable, Collection

from app.control.events import Event
from app.control.gamepad import changes

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = tuple("0123456789")
OTHERS = ("Space", "Left", "Right", "Up", "Down", "Comma", "Period", "Slash", "Home", "End", "Insert")
PLAYABLE = (*LETTERS, *DIGITS, *OTHERS)  # Esc, Enter, Tab and the F keys stay what they are
PREFIX = "key/"

Down = Callable[[str], bool]  # whether a key is held; False while somebody types or holds Ctrl


class KeySource:
    """Asks `down` for each key that matters and tells what changed."""

    def __init__(self, down: Down) -> None:
        self._down = down
        self._last: dict[str, float] = {}

    def poll(self, names: Collection[str]) -> list[Event]:
        """What changed of these keys since the last call; keys that no longer matter are let go."""
        now = dict.fromkeys(self._last, 0.0)
        now |= {PREFIX + name: float(self._down(name)) for name in names if name in PLAYABLE}
        return changes(self._last, now)

    @property
    def state(self) -> str:
        """In words."""
        held = [address.removeprefix(PREFIX) for address, value in self._last.items() if value]
        return f"held: {', '.join(held)}" if held else "listening"

    def close(self) -> None:
        """Nothing is held open."""
