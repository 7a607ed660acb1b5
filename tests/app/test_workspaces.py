"""Workspaces: each shows its own panels, remembers the choice, and leaves no panel out of reach."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import pytest

from app.settings import read_settings
from app.window.workspaces import ALWAYS, EVERYTHING, FIRST, WORKSPACES
from tests.app.whole_app import WholeApp
from widgets.registry import all_panels

TITLES = {panel.title for panel in all_panels()}


def test_every_panel_belongs_to_a_workspace_and_every_name_to_a_panel() -> None:
    named = {*ALWAYS, *(title for workspace in WORKSPACES for title in workspace.panels)}
    assert named == TITLES
    for workspace in WORKSPACES:
        assert set(workspace.in_front) <= {*ALWAYS, *workspace.panels}, workspace.name


@pytest.mark.gui
def test_keys_switch_workspaces(window, screen, tmp_path) -> None:
    app = WholeApp(window, screen, tmp_path)
    try:
        assert visible() == TITLES, "before one is chosen"
        for number, workspace in enumerate(WORKSPACES, start=1):
            app.key(f"ctrl+{number}")
            app.turn(12)
            assert visible() == {*ALWAYS, *workspace.panels}
            hidden = [title for title in workspace.in_front if not app.panel(title).visible()]
            assert not hidden
        app.running.workspaces.show(EVERYTHING)
        assert visible() == TITLES, "by the View menu"
        app.key("ctrl+3")
        app.running.workspaces.raise_panel("Mixing")
        app.turn(3)
        assert app.panel("Mixing").visible(), "out of its workspaces, by the View menu"
        app.running.workspaces.show("of another version")
        assert app.running.workspaces.name == FIRST
    finally:
        app.running.workspaces.show(EVERYTHING)
        app.hand.release()
        app.close()
    assert read_settings(tmp_path / "config")[0].workspace == EVERYTHING


def visible() -> set[str]:
    return {panel.title for panel in all_panels() if dpg.is_item_shown(panel.window_id)}
