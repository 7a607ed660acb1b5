"""Droplets of one picture, of many seeds, and along a walk (app/studies/droplets.py has the questions)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
import torch.nn.functional as F
from torch import Tensor

from app import latent_extras, latents, view
from app.diagnostics import Point, Seen
from app.diagnostics.droplets_map import layer_droplet
from app.diagnostics.droplets_rule import judge, mark, mark_missing
from app.directions import push
from app.errors import InputError
from app.frame import Pixels
from app.models import Opened
from app.recording.walk import Walk
from app.renderer import Renderer
from app.request import Latent, RenderRequest
from app.studies import Update
from app.studies.droplets import (
    DropletMeasure,
    DropletReport,
    DropletRule,
    DropletSearch,
    DropletSearchAnswer,
    DropletTrack,
    DropletTrackAnswer,
    LayerDroplet,
    SeedDroplet,
    TrackPoint,
)
from networks.base import Generator
from networks.edits import EditError
from networks.plan import OUTPUT, PRE_NORM, Intervention, LayerInfo
from networks.taps import Taps


def measured(layers: Sequence[LayerInfo]) -> tuple[Point, ...]:
    """Where droplets are looked for: before instance normalization where there is one, else after the activation.

    The convolutions of every family; StyleGAN's constant too, for it passes through the same normalization. Left out
    are to-RGBs and inputs, whose maps are pixels, wavelets and fixed patterns.
    """
    return tuple(
        (info.name, PRE_NORM if PRE_NORM in info.stages else OUTPUT)
        for info in layers
        if info.kind in ("conv", "up") or PRE_NORM in info.stages
    )


def points(question: DropletMeasure, layers: Sequence[LayerInfo]) -> tuple[Point, ...]:
    """The (layer, stage) pairs to capture."""
    return measured(layers)


def measure(question: DropletMeasure, seen: Seen) -> DropletReport:
    """Answer for the picture on the screen, from the maps that its own pass left."""
    generator = seen.opened.generator
    rows: list[LayerDroplet] = []
    for info in generator.layers:
        for stage in info.stages:
            if (info.name, stage) in seen.maps and (info.name, stage) in measured(generator.layers):
                x = seen.maps[info.name, stage]
                rows.append(layer_droplet(x, info, stage, generator.resolution, question.rule, question.map_px))
    return report(rows, question.rule, generator.resolution, seen.complete)


def report(
    rows: Sequence[LayerDroplet], rule: DropletRule, resolution: tuple[int, int], complete: bool = True
) -> DropletReport:
    """Rows of a picture of (H, W) -> the report with its verdict."""
    verdict = judge(rows, rule, resolution[1] / resolution[0])
    return DropletReport(mark(rows, verdict), verdict, rule, complete)


class MeasuringTaps(Taps):
    """Taps that measure each map as it comes by and keep none: a 1024x1024 picture has 500 MB of them."""

    def __init__(
        self, generator: Generator, rule: DropletRule, map_px: int = 128, edits: Sequence[Intervention] = ()
    ) -> None:
        super().__init__(edits=edits)
        self.rows: list[LayerDroplet] = []
        self._points = frozenset(measured(generator.layers))
        self._resolution, self._rule, self._map_px = generator.resolution, rule, map_px

    def on_feature(self, info: LayerInfo, x: Tensor, stage: str = OUTPUT) -> Tensor:
        x = super().on_feature(info, x, stage)
        if (info.name, stage) in self._points:
            self.rows.append(layer_droplet(x, info, stage, self._resolution, self._rule, self._map_px))
        return x


@dataclass(frozen=True, eq=False)
class Looked:
    """A picture [1, C, H, W] in the generator's own range, and its report."""

    image: Tensor
    report: DropletReport


@torch.inference_mode()
def look(renderer: Renderer, request: RenderRequest, rule: DropletRule, map_px: int = 128) -> Looked:
    """Draw a request in full and measure it on the way. Raises InputError where an edit does not fit the model."""
    opened = renderer.open(request)
    generator = opened.generator
    taps = MeasuringTaps(generator, rule, map_px, request.edits)
    matrix = latent_extras.prepare(generator, request, taps)
    ws = latents.make_ws(generator, request, opened.workspace)
    push.shift_styles(taps, request.pushes, opened.library)
    try:
        image = generator.synthesize(ws, taps, request.noise, matrix, request.model.precision)
    except EditError as error:
        raise InputError(str(error)) from error
    return Looked(image, report(taps.rows, rule, generator.resolution))


