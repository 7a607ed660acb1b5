"""One of several named values: from a drop-down list, or side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.controls import Control
from widgets.rows import Tag, columns


class Combo(Control[str]):
    """One of several named values: `choices` maps each value to the words shown for it."""

    def __init__(
        self,
        label: str,
        default: str,
        choices: dict[str, str],
        hint: str,
        *,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        self.choices = choices
        super().__init__(label, default, hint, on_change)

    def offer(self, choices: dict[str, str]) -> None:
        """Change what can be chosen; a value that is gone becomes '', none."""
        if choices != self.choices:
            self.choices = choices
            dpg.configure_item(self.tag, items=list(choices.values()))
            self.value = self.value if self.value in choices else ""
            self._write(self.value)

    def _create(self) -> Tag:
        return dpg.add_combo(
            list(self.choices.values()),
            default_value=self.choices.get(self.default, ""),
            width=-1,
            callback=self._changed,
        )

    def _read(self, app_data: Any) -> str:
        return next(value for value, words in self.choices.items() if words == app_data)

    def _write(self, value: str) -> None:
        dpg.set_value(self.tag, self.choices.get(value, ""))


class Choice(Control[str]):
    """Two to four values side by side, the chosen one lit."""

    def __init__(
        self,
        label: str,
        default: str,
        choices: dict[str, str],
        hint: str,
        *,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        self.choices = choices
        self.buttons: dict[str, Tag] = {}
        super().__init__(label, default, hint, on_change)
        self._write(default)

    def _create(self) -> Tag:
        with columns(*(1.0 for _ in self.choices), style="segments") as table:
            for value, words in self.choices.items():
                self.buttons[value] = dpg.add_button(label=words, width=-1, callback=self._pressed)
        return table

    def _items(self) -> Sequence[Tag]:
        return tuple(self.buttons.values())

    def _pressed(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        value = next(value for value, button in self.buttons.items() if button == sender)
        if value != self.value:
            self.set(value)
            self._tell()

    def _write(self, value: str) -> None:
        for name, button in self.buttons.items():
            look.bind(button, "active" if name == value else "")

    @property
    def held(self) -> bool:
        return False
