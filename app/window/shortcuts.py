"""Keyboard shortcuts: from 'Ctrl+O' to a handler. Keys typed into a text field are left to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import dearpygui.dearpygui as dpg

MODIFIERS = {
    "Ctrl": ("mvKey_LControl", "mvKey_RControl"),
    "Shift": ("mvKey_LShift", "mvKey_RShift"),
    "Alt": ("mvKey_LAlt", "mvKey_RAlt"),
}
# Keys whose names or codes in Dear PyGui 2.3 are not those of Dear ImGui: some of its constants are codes of an older
# ImGui, which a handler takes for 'pressed' all the time (mvKey_Next, mvKey_Prior, mvKey_Plus).
NAMED_KEYS = {
    "Esc": dpg.mvKey_Escape,
    "Space": dpg.mvKey_Spacebar,
    "Prior": 517,
    "Next": 518,
    "+": 602,  # the key of = and +
    "-": dpg.mvKey_Minus,
}
FIRST_KEY = 512  # of Dear ImGui's named keys
TEXT_ITEMS = ("mvInputText", "mvInputInt", "mvInputFloat", "mvDragFloat", "mvDragInt", "mvSliderFloat", "mvSliderInt")


class ShortcutLike(Protocol):
    """widgets.panel.Shortcut as this side sees it."""

    @property
    def keys(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def run(self) -> Callable[[], None]: ...


def parse(keys: str) -> tuple[frozenset[str], int]:
    """'Ctrl+Shift+S' -> ({'Ctrl', 'Shift'}, key code); raises ValueError for a key that does not exist."""
    *modifiers, key = keys.split("+") if not keys.endswith("+") else [*keys[:-1].rstrip("+").split("+"), "+"]
    modifiers = [name for name in modifiers if name]
    code = NAMED_KEYS.get(key, getattr(dpg, f"mvKey_{key}", 0))
    if unknown := [modifier for modifier in modifiers if modifier not in MODIFIERS]:
        raise ValueError(f"{keys!r}: {unknown[0]} is not a modifier; known: {', '.join(MODIFIERS)}")
    if code < FIRST_KEY:
        raise ValueError(f"{keys!r}: there is no key {key!r}")
    return frozenset(modifiers), int(code)


def typing() -> bool:
    """Whether a text or number field has the keyboard."""
    item = dpg.get_focused_item()
    if not item or not dpg.does_item_exist(item):
        return False
    kind = dpg.get_item_info(item)["type"].split("::")[-1]
    return kind in TEXT_ITEMS and bool(dpg.get_item_state(item).get("active"))


class Shortcuts:
    """Registers key handlers once; the handler asks which modifiers are held.

    resting: keys that are played live (app/control) and do not act as shortcuts meanwhile.
    """

    def __init__(self, shortcuts: Sequence[ShortcutLike], resting: Callable[[], Collection[str]] = frozenset) -> None:
        self._resting = resting
        self._table: dict[int, list[tuple[frozenset[str], Callable[[], None]]]] = {}
        for shortcut in shortcuts:
            modifiers, key = parse(shortcut.keys)
            rows = self._table.setdefault(key, [])
            if any(held == modifiers for held, _ in rows):
                raise ValueError(f"two shortcuts for {shortcut.keys}")
            rows.append((modifiers, shortcut.run))
        with dpg.handler_registry():
            for key in self._table:
                dpg.add_key_press_handler(key, callback=self._pressed, user_data=key)

    def _pressed(self, sender: int, app_data: object, key: int) -> None:
        held = frozenset(
            name for name, keys in MODIFIERS.items() if any(dpg.is_key_down(getattr(dpg, code)) for code in keys)
        )
        if typing() and "Ctrl" not in held:
            return
        if not held and any(parse(name)[1] == key for name in self._resting()):
            return
        for modifiers, run in self._table[key]:
            if modifiers == held:
                run()
