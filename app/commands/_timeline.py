"""`walk --timeline`: a film of a timeline's file, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.errors import InputError

if TYPE_CHECKING:
    from app.recording.sidecar import Sidecar
    from app.recording.sinks import Encoding
    from app.renderer import Renderer
    from app.timeline import Timeline

SAID_BY_FILE = "the timeline's file says what is shown and when; leave out {}"


def was_given(name: str) -> bool:
    """Whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def refuse_others(own: tuple[str, ...]) -> None:
    """Raise UsageError for options that were given and that a timeline leaves no room for."""
    context = click.get_current_context()
    given = [
        parameter.opts[-1]
        for parameter in context.command.params
        if isinstance(parameter, click.Option) and parameter.name not in own and was_given(str(parameter.name))
    ]
    if given:
        raise click.UsageError(SAID_BY_FILE.format(", ".join(given)))


def draw(
    path: Path, checkpoint: Path | None, out: Path, fps: Fraction | None, even: bool, encoding: Encoding,
    bar: Callable[[int, Path], Any],
) -> Sidecar:  # fmt: skip
    """Draw a timeline's file. checkpoint: for all keyframes in place of their own; fps: in place of its own."""
    from app.recording.offline import moved, record_walk
    from app.renderer import Renderer
    from app.timeline import files

    timeline = files.read(path)
    timeline = replace(timeline, fps=timeline.fps if fps is None else fps)
    if checkpoint is not None:
        timeline = timeline.changed(lambda request: moved(request, str(checkpoint.absolute())))
    if not timeline.request.model.path:
        raise InputError(f"{path.name}: its keyframes name no model; give a checkpoint")
    renderer = Renderer()
    if timeline.way == "slerp":
        timeline = replace(timeline, z_dim=renderer.open(timeline.request).info.z_dim)
    for stretch, words in timeline.remarks:
        click.echo(f"from keyframe {stretch + 1} to the next, {words}")
    if even:
        timeline = _evened(timeline, renderer)
    with bar(timeline.count, out) as progress:
        return record_walk(timeline, out, renderer, encoding=encoding, progress=lambda _: progress.update(1))


def _evened(timeline: Timeline, renderer: Renderer) -> Timeline:
    """The timeline at a constant speed of the picture's change, measured now; says how even it has become."""
    from app.diagnostics import retime
    from app.studies.retime import PictureSpeed, Speeds, film_speed, moving, retimed, unevenness

    speeds = Speeds((), ())
    for update in retime.run(PictureSpeed(timeline), renderer):
        speeds = update.answer
    made = retimed(timeline, speeds)
    before = unevenness(moving(film_speed(timeline, speeds)))
    after = "" if speeds.check is None else f", {unevenness(moving(speeds.check)):.0%} after"
    click.echo(f"spread of the picture's change per frame: {before:.0%} before{after}")
    return made
