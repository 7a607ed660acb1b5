"""The bundled fonts, by tag: "font.body" (bound to everything), "font.semibold", "font.small", "font.title".

Dear PyGui 2.3 rasterizes glyphs when they are first drawn and again when the scale changes, so text is sharp at
every scale and needs no glyph ranges. The files hold Latin, Greek, arrows, superscripts, the signs of formulas and,
from U+E000 on, the icons (widgets/icons.py); digits are of equal width, so that changing numbers do not jitter.
"""

from pathlib import Path

import dearpygui.dearpygui as dpg

FONTS = Path(__file__).resolve().parents[2] / "assets" / "fonts"
REGULAR, SEMIBOLD = FONTS / "ui-regular.ttf", FONTS / "ui-semibold.ttf"

# Height of a line in pixels at scale 1.0.
SIZES: dict[str, tuple[Path, int]] = {
    "font.body": (REGULAR, 18),
    "font.semibold": (SEMIBOLD, 18),
    "font.small": (REGULAR, 16),
    "font.title": (SEMIBOLD, 24),
}


def add_fonts() -> None:
    """Registers the fonts and binds the body font. Call once, after dpg.create_context."""
    missing = [path.name for path in (REGULAR, SEMIBOLD) if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"The fonts {', '.join(missing)} are missing in {FONTS}; reinstall StyleScope.")
    with dpg.font_registry():
        for tag, (path, size) in SIZES.items():
            dpg.add_font(str(path), size, tag=tag)
    dpg.bind_font("font.body")
