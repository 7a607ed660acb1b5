"""The look: calm neutral greys, so that colours of a picture are judged against grey, and one accent colour.

`Theme.bind(scale)` sets the global theme; sizes are in pixels at scale 1.0 and multiplied. Named themes for single
items carry colours only and are bound by tag, so that panels need no import from here:

    dpg.bind_item_theme(button, "theme.primary")    # the one button of a panel that does the main thing
    "theme.danger" deletes or stops, "theme.ghost" is quiet (icon buttons), "theme.active" is a toggle that is on,
    "theme.muted" is secondary text, "theme.good", "theme.warning", "theme.error" are text that judges,
    "theme.card" sets a child window apart, "theme.canvas" is the dark ground of a picture.
    dpg.bind_colormap(plot, "colormap.lines")       # the colours of a plot's lines
"""

from typing import Any

import dearpygui.dearpygui as dpg

from app.display import native

Colour = tuple[int, int, int] | tuple[int, int, int, int]

# From back to front. All greys have the same slight blue, nothing is pure black: llvm, LCD and OLED look alike.
EMPTY: Colour = (14, 15, 17)
WINDOW: Colour = (23, 24, 28)
CHILD: Colour = (28, 30, 34)
POPUP: Colour = (32, 34, 39)
FRAME: Colour = (39, 42, 48)
FRAME_HOVERED: Colour = (48, 51, 59)
FRAME_ACTIVE: Colour = (56, 60, 69)
BORDER: Colour = (44, 47, 54)
BORDER_LIGHT: Colour = (35, 37, 43)
TEXT: Colour = (228, 230, 235)
TEXT_MUTED: Colour = (139, 145, 157)
ACCENT: Colour = (86, 156, 246)
ACCENT_HOVERED: Colour = (112, 174, 255)
ACCENT_ACTIVE: Colour = (66, 134, 222)
ACCENT_DIM: Colour = (38, 62, 98)
GOOD: Colour = (98, 190, 143)
WARNING: Colour = (232, 178, 88)
ERROR: Colour = (236, 108, 100)
CLEAR: Colour = (0, 0, 0, 0)

# The lines of a plot, in the order in which series are added: distinct in hue and in lightness.
PLOT_LINES: tuple[Colour, ...] = (ACCENT, (240, 164, 88), (108, 200, 152), (226, 112, 142), (170, 140, 240), TEXT_MUTED)


def alpha(colour: Colour, opacity: float) -> Colour:
    """The colour with an opacity of 0 to 1."""
    return (*colour[:3], round(255 * opacity))


COLOURS: dict[str, Colour] = {
    "Text": TEXT,
    "TextDisabled": TEXT_MUTED,
    "WindowBg": WINDOW,
    "ChildBg": CLEAR,
    "PopupBg": POPUP,
    "Border": BORDER,
    "BorderShadow": CLEAR,
    "FrameBg": FRAME,
    "FrameBgHovered": FRAME_HOVERED,
    "FrameBgActive": FRAME_ACTIVE,
    "TitleBg": EMPTY,
    "TitleBgActive": EMPTY,
    "TitleBgCollapsed": EMPTY,
    "MenuBarBg": EMPTY,
    "ScrollbarBg": CLEAR,
    "ScrollbarGrab": FRAME_HOVERED,
    "ScrollbarGrabHovered": (70, 75, 86),
    "ScrollbarGrabActive": (88, 94, 107),
    "CheckMark": ACCENT,
    "SliderGrab": (70, 124, 198),
    "SliderGrabActive": ACCENT,
    "Button": FRAME,
    "ButtonHovered": FRAME_HOVERED,
    "ButtonActive": FRAME_ACTIVE,
    "Header": (36, 46, 62),
    "HeaderHovered": (42, 54, 73),
    "HeaderActive": ACCENT_DIM,
    "Separator": BORDER,
    "SeparatorHovered": ACCENT_ACTIVE,
    "SeparatorActive": ACCENT,
    "ResizeGrip": CLEAR,
    "ResizeGripHovered": alpha(ACCENT, 0.6),
    "ResizeGripActive": ACCENT,
    "Tab": EMPTY,
    "TabHovered": FRAME_HOVERED,
    "TabSelected": WINDOW,
    "TabSelectedOverline": ACCENT,
    "TabDimmed": EMPTY,
    "TabDimmedSelected": WINDOW,
    "TabDimmedSelectedOverline": FRAME_ACTIVE,
    "DockingPreview": alpha(ACCENT, 0.45),
    "DockingEmptyBg": EMPTY,
    "PlotLines": ACCENT,
    "PlotLinesHovered": ACCENT_HOVERED,
    "PlotHistogram": ACCENT_ACTIVE,
    "PlotHistogramHovered": ACCENT_HOVERED,
    "TableHeaderBg": CHILD,
    "TableBorderStrong": BORDER,
    "TableBorderLight": BORDER_LIGHT,
    "TableRowBg": CLEAR,
    "TableRowBgAlt": (255, 255, 255, 5),
    "TextSelectedBg": alpha(ACCENT, 0.35),
    "DragDropTarget": ACCENT,
    "NavCursor": alpha(ACCENT, 0.8),
    "ModalWindowDimBg": (0, 0, 0, 130),
    "TreeLines": BORDER,
    "InputTextCursor": ACCENT_HOVERED,
}

