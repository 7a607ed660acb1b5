"""Keeps the window's layout between runs: docking and positions of panels in an ini file, size and place in a JSON
file.

Dear PyGui has no dock builder: a layout is a file in ImGui's ini format, in which windows are named by their
integer tags. The user's file is written by ImGui itself, a few seconds after each change and at the end. On the
first run it is made from the default that the app hands in.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import dearpygui.dearpygui as dpg

from app.display import native

log = logging.getLogger("stylescope.display")

DefaultLayout = Callable[[int, int, float], str]  # viewport width, height in pixels, scale -> ini text


@dataclass(frozen=True)
class Geometry:
    """Where the viewport stands on the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def within(self, area: tuple[int, int, int, int] | None) -> "Geometry":
        """The same window made to fit into the area (x, y, width, height): after a smaller monitor, for example."""
        if area is None:
            return self
        left, top, width, height = area
        width, height = min(self.width, width), min(self.height, height)
        return Geometry(
            x=max(left, min(self.x, left + area[2] - width)),
            y=max(top, min(self.y, top + area[3] - height)),
            width=width,
            height=height,
        )


def read_geometry(file: Path) -> Geometry | None:
    """The geometry of the last run; None on the first run or, with a warning, when the file is damaged."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        geometry = Geometry(*(int(values[key]) for key in ("x", "y", "width", "height")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("The window's last place could not be read from %s (%s); it opens at its default.", file, error)
        return None
    return geometry if geometry.width > 0 and geometry.height > 0 else None


def write_geometry(file: Path, geometry: Geometry) -> None:
    """Keeps the geometry for the next run; a full disk or a read-only folder is a warning, not the end."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(geometry)), encoding="utf-8")
    except OSError as error:
        log.warning("The window's place could not be kept in %s: %s.", file, error)


class Layout:
    """The ini file of one window: restored at start, kept by ImGui, reset to the default on request."""

    def __init__(self, file: Path, default: DefaultLayout | None) -> None:
        self.file = file
        self._default = default
        self._forgotten = False

    def prepare(self, width: int, height: int, scale: float) -> None:
        """Before show_viewport: makes sure that there is a file, and names it to Dear PyGui.

        A file that is named but does not exist would pile all windows up in one place, so without a default the file
        is named only if it exists (and `finish` writes the first one).
        """
        if not self.file.is_file() and self._default is not None:
            try:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self.file.write_text(self._default(width, height, scale), encoding="utf-8")
            except OSError as error:
                log.warning("The layout cannot be kept in %s: %s.", self.file, error)
        if self.file.is_file():
            dpg.configure_app(init_file=str(self.file))

    def reset(self, width: int, height: int, scale: float) -> bool:
        """Back to the default at once; False where only the next start can do that (the file is then forgotten)."""
        if self._default is not None and native.load_layout(self._default(width, height, scale)):
            return True
        self._forgotten = True
        return False

    def save(self, file: Path) -> None:
        """Writes the current layout to any file, for example to make it a new default."""
        file.parent.mkdir(parents=True, exist_ok=True)
        dpg.save_init_file(str(file))

    def finish(self) -> None:
        """At the end of the run, before destroy_context."""
        try:
            self.save(self.file)
        except OSError as error:
            log.warning("The layout could not be kept in %s: %s.", self.file, error)

    def after_destroy(self) -> None:
        """After destroy_context, in which ImGui writes its file once more: removes it when it is to be forgotten."""
        if self._forgotten:
            self.file.unlink(missing_ok=True)
