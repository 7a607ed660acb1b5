"""`sticking`: does detail stick to the screen? Neighbourhood means and slit scans of checkpoints, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._estimates import plain, shown, table, write_json
from app.commands._options import (
    CHECKPOINT,
    Numbers,
    check_applies,
    request_options,
    to_request,
    truncation,
)
from app.request import Latent, RenderRequest, to_json
from app.studies.ablations import ABLATIONS, Ablation, ablation
from app.studies.estimate import Estimate
from app.studies.slit_scan import SlitAnswer, SlitScan
from app.studies.sticking import NeighbourhoodAnswer, NeighbourhoodMean

if TYPE_CHECKING:
    from app.frame import ModelInfo
    from app.renderer import Renderer

SEGMENT = "0.5,0.1,0.6"


class Segment(click.ParamType[tuple[float, float, float]]):
    """'x,y0,y1' -> three shares of the picture's width and height."""

    name = "x,y0,y1"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float, float]:
        try:
            x, y0, y1 = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers x,y0,y1, as {SEGMENT}", param, ctx)
        return x, y0, y1


@dataclass(frozen=True)
class Result:
    """What was measured of one checkpoint under one ablation. scan: None with a single seed, which is no walk."""

    info: ModelInfo
    request: RenderRequest
    change: Ablation
    means: tuple[NeighbourhoodAnswer, ...]  # one for each seed
    scan: SlitAnswer | None
    score: Estimate | None  # over seeds; of a single seed, over its pictures
    coarse: Estimate | None

    @property
    def label(self) -> str:
        """The checkpoint's name, and what was changed."""
        return self.info.name if self.change.name == "none" else f"{self.info.name}, {self.change.title}"


@click.command()
@click.argument("checkpoints", nargs=-1, required=True, type=CHECKPOINT)
@click.option("--seeds", type=Numbers(256), default="0-3", show_default=True,
              help="Centres of the neighbourhoods, and stations of the walk for the slit scan.")  # fmt: skip
@click.option(
    "--count", type=click.IntRange(2, 4096), default=64, show_default=True, help="Pictures in a neighbourhood."
)
@click.option("--sigma", type=click.FloatRange(0, min_open=True), default=0.5, show_default=True,
              help="Size of the neighbourhood, in standard deviations of w.")  # fmt: skip
@click.option("--period", type=click.FloatRange(2, min_open=True), default=8.0, show_default=True,
              help="Detail is what has a shorter period, px.")  # fmt: skip
@click.option("--frames", type=click.IntRange(3, 10_000), default=120, show_default=True, help="Frames of the walk.")
@click.option("--segment", type=Segment(), default=SEGMENT, show_default=True,
              help="The slit, as shares of the picture's width and height.")  # fmt: skip
@click.option("--ablation", "ablations", multiple=True, type=click.Choice([item.name for item in ABLATIONS]),
              help="Measure with this change as well; may be given again.")  # fmt: skip
@request_options
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all numbers there.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write the pictures there, as one PNG.")
def sticking(
    checkpoints: tuple[Path, ...], seeds: tuple[int, ...], count: int, sigma: float, period: float, frames: int,
    segment: tuple[float, float, float], ablations: tuple[str, ...], out: Path | None, sheet: Path | None,
    **options: Any,
) -> None:  # fmt: skip
    """Measure texture sticking: what stays sharp in the mean of a neighbourhood, and streaks along a walk.

    S near 0: detail moves with the content. S near 1: it is glued to pixel coordinates, if the coarse content moved
    (coarse S well below 1). Streak: the same along a walk, for each band of periods. docs/sticking.md says more.
    """
    from app.renderer import Renderer

    renderer = Renderer()
    changes = [ablation(name) for name in dict.fromkeys(("none", *ablations))]
    mean = NeighbourhoodMean(count=count, sigma=sigma, period_px=period)
    scan = SlitScan(seeds=seeds, frames=frames, x=segment[0], y0=segment[1], y1=segment[2])
    results: list[Result] = []
    for path in checkpoints:
        request = to_request(path, options)
        info = renderer.open(request).info
        check_applies(options, info)
        request = replace(request, truncation=truncation(options, info))
        for change in changes:
            if refused := change.refusal(info):
                click.echo(f"{info.name}: {change.title} is left out, {refused}", err=True)
            else:
                results.append(measure(renderer, info, change(request), change, seeds, mean, scan))
    click.echo("\n".join(report(results)))
    if out is not None:
        write_json(out, document(results, seeds, mean, scan))
        click.echo(f"numbers: {out}")
    if sheet is not None:
        write_sheet(sheet, results, mean, seeds[0])
        click.echo(f"pictures: {sheet}")


def measure(
    renderer: Renderer, info: ModelInfo, request: RenderRequest, change: Ablation, seeds: tuple[int, ...],
    mean: NeighbourhoodMean, scan: SlitScan,
) -> Result:  # fmt: skip
    """Both measures of one request, with a bar for each."""
    from app.diagnostics import slit_scan
    from app.diagnostics import sticking as neighbourhood
    from app.diagnostics.jackknife import mean as average

    means: list[NeighbourhoodAnswer] = []
    for seed in seeds:
        question = replace(mean, request=replace(request, latent=Latent(((seed, 1.0),))))
        steps = neighbourhood.run(question, renderer)
        means.append(follow(f"{info.name} seed {seed}, {change.name}", mean.count, steps, said_of_mean))
    walked = None
    if len(seeds) > 1:
        steps = slit_scan.run(replace(scan, request=request), renderer)
        walked = follow(f"{info.name} walk, {change.name}", scan.frames, steps, said_of_scan)

    def over_seeds(kind: str) -> Estimate | None:
        values = [value for answer in means if (value := getattr(answer, kind)) is not None]
        return (values[0] if len(values) == 1 else average([value.value for value in values])) if values else None

    return Result(info, request, change, tuple(means), walked, over_seeds("score"), over_seeds("coarse"))


