"""Every panel at its narrowest in a window of 1280 px: nothing lies outside of the panel, no words are cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg
import pytest

from tests.widgets.support import Bench, model
from widgets.panel import Panel
from widgets.registry import all_panels
from widgets.timeline_panel import TimelinePanel

pytestmark = pytest.mark.gui

NARROWEST = {"left": 360, "right": 422, "centre": 492, "bottom": 434}  # px at scale 1, see app/window/layout.py
HEIGHT = 620
MOST_SCROLLS = 8
MODELS: tuple[dict[str, Any], ...] = (
    {},
    {"path": "/models/classes.pkl", "c_dim": 1000, "condition": "class", "has_transform": True},
    {"path": "/models/words.pkl", "c_dim": 768, "condition": "vector", "has_text_encoder": True},
)
NUMBERS = ("mvSliderFloat", "mvSliderInt", "mvDragFloat", "mvDragInt")


def inside(item: int | str) -> Iterator[int]:
    """Everything in a window, tooltips and what they hold left out."""
    for child in dpg.get_item_children(item, 1) or ():
        if kind(child) != "mvTooltip":
            yield child
            yield from inside(child)


def kind(item: int | str) -> str:
    return str(dpg.get_item_type(item)).split("::")[1]


def text_width(words: str) -> float:
    return float(dpg.get_text_size(words)[0])


def words_and_room(item: int, wide: float) -> tuple[str, float]:
    """What an item shows, and the px that it has for it; ('', 0) for what shows no words of its own in a frame."""
    settings, value, padding = dpg.get_item_configuration(item), dpg.get_value(item), 2.0
    if kind(item) == "mvButton":
        return str(settings["label"] or ""), wide - padding
    if kind(item) == "mvCombo":
        return str(value or ""), wide - 28 - 8
    if kind(item) in NUMBERS:
        form = str(settings["format"])
        return (form % value if "%" in form else form), wide - padding
    if kind(item) == "mvInputInt":
        return str(value), wide - 8 - (2 * 35 if settings["step"] else 0)
    return "", 0.0


def neighbour(item: int) -> int | None:
    """What stands to the right of an item in a row of a table."""
    row = dpg.get_item_parent(item)
    if row is None or kind(row) != "mvTableRow":
        return None
    cells = [cell for cell in dpg.get_item_children(row, 1) if kind(cell) != "mvTooltip"]
    following = cells[cells.index(item) + 1 :]
    drawn = bool(following) and "rect_min" in dpg.get_item_state(following[0]) and dpg.is_item_visible(following[0])
    return following[0] if drawn else None


def faults(window: int) -> Iterator[str]:
    """What does not fit of what is drawn now."""
    right = dpg.get_item_pos(window)[0] + dpg.get_item_rect_size(window)[0]
    for item in inside(window):
        state = dpg.get_item_state(item)
        if not dpg.is_item_shown(item) or not state.get("visible") or "rect_max" not in state:
            continue
        left, end = state["rect_min"][0], state["rect_max"][0]
        if end > right - 4:
            yield f"{kind(item)} {dpg.get_item_label(item)!r} ends {end - right + 4:.0f} px outside"
        words, room = words_and_room(item, end - left)
        if text_width(words) > room:
            yield f"{kind(item)} shows {words!r}, {text_width(words):.0f} px, in {room:.0f}"
        beside = neighbour(item) if kind(item) in ("mvText", "mvCheckbox") else None
        if beside is not None and end > dpg.get_item_state(beside)["rect_min"][0] + 1:
            yield f"{kind(item)} {dpg.get_item_label(item) or dpg.get_value(item)!r} runs into what is beside it"


def all_faults(bench: Bench, panel: Any) -> list[str]:
    """From top to bottom."""
    found: dict[str, None] = {}
    for step in range(MOST_SCROLLS):
        dpg.set_y_scroll(panel.window_id, step * (HEIGHT - 80))
        bench.turn(3)
        found |= dict.fromkeys(faults(panel.window_id))
        if dpg.get_y_scroll(panel.window_id) >= dpg.get_y_scroll_max(panel.window_id):
            break
    return list(found)


@pytest.mark.parametrize("panel_type", all_panels(), ids=lambda panel: panel.title)
def test_everything_fits(bench: Bench, panel_type: type[Panel]) -> None:
    (panel,) = bench.add(panel_type, width=NARROWEST[panel_type.area.split("-")[0]], height=HEIGHT)
    for changes in MODELS:
        bench.show(model=model(**changes))
        bench.turn(4)
        assert all_faults(bench, panel) == []


@pytest.mark.parametrize("width", [284, 350, 434, 492, 760])
def test_the_timeline_fits_in_windows_of_800_px_and_more(bench: Bench, width: int) -> None:
    """The bottom area of windows of 800, 960, 1280 and 1600 px; 434: one of 1600 px, narrowed to 1280."""
    (panel,) = bench.add(TimelinePanel, width=width, height=276)
    bench.show()
    bench.turn(4)
    assert all_faults(bench, panel) == []
    lines = {dpg.get_item_pos(tool.item.tag)[1] for tool in panel.upper.flow.tools}
    assert len(lines) == (1 if width >= 492 else 2)
    if width >= 492:
        assert dpg.get_y_scroll_max(panel.window_id) == 0, "all of it is in sight"


def test_a_cut_label_would_be_found(bench: Bench) -> None:
    class Narrow(Panel):
        title, window_id = "Narrow", 1_900_000_100

        def build(self) -> None:
            dpg.add_button(label="much too long", width=40)
            dpg.add_button(label="outside", width=500)
            dpg.add_slider_float(width=40, format="%.3f seconds")
            dpg.add_combo(["many words"], default_value="many words", width=60)
            with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchSame):
                dpg.add_table_column()
                dpg.add_table_column()
                with dpg.table_row():
                    dpg.add_checkbox(label="a tick with many words")
                    dpg.add_button(label="b")

    (panel,) = bench.add(Narrow, width=200, height=HEIGHT)
    bench.turn(4)
    found = all_faults(bench, panel)
    kinds = [
        "mvButton",
        "mvButton",
        "mvSliderFloat",
        "mvCombo",
        "mvCheckbox",
        "mvCheckbox",
    ]  # the tick for both reasons
    assert [line.split(" ")[0] for line in found] == kinds, found
