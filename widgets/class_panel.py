"""The class of conditional generators: picked by name, two of them blended."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import dearpygui.dearpygui as dpg

from app.frame import Frame, LoopState, ModelInfo
from app.request import RenderRequest
from widgets import look
from widgets.choices import Choice
from widgets.class_names import class_names, matching
from widgets.controls import Checkbox, Slider, TextField
from widgets.panel import Panel
from widgets.readouts import KeyValues
from widgets.rows import Tag, buttons, note

SHOWN = 100  # names in the list at once
UNSET = -1


class ClassPanel(Panel):
    """Class A, class B, and how far between them; blends happen in W."""

    title, order, window_id, area = "Class", 22, 1_000_000_012, "left-top"

    def build(self) -> None:
        self.words = note("Open a model first.")
        self.group = dpg.add_group(show=False)
        self.names: tuple[str, ...] = ()
        self.classes = {"a": UNSET, "b": UNSET}
        self.phase = 0.0
        dpg.push_container_stack(self.group)
        self.slot = Choice("pick", "a", {"a": "Class A", "b": "Class B"}, "Which of the two a click in the list sets.")
        self.search = TextField(
            "", "Part of a name, or a number.", placeholder="Search by name or number", on_enter=False
        )
        self.search.on_change = self._search
        self.results: Tag
        with dpg.child_window(border=False) as self.results:
            pass
        look.bind_style(self.results, "list")
        self.height = look.Height(self.results, 8)
        self.table = KeyValues()
        self.blend = Slider("blend", 0.0, 0.0, 1.0, "0 is class A, 1 is class B; a straight line in W.")
        self.animate = Checkbox("to and fro", False, "Blend from A to B and back by itself, by the clock.")
        self.speed = Slider("speed", 0.2, 0.02, 2.0, "Rounds from A to B and back, per second.", unit="rounds / s")
        buttons(
            ("Random", "A random class in the chosen place.", self.pick_random),
            ("Swap", "Exchange A and B.", self._swap),
            ("By seed", "No class chosen: every seed draws its own, as NVIDIA's tools do.", self._unset),
        )
        dpg.pop_container_stack()

    def contribute(self, request: RenderRequest) -> RenderRequest:
        if self.model is None or self.model.condition != "class":
            return request
        a, b = (None if number == UNSET else number for number in self.classes.values())
        blend = self.blend.value if b is not None else 0.0
        return replace(request, condition=replace(request.condition, class_index=a, class_b=b, blend=blend))

    def restore(self, request: RenderRequest) -> None:
        asked = request.condition
        a, b = (UNSET if number is None else number for number in (asked.class_index, asked.class_b))
        self.classes = {"a": a, "b": b}
        self.animate.set(False)
        self.blend.set(asked.blend)

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.follow(frame)
        self.height.update()
        both = self.classes["b"] != UNSET
        self.blend.enabled = self.animate.enabled = self.speed.enabled = both
        self.table.show({"class A": self._name("a"), "class B": self._name("b")})

    def tick(self, seconds: float) -> None:
        if self.animate.value and self.classes["b"] != UNSET:
            self.phase = (self.phase + seconds * self.speed.value) % 1.0
            self.blend.set(round(0.5 - 0.5 * math.cos(2 * math.pi * self.phase), 4))

    def adopt(self, model: ModelInfo, former: ModelInfo | None) -> None:
        conditional = model.condition == "class"
        dpg.configure_item(self.group, show=conditional)
        dpg.configure_item(self.words, default_value=f"{model.title} here has no classes.", show=not conditional)
        if conditional and len(self.names) != model.c_dim:
            self.names = class_names(model.c_dim)
            self._unset()
            self._search(self.search.value)

    def pick(self, number: int) -> None:
        """Put a class into the chosen place."""
        self.classes[self.slot.value] = number

    def pick_random(self) -> None:
        """Put a random class into the chosen place."""
        if self.names:
            self.pick(random.randrange(len(self.names)))

    def _search(self, words: str) -> None:
        found = matching(self.names, words)
        dpg.delete_item(self.results, children_only=True)
        for number in found[:SHOWN]:
            label = f"{number}   {self.names[number]}"
            dpg.add_selectable(label=label, parent=self.results, callback=self._clicked, user_data=number)
        if len(found) != len(found[:SHOWN]) or not found:
            more = f"... and {len(found) - SHOWN} more; type to narrow down." if found else "No class of that name."
            dpg.add_text(more, parent=self.results, color=look.MUTED)

    def _clicked(self, sender: int | str, app_data: bool, user_data: int) -> None:
        dpg.set_value(sender, False)
        self.pick(user_data)

    def _name(self, slot: str) -> str:
        number = self.classes[slot]
        if number == UNSET:
            return "as the seed draws it" if slot == "a" else "none"
        return f"{number} {self.names[number]}"

    def _swap(self) -> None:
        self.classes = {"a": self.classes["b"], "b": self.classes["a"]}

    def _unset(self) -> None:
        self.classes = {"a": UNSET, "b": UNSET}

    def reset(self) -> None:
        super().reset()
        self._unset()
