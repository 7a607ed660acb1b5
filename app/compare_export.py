"""The comparison as one picture: panes side by side with labels under them; recorded live, or drawn frame by frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from app.compare import Pane, asked_of, derive, label
from app.errors import InputError
from app.frame import Frame, ModelInfo, Pixels
from app.recording import sidecar
from app.recording.film import Film
from app.recording.live import LiveCapture
from app.recording.offline import HasStore, WalkJob
from app.recording.sidecar import Sidecar, pinned
from app.recording.sinks import Encoding
from app.recording.writer import Shot, Writer, Written, fitted
from app.request import RenderRequest

if TYPE_CHECKING:
    from app.renderer import Renderer

FONTS = Path(__file__).parents[1] / "assets" / "fonts"
FORMAT = "stylescope-comparison"
SMALLEST_CELL = 256  # px: smaller pictures are enlarged by whole factors, so that their labels can be read
GAP = 8  # px around the panes
BACKGROUND, NAME, DETAILS = (14, 15, 17, 255), (232, 234, 238, 255), (150, 156, 168, 255)
CUT = "…"
WAITING = 4  # live pictures that may wait to be put together
Label = tuple[str, str]
Size = tuple[int, int]  # (W, H)


@dataclass(frozen=True)
class Layout:
    """Where the panes lie: `count` cells of `cell` (W, H) px in a row, two lines of text under each."""

    count: int
    cell: Size

    @property
    def text_px(self) -> int:
        """Height of the letters of the first line."""
        return min(36, max(15, self.cell[0] // 22))

    @property
    def size(self) -> Size:
        """(W, H) of the whole, even, as h264 wants it."""
        width = self.count * (self.cell[0] + GAP) + GAP
        height = self.cell[1] + 2 * GAP + round(self.text_px * 2.8)
        return width + width % 2, height + height % 2

    def left(self, number: int) -> int:
        """The left edge of a cell."""
        return GAP + number * (self.cell[0] + GAP)


def lay_out(sizes: Sequence[Size]) -> Layout:
    """Cells that hold the largest picture in each direction; all are enlarged by one whole factor where they are small.

    sizes: (W, H) of each pane's full picture. Raises InputError where there is nothing to lay out.
    """
    if not sizes:
        raise InputError("there is no pane with a model to record; choose one first")
    width, height = max(w for w, _ in sizes), max(h for _, h in sizes)
    factor = -(-SMALLEST_CELL // max(width, height))
    return Layout(len(sizes), (width * factor, height * factor))


def in_cell(rgba: Pixels, cell: Size) -> Pixels:
    """RGBA [h, w, 4] -> [H, W, 4] of a cell: pixels repeated where the factor is whole, else scaled, black around."""
    h, w = rgba.shape[:2]
    factor = cell[0] // w
    if factor > 0 and (w * factor, h * factor) == cell:
        return rgba if factor == 1 else rgba.repeat(factor, 0).repeat(factor, 1)
    return fitted(rgba, cell)


class Sheet:
    """Puts the panes' pictures together. Belongs to one thread."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._labels: tuple[Label, ...] | None = None
        self._base = np.empty(0, np.uint8)

    def compose(self, pictures: Sequence[Pixels | None], labels: Sequence[Label]) -> Pixels:
        """RGBA [H, W, 4] with each picture in its cell (None: left empty) and its label under it."""
        if tuple(labels) != self._labels:
            self._labels = tuple(labels)
            self._base = self._write_labels()
        sheet = self._base.copy()
        width, height = self.layout.cell
        for number, rgba in enumerate(pictures):
            if rgba is not None:
                left = self.layout.left(number)
                sheet[GAP : GAP + height, left : left + width] = opaque(in_cell(rgba, self.layout.cell))
        return sheet

    def _write_labels(self) -> Pixels:
        image = Image.new("RGBA", self.layout.size, BACKGROUND)
        pen = ImageDraw.Draw(image)
        px = self.layout.text_px
        name = ImageFont.truetype(FONTS / "ui-semibold.ttf", px)
        details = ImageFont.truetype(FONTS / "ui-regular.ttf", round(px * 0.85))
        top = GAP + self.layout.cell[1] + round(px * 0.35)
        for number, (first, second) in enumerate(self._labels or ()):
            left = self.layout.left(number)
            pen.text((left, top), shortened(first, name, self.layout.cell[0]), NAME, name)
            below = top + round(px * 1.3)
            pen.text((left, below), shortened(second, details, self.layout.cell[0]), DETAILS, details)
        return np.asarray(image)


def opaque(rgba: Pixels) -> Pixels:
    """The picture over black: the sheet has no transparency. Opaque ones are returned as they are."""
    alpha = rgba[..., 3:]
    if (alpha == 255).all():
        return rgba
    colours = (rgba[..., :3].astype(np.uint16) * alpha + 127) // 255
    return np.concatenate([colours.astype(np.uint8), np.full_like(alpha, 255)], axis=-1)


