"""The table of a search: a thumbnail with the spot marked, the seed, its numbers; a click goes there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Pixels
from app.studies.droplets import SeedDroplet
from widgets import look
from widgets.panel import Texture
from widgets.rows import Tag, tooltip

ROWS, ACROSS = 40, 8  # rows that are shown; thumbnails side by side in the atlas
THUMB_PX, SIDE = 64, 46.0  # of the atlas; on the screen at scale 1
WIDE = 340  # pixels at scale 1 from which there is room for the last column
COLUMNS = {
    "": ("", 1.0, "The picture, its spot ringed."),
    "seed": ("seed", 1.0, "Click a row to go there."),
    "strength": (
        "strength",
        1.1,
        "The peak ratio that every resolution of the droplet exceeds; 0 where the channels agree nowhere twice.",
    ),
    "agree": ("agree", 0.9, "Share of the channels that peak in the disc around the spot, in the strongest layer."),
    "layer": ("layer", 1.4, "The layer with the largest peak ratio."),
}


class Gallery:
    """Shows up to ROWS rows. on_pick(seed)."""

    def __init__(self, texture: Callable[[], Texture], on_pick: Callable[[int], None]) -> None:
        self.texture, self.on_pick = texture(), on_pick
        self.shown: tuple[SeedDroplet, ...] = ()
        self.rows: list[Row] = []
        self.tag: Tag
        with dpg.table(
            header_row=False, policy=dpg.mvTable_SizingStretchProp, row_background=True, no_pad_outerX=True, show=False
        ) as self.tag:
            for _, weight, _ in COLUMNS.values():
                self.last: Tag = dpg.add_table_column(init_width_or_weight=weight)
            with dpg.table_row():
                for words, _, hint in COLUMNS.values():
                    tooltip(dpg.add_text(words, color=look.MUTED), hint)
        look.bind_style(self.tag, "list")
        self._scale = 0

    def show(self, rows: Sequence[SeedDroplet], here: int | None, width: float) -> None:
        """Show the first of these rows; the one of the seed `here` is lit. width: of the panel in screen pixels."""
        wanted = tuple(rows[:ROWS])
        if wanted != self.shown:
            self.shown = wanted
            self._fill()
        for row in self.rows:
            row.light(here)
        dpg.configure_item(self.last, enabled=width >= look.pixels(WIDE))
        if (scale := look.pixels(1000)) != self._scale:
            self._scale = scale
            for row in self.rows:
                row.resize()

    def _fill(self) -> None:
        dpg.configure_item(self.tag, show=bool(self.shown))
        if not self.shown:
            return
        self.texture.upload(atlas(self.shown))
        while len(self.rows) < len(self.shown):
            self.rows.append(Row(self.tag, self.texture.tag, self.on_pick))
        for number, row in enumerate(self.rows):
            row.show(self.shown[number] if number < len(self.shown) else None)
            row.place(number, len(self.shown), self.texture)


class Row:
    """One line of the table."""

    def __init__(self, table: Tag, texture: Tag, pick: Callable[[int], None]) -> None:
        self.pick = pick
        self.found: SeedDroplet | None = None
        self.tag: Tag
        self.spacers: list[Tag] = []
        with dpg.table_row(parent=table) as self.tag:
            self.image: Tag = dpg.add_image(texture, width=8, height=8)
            self.seed: Tag = dpg.add_selectable(label="", span_columns=True, callback=self._clicked)
            self.words: list[Tag] = []
            for _ in range(3):
                with dpg.group():
                    self.spacers.append(dpg.add_spacer(height=1))
                    self.words.append(dpg.add_text(""))
        self.tip: Tag
        with dpg.tooltip(self.seed, delay=0.5, hide_on_activity=True):
            self.tip = dpg.add_text("", wrap=340)
        self.resize()

    def resize(self) -> None:
        """Follow the scale: the words stand at the middle of the thumbnail."""
        side, line = look.pixels(SIDE), look.pixels(18)
        dpg.configure_item(self.image, width=side, height=side)
        dpg.configure_item(self.seed, height=side)
        for spacer in self.spacers:
            dpg.configure_item(spacer, height=max(1, (side - line) // 2 - look.pixels(7)))

    def show(self, found: SeedDroplet | None) -> None:
        """Show one seed; None hides the row."""
        self.found = found
        dpg.configure_item(self.tag, show=found is not None)
        if found is None:
            return
        dpg.set_item_label(self.seed, f"{found.seed}")
        for item, words in zip(
            self.words, (f"{found.strength:.1f}×", f"{found.agreement:.0%}", found.layer), strict=True
        ):
            dpg.set_value(item, words)
        look.bind(self.words[0], "warning" if found.flag else "")
        dpg.set_value(self.tip, describe(found))

    def place(self, number: int, count: int, texture: Texture) -> None:
        """Where its thumbnail lies in the atlas of `count`."""
        down, across = divmod(number, ACROSS)
        u, v = texture.uv_max
        lines = math.ceil(count / ACROSS)
        dpg.configure_item(
            self.image,
            texture_tag=texture.tag,
            uv_min=(u * across / ACROSS, v * down / lines),
            uv_max=(u * (across + 1) / ACROSS, v * (down + 1) / lines),
        )

    def light(self, here: int | None) -> None:
        """Lit when its seed is on the screen."""
        dpg.set_value(self.seed, self.found is not None and self.found.seed == here)

    def _clicked(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        if self.found is not None:
            self.pick(self.found.seed)


def describe(found: SeedDroplet) -> str:
    """All that is known of a seed, in a few lines."""
    x, y = found.spot
    sizes = found.resolutions
    where = f" from {sizes[0]} to {sizes[-1]} px" if sizes else ""
    return (
        f"seed {found.seed}: {'droplet' if found.flag else 'no droplet'}{where}\n"
        f"strength {found.strength:.2f}; largest peak {found.ratio:.2f} × the median, in {found.layer}\n"
        f"at x {x:.0%}, y {y:.0%} of the picture; {found.agreement:.0%} of the channels agree\n"
        f"{found.energy:.1%} of the energy, ρ {found.median_rho:.3f}"
    )


def atlas(rows: Sequence[SeedDroplet]) -> np.ndarray:
    """Thumbnails with their rings, ACROSS to a line: uint8 [lines * THUMB_PX, ACROSS * THUMB_PX, 4]."""
    lines = math.ceil(len(rows) / ACROSS)
    sheet = np.zeros((lines * THUMB_PX, ACROSS * THUMB_PX, 4), np.uint8)
    for number, row in enumerate(rows):
        if row.thumbnail is not None:
            down, across = (THUMB_PX * place for place in divmod(number, ACROSS))
            sheet[down : down + THUMB_PX, across : across + THUMB_PX] = ringed(row.thumbnail, row)
    return sheet


def ringed(thumbnail: Pixels, row: SeedDroplet) -> np.ndarray:
    """A thumbnail on THUMB_PX x THUMB_PX, centred, with a ring around the spot: uint8 RGBA."""
    height, width = thumbnail.shape[:2]
    scale = min(THUMB_PX / height, THUMB_PX / width)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    picture = thumbnail[np.arange(high)[:, None] * height // high, np.arange(wide)[None] * width // wide].copy()
    y, x = np.mgrid[:high, :wide] + 0.5
    away = np.abs(np.hypot(x - row.spot[0] * wide, y - row.spot[1] * high) - 6.0)
    picture[away < 2.2] = (0, 0, 0, 255)
    picture[away < 1.3] = look.WARNING if row.flag else (170, 176, 188, 255)
    placed = np.zeros((THUMB_PX, THUMB_PX, 4), np.uint8)
    top, left = (THUMB_PX - high) // 2, (THUMB_PX - wide) // 2
    placed[top : top + high, left : left + wide] = picture
    return placed
