"""Request -> frame, in short steps: open, map, synthesize, view, diagnose. What did not change is not drawn again."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from app import devices, latent_extras, latent_files, latents, view
from app.bounded import Bounded
from app.diagnostics import Planes, Point, Seen
from app.directions import push
from app.errors import InputError
from app.frame import Frame, LayerView, ModelInfo, Pixels, Timing
from app.graphs import Asked, Graphs
from app.maps import Axes, fit_axes
from app.models import ModelStore, Opened
from app.pace import Pace, Saved, nothing
from app.paced import PacedTaps, Reached, Trails
from app.request import RenderRequest, View
from app.studies import Measure
from networks.edits import EditError
from networks.ops import compiled
from networks.plan import Noise
from networks.taps import Cancelled

if TYPE_CHECKING:
    from app.compare_turns import Turn

CancelCheck = Callable[[], bool]
ProgressCall = Callable[[float, str], None]


@dataclass
class Clock:
    """Milliseconds of the parts of one frame."""

    parts: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    def lap(self, part: str) -> None:
        """Book the time since the last lap under a part."""
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + (now - self.began) * 1000
        self.began = now

    def timing(self, backend: str, settled: bool) -> Timing:
        """The parts and their sum (opening a model not counted)."""
        names = ("map_ms", "synthesis_ms", "view_ms")
        values = {name: self.parts.get(name, 0.0) for name in names}
        return Timing(**values, total_ms=sum(values.values()), backend=backend, settled=settled)


class Renderer:
    """Draws requests; belongs to one thread. Several renderers may share one store.

    live: somebody waits for the first picture, so compiled kernels load behind it, and later pictures may differ in
    their last bits. Without it they are waited for, and every picture has the same bits.
    """

    def __init__(
        self,
        store: ModelStore | None = None,
        pace: Pace | None = None,
        threads: int | None = None,
        live: bool = False,
    ) -> None:
        self.threads = devices.prepare_thread(threads)
        if not live:
            compiled.settle()
        self.store = store or ModelStore()
        self.pace = pace or Pace()
        self._images: Bounded[Hashable, Tensor] = Bounded(8, 256 << 20, _bytes)
        self._pixels: Bounded[Hashable, Pixels] = Bounded(4)
        self._views: Bounded[Hashable, LayerView] = Bounded(2)
        self._axes: Bounded[Hashable, Axes] = Bounded(32)
        self._maps: Bounded[Hashable, Tensor] = Bounded(64, 512 << 20, _bytes)
        self._answered: Bounded[Hashable, Any] = Bounded(16)
        self._trails = Trails()
        self._graphs = Graphs()
        self._early: tuple[Hashable, int] | None = None  # model and height of the last early picture
        self.turn: Turn | None = None  # a place in the queue for a GPU that several renderers draw on

    def open(self, request: RenderRequest, progress: ProgressCall | None = None, cancelled: CancelCheck | None = None
             ) -> Opened:  # fmt: skip
        """Return the generator of a request; loads it where needed."""
        return self.store.open(request.model, progress, cancelled)

    @torch.inference_mode()
    def render(
        self, request: RenderRequest, *, cancelled: CancelCheck | None = None, progress: ProgressCall | None = None
    ) -> Frame:
        """Draw a request (serial 0). Raises what went wrong, and Cancelled when `cancelled` answered True."""
        opened = self.open(request, progress, cancelled)
        push.prepare(request.pushes, opened.library, cancelled, progress)
        clock = Clock()
        ws = self._ws(opened, request)
        clock.lap("map_ms")
        stop = self.stop_height(opened, request, self._saved(opened, request, ws))
        image, captured = self._synthesize(opened, request, ws, stop, cancelled)
        maps = captured.get((request.view.layer, request.view.stage))
        bare = self._without_noise(opened, request, ws, stop, cancelled)
        clock.lap("synthesis_ms")
        key = self._image_key(opened, request, stop)
        picture = self._picture(opened, request, key, image)
        shown = None if maps is None else self._layer_view(opened, request, ws, maps, stop, cancelled)
        unlike = None if bare is None else view.difference(
            image, bare, opened.generator.spec.pixel_range, request.diagnostic.gain
        )  # fmt: skip
        answers = self._answers(Seen(request, opened, ws, image, Planes(captured), stop is None, self, cancelled))
        clock.lap("view_ms")
        if stop is None:
            compiled.start()  # behind the first full picture
        self._early = self._early if stop is None else (opened.key, stop)
        following = None if stop is None else self._next_height(opened, request, ws, stop)
        timing = clock.timing(self._graphs.describe(opened.device), compiled.is_settled())
        return Frame(
            0, request, picture, stop is None, shown, unlike, opened.info, None, timing, answers, following
        )  # fmt: skip

    @torch.inference_mode()
    def image(self, request: RenderRequest, cancelled: CancelCheck | None = None) -> np.ndarray:
        """Draw a request -> float32 [1, C, H, W] in the generator's own range, not clipped; early if it may be."""
        opened = self.open(request, None, cancelled)
        stop = self.stop_height(opened, request)
        image, _ = self._synthesize(opened, request, self._ws(opened, request), stop, cancelled)
        return image.float().cpu().numpy()

    @torch.inference_mode()
    def ws(self, request: RenderRequest) -> np.ndarray:
        """The latent of a request as it enters the synthesis, float32 [1, num_ws, w_dim]."""
        return self._ws(self.open(request), request).float().cpu().numpy()

    @torch.inference_mode()
    def expected_s(self, request: RenderRequest, info: ModelInfo | None = None) -> float | None:
        """Seconds that drawing a request is expected to take; None when its model is not open or was never timed."""
        opened = self.store.peek(request.model)
        if opened is None:
            return None
        height = self.stop_height(opened, request) or opened.generator.resolution[0]
        ms = self.pace.predict(opened.key, height)
        return None if ms is None else ms / 1000

    def is_ready(self, request: RenderRequest) -> bool:
        """Whether the full picture was drawn a moment ago and only needs to be shown."""
        opened = self.store.peek(request.model)
        return opened is not None and self._image_key(opened, request, None) in self._images

    def stop_height(self, opened: Opened, request: RenderRequest, saved: Saved = nothing) -> int | None:
        """Height of the early picture that a request allows; None: the full picture.

        max_height 0 leaves the choice to measured time, less what of it need not be repeated.
        """
        sizes = opened.generator.preview_sizes
        if request.max_height is None or len(sizes) < 2:
            return None
        if request.max_height > 0:
            height = max((size for size in sizes if size <= request.max_height), default=sizes[0])
        else:
            last = self._early[1] if self._early is not None and self._early[0] == opened.key else None
            height = self.pace.choose(opened.key, sizes, saved=saved, last=last)
        return None if height == sizes[-1] else height

    def _saved(self, opened: Opened, request: RenderRequest, ws: Tensor) -> Saved:
        """What the last pass saves a picture of this request, by its height; looked at where the height is open."""
        if request.max_height is None or len(opened.generator.preview_sizes) < 2:
            return nothing
        points = self._points(opened, request, None)
        return self._trails.saved(opened, request, ws, PacedTaps(capture=points, edits=request.edits))

    def _next_height(self, opened: Opened, request: RenderRequest, ws: Tensor, shown: int) -> int | None:
        """The height of the picture that refines an early one; None: the full one."""
        sizes = opened.generator.preview_sizes[0 if opened.generator.early_on_the_way else -1 :]
        height = self.pace.next_step(opened.key, sizes, shown, self._saved(opened, request, ws))
        return None if height == sizes[-1] else height

    def forget(self) -> None:
        """Let go of everything that was computed and of every model (memory ran out, the GPU is gone)."""
        for cache in (self._images, self._pixels, self._views, self._axes, self._maps, self._answered):
            cache.clear()
        self._trails.clear()
        self._graphs.clear()
        self.store.forget()

    def _ws(self, opened: Opened, request: RenderRequest) -> Tensor:
        return latents.make_ws(opened.generator, request, opened.workspace)

    def _synthesize(
        self,
        opened: Opened,
        request: RenderRequest,
        ws: Tensor,
        stop: int | None,
        cancelled: CancelCheck | None,
        main: bool = True,
    ) -> tuple[Tensor, dict[Point, Tensor]]:
        """The picture [1, C, H, W] and the maps [1, C, H, W] of the wanted points, as far as this pass reaches them."""
        key, full = self._image_key(opened, request, stop), self._image_key(opened, request, None)
        wanted = [point for point in self._points(opened, request, stop) if self._reaches(opened, point, stop)]
        image = self._images.get(key)
        maps = {point: kept for point in wanted if (kept := self._maps.get((full, point))) is not None}
        if image is not None and len(maps) == len(wanted):
            return image, maps
        checked = self._between_layers(opened.device, cancelled)
        taps = PacedTaps(capture=wanted, edits=request.edits, stop_at=stop, cancelled=checked)
        taps.trail = self._trails.of(opened) if main else None
        with self._turn_on(opened.device):
            taps.begin(only_maps=image is not None)
            drawn = self._pass(opened, request, ws, taps)
        if drawn is not None:
            image = drawn
            self._images.put(key, image)
        for point, captured in taps.captured.items():
            self._maps.put((full, point), captured)
        assert image is not None
        return image, taps.captured

    def _turn_on(self, device: torch.device) -> AbstractContextManager[object]:
        """The device for ourselves, where renderers take turns on it."""
        return nullcontext() if self.turn is None or device.type == "cpu" else self.turn

    def _between_layers(self, device: torch.device, cancelled: CancelCheck | None) -> CancelCheck | None:
        """What a pass asks at every layer: hand over where it is another one's turn, then whether to go on."""
        turn = self.turn
        if turn is None or device.type == "cpu":
            return cancelled

        def asked() -> bool:
            turn.hand_over(lambda: devices.wait_for(device))
            return cancelled is not None and cancelled()

        return asked

    def _pass(self, opened: Opened, request: RenderRequest, ws: Tensor, taps: PacedTaps) -> Tensor | None:
        """One pass through the synthesis, timed; None when it was left at the wanted layer."""
        generator = opened.generator
        matrix = latent_extras.prepare(generator, request, taps)
        push.shift_styles(taps, request.pushes, opened.library)
        if not taps.only_look:
            taps.trail = None
        try:
            image = self._graphs.draw(Asked(generator, ws, taps, request.noise, matrix, request.model.precision))
        except Reached:
            return None
        except EditError as error:
            raise InputError(str(error)) from error
        if opened.device.type != "cpu":
            devices.wait_for(opened.device)  # only so does the time mean anything
            taps.marks.clear()
        for height, ms in taps.times(generator, image.shape[2]).items():
            self.pace.note(opened.key, height, ms)
        return image

    def _without_noise(
        self, opened: Opened, request: RenderRequest, ws: Tensor, stop: int | None, cancelled: CancelCheck | None
    ) -> Tensor | None:
        """The same picture without noise, where the difference is asked for and the picture is the full one."""
        if request.diagnostic.kind != "noise_difference" or stop is not None:
            return None
        bare = replace(request, noise=Noise("none"), view=replace(request.view, layer=""))
        return self._synthesize(opened, bare, ws, None, cancelled, main=False)[0]

    def _picture(self, opened: Opened, request: RenderRequest, key: Hashable, image: Tensor) -> Pixels:
        pixels = self._pixels.get((key, request.bgr))
        if pixels is None:
            pixels = view.picture(image, opened.generator.spec.pixel_range, request.bgr)
            self._pixels.put((key, request.bgr), pixels)
        return pixels

    def _layer_view(
        self, opened: Opened, request: RenderRequest, ws: Tensor, maps: Tensor, stop: int | None,
        cancelled: CancelCheck | None,
    ) -> LayerView:  # fmt: skip
        looked = replace(request.view, overlay=0.0, crop=True)  # these two concern the window alone
        key = (self._image_key(opened, request, None), looked)
        shown = self._views.get(key)
        if shown is None:
            info = next(layer for layer in opened.generator.layers if layer.name == looked.layer)
            untouched = self._untouched(opened, request, ws, stop, cancelled)
            axes = self._fitted_axes(opened, looked, maps) if looked.mode == "pca" else None
            shown = view.layer_view(maps, info, looked, untouched, axes)
            self._views.put(key, shown)
        return shown

    def _fitted_axes(self, opened: Opened, looked: View, maps: Tensor) -> Axes:
        """The layer's principal axes, from the first picture that they were asked for with this `fit`."""
        key = (opened.key, looked.layer, looked.stage, looked.fit)
        axes = self._axes.get(key)
        if axes is None:
            axes = fit_axes(maps.float())
            self._axes.put(key, axes)
        return axes

    def _untouched(
        self, opened: Opened, request: RenderRequest, ws: Tensor, stop: int | None, cancelled: CancelCheck | None
    ) -> Tensor | None:
        """The viewed layer's maps without edits, by one more pass up to it, where the sheet is sorted by response."""
        looked = request.view
        if looked.sort != "response" or looked.channel is not None or looked.mode != "maps" or not request.edits:
            return None
        bare, point = replace(request, edits=()), (looked.layer, looked.stage)
        key = (self._image_key(opened, bare, None), point)
        maps = self._maps.get(key)
        if maps is None:
            taps = PacedTaps(capture=[point], stop_at=stop, cancelled=cancelled)
            taps.begin(only_maps=True)
            self._pass(opened, bare, ws, taps)
            maps = taps.captured[point]
            self._maps.put(key, maps)
        return maps

    def _image_key(self, opened: Opened, request: RenderRequest, stop: int | None) -> Hashable:
        """Everything that the bits of a picture depend on."""
        generator = opened.generator
        return (
            opened.key,
            request.latent,
            tuple(file_stamp(path) for path, _ in request.latent.files),
            request.condition if generator.c_dim > 0 else None,
            file_stamp(request.condition.vector_file),
            request.truncation,
            request.mix,
            request.pushes,
            tuple(file_stamp(path) for path in push.files_of(request.pushes)),
            request.noise if any(layer.has_noise for layer in generator.layers) else None,
            request.edits,
            (request.transform.as_matrix(), request.transform.freeze_input) if generator.has_transform else None,
            request.model.precision,
            stop,
            compiled.kernels() is not None,
        )

    def _points(self, opened: Opened, request: RenderRequest, stop: int | None) -> list[Point]:
        """(layer, stage) pairs that the view and the measures look at, without those that this model lacks.

        A measure that has its answer asks for nothing: all maps of a large model do not fit into the cache.
        """
        layers = opened.generator.layers
        asked = [(request.view.layer, request.view.stage)]
        key = self._image_key(opened, request, None), stop is None
        for question in request.measures:
            if self._answered.get((key, question)) is None:
                asked += answering(question).points(question, layers)
        there = {(layer.name, stage) for layer in layers for stage in layer.stages}
        return [point for point in dict.fromkeys(asked) if point in there]

    def _answers(self, seen: Seen) -> tuple[tuple[Measure, Any], ...]:
        """The answer to each measure of the request; kept while the picture stays the same."""
        given: list[tuple[Measure, Any]] = []
        key = self._image_key(seen.opened, seen.request, None), seen.complete
        for question in seen.request.measures:
            answer = self._answered.get((key, question))
            if answer is None:
                answer = answering(question).measure(question, seen)
                self._answered.put((key, question), answer)
            given.append((question, answer))
        return tuple(given)

    def _reaches(self, opened: Opened, point: tuple[str, str], stop: int | None) -> bool:
        """Whether a pass that stops at this height computes the layer."""
        info = next(layer for layer in opened.generator.layers if layer.name == point[0])
        return stop is None or opened.generator.reaches(info, stop)


def answering(question: Measure) -> ModuleType:
    """The module that answers a measure (app/studies/)."""
    return importlib.import_module(question.answered_by)


def file_stamp(path: str) -> tuple[int, int] | None:
    """(mtime in ns, bytes) of a file, so that a changed one is read again; None without a path."""
    if not path:
        return None
    stat = os.stat(path)
    return stat.st_mtime_ns, stat.st_size


def _bytes(image: Tensor) -> int:
    return image.numel() * image.element_size()


def save_latent(renderer: Renderer, request: RenderRequest, path: str) -> str:
    """Write the latent of a request to a file; returns a sentence for the user."""
    written = latent_files.write(path, renderer.ws(request))
    return f"saved the latent to {written}"


__all__ = ["Cancelled", "PacedTaps", "Reached", "Renderer", "file_stamp", "save_latent"]
