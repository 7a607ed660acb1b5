"""All panels, found by their file names."""

from __future__ import annotations

import importlib
from pathlib import Path

from widgets.panel import Panel

FIRST_WINDOW_ID = 1_000_000_000  # Dear PyGui's own ids count up from 10 and never get there


def all_panels() -> list[type[Panel]]:
    """Every Panel class of widgets/*_panel.py, by order; ValueError when two share a window_id or have none."""
    found: list[type[Panel]] = []
    for path in sorted(Path(__file__).parent.glob("*_panel.py")):
        module = importlib.import_module(f"widgets.{path.stem}")
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Panel) and value.__module__ == module.__name__
        ]
    found.sort(key=lambda panel: panel.order)
    ids = [panel.window_id for panel in found]
    if min(ids) < FIRST_WINDOW_ID or len(set(ids)) < len(ids):
        raise ValueError(f"panels need window_ids of their own from {FIRST_WINDOW_ID} up, got {ids}")
    return found
