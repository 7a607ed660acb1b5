"""Labelled inputs with one look: label left, input right, tooltip with unit and meaning, right-click for the default.

Each control keeps its value in Python (`value`); Dear PyGui's callbacks, which run in our own loop, write it. `set`
changes value and picture without calling `on_change`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar

import dearpygui.dearpygui as dpg

from widgets.rows import Switchable, Tag, row, tooltip

T = TypeVar("T")


class Control(Switchable, ABC, Generic[T]):
    """A value that the user sets. Sub-classes create the item in `_create` and convert what it sends in `_read`."""

    held_to_change: ClassVar[bool] = False  # the value moves while the mouse button is down

    def __init__(self, label: str, default: T, hint: str, on_change: Callable[[T], None] | None = None) -> None:
        self.default = self.value = default
        self.label, self.on_change = label, on_change
        self.steered = False  # values stream in from outside (app/control): it counts as held
        with row(label, self._hint(hint)):
            self.tag = self._create()
        for item in self._items():
            tooltip(item, self._hint(hint))
            dpg.configure_item(item, user_data=self)
            dpg.bind_item_handler_registry(item, _right_click_registry())

    def set(self, value: T) -> None:
        """Show and hold another value."""
        if value != self.value:
            self.value = value
            self._write(value)

    def reset(self) -> None:
        """Back to the default; tells `on_change`."""
        self.move(self.default)

    def move(self, value: T) -> None:
        """Another value, as if the user had set it: tells `on_change`."""
        if value != self.value:
            self.set(value)
            self._tell()

    @property
    def held(self) -> bool:
        """Whether the mouse holds it, or text is being typed into it."""
        return bool(dpg.is_item_active(self.tag))

    @property
    def active(self) -> bool:
        """Whether it is being moved: by the user's hand, or from outside."""
        return self.steered or self.held

    @abstractmethod
    def _create(self) -> Tag:
        """Make the item(s); return the main one."""

    def _read(self, app_data: Any) -> T:
        value: T = app_data
        return value

    def _write(self, value: T) -> None:
        dpg.set_value(self.tag, value)

    def _hint(self, hint: str) -> str:
        return hint

    def _changed(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        value = self._read(app_data)
        if value != self.value:
            self.value = value
            self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change(self.value)


class Slider(Control[float]):
    """A number between two ends. Ctrl+click types it. name: stands before the number, where there is no label."""

    held_to_change = True

    def __init__(
        self,
        label: str,
        default: float,
        low: float,
        high: float,
        hint: str,
        *,
        unit: str = "",
        decimals: int = 2,
        name: str = "",
    ) -> None:
        self.low, self.high, self.decimals = low, high, decimals
        self.format = f"{name} %.{decimals}f{_unit(unit)}".strip()
        super().__init__(label, default, hint)

    def _create(self) -> Tag:
        return dpg.add_slider_float(
            default_value=self.default,
            min_value=self.low,
            max_value=self.high,
            format=self.format,
            clamped=True,
            width=-1,
            callback=self._changed,
        )

    def _read(self, app_data: Any) -> float:
        return round(float(app_data), self.decimals)

    def _hint(self, hint: str) -> str:
        return f"{hint}\nRight-click: back to {self.format % self.default}. Ctrl+click: type a number."


class Drag(Slider):
    """A number without ends that matter: drag sideways, double-click types it. step: change per pixel."""

    def __init__(
        self,
        label: str,
        default: float,
        hint: str,
        *,
        step: float = 0.01,
        low: float = -1e9,
        high: float = 1e9,
        unit: str = "",
        decimals: int = 2,
    ) -> None:
        self.step = step
        super().__init__(label, default, low, high, hint, unit=unit, decimals=decimals)

    def _create(self) -> Tag:
        return dpg.add_drag_float(
            default_value=self.default,
            min_value=self.low,
            max_value=self.high,
            speed=self.step,
            format=self.format,
            clamped=True,
            width=-1,
            callback=self._changed,
        )

    def _hint(self, hint: str) -> str:
        return f"{hint}\nDrag sideways. Right-click: back to {self.format % self.default}. Double-click: type a number."


class IntSlider(Control[int]):
    """A whole number between two ends; `words` maps special values to what is shown instead."""

    held_to_change = True

    def __init__(
        self,
        label: str,
        default: int,
        low: int,
        high: int,
        hint: str,
        *,
        unit: str = "",
        words: dict[int, str] | None = None,
    ) -> None:
        self.low, self.high, self.words = low, high, words or {}
        self.format = f"%d{_unit(unit)}"
        super().__init__(label, default, hint)
        self._show_words()

    def limit(self, low: int, high: int, words: dict[int, str] | None = None) -> None:
        """Change the ends; a value outside moves to the nearer one."""
        self.low, self.high, self.words = low, high, words or {}
        dpg.configure_item(self.tag, min_value=low, max_value=high)
        self.set(min(high, max(low, self.value)))
        self._show_words()

    def set(self, value: int) -> None:
        super().set(value)
        self._show_words()

    def _create(self) -> Tag:
        return dpg.add_slider_int(
            default_value=self.default,
            min_value=self.low,
            max_value=self.high,
            clamped=True,
            width=-1,
            callback=self._changed,
        )

    def _changed(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        super()._changed(sender, app_data, user_data)
        self._show_words()

    def _show_words(self) -> None:
        dpg.configure_item(self.tag, format=self.words.get(self.value, self.format))

    def _hint(self, hint: str) -> str:
        return f"{hint}\nRight-click: back to the default. Ctrl+click: type a number."


class IntField(Control[int]):
    """A whole number to type, with buttons for one more and one less."""

    def __init__(
        self, label: str, default: int, hint: str, *, low: int = 0, high: int = 2**31 - 1, buttons: bool = True
    ) -> None:
        self.low, self.high, self.buttons = low, high, buttons
        super().__init__(label, default, hint)

    def _create(self) -> Tag:
        return dpg.add_input_int(
            default_value=self.default,
            min_value=self.low,
            max_value=self.high,
            min_clamped=True,
            max_clamped=True,
            step=1 if self.buttons else 0,
            width=-1,
            callback=self._changed,
        )

    def _hint(self, hint: str) -> str:
        return f"{hint}\nRight-click: back to {self.default}."


class Checkbox(Control[bool]):
    """On or off. beside: words to the right of the box, in place of a label to the left."""

    def __init__(self, label: str, default: bool, hint: str, *, beside: str = "") -> None:
        self.beside = beside
        super().__init__(label, default, hint)

    def _create(self) -> Tag:
        return dpg.add_checkbox(label=self.beside, default_value=self.default, callback=self._changed)


class TextField(Control[str]):
    """Text that counts when Enter is pressed (or at once: on_enter False)."""

    def __init__(
        self,
        label: str,
        hint: str,
        *,
        placeholder: str = "",
        on_enter: bool = True,
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        self.placeholder, self.on_enter = placeholder, on_enter
        super().__init__(label, "", hint, on_change)

    def _create(self) -> Tag:
        return dpg.add_input_text(
            hint=self.placeholder, on_enter=self.on_enter, width=-1, callback=self._changed, auto_select_all=True
        )

    def _changed(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        self.value = str(app_data).strip()
        self._tell()


def _unit(unit: str) -> str:
    return f" {unit}".replace("%", "%%") if unit else ""


def _right_click_registry() -> Tag:
    """The handler shared by all controls: a right click brings the default back."""
    tag = "controls.right_click"
    if not dpg.does_item_exist(tag):
        with dpg.item_handler_registry(tag=tag):
            dpg.add_item_clicked_handler(dpg.mvMouseButton_Right, callback=_right_clicked)
    return tag


def _right_clicked(sender: Tag, app_data: Any, user_data: Any) -> None:
    control = dpg.get_item_user_data(app_data[1])
    if isinstance(control, Control) and control.enabled:
        control.reset()
