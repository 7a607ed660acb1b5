"""Theme and fonts: every name exists in Dear PyGui, every sign that the app writes is in both fonts."""

from __future__ import annotations

import struct

import dearpygui.dearpygui as dpg
import pytest

from app.display import fonts, native, theme
from tests.gui_support import Screen, point_in
from widgets.icons import CHARACTERS, icon

SIGNS = "ψσθμλΔπΣ°←↑→↓↔↕↺↻±−×÷·≈≠≤≥∞√‖²³⁻¹⁰₀₁₂…–—•‘’“”▶◀▲▼●○■□✓✗⌘⇧"


def characters(path) -> set[int]:
    """Code points in a TrueType file: the format 4 and 12 tables of its cmap (OpenType specification)."""
    data = path.read_bytes()
    tables = {data[12 + 16 * i : 16 + 16 * i]: struct.unpack_from(">II", data, 20 + 16 * i) for i in range(data[5])}
    cmap = tables[b"cmap"][0]
    found: set[int] = set()
    for record in range(struct.unpack_from(">H", data, cmap + 2)[0]):
        at = cmap + struct.unpack_from(">I", data, cmap + 8 + 8 * record)[0]
        kind = struct.unpack_from(">H", data, at)[0]
        if kind == 4:
            half = struct.unpack_from(">H", data, at + 6)[0]
            ends = struct.unpack_from(f">{half // 2}H", data, at + 14)
            starts = struct.unpack_from(f">{half // 2}H", data, at + 16 + half)
            found |= {code for a, b in zip(starts, ends, strict=True) for code in range(a, b + 1)}
        elif kind == 12:
            for group in range(struct.unpack_from(">I", data, at + 12)[0]):
                a, b, _ = struct.unpack_from(">III", data, at + 16 + 12 * group)
                found |= set(range(a, b + 1))
    return found


@pytest.mark.parametrize("path", [fonts.REGULAR, fonts.SEMIBOLD], ids=lambda path: path.stem)
def test_fonts_hold_every_sign_and_icon_and_stay_small(path):
    held = characters(path)
    assert [sign for sign in SIGNS if ord(sign) not in held] == []
    assert [name for name, character in CHARACTERS.items() if ord(character) not in held] == []
    assert path.stat().st_size < 150_000


def test_icons_are_known_by_name():
    assert icon("play") == "\ue000"
    assert len(CHARACTERS) == len(set(CHARACTERS.values())) > 100
    with pytest.raises(KeyError):
        icon("no such icon")


def test_every_name_in_the_theme_is_one_of_dear_pygui():
    for prefix, table in (
        ("mvThemeCol", theme.COLOURS),
        ("mvStyleVar", theme.METRICS),
        ("mvStyleVar", theme.FIXED),
        ("mvPlotCol", theme.PLOT_COLOURS),
        ("mvPlotStyleVar", theme.PLOT_METRICS),
        *(("mvThemeCol", colours) for colours in theme.ITEM_THEMES.values()),
    ):
        assert [name for name in table if not hasattr(dpg, f"{prefix}_{name}")] == []


def contrast(a: theme.Colour, b: theme.Colour) -> float:
    """WCAG 2.1 contrast ratio, 1 to 21."""

    def luminance(colour: theme.Colour) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour[:3])]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", [theme.WINDOW, theme.CHILD, theme.POPUP, theme.FRAME])
def test_text_is_readable_on_every_ground(ground):
    assert contrast(theme.TEXT, ground) > 10
    for colour in (theme.TEXT_MUTED, theme.ACCENT_HOVERED, theme.GOOD, theme.WARNING, theme.ERROR):
        assert contrast(colour, ground) > 4.5


@pytest.mark.gui
def test_an_item_theme_and_the_global_theme_colour_what_is_drawn(window):
    with dpg.window(pos=(0, 0), width=400, height=200, no_title_bar=True):
        plain = dpg.add_button(width=100, height=40)
        primary = dpg.add_button(width=100, height=40)
        dpg.bind_item_theme(primary, "theme.primary")
    shown = window.grab()

    def colour_at(item: int, across: float, down: float) -> tuple[int, ...]:
        x, y = (int(value) for value in point_in(item, across, down))
        return tuple(int(value) for value in shown[y, x, :3])

    assert colour_at(plain, 0.5, 0.5) == theme.FRAME
    assert colour_at(primary, 0.5, 0.5) == theme.ACCENT_ACTIVE
    assert colour_at(primary, 1.5, 0.5) == theme.WINDOW
    assert tuple(shown[600, 900, :3]) == theme.EMPTY


@pytest.mark.gui
def test_imguis_own_style_follows_for_the_tabs_of_docks(window, screen: Screen):
    address, count = native._style_variable(dpg.mvStyleVar_TabRounding)
    value = native.ctypes.c_float.from_address(address)
    assert (count, value.value) == (1, 6.0)
    window.user_scale = 2.0
    assert value.value == 12.0
    title_align, _ = native._style_variable(native.TITLE_ALIGN)
    assert native.ctypes.c_int.from_address(title_align + 8).value == native.DIRECTION_NONE
