"""Buttons that take one suspect away (app/studies/ablations.py): the chosen one lit, why others do not apply said."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.studies.ablations import ABLATIONS, Ablation, ablation
from widgets.rows import Button, buttons, note

LONG = 17  # characters of a title; a longer one has a line of its own, in a narrow column too


class AblationChoice:
    """on_change is told when the user takes another one."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self.value: Ablation = ablation("none")
        self.buttons: dict[str, Button] = {}
        short = [each for each in ABLATIONS if len(each.title) <= LONG]
        pairs = [short[place : place + 2] for place in range(0, len(short), 2)]
        for line in (*pairs, *([each] for each in ABLATIONS if each not in short)):
            made = buttons(*((each.title, each.meaning, partial(self._press, each)) for each in line))
            self.buttons |= zip((each.name for each in line), made, strict=True)
        self.why_not = note("")
        self.choose("none")

    def choose(self, name: str) -> None:
        """Choose one by its key, without telling."""
        self.value = ablation(name)
        for key, button in self.buttons.items():
            button.dress("active" if key == name else "")

    def adopt(self, model: ModelInfo) -> None:
        """Offer what changes something on this model, and say why the others do not."""
        refusals = {each.name: each.refusal(model) for each in ABLATIONS}
        for name, button in self.buttons.items():
            button.enabled = not refusals[name]
        if refusals[self.value.name]:
            self.choose("none")
        reasons: dict[str, list[str]] = {}
        for each in ABLATIONS:
            if refusals[each.name]:
                reasons.setdefault(refusals[each.name], []).append(each.title)
        told = "  ".join(f"{', '.join(titles)}: {reason}." for reason, titles in reasons.items())
        dpg.configure_item(self.why_not, default_value=told, show=bool(told))

    def _press(self, chosen: Ablation) -> None:
        if chosen != self.value:
            self.choose(chosen.name)
            self.on_change()
