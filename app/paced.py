"""One pass as the renderer runs it: timed, left early where a map is all that is wanted, and begun where it parts from
the last pass of this model."""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor

from app import latent_extras, memory
from app.models import Key, Opened
from app.request import RenderRequest
from networks.base import Generator, Pass
from networks.edits import EditError
from networks.plan import LayerInfo
from networks.taps import Taps
from networks.trail import Trail, identity

ROOM = 512 << 20  # bytes of activations that are kept at most: all of a StyleGAN2 of 1024 px
RESERVE = 1 << 30  # bytes of free memory below which nothing is kept
SHARE = 8  # of the free memory above that, one part in so many is used


class Reached(Exception):
    """The layer that was wanted has been computed; the rest of the pass is not needed."""


class PacedTaps(Taps):
    """Taps that note when each resolution's picture was ready, and may leave once a wanted map was captured."""

    only_maps = False
    trail: Trail | None = None  # of the last pass; times count as if this pass had begun at the first layer

    def begin(self, only_maps: bool = False) -> None:
        """Start the clock."""
        self.marks: dict[int, float] = {}
        self.only_maps = only_maps
        self._began = time.perf_counter()

    def on_feature(self, info: LayerInfo, x: Tensor, stage: str = "output") -> Tensor:
        x = super().on_feature(info, x, stage)
        if info.kind == "torgb":
            self.marks[info.size[0]] = self.elapsed_ms()
        if self.only_maps and len(self.captured) == len(self._capture):
            raise Reached
        return x

    def elapsed_ms(self) -> float:
        """Milliseconds since the pass began, and what it saved by not beginning at the first layer."""
        saved = 0.0 if self.trail is None else self.trail.offset_ms
        return saved + (time.perf_counter() - self._began) * 1000

    def leave_out(self, seconds: float) -> None:
        """So much time went by with something that no later pass will do."""
        self._began += seconds

    def times(self, generator: Generator, height: int) -> dict[int, float]:
        """Milliseconds up to each picture that the pass came by, by its height in px; `height` is the last one's.

        A to-RGB of wavelet bands is half as large as its picture, and no picture of its own size is ready there.
        """
        heads = {info.size[0]: info for info in generator.layers if info.kind == "torgb"}
        ready = {size for size, info in heads.items() if generator.reaches(info, size)}
        return {size: ms for size, ms in self.marks.items() if size in ready} | {height: self.elapsed_ms()}

    def keep(self, x: Tensor) -> Tensor:
        """As it lies in memory: turning 32 maps of 1024x1024 into planes costs more than all that is done with them."""
        return x


class Trails:
    """The trail of the model that was drawn last; none on a GPU, where the whole pass is quick and memory is dear.

    It holds a part of the free memory, ROOM at most, and is given up where memory runs short.
    """

    def __init__(self, available: Callable[[], int] = memory.available) -> None:
        self._available = available
        self._key: Key | None = None
        self._trail = Trail(0)

    def of(self, opened: Opened) -> Trail | None:
        """The trail of a model, as large as it may be now."""
        if opened.device.type != "cpu":
            self.clear()
            return None
        if opened.key != self._key:
            self.clear()
            self._key = opened.key
        held = self._trail.bytes
        room = (self._available() + held - RESERVE) // SHARE
        self._trail.limit(max(0, min(ROOM, room)))
        if held and room <= 0:
            memory.give_back()
        return self._trail

    def saved(self, opened: Opened, request: RenderRequest, ws: Tensor, taps: PacedTaps) -> Callable[[int], float]:
        """Height of a picture -> milliseconds of its pass that need not be repeated."""
        generator, trail = opened.generator, self._trail
        if opened.key != self._key or not trail.bytes:
            return lambda height: 0.0
        matrix = latent_extras.prepare(generator, request, taps)
        try:
            taps.prepare(generator.layers)
        except EditError:
            return lambda height: 0.0  # the pass will say what is wrong
        if not taps.only_look:
            return lambda height: 0.0
        here = identity(generator.layers, ws, Pass(taps, request.noise, matrix, request.model.precision))
        full = generator.preview_sizes[-1]

        def saved_ms(height: int) -> float:
            return trail.saved_ms(here, generator.skippable(None if height == full else height), taps)

        return saved_ms

    def clear(self) -> None:
        """Let go of everything."""
        self._key = None
        self._trail.clear()