def thumbnail(image: Tensor, opened: Opened, longest: int, bgr: bool = False) -> Pixels:
    """image [1, C, H, W] -> RGBA with a longest side of at most `longest` pixels, averaged down."""
    H, W = image.shape[2:]
    share = min(1.0, longest / max(H, W))
    size = (max(1, round(H * share)), max(1, round(W * share)))
    small = image if size == (H, W) else F.adaptive_avg_pool2d(image, size)
    return view.picture(small, opened.generator.spec.pixel_range, bgr)


def run(question: DropletSearch | DropletTrack, renderer: Renderer) -> Iterator[Update]:
    """Answer a search or a track, one picture a step."""
    return search(question, renderer) if isinstance(question, DropletSearch) else track(question, renderer)


def search(question: DropletSearch, renderer: Renderer) -> Iterator[Update]:
    """Many seeds; each step adds a row to a DropletSearchAnswer."""
    if not question.seeds:
        raise InputError("a search for droplets needs at least one seed")
    rows: list[SeedDroplet] = []
    for number, seed in enumerate(question.seeds, 1):
        request = replace(question.request, latent=Latent(((seed, 1.0),)), max_height=None)
        rows.append(seed_row(renderer, request, seed, question.rule, question.thumbnail_px))
        yield Update(
            number / len(question.seeds),
            f"seed {seed}, {number} of {len(question.seeds)}",
            DropletSearchAnswer(mark_missing(rows), question.rule),
        )


def seed_row(renderer: Renderer, request: RenderRequest, seed: int, rule: DropletRule, longest: int) -> SeedDroplet:
    """Draw and measure one seed."""
    looked = look(renderer, request, rule, map_px=1)
    small = thumbnail(looked.image, renderer.open(request), longest, request.bgr)
    return row_of(seed, looked.report, small)


def row_of(seed: int, found: DropletReport, small: Pixels | None = None) -> SeedDroplet:
    """A report in one row."""
    top, verdict = found.strongest, found.verdict
    if top is None:
        return SeedDroplet(seed, False, 0.0, 0.0, 0.0, 0.0, 1.0, "", (0.5, 0.5), (), small)
    return SeedDroplet(
        seed=seed,
        flag=verdict.flag,
        strength=verdict.strength,
        ratio=top.ratio,
        agreement=top.agreement,
        energy=top.energy,
        median_rho=top.median_rho,
        layer=top.layer,
        spot=verdict.spot or top.spot,
        resolutions=verdict.resolutions,
        thumbnail=small,
    )


def track(question: DropletTrack, renderer: Renderer) -> Iterator[Update]:
    """A walk; each step adds a point to a DropletTrackAnswer."""
    walk = way_of(question)
    layer = question.layer
    if layer and layer not in {name for name, _ in measured(renderer.open(question.request).generator.layers)}:
        raise InputError(f"{layer}: no layer of this model is called so, or droplets are not looked for in it")
    if not layer:
        middle = look(renderer, walk.at(walk.count // 2), question.rule, map_px=1).report
        layer = middle.verdict.strongest
        yield Update(0.0, f"following {layer}")
    found: list[TrackPoint] = []
    for number in range(walk.count):
        found.append(track_point(question, renderer, walk, number, layer))
        answer = DropletTrackAnswer(layer, tuple(found), walk.count, question.rule)
        yield Update((number + 1) / walk.count, f"step {number + 1} of {walk.count}", answer)


def way_of(question: DropletTrack) -> Walk:
    """The walk of a track: `steps` pictures per leg, both ends included unless it is a loop."""
    if len(question.seeds) < 2:
        raise InputError(f"a walk needs at least two seeds, {len(question.seeds)} given")
    if question.steps < 1:
        raise InputError(f"{question.steps} steps from seed to seed: give at least 1")
    legs = len(question.seeds) if question.loop else len(question.seeds) - 1
    count = legs * question.steps + (0 if question.loop else 1)
    return Walk(question.request, question.seeds, float(count), Fraction(1), question.loop, question.way)


def track_point(question: DropletTrack, renderer: Renderer, walk: Walk, number: int, layer: str) -> TrackPoint:
    """Draw and measure one step of a walk."""
    request = walk.at(number)
    looked = look(renderer, request, question.rule, map_px=1)
    row = looked.report.of(layer)
    assert row is not None
    return TrackPoint(
        position=walk.position(number),
        weights=request.latent.seeds,
        spot=row.spot,
        ratio=row.ratio,
        agreement=row.agreement,
        flag=looked.report.verdict.flag,
        thumbnail=thumbnail(looked.image, renderer.open(request), question.thumbnail_px, request.bgr),
    )


__all__ = ["look", "measure", "measured", "points", "run", "thumbnail"]