# Pixels at scale 1.0; names as in dpg.mvStyleVar_*.
METRICS: dict[str, tuple[float, ...]] = {
    "WindowPadding": (12, 10),
    "FramePadding": (8, 5),
    "CellPadding": (6, 4),
    "ItemSpacing": (8, 7),
    "ItemInnerSpacing": (7, 5),
    "IndentSpacing": (18,),
    "ScrollbarSize": (11,),
    "ScrollbarRounding": (6,),
    "GrabMinSize": (12,),
    "GrabRounding": (5,),
    "WindowRounding": (8,),
    "ChildRounding": (7,),
    "FrameRounding": (6,),
    "PopupRounding": (8,),
    "TabRounding": (6,),
    "DockingSeparatorSize": (3,),
    "SeparatorTextPadding": (0, 4),
    "WindowMinSize": (80, 48),
}

# Ratios and line widths, which do not grow with the scale.
FIXED: dict[str, tuple[float, ...]] = {
    "WindowBorderSize": (1,),
    "ChildBorderSize": (1,),
    "PopupBorderSize": (1,),
    "FrameBorderSize": (0,),
    "TabBorderSize": (0,),
    "TabBarBorderSize": (0,),
    "TabBarOverlineSize": (2,),
    "SeparatorTextBorderSize": (1,),
    "WindowTitleAlign": (0.0, 0.5),
    "ButtonTextAlign": (0.5, 0.5),
    "SelectableTextAlign": (0.0, 0.5),
    "SeparatorTextAlign": (0.0, 0.5),
    "DisabledAlpha": (0.45,),
}

PLOT_COLOURS: dict[str, Colour] = {
    "FrameBg": CLEAR,
    "PlotBg": EMPTY,
    "PlotBorder": BORDER,
    "LegendBg": alpha(POPUP, 0.85),
    "LegendBorder": BORDER,
    "LegendText": TEXT,
    "TitleText": TEXT,
    "InlayText": TEXT,
    "AxisText": TEXT_MUTED,
    "AxisGrid": (255, 255, 255, 22),
    "AxisTick": (255, 255, 255, 40),
    "AxisBg": CLEAR,
    "AxisBgHovered": alpha(FRAME_HOVERED, 0.6),
    "AxisBgActive": FRAME_ACTIVE,
    "Selection": ACCENT,
    "Crosshairs": TEXT_MUTED,
}

PLOT_METRICS: dict[str, tuple[float, ...]] = {
    "LineWeight": (1.5,),
    "PlotPadding": (6, 6),
    "LabelPadding": (4, 4),
    "LegendPadding": (6, 6),
    "LegendInnerPadding": (6, 4),
    "MousePosPadding": (6, 6),
    "MinorAlpha": (0.4,),
    "PlotBorderSize": (1,),
}

# Items that are switched off; Dear PyGui dims only those of menus by itself.
DISABLED: dict[str, Colour] = {
    "Text": (92, 96, 106),
    "Button": (30, 32, 37),
    "ButtonHovered": (30, 32, 37),
    "ButtonActive": (30, 32, 37),
    "FrameBg": (29, 31, 35),
    "FrameBgHovered": (29, 31, 35),
    "FrameBgActive": (29, 31, 35),
    "SliderGrab": (62, 66, 75),
    "SliderGrabActive": (62, 66, 75),
    "CheckMark": (92, 96, 106),
}
DISABLED_TYPES = (
    *("mvButton", "mvCheckbox", "mvRadioButton", "mvCombo", "mvSelectable", "mvListbox"),
    *("mvSliderFloat", "mvSliderInt", "mvDragFloat", "mvDragInt", "mvInputText", "mvInputInt", "mvInputFloat"),
)

