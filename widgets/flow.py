"""A line of tools that gets along with any width: short labels where the long ones do not fit, then further lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import dearpygui.dearpygui as dpg

from widgets import look
from widgets.choices import Choice
from widgets.controls import Checkbox
from widgets.rows import Button, Switchable, Tag

GAP, BETWEEN = 4, 5  # screen pixels at scale 1: between two tools, between two lines
SNUG = look.STYLES["tools"][dpg.mvStyleVar_FramePadding]
WIDE = (8, 5)  # the app's own padding (app/display/theme.py), at scale 1
Widths = tuple[float, ...]


@dataclass(frozen=True)
class Tool:
    """words: the longest that it shows; boxes: squares beside them (an arrow, a tick); stretch: its share of what is
    left over in a line, 0: none. Where it has a label and a short one, it is `shorter` with the latter."""

    item: Switchable
    words: str
    boxes: int = 0
    stretch: float = 1.0
    label: str = ""
    short: str = ""
    shorter: bool = False
    times: int = 1  # so many of them side by side


@dataclass(frozen=True)
class Place:
    """Where a tool goes: line from 0, left edge and width in pixels."""

    line: int
    left: float
    width: float


class Flow:
    """Tools made inside `with flow:` and then added, in their order; `update` once per loop. snug: in thin frames."""

    def __init__(self, *, snug: bool = True) -> None:
        self.tools: list[Tool] = []
        self.snug = snug
        self.box: Tag = dpg.add_child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True, height=24)
        if snug:
            look.bind_style(self.box, "tools")
        self._shown: tuple[object, ...] = ()

    def __enter__(self) -> Self:
        dpg.push_container_stack(self.box)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        dpg.pop_container_stack()

    def add(self, item: Switchable, words: str, *, boxes: int = 0, stretch: float = 1.0) -> None:
        """A control. words: the longest that stand in it; boxes: 1 for an arrow, 2 for a field's buttons."""
        self.tools.append(Tool(item, words, boxes, stretch))

    def button(self, button: Button, label: str, short: str = "", *, words: str = "", stretch: float = 1.0) -> None:
        """A button. short: what stands on it where room is scarce, an icon; words: its longest label, if it changes."""
        self.tools.append(Tool(button, words or label, 0, stretch, label, short))

    def choice(self, choice: Choice) -> None:
        """Values side by side, each as wide as the longest; made inside a group, as a table has no place of its own."""
        longest = max(choice.choices.values(), key=len)
        self.tools.append(Tool(choice, longest, stretch=1.0, times=len(choice.choices)))

    def tick(self, box: Checkbox, short: str = "") -> None:
        """A checkbox with the words beside it, or in their place an icon."""
        self.tools.append(Tool(box, box.beside, 1, 0.0, box.beside, short))

    def rename(self, item: Switchable, label: str) -> None:
        """Change the long label; the short one stays."""
        for number, tool in enumerate(self.tools):
            if tool.item is item and tool.label != label:
                self.tools[number] = replace(tool, label=label)
                dpg.set_item_label(item.tag, tool.short if tool.shorter else label)

    @property
    def height(self) -> int:
        """Screen pixels that it takes now."""
        return int(dpg.get_item_height(self.box) or 0)

    def update(self) -> None:
        """Follow the width and the scale."""
        width = int(dpg.get_item_rect_size(self.box)[0])
        state = (width, look.pixels(1000), len(self.tools))
        if state == self._shown or width <= 0 or not text_width("0"):
            return
        self._shown = state
        places, shortened = self._arranged(width)
        for number, place in enumerate(places):
            self._put(number, place, shortened[number])
        dpg.configure_item(self.box, height=self.height_at(width))

    def height_at(self, width: float) -> int:
        """Screen pixels that it takes in a panel with so many pixels between its paddings."""
        places, _ = self._arranged(width)
        return int((places[-1].line + 1) * self._step - look.pixels(BETWEEN))

    @property
    def _step(self) -> float:
        return look.line_height() + 2 * self._padding[1] + look.pixels(BETWEEN)

    @property
    def _padding(self) -> tuple[float, float]:
        """Between a frame and its words, screen pixels."""
        return SNUG if self.snug else (look.pixels(WIDE[0]), look.pixels(WIDE[1]))

    def _arranged(self, width: float) -> tuple[list[Place], list[bool]]:
        long = [self._least(tool, tool.words) for tool in self.tools]
        short = [self._least(tool, tool.short or tool.words) for tool in self.tools]
        return arranged(long, short, [tool.stretch for tool in self.tools], width, look.pixels(GAP))

    def _put(self, number: int, place: Place, shorter: bool) -> None:
        tool = self.tools[number]
        self.tools[number] = replace(tool, shorter=shorter and bool(tool.short))
        if tool.label:
            dpg.set_item_label(tool.item.tag, tool.short if shorter and tool.short else tool.label)
        holder = dpg.get_item_parent(tool.item.tag)
        placed = tool.item.tag if holder == self.box or holder is None else holder
        dpg.configure_item(placed, pos=[int(place.left), int(place.line * self._step)])
        if tool.stretch:
            dpg.configure_item(tool.item.tag, width=int(place.width))

    def _least(self, tool: Tool, words: str) -> float:
        across, down = self._padding
        square = look.line_height() + 2 * down
        beside = tool.boxes * (square + look.pixels(GAP))
        return tool.times * (text_width(words) + beside + (2 * across if tool.stretch else look.pixels(GAP)))


def arranged(
    long: Sequence[float], short: Sequence[float], stretch: Sequence[float], width: float, gap: float
) -> tuple[list[Place], list[bool]]:
    """Places of tools with these least widths, and which of them are shortened: from the first on, as few as give the
    fewest lines. What is left over of a line is shared by `stretch`."""
    best: tuple[list[list[int]], list[float], int] | None = None
    for count in range(len(long) + 1):
        least = [*short[:count], *long[count:]]
        lines = broken(least, width, gap)
        if best is None or len(lines) < len(best[0]):
            best = (lines, least, count)
    assert best is not None
    lines, least, count = best
    places: dict[int, Place] = {}
    for number, line in enumerate(lines):
        left = 0.0
        spare = width - sum(least[place] for place in line) - gap * (len(line) - 1)
        total = sum(stretch[place] for place in line)
        for place in line:
            wide = least[place] + (spare * stretch[place] / total if total else 0.0)
            places[place] = Place(number, left, min(wide, width))
            left += wide + gap
    return [places[place] for place in range(len(long))], [place < count for place in range(len(long))]


def broken(least: Sequence[float], width: float, gap: float) -> list[list[int]]:
    """Tools in lines, each as full as can be; a tool that is wider than a line has one of its own."""
    lines: list[list[int]] = [[]]
    room = width
    for place, wide in enumerate(least):
        if lines[-1] and wide > room:
            lines.append([])
            room = width
        lines[-1].append(place)
        room -= wide + gap
    return lines


def text_width(words: str) -> float:
    """Screen pixels of words in the body font; 0 before the first frame."""
    width, height = dpg.get_text_size(words) or (0.0, 0.0)
    return float(width) * look.line_height() / float(height) if height else 0.0
