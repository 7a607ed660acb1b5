"""The ladder of saliency maps S(p), one per resolution from 4x4 up, each with its spot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from app.colormaps import colourize
from app.studies.droplets import DropletReport, LayerDroplet
from networks.plan import PRE_NORM
from widgets import look
from widgets.panel import Texture
from widgets.rows import Tag, tooltip

TILE_PX = 128  # of one map in the atlas, the size of the largest map that is handed over
# Screen pixels at scale 1: side of a tile, between tiles, the line of words below one, its font.
SMALLEST, LARGEST, GAP, WORDS, TEXT = 62.0, 92.0, 10.0, 18.0, 15.0
CALM: look.Colour = (139, 145, 157, 255)
FRAME: look.Colour = (44, 47, 54, 255)
COLOURS = "magma"


def rungs(report: DropletReport) -> list[LayerDroplet]:
    """The layer with the largest ratio of each resolution, from coarse to fine."""
    strongest: dict[int, LayerDroplet] = {}
    for layer in report.layers:
        step = round(layer.resolution)
        if step not in strongest or layer.ratio > strongest[step].ratio:
            strongest[step] = layer
    return [strongest[step] for step in sorted(strongest)]


def tile(layer: LayerDroplet, threshold: float) -> np.ndarray:
    """S over its median from 0 to twice the threshold as colours: uint8 [TILE_PX, TILE_PX, 4].

    One scale for all maps of all models, so that what is brighter than the middle lies above the threshold.
    """
    S = layer.saliency
    middle = float(np.median(S))
    if layer.ratio > 0 and float(S.max()) > 0:  # the map may have been reduced by maxima: the ratio is the exact one
        middle = float(S.max()) / layer.ratio
    coloured = colourize(S, 0.0, 2 * threshold * middle or 1.0, COLOURS)
    rows = np.arange(TILE_PX) * S.shape[0] // TILE_PX
    columns = np.arange(TILE_PX) * S.shape[1] // TILE_PX
    return coloured[rows[:, None], columns[None]]


@dataclass(frozen=True)
class Grid:
    """Places of `count` tiles in a line of `width` screen pixels: as few rows as go, evenly filled."""

    count: int
    width: float
    scale: float = 1.0

    @property
    def columns(self) -> int:
        """Tiles side by side."""
        gap = GAP * self.scale
        most = max(1, math.floor((self.width + gap) / (SMALLEST * self.scale + gap)))
        return math.ceil(self.count / math.ceil(self.count / most)) if self.count else 1

    @property
    def side(self) -> float:
        """Of one tile."""
        free = self.width - GAP * self.scale * (self.columns - 1)
        return max(8.0, min(free / self.columns, LARGEST * self.scale))

    @property
    def height(self) -> float:
        """Of all rows with their words."""
        return math.ceil(self.count / self.columns) * self._pitch

    @property
    def _pitch(self) -> float:
        return self.side + (WORDS + GAP) * self.scale

    def corner(self, number: int) -> tuple[float, float]:
        """Upper left corner of a tile."""
        row, column = divmod(number, self.columns)
        return column * (self.side + GAP * self.scale), row * self._pitch

    def at(self, x: float, y: float) -> int | None:
        """The tile under a point, its words included."""
        for number in range(self.count):
            left, top = self.corner(number)
            if 0 <= x - left < self.side and 0 <= y - top < self._pitch:
                return number
        return None


class Ladder:
    """Shows a report as tiles; a click on one picks its layer, the mouse over it describes it.

    on_pick(layer name).
    """

    def __init__(self, texture: Callable[[], Texture], on_pick: Callable[[str], None]) -> None:
        self.texture, self.on_pick = texture(), on_pick
        self.report: DropletReport | None = None
        self.shown: list[LayerDroplet] = []
        self.steps: tuple[int, ...] = ()  # resolutions of the last complete report: the places that are kept
        self.picked = ""
        self.grid = Grid(0, 1.0)
        self._drawn: tuple[object, ...] = ()
        self._under: str | None = None
        self.canvas: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True, height=8) as self.canvas:
            self.drawlist: Tag = dpg.add_drawlist(8, 8)
        look.bind_style(self.canvas, "bare")
        self.tip: Tag
        with dpg.tooltip(self.canvas, show=False) as self.tip:
            self.tip_words: Tag = dpg.add_text("", wrap=340)

    def show(self, report: DropletReport | None) -> None:
        """Show this report; None empties the ladder."""
        if report is self.report:
            return
        self.report = report
        self.shown = rungs(report) if report is not None else []
        if report is None or report.complete or not {round(row.resolution) for row in self.shown} <= set(self.steps):
            self.steps = tuple(round(row.resolution) for row in self.shown)
        if report is not None and self.shown:
            self.texture.upload(np.concatenate([tile(row, report.rule.ratio) for row in self.shown], axis=1))
        self._drawn = ()

    def update(self) -> None:
        """Once per frame: follow the width and the mouse."""
        scale = look.pixels(1000) / 1000
        width = float(dpg.get_item_rect_size(self.canvas)[0])
        if width > 8:
            self.grid = Grid(len(self.steps), width, scale)
        wanted = (self.report, self.grid, self.picked, self.texture.tag)
        if wanted != self._drawn:
            self._drawn = wanted
            height = max(1, round(self.grid.height))
            dpg.configure_item(self.canvas, height=height, show=bool(self.steps))
            dpg.configure_item(self.drawlist, width=max(1, round(width)), height=height)
            self._draw(scale)
        self._mouse()

    def _draw(self, scale: float) -> None:
        dpg.delete_item(self.drawlist, children_only=True)
        there = {round(row.resolution): number for number, row in enumerate(self.shown)}
        for place, step in enumerate(self.steps):
            corner = self.grid.corner(place)
            if step in there:
                self._draw_tile(self.shown[there[step]], there[step], corner, scale)
            else:  # an early picture did not reach it
                self._outline(corner, FRAME, 1.0)
                self._words(corner, f"{step}", "", CALM, scale)

    def _draw_tile(self, row: LayerDroplet, number: int, corner: tuple[float, float], scale: float) -> None:
        (x, y), side, count = corner, self.grid.side, len(self.shown)
        u, v = self.texture.uv_max
        dpg.draw_image(
            self.texture.tag,
            (x, y),
            (x + side, y + side),
            uv_min=(u * number / count, 0.0),
            uv_max=(u * (number + 1) / count, v),
            parent=self.drawlist,
        )
        colour = look.WARNING if row.hot else CALM
        self._outline(
            corner, look.ACCENT if row.layer == self.picked else FRAME, 2.0 if row.layer == self.picked else 1
        )
        spot = x + row.spot[0] * side, y + row.spot[1] * side
        radius = min(max(6.0 * scale, row.radius * side), 0.2 * side)  # of coarse maps the disc is half the map
        dpg.draw_circle(spot, radius, color=(0, 0, 0, 150), thickness=3.5 * scale, parent=self.drawlist)
        dpg.draw_circle(spot, radius, color=colour, thickness=1.5 * scale, parent=self.drawlist)
        self._words(corner, f"{round(row.resolution)}", f"{row.ratio:.1f}×", colour, scale)

    def _outline(self, corner: tuple[float, float], colour: look.Colour, thickness: float) -> None:
        (x, y), side = corner, self.grid.side
        dpg.draw_rectangle((x, y), (x + side, y + side), color=colour, thickness=thickness, parent=self.drawlist)

    def _words(self, corner: tuple[float, float], left: str, right: str, colour: look.Colour, scale: float) -> None:
        """The resolution at the left, the ratio at the right, below a tile."""
        (x, y), side, size = corner, self.grid.side, TEXT * scale
        top = y + side + 2 * scale
        dpg.draw_text((x, top), left, size=size, color=look.MUTED, parent=self.drawlist)
        wide, high = dpg.get_text_size(right or " ") or (0.0, size)
        dpg.draw_text(
            (x + side - wide * size / max(1.0, high), top), right, size=size, color=colour, parent=self.drawlist
        )

    def _mouse(self) -> None:
        row = self.under_mouse()
        name = row.layer if row is not None else None
        if name != self._under:
            self._under = name
            dpg.configure_item(self.tip, show=row is not None)
            dpg.set_value(self.tip_words, describe(row) if row is not None else "")
        if row is not None and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self.on_pick(row.layer)

    def under_mouse(self) -> LayerDroplet | None:
        """The layer whose tile lies under the mouse."""
        if not dpg.is_item_hovered(self.drawlist):
            return None
        mouse, corner = dpg.get_mouse_pos(local=False), dpg.get_item_rect_min(self.drawlist)
        place = self.grid.at(mouse[0] - corner[0], mouse[1] - corner[1])
        if place is None:
            return None
        return next((row for row in self.shown if round(row.resolution) == self.steps[place]), None)


class Legend:
    """The colours of the ladders: 0, the threshold in the middle, twice the threshold and more."""

    def __init__(self, texture: Callable[[], Texture]) -> None:
        self.texture = texture()
        self.texture.upload(colourize(np.linspace(0.0, 1.0, 256)[None], 0.0, 1.0, COLOURS))
        self.group: Tag
        with dpg.group(horizontal=True, show=False) as self.group:
            self.low: Tag = dpg.add_text("", color=look.MUTED)
            self.drawlist: Tag = dpg.add_drawlist(8, 8)
            self.high: Tag = dpg.add_text("", color=look.MUTED)
            hint = (
                "The colours of all maps, of both models: S from 0 to twice the threshold times its median. The line "
                "in the middle is the threshold of the rule."
            )
            for item in (self.low, self.high):
                look.bind_font(item, "small")
                tooltip(item, hint)
        self._drawn: tuple[object, ...] = ()

    def show(self, shown: bool, threshold: float) -> None:
        """Once per frame."""
        wanted = (shown, threshold, look.pixels(1000), self.texture.tag)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        dpg.configure_item(self.group, show=shown)
        dpg.set_value(self.low, "S  0")
        dpg.set_value(self.high, f"{2 * threshold:g} × median")
        width, height, top = look.pixels(90), look.pixels(9), look.pixels(5)
        dpg.configure_item(self.drawlist, width=width, height=height + top + 2)
        dpg.delete_item(self.drawlist, children_only=True)
        dpg.draw_image(
            self.texture.tag, (0, top), (width, top + height), uv_max=self.texture.uv_max, parent=self.drawlist
        )
        dpg.draw_line((width / 2, top - 3), (width / 2, top + height), color=look.WARNING, parent=self.drawlist)


def describe(row: LayerDroplet) -> str:
    """All that is known of one layer, in a few lines."""
    (x, y), (height, width) = row.spot, row.size
    where = "before its instance norm" if row.stage == PRE_NORM else "after its activation"
    return (
        f"{row.layer}, {row.channels} maps of {width} × {height}, {where}\n"
        f"peak {row.ratio:.2f} × the median of S, at x {x:.0%}, y {y:.0%} of the picture\n"
        f"{row.agreement:.0%} of the channels peak there; {row.energy:.1%} of the energy\n"
        f"ρ {row.median_rho:.3f}, kurtosis {row.mean_kurtosis:.1f}\n"
        "Colours: S from 0 to twice the threshold. Click: follow this layer."
    )


def by_resolution(rows: Sequence[LayerDroplet]) -> dict[int, list[LayerDroplet]]:
    """Rows by resolution, in the network's order."""
    groups: dict[int, list[LayerDroplet]] = {}
    for row in rows:
        groups.setdefault(round(row.resolution), []).append(row)
    return groups
