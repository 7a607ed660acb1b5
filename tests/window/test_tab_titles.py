"""No title of a tab is cut: the bar of every area has room for all that a workspace puts there, from 1280 px up.

Dear ImGui's rule (imgui_widgets.cpp, TabItemCalcSize; imgui.cpp, DockNodeCalcTabBarLayout): a tab is as wide as its
title, a frame padding on either side and one pixel; inner spacing lies between tabs; the bar is as wide as its node
without a window's border and a frame padding on either side. What does not fit is shortened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.display import native
from app.display.theme import FIXED, METRICS
from app.window.layout import NODES, default_layout
from app.window.workspaces import ALWAYS, WORKSPACES, Workspace
from widgets.registry import all_panels

PADDING, BETWEEN, BORDER = METRICS["FramePadding"][0], METRICS["ItemInnerSpacing"][0], FIXED["WindowBorderSize"][0]
SEPARATOR = METRICS["DockingSeparatorSize"][0]
WIDTHS = (1280, 1366, 1440, 1600, 1920, 2560)
SIDES = (("left-top", "left-bottom"), ("right-top", "right-bottom"))
FIRST_ID = 1_900_000_000


@dataclass(frozen=True)
class Place:
    title: str
    area: str
    window_id: int


def node_widths(width: int) -> dict[str, float]:
    """Area -> px that the first layout gives it in a window of some width."""
    text = default_layout(all_panels(), width, width * 5 // 8, 1.0)
    nodes = {int(number, 16): float(wide) for number, wide in re.findall(r"DockNode ID=(\S+).*SizeRef=(\d+),", text)}
    return {area: nodes[number] for area, number in NODES.items()}


def bars(workspace: Workspace, width: int, made_for: int) -> dict[str, tuple[tuple[str, ...], float]]:
    """Area -> (titles, px for their tabs) in a window of some width; made_for: how wide it was when it was laid out.

    Side columns keep their width when a window is resized, the centre takes the rest.
    """
    nodes = node_widths(made_for)
    shown = [panel for panel in all_panels() if panel.title in (*ALWAYS, *workspace.panels)]
    areas = {panel.area for panel in shown}
    beside = sum(nodes[side[0]] + SEPARATOR for side in SIDES if areas & {*side})
    nodes["centre"] = nodes["bottom"] = width - beside
    return {
        area: (tuple(panel.title for panel in shown if panel.area == area), nodes[area] - 2 * (BORDER + PADDING))
        for area in areas
    }


def needed(titles: tuple[str, ...], text: Mapping[str, float]) -> float:
    """Width of the tabs, px at scale 1."""
    return sum(text[title] + 2 * PADDING + 1 for title in titles) + BETWEEN * (len(titles) - 1)


@pytest.fixture
def text(window) -> dict[str, float]:
    """Title -> px in the font of tabs, as Dear ImGui measures it."""
    return {panel.title: dpg.get_text_size(panel.title, font="font.body")[0] for panel in all_panels()}


@pytest.mark.gui
@pytest.mark.parametrize("width", WIDTHS)
def test_every_title_is_whole_in_every_workspace(text, width: int) -> None:
    cut = [
        f"{workspace.name}, {area}, laid out at {made_for}: {titles} take {needed(titles, text):.0f} of {room:.0f} px"
        for workspace in WORKSPACES
        for made_for in WIDTHS
        for area, (titles, room) in bars(workspace, width, made_for).items()
        if needed(titles, text) > room
    ]
    assert cut == []


@pytest.mark.gui
def test_the_sum_is_what_dear_imgui_draws(window, text) -> None:
    """From the width on that is computed, tabs look the same in any wider bar; with one pixel less they do not."""
    titles = ("Latent", "Truncation", "Directions", "Noise")
    places = [Place(title, "left-top", FIRST_ID + number) for number, title in enumerate(titles)]
    for place in [*places, Place("Picture", "centre", FIRST_ID + len(places))]:
        with dpg.window(label=place.title, tag=place.window_id, no_close=True):
            pass
    enough = round(needed(titles, text) + 2 * (BORDER + PADDING))
    narrower, exact, wider = (bar(window, places, wide)[:, : enough - 2] for wide in (enough - 1, enough, enough + 40))
    np.testing.assert_array_equal(exact, wider)
    assert (narrower != exact).any()


def bar(window: Any, places: list[Place], wide: int) -> np.ndarray:
    """The pixels of a bar of tabs that is `wide` px wide."""
    window.frame()
    text = default_layout(places, *window.size, 1.0)
    column = next(line for line in text.splitlines() if "DockNode ID=0x00000001 " in line)
    assert native.load_layout(text.replace(column, re.sub(r"SizeRef=\d+", f"SizeRef={wide}", column)))
    for _ in range(4):
        window.frame()
    assert dpg.get_item_rect_size(places[0].window_id)[0] == wide
    top = int(dpg.get_item_pos(places[0].window_id)[1])
    return window.grab()[top : top + 24]
