"""Buttons that take one suspect away (app/studies/ablations.py): the chosen one lit, why others do not apply said."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.studies.ablations import ABLATIONS, Ablation, ablation
from widgets.rows import Button, buttons, note

FIRST_LINE = 3  # buttons


class AblationChoice:
    """on_change is told when the user takes another one."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.on_change = on_change
        self.value: Ablation = ablation("none")
        made: list[Button] = []
        for part in (ABLATIONS[:FIRST_LINE], ABLATIONS[FIRST_LINE:]):
            made += buttons(*((each.title, each.meaning, partial(self._press, each)) for each in part))
        self.buttons = dict(zip((each.name for each in ABLATIONS), made, strict=True))
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
