"""The lines that panels are made of: label and input, equal columns, buttons, headings, sentences, tooltips."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dearpygui.dearpygui as dpg

from widgets import look

Tag = int | str


class Switchable:
    """Something that can be dimmed, so that it takes no input. `_items` are what the user presses."""

    tag: Tag
    _enabled = True

    @property
    def enabled(self) -> bool:
        """Whether it takes input."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        if enabled != self._enabled:
            self._enabled = enabled
            for item in self._items():
                dpg.configure_item(item, enabled=enabled)

    def _items(self) -> Sequence[Tag]:
        return (self.tag,)


class Button(Switchable):
    """Something to press. theme: 'primary' for what the panel is mainly for, 'danger', 'ghost', or ''."""

    def __init__(self, label: str, hint: str, press: Callable[[], None], *, width: int = 0, theme: str = "") -> None:
        self.press = press
        self.tag = dpg.add_button(label=label, width=width, callback=self._pressed)
        tooltip(self.tag, hint)
        self.dress(theme)

    def _pressed(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        self.press()

    def dress(self, theme: str) -> None:
        """Give it another of the app's item themes."""
        look.bind(self.tag, theme)

    def rename(self, label: str) -> None:
        """Change what stands on it."""
        dpg.set_item_label(self.tag, label)


def buttons(*specs: tuple[str, str, Callable[[], None]], weights: Sequence[float] = ()) -> list[Button]:
    """Buttons that fill one line, of equal width if no weights are given."""
    made: list[Button] = []
    with columns(*(weights or (1.0 for _ in specs))):
        made.extend(Button(label, hint, press, width=-1) for label, hint, press in specs)
    return made


class Words(Switchable):
    """Muted words that stand among tools."""

    def __init__(self, words: str) -> None:
        self.tag = dpg.add_text(words, color=look.MUTED)

    def show(self, words: str) -> None:
        """Say something else."""
        dpg.set_value(self.tag, words)


@contextmanager
def columns(*weights: float, style: str = "rows") -> Iterator[Tag]:
    """One line whose items, created inside, share the width by weight."""
    table: Tag
    with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as table:
        look.bind_style(table, style)
        for weight in weights:
            dpg.add_table_column(init_width_or_weight=weight)
        with dpg.table_row():
            yield table


@contextmanager
def row(label: str, hint: str = "") -> Iterator[None]:
    """One line: the label in the left third, what is created inside to the right; '' gives it the whole width."""
    if not label:
        yield
        return
    with columns(look.LABEL_SHARE, 1 - look.LABEL_SHARE):
        text = dpg.add_text(label, color=look.MUTED)
        tooltip(text, hint)
        yield


def tooltip(tag: Tag, words: str) -> None:
    """Words that appear when the mouse rests on an item."""
    if words:
        with dpg.tooltip(tag, delay=0.5, hide_on_activity=True):
            dpg.add_text(words, wrap=340)


def heading(words: str) -> Tag:
    """A line that opens a part of a panel."""
    return dpg.add_separator(label=words)


def note(words: str = "", colour: look.Colour = look.MUTED) -> Tag:
    """A sentence that wraps at the panel's edge."""
    return dpg.add_text(words, wrap=0, color=colour)
