"""Workspaces: which panels are on the screen for what one is about to do. The others wait in View > Panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg

ALWAYS = ("Picture", "Model", "Class", "Prompt", "Latent", "Truncation")


@dataclass(frozen=True)
class Workspace:
    """panels: beside those that are always there; in front: tabs that are raised, one for each area."""

    name: str
    hint: str
    panels: tuple[str, ...]
    in_front: tuple[str, ...] = ()


WORKSPACES = (
    Workspace(
        "Explore",
        "Walk through W, mix styles, look into the layers.",
        ("Noise", "Mixing", "Directions", "Layers", "Transform", "Performance", "Capture", "Seeds", "Slots",
         "Style matrix", "Psi strip", "Interventions"),
        ("Model", "Latent", "Picture", "Layers", "Mixing", "Seeds"),
    ),
    Workspace(
        "Walk studio",
        "Keyframes, slots, recordings, control by other devices, photos.",
        ("Noise", "Mixing", "Directions", "Transform", "Capture", "Timeline", "Slots", "Path length", "Control",
         "Projection"),
        ("Capture", "Latent", "Picture", "Projection", "Transform", "Timeline"),
    ),
    Workspace(
        "Droplets",
        "Find spikes in feature maps, and see what they do.",
        ("Noise", "Before and after", "Layers", "Droplets", "Interventions", "Droplet search", "Contributions",
         "Noise study", "Spectrum"),
        ("Model", "Latent", "Picture", "Droplets", "Droplet search"),
    ),
    Workspace(
        "Sticking",
        "Models side by side: what sticks to the pixels, what moves with the objects.",
        ("Compare", "Noise", "Sticking", "Equivariance", "Layers", "Transform", "Spectrum", "Path length"),
        ("Model", "Latent", "Picture", "Sticking", "Transform"),
    ),
    Workspace(
        "Training",
        "Watch a run learn.",
        ("Training", "Layers", "Spectrum", "Performance", "Compare", "Seeds", "Noise"),
        ("Training", "Latent", "Picture", "Layers", "Spectrum", "Seeds"),
    ),
    Workspace(
        "Measure",
        "What layers, noise and steps in W do to the picture, in numbers.",
        ("Noise", "Layers", "Noise study", "Equivariance", "Path length", "Contributions", "Spectrum", "Performance",
         "Seeds"),
        ("Model", "Latent", "Picture", "Noise study", "Contributions", "Seeds"),
    ),
)  # fmt: skip
EVERYTHING = "Everything"  # no workspace to work in, and without a key: so many tabs fit no window
EVERYTHING_HINT = (
    "All panels at once. More tabs than fit beside each other: their titles are shortened.\n"
    "Drag tabs to other places, or add single panels to a workspace with View > Panels."
)
FRAMES_TO_DOCK = 2
FIRST = WORKSPACES[0].name
NAMES = tuple(workspace.name for workspace in WORKSPACES)


class Workspaces:
    """Shows and hides the panels' windows. windows: (title, window id). remember: keeps the choice."""

    def __init__(self, windows: Sequence[tuple[str, int]], remember: Callable[[str], None]) -> None:
        self._windows = dict(windows)
        self._remember = remember
        self._items: dict[str, int | str] = {}
        self.name = EVERYTHING
        self._waiting: list[str | None] = []  # None: a turn to wait

    def build_menu(self) -> None:
        """The menu entries, the chosen one ticked; called inside a menu."""
        for number, name in enumerate((*NAMES, EVERYTHING), start=1):
            keys = f"Ctrl+{number}" if name in NAMES else ""
            self._items[name] = dpg.add_menu_item(
                label=name, shortcut=keys, check=True, callback=lambda _, __, name=name: self.show(name)
            )
            with dpg.tooltip(self._items[name], delay=0.4):
                dpg.add_text(_hint(name))

    def show(self, name: str) -> None:
        """Switch to a workspace; an unknown name (of another version's settings) is the first."""
        name = name if name in (*NAMES, EVERYTHING) else FIRST
        self.name = name
        chosen = next((workspace for workspace in WORKSPACES if workspace.name == name), None)
        for title, window in self._windows.items():
            wanted = chosen is None or title in ALWAYS or title in chosen.panels
            dpg.configure_item(window, show=wanted)
        front = () if chosen is None else chosen.in_front
        self._waiting = [*(None for _ in range(FRAMES_TO_DOCK)), *(title for title in front if title in self._windows)]
        for other, item in self._items.items():
            dpg.set_value(item, other == name)
        self._remember(name)

    def update(self) -> None:
        """Once per turn: raise the tabs, one after the other. A window that was hidden must be docked first."""
        if self._waiting and (title := self._waiting.pop(0)) is not None:
            dpg.focus_item(self._windows[title])

    def raise_panel(self, title: str) -> None:
        """Bring a panel to the front, also one that this workspace leaves out."""
        dpg.configure_item(self._windows[title], show=True)
        dpg.focus_item(self._windows[title])


def _hint(name: str) -> str:
    return next((workspace.hint for workspace in WORKSPACES if workspace.name == name), EVERYTHING_HINT)
