"""The first layout of the docked windows, as the text of an ini file. Plain text, no GUI library.

Dear PyGui has no dock builder; it reads the docking tree from an ini at start. Later the user's own layout is kept in
the same format. The two ids below are Dear PyGui 2.3's names for its full-window dock space.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

DOCK_SPACE, DOCK_HOST = 0x08BD597D, 0x1BBC0F80
# area -> node id; the tree is left | centre | right, with the sides cut in two and a strip under the centre.
NODES = {"left-top": 3, "left-bottom": 4, "centre": 5, "right-top": 7, "right-bottom": 8, "bottom": 10}

LEAST_STRIP = 276  # pixels at scale 1 for the bottom area: the timeline's tools and a track


class Placed(Protocol):
    """A window with a place in the first layout (a panel class is one)."""

    title: str
    area: str
    window_id: int


def default_layout(panels: Sequence[Placed], width: int, height: int, scale: float) -> str:
    """The ini text for a viewport of width x height pixels: each area's first panel is the visible tab."""
    left, right = int(360 * scale), int(480 * scale)
    left, right = min(left, int(width * 0.3)), min(right, int(width * 0.33))
    centre = width - left - right
    selected: dict[str, int] = {}
    lines = []
    for area in NODES:
        for position, panel in enumerate(panel for panel in panels if panel.area == area):
            lines += [f"[Window][###{panel.window_id}]", f"DockId=0x{NODES[area]:08X},{position}", ""]
            selected.setdefault(area, panel.window_id)

    def leaf(area: str, parent: int, w: int, h: int, extra: str = "") -> str:
        tab = f" Selected=0x{tab_id(selected[area]):08X}" if area in selected else ""
        return f"  DockNode ID=0x{NODES[area]:08X} Parent=0x{parent:08X} SizeRef={w},{h}{extra}{tab}"

    upper_left, upper_right = int(height * 0.5), int(height * 0.66)
    strip = int(min(max(height * 0.27, LEAST_STRIP * scale), height * 0.36))
    middle = [leaf("centre", 2, centre, height, " CentralNode=1")]
    if "bottom" in selected:
        middle = [
            f"  DockNode ID=0x00000009 Parent=0x00000002 SizeRef={centre},{height} Split=Y",
            leaf("centre", 9, centre, height - strip, " CentralNode=1"),
            leaf("bottom", 9, centre, strip),
        ]
    lines += [
        "[Docking][Data]",
        f"DockSpace ID=0x{DOCK_SPACE:08X} Window=0x{DOCK_HOST:08X} Pos=0,0 Size={width},{height} Split=X",
        f"  DockNode ID=0x00000001 Parent=0x{DOCK_SPACE:08X} SizeRef={left},{height} Split=Y",
        leaf("left-top", 1, left, upper_left),
        leaf("left-bottom", 1, left, height - upper_left),
        f"  DockNode ID=0x00000002 Parent=0x{DOCK_SPACE:08X} SizeRef={centre + right},{height} Split=X",
        *middle,
        f"  DockNode ID=0x00000006 Parent=0x00000002 SizeRef={right},{height} Split=Y",
        leaf("right-top", 6, right, upper_right),
        leaf("right-bottom", 6, right, height - upper_right),
    ]
    return "\n".join(lines) + "\n"


def tab_id(window_id: int) -> int:
    """Dear ImGui's id of a window's tab: the hash of '#TAB' seeded with the window's own id."""
    return crc32c(b"#TAB", crc32c(b"###%d" % window_id))


def crc32c(data: bytes, seed: int = 0) -> int:
    """CRC-32C (Castagnoli), bit by bit: Dear ImGui's hash of names."""
    crc = seed ^ 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def layout_file(folder: Path, panels: Sequence[Placed]) -> Path:
    """The user's layout file for these panels: a new one or another first place starts from the first layout again."""
    ids = ",".join(sorted(f"{panel.window_id}@{panel.area}" for panel in panels))
    return folder / f"layout-{zlib.crc32(ids.encode()):08x}.ini"
