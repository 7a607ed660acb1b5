"""`walk`: a film through W at an exact frame rate, or the same film again from its sidecar."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands import _timeline
from app.commands._options import CHECKPOINT, Numbers, check_applies, request_options, to_request, truncation

if TYPE_CHECKING:
    from app.recording.sidecar import Sidecar
    from app.recording.sinks import Encoding

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
ENCODERS = ("auto", "x264", "nvenc", "videotoolbox", "qsv", "amf", "vaapi")
TIMELINE_TAKES = ("timeline", "even_speed", "fps", "out", "crf", "preset", "encoder", "exr", "sheet")


class Rate(click.ParamType[Fraction]):
    """'30', '23.976' or '30000/1001' -> an exact fraction."""

    name = "fps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        try:
            return Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no frame rate; write 30 or 30000/1001", param, ctx)


@click.command()
@click.argument("checkpoint", required=False, type=CHECKPOINT)
@click.option("--seeds", type=Numbers(4096), help="Stations, in order.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=6.0, show_default=True, help="Length.")
@click.option("--fps", type=Rate(), default="30", show_default=True, help="Exact frame rate.")
@click.option("--loop", is_flag=True, help="Return to the first seed, without a seam.")
@click.option("--way", type=click.Choice(["smooth", "linear"]), default="smooth", show_default=True,
              help="A cubic spline through the stations, or straight lines.")  # fmt: skip
@request_options
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help=".mp4, .webm, .gif, .png (a contact sheet), or a folder for PNGs.",
)
@click.option("--crf", type=click.IntRange(0, 63), show_default="18 for MP4, 24 for WebM",
              help="Quality of a film, 0 is lossless; up to 51 for MP4.")  # fmt: skip
@click.option("--preset", type=click.Choice(PRESETS), default="veryfast", show_default=True,
              help="Effort of a film's encoder, in x264's names.")  # fmt: skip
@click.option("--encoder", type=click.Choice(ENCODERS), default="auto", show_default=True,
              help="What compresses an MP4; auto: hardware where it encodes a frame, else x264.")  # fmt: skip
@click.option("--exr", type=click.Choice(["half", "float"]), is_flag=False, flag_value="half", default=None,
              help="A folder of EXR files instead of PNGs: linear light, not clipped, 16 or 32 bits.")  # fmt: skip
@click.option("--sheet", type=click.IntRange(0, 400), is_flag=False, flag_value=12, default=0,
              help="A contact sheet of so many frames beside it (alone: 12).")  # fmt: skip
@click.option(
    "--from",
    "sidecar",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Make a recording again from the JSON beside it, or draw a performance; nothing else is needed.",
)
@click.option(
    "--timeline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Draw a timeline's file (JSON, saved by the Timeline panel); a checkpoint takes its model's place.",
)
@click.option(
    "--even-speed",
    is_flag=True,
    help="Of a timeline: measure how much the picture changes, and time it so that it changes evenly.",
)
@click.option("--between", is_flag=True,
              help="Of a performance: go on a straight way in W from each change of a drag to the next.")  # fmt: skip
def walk(
    checkpoint: Path | None, seeds: tuple[int, ...] | None, seconds: float, fps: Fraction, loop: bool, way: Any,
    out: Path, crf: int | None, preset: str, encoder: str, exr: Any, sheet: int, sidecar: Path | None, between: bool,
    timeline: Path | None, even_speed: bool, **options: Any,
) -> None:  # fmt: skip
    """Draw a walk through W, frame by frame. A JSON beside it says how to make the same frames again."""
    from app.recording.sinks import Encoding, kind_of

    kind = kind_of(out)
    if exr and kind != "folder":
        raise click.UsageError(f"--exr writes a folder, but {out.name} names a {kind} file; leave out the suffix")
    if crf is not None and crf > 51 and kind == "mp4":
        raise click.UsageError(f"--crf {crf}: an MP4 takes 0 to 51")
    encoding = Encoding(crf, preset, encoder, exr or "png", sheet)
    if timeline is not None:
        _timeline.refuse_others(TIMELINE_TAKES)
        given = fps if _timeline.was_given("fps") else None
        _report(out, _timeline.draw(timeline, checkpoint, out, given, even_speed, encoding, _bar))
        return
    if even_speed:
        raise click.UsageError("--even-speed is for a timeline; name one by --timeline")
    if sidecar is not None:
        if seeds:
            raise click.UsageError("--from says which seeds; leave out --seeds")
        from app.recording.performance import is_performance

        if is_performance(sidecar):
            _perform(sidecar, checkpoint, out, fps, between, encoding)
        else:
            _again(sidecar, checkpoint, out, encoding)
        return
    if checkpoint is None or not seeds:
        raise click.UsageError("a walk needs a checkpoint and --seeds 0,1,2; or --timeline FILE; or --from SIDECAR")
    if "latent" in options["parts"]:
        raise click.UsageError("a walk goes through --seeds; leave the latent out of --request")
    from app.recording.offline import record_walk
    from app.recording.walk import Walk
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    check_applies(options, info)
    way_ = Walk(replace(request, truncation=truncation(options, info)), seeds, seconds, fps, loop, way)
    with _bar(way_.count, out) as bar:
        made = record_walk(way_, out, renderer, encoding=encoding, progress=lambda _: bar.update(1))
    _report(out, made)


def _again(path: Path, checkpoint: Path | None, out: Path, encoding: Encoding) -> None:
    """Replay a sidecar and compare every bit with what was recorded."""
    from app.recording import sidecar
    from app.recording.offline import replay
    from app.renderer import Renderer

    old = sidecar.read(path)
    renderer = Renderer(threads=old.environment.get("threads"))
    moved = "" if checkpoint is None else str(checkpoint.absolute())
    with _bar(old.frames, out) as bar:
        made = replay(old, out, renderer, checkpoint=moved, encoding=encoding, progress=lambda _: bar.update(1))
    _report(out, made)
    if not old.frames_sha256:
        click.echo("the recording did not come to its end, so there is nothing to compare with")
        return
    if made.frames_sha256 != old.frames_sha256:
        raise click.ClickException(f"the frames differ from those recorded; {_differences(old, made)}")
    click.echo("every frame is the same, bit for bit")


def _perform(path: Path, checkpoint: Path | None, out: Path, fps: Fraction, between: bool, encoding: Encoding) -> None:
    """Draw a performance at an exact rate."""
    from app.recording import performance
    from app.recording.offline import record_take
    from app.renderer import Renderer

    kept = performance.read(path)
    take = performance.Take(kept, fps, between)
    moved = "" if checkpoint is None else str(checkpoint.absolute())
    with _bar(take.count, out) as bar:
        made = record_take(take, out, Renderer(), checkpoint=moved, encoding=encoding, progress=lambda _: bar.update(1))
    _report(out, made)
    click.echo(f"{len(kept.changes)} changes in {kept.seconds:.2f} s; frames' SHA-256 {made.frames_sha256}")


def _differences(old: Sidecar, made: Sidecar) -> str:
    keys = [key for key in made.environment if made.environment[key] != old.environment.get(key)]
    pairs = [f"{key} was {old.environment.get(key)}, is {made.environment[key]}" for key in keys]
    return "; ".join(pairs) or "the environment says the same"


def _bar(count: int, out: Path) -> Any:
    return click.progressbar(length=count, label=out.name, show_pos=True, width=30)


def _report(out: Path, made: Sidecar) -> None:
    click.echo(f"{out}: {made.frames} frames, {made.size[0]}x{made.size[1]}")
    if made.encoder:
        click.echo(made.encoder)
