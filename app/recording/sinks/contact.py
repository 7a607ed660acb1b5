"""A contact sheet: some frames of a recording, evenly spaced in time, on one PNG, each with its time under it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.errors import InputError
from app.frame import Pixels
from app.recording.embedded import png_note
from app.recording.sinks.base import Shot, Sink
from app.recording.sinks.folder import save_png

FONTS = Path(__file__).parents[3] / "assets" / "fonts"
CELL = (160, 320)  # px: the longer side of a picture on the sheet lies between
KEPT = 8  # times as many frames as wanted are held, so that the choice comes at the end
GAP, TEXT_PX = 12, 17
BACKGROUND, INK, FAINT = (14, 15, 17), (232, 234, 238), (150, 156, 168)
MOST = 400


@dataclass(frozen=True)
class Cell:
    """A frame on the sheet: its number in the recording, its second, RGB [h, w, 3] of its final size."""

    frame: int
    seconds: float
    rgb: np.ndarray


class ContactSheet(Sink):
    """Holds small copies of the frames and writes the sheet at the end.

    How long a recording becomes is not known before; while it grows, every second copy is let go. A frame on the
    sheet then lies at most 1/8 of their distance from its place, and exactly on it while nothing was let go.
    """

    def __init__(self, path: Path, count: int, note: str = "") -> None:
        if not 1 <= count <= MOST:
            raise InputError(f"a contact sheet of {count} frames; give 1 to {MOST}")
        self.path, self._count, self._note = path, count, note
        self._cells: list[Cell] = []
        self._last: Cell | None = None
        self._every, self._frames = 1, 0

    def write(self, shot: Shot) -> None:
        self._last = Cell(self._frames, shot.seconds, small(shot.rgba))
        if self._frames % self._every == 0:
            self._cells.append(self._last)
        if len(self._cells) > KEPT * self._count:
            self._cells = self._cells[::2]
            self._every *= 2
        self._frames += 1

    def close(self) -> None:
        if self._last is None:
            return
        cells = self._cells if self._cells[-1] is self._last else [*self._cells, self._last]
        sheet = drawn(chosen(cells, self._count))
        save_png(self.path, sheet, info=png_note(self._note) if self._note else None)


def beside(path: Path) -> Path:
    """Where the sheet of a recording lies: walk.mp4 -> walk-sheet.png."""
    return path.with_name(f"{path.stem}-sheet.png")


def small(rgba: Pixels) -> np.ndarray:
    """RGBA [H, W, 4] -> RGB over black: enlarged by a whole factor, or reduced, into the limits of a cell."""
    alpha = rgba[..., 3:].astype(np.uint16)
    rgb = ((rgba[..., :3] * alpha + 127) // 255).astype(np.uint8)
    H, W = rgb.shape[:2]
    factor = -(-CELL[0] // max(H, W))
    if factor > 1:
        return rgb.repeat(factor, 0).repeat(factor, 1)
    share = min(1.0, CELL[1] / max(H, W))
    size = (max(1, round(W * share)), max(1, round(H * share)))
    return rgb if share == 1 else np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS))


def chosen(cells: list[Cell], count: int) -> list[Cell]:
    """At most `count` of the cells, the ones nearest to evenly spaced times from the first to the last."""
    if len(cells) <= count:
        return cells
    times = np.array([cell.seconds for cell in cells])
    wanted = np.linspace(times[0], times[-1], count) if count > 1 else times[:1]
    places = dict.fromkeys(int(np.abs(times - at).argmin()) for at in wanted)
    return [cells[place] for place in places]


def columns_of(count: int, shape: float) -> int:
    """Columns of a sheet that is about 1.5 times as wide as high, with few places left empty. shape: w / h of one."""

    def cost(columns: int) -> float:
        rows = -(-count // columns)
        return abs(math.log(columns * shape / rows / 1.5)) + 2 * (rows * columns - count) / count

    return min(range(1, count + 1), key=cost)


def drawn(cells: list[Cell]) -> Pixels:
    """The sheet, RGBA, with time and frame number under each picture."""
    h, w = max(cell.rgb.shape[0] for cell in cells), max(cell.rgb.shape[1] for cell in cells)
    columns = columns_of(len(cells), w / h)
    rows = -(-len(cells) // columns)
    row = h + round(TEXT_PX * 1.6) + GAP
    sheet = Image.new("RGB", (columns * (w + GAP) + GAP, rows * row + GAP), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    bold = ImageFont.truetype(FONTS / "ui-semibold.ttf", TEXT_PX)
    plain = ImageFont.truetype(FONTS / "ui-regular.ttf", TEXT_PX)
    for place, cell in enumerate(cells):
        left, top = GAP + place % columns * (w + GAP), GAP + place // columns * row
        sheet.paste(Image.fromarray(cell.rgb), (left, top))
        below = top + h + TEXT_PX * 0.25
        pen.text((left, below), f"{cell.seconds:.2f} s", INK, bold)
        pen.text((left + w, below), f"frame {cell.frame}", FAINT, plain, anchor="ra")
    return np.asarray(sheet.convert("RGBA"))