def shortened(words: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The words, or as many letters of their beginning as fit into so many pixels, with an ellipsis."""
    if font.getlength(words) <= width:
        return words
    kept = next((n for n in range(len(words) - 1, 0, -1) if font.getlength(words[:n].rstrip() + CUT) <= width), 0)
    return words[:kept].rstrip() + CUT


class CompareCapture(LiveCapture):
    """Records the panes as they appear on the screen: `push_panes` on the main thread, put together in another."""

    def __init__(self, path: Path, panes: Sequence[Pane], frames: Sequence[Frame | None]) -> None:
        """frames: the newest of each pane; panes whose model is open by now are recorded, and no others.

        Raises WriteError, and InputError where there is none.
        """
        models = {number: frame.model for number, frame in enumerate(frames) if frame is not None and frame.model}
        self.numbers = tuple(models)  # of the panes that are recorded
        self.panes = tuple(panes[number] for number in models)
        self._sheet = Sheet(lay_out([(info.resolution[1], info.resolution[0]) for info in models.values()]))
        super().__init__(path, self._sheet.layout.size)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="compare")
        self._waiting: list[Future[bool]] = []
        self._shown: tuple[int, ...] = ()
        self._pictures: list[Pixels | None] = [None for _ in models]  # the last good ones
        self._asked: list[list[tuple[float, RenderRequest | None]]] = [[] for _ in models]
        self._start: float | None = None

    def push_panes(self, frames: Sequence[Frame | None], seconds: float) -> None:
        """Take the newest frame of each pane, shown at `seconds`; nothing happens where none is new.

        What comes faster than it can be put together is dropped and counted. Raises WriteError once writing failed.
        """
        while self._waiting and self._waiting[0].done():
            self._waiting.pop(0).result()
        frames = [frames[number] if number < len(frames) else None for number in self.numbers]
        serials = tuple(-1 if frame is None else frame.serial for frame in frames)
        if serials == self._shown:
            return
        if len(self._waiting) >= WAITING:
            self._writer.dropped += 1
            return
        self._shown = serials
        self._start = seconds if self._start is None else self._start
        for place, (asked, frame) in enumerate(zip(self._asked, frames, strict=True)):
            if frame is not None and frame.picture is not None and frame.model is not None:
                self._pictures[place] = frame.picture
                self._models[frame.request.model.path] = frame.model
                asked.append((seconds - self._start, pinned(frame.request, frame.model)))
        infos = [None if frame is None else frame.model for frame in frames]
        labels = [label(pane, info) for pane, info in zip(self.panes, infos, strict=True)]
        self._waiting.append(self._pool.submit(self._put, tuple(self._pictures), labels, seconds))

    def _put(self, pictures: Sequence[Pixels | None], labels: Sequence[Label], seconds: float) -> bool:
        return self.push(self._sheet.compose(pictures, labels), seconds)

    def stop(self, seconds: float) -> Written:
        self._pool.shutdown(wait=True)
        written = self._complete(seconds)
        made = sidecar.to_dict(sidecar.describe(written, self.size, self._models.values()))
        made["shots"] = [list(sidecar.differences(tuple(asked))) for asked in self._asked]
        write_sidecar(made, self.panes, self.path)
        return written


def write_sidecar(values: dict[str, Any], panes: Sequence[Pane], path: Path) -> None:
    """Save what a comparison showed beside it. Raises WriteError."""
    described = values | {"format": FORMAT, "panes": [asdict(pane) for pane in panes]}
    sidecar.write_text(json.dumps(described, indent=1), sidecar.beside(path))


def record_comparison(
    walk: Film,
    panes: Sequence[Pane],
    path: Path,
    renderer: Renderer,
    *,
    encoding: Encoding | None = None,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sidecar:
    """Draw every frame of a walk in every pane, in full, and write them side by side, with a sidecar.

    walk.request: the shared request. What was cancelled is kept and marked incomplete.
    """
    panes = [pane for pane in panes if derive(walk.request, pane).model.path]
    infos = [renderer.store.open(derive(walk.request, pane).model).info for pane in panes]
    sheet = Sheet(lay_out([(info.resolution[1], info.resolution[0]) for info in infos]))
    labels = [label(pane, info) for pane, info in zip(panes, infos, strict=True)]
    writer = Writer(path, sheet.layout.size, walk.fps, encoding=encoding)
    try:
        for frame in range(walk.count):
            if cancelled is not None and cancelled():
                break
            requests = [pane_request(walk.at(frame), *both) for both in zip(panes, infos, strict=True)]
            pictures = [renderer.render(request).picture for request in requests]
            writer.put(Shot(sheet.compose(pictures, labels), walk.seconds_at(frame)))
            if progress is not None:
                progress(frame + 1)
    except BaseException:
        writer.abandon()
        raise
    made = sidecar.describe(writer.close(), sheet.layout.size, infos, walk)
    write_sidecar(sidecar.to_dict(made), panes, path)
    return made


def pane_request(request: RenderRequest, pane: Pane, info: ModelInfo) -> RenderRequest:
    """What a pane draws for a frame of a walk: the full picture, on the device that its model is on."""
    return pinned(replace(asked_of(request, pane, info)[0], max_height=None), info)


class CompareJob(WalkJob):
    """A comparison drawn in a thread of its own beside the live window, with the engine's open models."""

    def __init__(self, engine: HasStore, walk: Film, panes: Sequence[Pane], path: Path) -> None:
        self._panes = tuple(panes)
        super().__init__(engine, walk, path)

    def _record(self, store: Any) -> Sidecar:
        from app import devices
        from app.renderer import Renderer

        devices.yield_to_window(10)  # the live pictures come first
        return record_comparison(
            self.walk, self._panes, self.path, Renderer(store),
            encoding=self._encoding, progress=self._count, cancelled=self._cancelled.is_set,
        )  # fmt: skip
