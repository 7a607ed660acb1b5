"""The sliders of directions: a name, how far, on which rows of ws; their order is the one in which they act."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import dearpygui.dearpygui as dpg

from app.frame import ModelInfo
from app.request import Push
from app.studies.directions import Slider as Named
from app.studies.directions import name_of, parse
from widgets import look
from widgets.controls import Slider
from widgets.direction_ends import EndPicture
from widgets.direction_source import DirectionSource
from widgets.icons import icon
from widgets.popup_menu import Entry, PopupMenu
from widgets.rows import Button, Tag, tooltip

IN_W, IN_STYLE = 5.0, 30.0  # standard deviations at the ends of a slider
EFFECT_HINT = (
    "Root mean square over the picture of what one standard deviation changes, in % of the range from black to white,"
    " to first order; of the picture where the strongest channels were looked for."
)
NAME_HINT = "Its name: click to change it."
ROWS_HINT = (
    "The first and the last row of ws that it moves. Coarse rows (the first) change pose and shape, fine ones"
    " colour and texture."
)


class DirectionSlider:
    """One direction on the screen; `push` is what it adds to the request."""

    def __init__(self, place: int, named: Named, model: ModelInfo, source: DirectionSource, menu: Callable[[], None]):
        self.named, self.model = named, model
        self.source, self.known = parse(named.push.source), source
        self.last = model.num_ws - 1
        reach = IN_STYLE if self.source.kind == "style" else IN_W
        self.ends: list[EndPicture] = []
        self.group: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as self.group:
            look.bind_style(self.group, "stack")
            dpg.add_table_column(width_fixed=True)
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                self.ends.append(EndPicture())
                with dpg.group():
                    self._build_head(named, menu, source.describe(named.push))
                    self.strength = Slider(
                        "", 0.0, -reach, reach,
                        f"How far {named.name or name_of(named.push)} is gone, in standard deviations of"
                        f" {'this channel of the style' if self.source.kind == 'style' else 'w along it'}.",
                        unit="σ",
                    )  # fmt: skip
                    self._build_rows()
                self.ends.append(EndPicture())
        self.strength.label = f"slider {place + 1}"
        self.strength.set(named.push.strength)  # one from a file may lie beyond the slider's ends

    def _build_head(self, named: Named, menu: Callable[[], None], words: str) -> None:
        table: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as table:
            look.bind_style(table, "small")
            dpg.add_table_column(width_stretch=True)
            dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                self.name: Tag = dpg.add_input_text(
                    default_value=named.name or name_of(named.push), width=-1, callback=self._renamed
                )
                tooltip(self.name, "\n".join(part for part in (NAME_HINT, words) if part))
                self.more = Button(icon("wrench"), "Rows, place in the list, remove.", menu, theme="ghost")

    def _build_rows(self) -> None:
        self.rows: Tag | None = None
        if self.source.kind == "style":
            effect = dpg.add_text(self.known.brief(self.named.push), color=look.MUTED)
            tooltip(effect, EFFECT_HINT)
            return
        first, end = self.named.push.rows or (0, self.last + 1)
        with dpg.group(horizontal=True):
            dpg.add_text("rows", color=look.MUTED)
            self.rows = dpg.add_drag_intx(
                size=2, min_value=0, max_value=self.last, default_value=[first, end - 1], speed=0.08, clamped=True,
                width=-1, callback=self._rows_changed,
            )  # fmt: skip
        tooltip(self.rows, f"{ROWS_HINT} This model has rows 0 to {self.last}.")

    @property
    def push(self) -> Push:
        """What it adds to the request."""
        return replace(self.named.push, strength=self.strength.value)

    @property
    def now(self) -> Named:
        """Its push and its name."""
        return Named(self.push, self.named.name)

    def turn(self) -> None:
        """As far the other way."""
        self.strength.set(-self.strength.value)

    def _renamed(self, sender: Tag, app_data: str) -> None:
        words = app_data.strip()[:80]
        self.named = replace(self.named, name="" if words == name_of(self.named.push) else words)

    def _rows_changed(self, sender: Tag, app_data: list[int]) -> None:
        first, last = sorted(max(0, min(self.last, int(value))) for value in app_data[:2])
        self.set_rows((first, last + 1))

    def set_rows(self, rows: tuple[int, int] | None) -> None:
        """Move these rows from now on (None: all)."""
        rows = None if rows == (0, self.last + 1) else rows
        self.named = replace(self.named, push=replace(self.named.push, rows=rows))
        if self.rows is not None:
            first, end = rows or (0, self.last + 1)
            dpg.set_value(self.rows, [first, end - 1])


class DirectionList:
    """All sliders, in order. empty: the words where there is none; source: knows what is known of a direction."""

    def __init__(self, empty: str, source: DirectionSource) -> None:
        self.source = source
        self.sliders: list[DirectionSlider] = []
        self.empty: Tag = dpg.add_text(empty, wrap=0, color=look.MUTED)
        self.group: Tag = dpg.add_group()
        self.menu = PopupMenu()
        self.reroll: Callable[[Push], Push] = lambda push: push

    @property
    def now(self) -> tuple[Named, ...]:
        """Every slider, also those at 0."""
        return tuple(slider.now for slider in self.sliders)

    @property
    def pushes(self) -> tuple[Push, ...]:
        """What is added to the request: those that are not at 0."""
        return tuple(slider.push for slider in self.sliders if slider.strength.value != 0.0)

    def controls(self) -> Iterator[Slider]:
        """The sliders proper."""
        return (slider.strength for slider in self.sliders)

    def put(self, named: tuple[Named, ...], model: ModelInfo) -> None:
        """Show exactly these."""
        dpg.delete_item(self.group, children_only=True)
        dpg.push_container_stack(self.group)
        self.sliders = []
        for place, one in enumerate(named):
            self.sliders.append(DirectionSlider(place, one, model, self.source, partial(self._menu, place, model)))
        dpg.pop_container_stack()
        dpg.configure_item(self.empty, show=not self.sliders)

    def match(self, pushes: tuple[Push, ...], model: ModelInfo) -> None:
        """Let exactly these pushes act: sliders that are there are set, missing ones are added, the rest goes to 0."""
        if pushes == self.pushes:
            return
        kept, left = _matched(self.now, pushes)
        if not left and tuple(one.push for one in kept if one.push.strength) == pushes:
            for slider, one in zip(self.sliders, kept, strict=True):
                slider.strength.set(one.push.strength)
                slider.set_rows(one.push.rows)
            return
        self.put(_in_order((*kept, *(Named(push) for push in left)), pushes), model)

    def _remove(self, place: int, model: ModelInfo) -> None:
        self.put(tuple(one for at, one in enumerate(self.now) if at != place), model)

    def _menu(self, place: int, model: ModelInfo) -> None:
        slider = self.sliders[place]
        entries: list[Entry] = []
        if slider.source.kind == "random":
            entries.append(
                ("Roll again", "Another random direction in its place.", partial(self._reroll, place, model))
            )
        entries.append(("Other way round", "As far in the opposite direction.", slider.turn))
        if slider.rows is not None:
            for name, rows in _thirds(model.num_ws).items():
                words = f"Move rows {rows[0]} to {rows[1] - 1} alone."
                entries.append((f"{name} rows", words, partial(slider.set_rows, rows)))
            entries.append(("All rows", f"Move rows 0 to {model.num_ws - 1}.", partial(slider.set_rows, None)))
        if place:
            entries.append(("Earlier", "One place up.", partial(self._lift, place, model)))
        entries.append(("Remove", "Take it out of the list.", partial(self._remove, place, model)))
        self.menu.show(entries)

    def _reroll(self, place: int, model: ModelInfo) -> None:
        now = list(self.now)
        now[place] = Named(self.reroll(now[place].push))
        self.put(tuple(now), model)

    def _lift(self, place: int, model: ModelInfo) -> None:
        now = list(self.now)
        now[place - 1], now[place] = now[place], now[place - 1]
        self.put(tuple(now), model)


def _matched(now: tuple[Named, ...], pushes: tuple[Push, ...]) -> tuple[list[Named], list[Push]]:
    """Sliders with the strength and the rows of their push, 0 where there is none; and the pushes without a slider.

    A slider of the same rows comes first; else one of the same direction takes the push's rows.
    """
    left, found = list(pushes), dict[int, Push]()
    for exact in (True, False):
        for place, one in enumerate(now):
            same = (push for push in left if _same(push, one.push, exact))
            if place not in found and (push := next(same, None)) is not None:
                left.remove(push)
                found[place] = push
    still = [replace(one, push=found.get(at, replace(one.push, strength=0.0))) for at, one in enumerate(now)]
    return still, left


def _same(one: Push, other: Push, exact: bool) -> bool:
    return (one.source, one.index) == (other.source, other.index) and (one.rows == other.rows or not exact)


def _in_order(named: tuple[Named, ...], pushes: tuple[Push, ...]) -> tuple[Named, ...]:
    """Sliders whose acting ones stand in the order of the pushes: sums of floats depend on it."""
    acting = [one for one in named if one.push.strength]
    ordered = iter([next(one for one in acting if one.push == push) for push in pushes])
    return tuple(next(ordered) if one.push.strength else one for one in named)


def _thirds(num_ws: int) -> dict[str, tuple[int, int]]:
    """Coarse, middle and fine rows, a third of them each."""
    if num_ws < 3:
        return {}
    first, second = round(num_ws / 3), round(2 * num_ws / 3)
    return {"Coarse": (0, first), "Middle": (first, second), "Fine": (second, num_ws)}
