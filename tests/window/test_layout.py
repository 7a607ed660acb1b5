"""The first layout: Dear ImGui's own ids, one visible tab per area, a new file for a new set of panels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.window.layout import DOCK_HOST, crc32c, default_layout, layout_file, tab_id


@dataclass(frozen=True)
class Place:
    title: str
    area: str
    window_id: int


PLACES = [Place("Picture", "centre", 1001), Place("Model", "left-top", 1002), Place("Latent", "left-top", 1003)]


def test_ids_are_those_that_dear_imgui_writes() -> None:
    """Read from an ini file that Dear PyGui 2.3.1 saved."""
    assert [tab_id(number) for number in (1001, 1002, 1003)] == [0x4065AB91, 0x08561B65, 0x304774C9]
    assert crc32c(b"WindowOverViewport_11111111") == DOCK_HOST


def test_the_first_panel_of_an_area_is_its_visible_tab() -> None:
    text = default_layout(PLACES, 1600, 1000, 1.0)
    assert f"ID=0x00000003 Parent=0x00000001 SizeRef=360,500 Selected=0x{tab_id(1002):08X}" in text
    assert "[Window][###1003]\nDockId=0x00000003,1" in text


def test_side_columns_leave_room_for_the_picture_on_a_small_screen() -> None:
    text = default_layout(PLACES, 1000, 700, 2.0)
    centre = next(line for line in text.splitlines() if "CentralNode" in line)
    assert int(centre.split("SizeRef=")[1].split(",")[0]) >= 370


def test_a_new_panel_or_another_place_gets_a_new_layout_file(tmp_path: Path) -> None:
    assert layout_file(tmp_path, PLACES) == layout_file(tmp_path, PLACES[::-1])
    assert layout_file(tmp_path, PLACES) != layout_file(tmp_path, PLACES[:2])
    moved = [*PLACES[:2], replace(PLACES[2], area="right-top")]
    assert layout_file(tmp_path, PLACES) != layout_file(tmp_path, moved)