def follow(label: str, length: int, steps: Iterator[Any], words: Callable[[Any], str]) -> Any:
    """Take all steps of a study under a bar that shows the number so far; returns the last answer."""
    answer: Any = None
    with click.progressbar(length=length, label=label, show_pos=True, width=24, item_show_func=words) as bar:
        for update in steps:
            if update.answer is not None:
                answer = update.answer
                bar.update(1, answer)
    return answer


def said_of_mean(answer: NeighbourhoodAnswer | None) -> str:
    return "" if answer is None else f"S {shown(answer.score)}"


def said_of_scan(answer: SlitAnswer | None) -> str:
    return "" if answer is None or answer.v_coarse is None else f"{answer.v_coarse:.2f} px/frame"


def report(results: list[Result]) -> list[str]:
    """The table for the terminal, and why scores are missing."""
    scans = [result.scan for result in results if result.scan is not None]
    bands = [f"streak {band.shortest_px:g}-{band.longest_px:g} px" for band in (scans[0].bands if scans else ())]
    rows = [["checkpoint", "S", "coarse S", "px/frame", *bands]]
    notes = []
    for result in results:
        scan = result.scan
        speed = "-" if scan is None or scan.v_coarse is None else f"{scan.v_coarse:.2f}"
        streaks = ["-"] * len(bands) if scan is None else [shown(band.streak) for band in scan.bands]
        rows.append([result.label, shown(result.score), shown(result.coarse), speed, *streaks])
        if any(not answer.telling for answer in result.means):
            notes.append(f"{result.label}: the coarse content hardly moves around some seeds; give a larger --sigma")
        notes += sorted(
            {f"{result.label}: no streak, {band.reason}" for band in (scan.bands if scan else ()) if band.reason}
        )
    several = len(results[0].means) > 1 if results else False
    notes.append(f"± is the 95 % interval over {'seeds' if several else 'pictures'} (streaks: over stretches of time)")
    return [*table(rows), *notes]


def document(results: list[Result], seeds: tuple[int, ...], mean: NeighbourhoodMean, scan: SlitScan) -> dict[str, Any]:
    """Everything as JSON: what was asked, and the numbers with their intervals."""
    return {
        "kind": "stylescope-sticking",
        "version": 1,
        "seeds": list(seeds),
        "neighbourhood": {"count": mean.count, "sigma": mean.sigma, "period_px": mean.period_px, "seed": mean.seed},
        "slit_scan": {"frames": scan.frames, "x": scan.x, "y0": scan.y0, "y1": scan.y1, "way": scan.way},
        "results": [entry(result, seeds) for result in results],
    }


def entry(result: Result, seeds: tuple[int, ...]) -> dict[str, Any]:
    """One checkpoint under one ablation, for JSON."""
    info, scan = result.info, result.scan
    means = [
        {"seed": seed, "score": plain(answer.score), "coarse": plain(answer.coarse), "telling": answer.telling}
        for seed, answer in zip(seeds, result.means, strict=True)
    ]
    streaks = None if scan is None else {
        "v_coarse_px_per_frame": scan.v_coarse, "explained": scan.explained, "stride": scan.stride,
        "bands": [{"shortest_px": band.shortest_px, "longest_px": band.longest_px, "streak": plain(band.streak),
                   "reason": band.reason} for band in scan.bands],
    }  # fmt: skip
    return {
        "checkpoint": info.path,
        "sha256": info.sha256,
        "family": info.family,
        "resolution": list(info.resolution),
        "device": info.device,
        "ablation": result.change.name,
        "request": to_json(result.request),
        "score": plain(result.score),
        "coarse": plain(result.coarse),
        "neighbourhoods": means,
        "slit_scan": streaks,
    }


def write_sheet(path: Path, results: list[Result], mean: NeighbourhoodMean, seed: int) -> None:
    """Draw the sheet, with the neighbourhood of the first seed, and write it."""
    from app.errors import WriteError
    from app.recording.sinks import save_png
    from app.sticking_sheet import Column, draw

    columns = [
        Column(result.info.name, caption(result), numbers(result), result.means[0], result.scan) for result in results
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path.parent}: the folder cannot be made, {error.strerror or error}") from error
    heading = f"{mean.count} pictures around seed {seed}, sigma {mean.sigma:g}, detail below {mean.period_px:g} px"
    save_png(path, draw(columns, heading))


def caption(result: Result) -> str:
    """'StyleGAN2, 64x64', and what was changed."""
    H, W = result.info.resolution
    changed = "" if result.change.name == "none" else f", {result.change.title}"
    return f"{result.info.title}, {W}x{H}{changed}"


def numbers(result: Result) -> tuple[str, ...]:
    """The lines below a column of the sheet."""
    lines = [f"S {shown(result.score)}   coarse {shown(result.coarse)}"]
    if result.scan is not None:
        speed = "not known" if result.scan.v_coarse is None else f"{result.scan.v_coarse:.2f} px per frame"
        lines.append(f"coarse motion {speed}")
        for band in result.scan.bands:
            found = "no score" if band.streak is None else shown(band.streak)
            lines.append(f"streak {band.shortest_px:g} to {band.longest_px:g} px: {found}")
    return tuple(lines)
