"""Keys by name: what parses, and that no code is one that Dear PyGui reports as held for ever."""

from __future__ import annotations

import pytest

from app.start import app_shortcuts
from app.window.shortcuts import FIRST_KEY, parse
from widgets.registry import all_panels


def test_modifiers_and_key_come_apart() -> None:
    assert parse("Ctrl+Shift+S") == (frozenset({"Ctrl", "Shift"}), parse("S")[1])
    assert parse("Ctrl++") == (frozenset({"Ctrl"}), 602)
    assert parse("Next")[1] == 518


@pytest.mark.parametrize("keys", ["Ctrl+Nothing", "Hyper+A", "Plus"])
def test_unknown_keys_are_refused(keys: str) -> None:
    with pytest.raises(ValueError, match=r"there is no key|is not a modifier"):
        parse(keys)


class Anything:
    """A desk and a control at once: answers every attribute with itself."""

    def __getattr__(self, name: str) -> Anything:
        return self

    def __call__(self, *args: object, **kwargs: object) -> Anything:
        return self


class OpenPanel(Anything):
    def __init__(self, panel_type: type) -> None:
        self.panel_type = panel_type

    def shortcuts(self) -> list:
        return list(self.panel_type.shortcuts(self))


def test_no_two_shortcuts_share_a_key_and_every_one_parses() -> None:
    shortcuts = [*app_shortcuts(Anything())]
    for panel_type in all_panels():
        shortcuts += OpenPanel(panel_type).shortcuts()
    parsed = [parse(shortcut.keys) for shortcut in shortcuts]
    assert len(set(parsed)) == len(parsed) > 15
    assert all(code >= FIRST_KEY for _, code in parsed)