# Colours of single items, by tag.
ITEM_THEMES: dict[str, dict[str, Colour]] = {
    "theme.primary": {
        "Button": ACCENT_ACTIVE,
        "ButtonHovered": ACCENT,
        "ButtonActive": ACCENT_HOVERED,
        "Text": (255, 255, 255),
    },
    "theme.danger": {"Button": (104, 44, 44), "ButtonHovered": (150, 58, 56), "ButtonActive": ERROR},
    "theme.ghost": {"Button": CLEAR, "ButtonHovered": FRAME_HOVERED, "ButtonActive": FRAME_ACTIVE},
    "theme.active": {"Button": ACCENT_DIM, "ButtonHovered": (50, 80, 124), "Text": ACCENT_HOVERED},
    "theme.muted": {"Text": TEXT_MUTED},
    "theme.accent": {"Text": ACCENT_HOVERED},
    "theme.good": {"Text": GOOD},
    "theme.warning": {"Text": WARNING},
    "theme.error": {"Text": ERROR},
    "theme.card": {"ChildBg": CHILD, "Border": BORDER_LIGHT},
    "theme.canvas": {"WindowBg": EMPTY, "ChildBg": EMPTY},
}


class Theme:
    """The global theme at one scale, and the item themes by tag. Create it once, after dpg.create_context."""

    def __init__(self) -> None:
        self._bound: int | str | None = None
        for tag, colours in ITEM_THEMES.items():
            with dpg.theme(tag=tag), dpg.theme_component(dpg.mvAll):
                _add_colours(colours)
        with dpg.colormap_registry():
            dpg.add_colormap([list(colour) for colour in PLOT_LINES], qualitative=True, tag="colormap.lines")

    def bind(self, scale: float) -> None:
        """Applies the theme with all sizes multiplied by `scale`; may be called again when the scale changes."""
        theme: int | str
        with dpg.theme() as theme:
            with dpg.theme_component(dpg.mvAll):
                _add_colours(COLOURS)
                _add_styles(scale)
            with dpg.theme_component(dpg.mvCollapsingHeader):
                _add_colours({"Header": FRAME, "HeaderHovered": FRAME_HOVERED, "HeaderActive": FRAME_ACTIVE})
            for item_type in DISABLED_TYPES:
                with dpg.theme_component(getattr(dpg, item_type), enabled_state=False):
                    _add_colours(DISABLED)
            with dpg.theme_component(dpg.mvPlot):
                _add_plot_colours(PLOT_COLOURS)
                _add_plot_styles(PLOT_METRICS, scale)
        dpg.bind_theme(theme)
        if self._bound is not None:
            dpg.delete_item(self._bound)
        self._bound = theme

    def write_base(self, scale: float) -> None:
        """The same for what Dear PyGui draws outside of themes (the tabs of docks); after show_viewport."""
        colours = {_constant("ThemeCol", name): _unit(colour) for name, colour in COLOURS.items()}
        variables = {_constant("StyleVar", name): values for name, values in _styles(scale).items()}
        native.write_style(colours, variables)


def _constant(prefix: str, name: str) -> Any:
    return getattr(dpg, f"mv{prefix}_{name}")


def _add_colours(colours: dict[str, Colour]) -> None:
    for name, colour in colours.items():
        dpg.add_theme_color(_constant("ThemeCol", name), colour)


def _add_plot_colours(colours: dict[str, Colour]) -> None:
    for name, colour in colours.items():
        dpg.add_theme_color(_constant("PlotCol", name), colour, category=dpg.mvThemeCat_Plots)


def _add_styles(scale: float) -> None:
    for name, values in _styles(scale).items():
        dpg.add_theme_style(_constant("StyleVar", name), *values)


def _styles(scale: float) -> dict[str, list[float]]:
    """All style variables at a scale."""
    scaled = {name: _scaled(values, scale) for name, values in METRICS.items()}
    return scaled | {name: list(values) for name, values in FIXED.items()}


def _unit(colour: Colour) -> tuple[float, ...]:
    """0..255, opaque unless an alpha is given -> RGBA in 0..1."""
    return tuple(value / 255 for value in (*colour, 255)[:4])


def _add_plot_styles(styles: dict[str, tuple[float, ...]], scale: float) -> None:
    for name, values in styles.items():
        factor = 1.0 if name == "MinorAlpha" else scale
        dpg.add_theme_style(
            _constant("PlotStyleVar", name), *[value * factor for value in values], category=dpg.mvThemeCat_Plots
        )


def _scaled(values: tuple[float, ...], scale: float) -> list[float]:
    """Whole pixels where the scale is not 1, so that edges stay sharp."""
    return list(values) if scale == 1.0 else [float(round(value * scale)) for value in values]
