"""`directions`: find directions in W and show on one sheet what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._options import CHECKPOINT, FILE, MAX_SEED, check_applies, request_options, to_request, truncation
from app.commands.render import make_folder
from app.request import Latent, Push, RenderRequest
from app.studies.directions import FEWEST_SAMPLES, MOST_SAMPLES, SAMPLES, parse

if TYPE_CHECKING:
    from app.directions.sets import DirectionSet
    from app.renderer import Renderer
    from app.studies.picture_sheet import PictureSheet


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--kind", type=click.Choice(["pca", "sefa", "file"]), default="pca", show_default=True,
              help="Principal components of W, closed form from the weights, or those of --file.")  # fmt: skip
@click.option("--samples", type=click.IntRange(FEWEST_SAMPLES, MOST_SAMPLES), default=SAMPLES, show_default=True,
              help="Mapped seeds behind pca.")  # fmt: skip
@click.option("--sefa-rows", default="", metavar="FIRST-LAST", help="Rows of ws whose weights sefa takes. [all]")
@click.option("--file", "given", type=FILE, help="Directions as .npz, .npy, .json, .pt or .pkl, for --kind file.")
@click.option("--count", type=click.IntRange(1, 64), default=6, show_default=True, help="The first so many.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Whose picture is moved.")
@click.option("--reach", type=click.FloatRange(0, 100, min_open=True), default=3.0, show_default=True,
              help="Standard deviations at both ends of a row.")  # fmt: skip
@click.option("--columns", type=click.IntRange(2, 25), default=7, show_default=True, help="Pictures of a row.")
@click.option("--side", type=click.IntRange(32, 1024), default=192, show_default=True, help="Px of a picture.")
@request_options
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder.")
def directions(
    checkpoint: Path, kind: str, samples: int, sefa_rows: str, given: str | None, count: int, seed: int, reach: float,
    columns: int, side: int, out: Path, **options: Any,
) -> None:  # fmt: skip
    """Find directions in W: a sheet of pictures (a row each, from -3 to 3 standard deviations), .npz and .json."""
    if (kind == "file") != (given is not None):
        raise click.UsageError("--kind file and --file FILE belong together")
    text = given or (f"pca:{samples}" if kind == "pca" else f"sefa:{sefa_rows}" if sefa_rows else "sefa")
    source = parse(text).text
    from app.directions import sets
    from app.recording.sinks import save_png
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    opened = renderer.open(request)
    check_applies(options, opened.info)
    request = replace(request, truncation=truncation(options, opened.info), latent=Latent(((seed, 1.0),)))
    make_folder(out)
    found = compute(renderer, request, source)
    for line in listing(found, count):
        click.echo(line)
    found = found.first(count)
    sheet = sheet_of(request, source, found, reach, columns, side)
    save_png(out / "directions.png", drawn(renderer, sheet))
    for suffix in (".npz", ".json"):
        sets.save(found, out / f"directions{suffix}")
    click.echo(str(out / "directions.png"))


def compute(renderer: Renderer, request: RenderRequest, source: str) -> DirectionSet:
    """The directions of a source, with a bar while they are computed."""
    library = renderer.open(request).library
    with click.progressbar(length=1000, label="directions", width=30) as bar:
        for share, _ in library.steps(source):
            bar.update(round(1000 * share) - bar.pos)
        bar.update(1000 - bar.pos)
    return library.find(source)


def listing(found: DirectionSet, count: int) -> Iterator[str]:
    """The first directions with their standard deviations, a line each; for principal components their shares."""
    total = float((found.sigma**2).sum()) if found.kind == "pca" else 0.0
    yield f"{'direction':>9}  {'sigma of w':>10}" + ("  of the variance" if total else "")
    for number, sigma in enumerate(found.sigma[:count]):
        share = f"  {sigma**2 / total:>15.1%}" if total else ""
        label = f"  {found.labels[number]}" if found.labels else ""
        yield f"{number:>9}  {sigma:>10.4f}{share}{label}"


def sheet_of(
    request: RenderRequest, source: str, found: DirectionSet, reach: float, columns: int, side: int
) -> PictureSheet:
    """Rows: directions; columns: strengths from -reach to reach."""
    from app.studies.directions import name_of
    from app.studies.picture_sheet import PictureSheet, SheetCell, model_name, settings

    strengths = [reach * (2 * column / (columns - 1) - 1) for column in range(columns)]
    pushes = [[Push(source, number, strength) for strength in strengths] for number in range(len(found))]
    names = found.labels or tuple(name_of(row[0]) for row in pushes)
    return PictureSheet(
        rows=tuple(
            tuple(SheetCell(replace(request, pushes=(*request.pushes, push))) for push in row) for row in pushes
        ),
        title=f"{model_name(request)}: {title_of(found)}",
        about=f"seed {request.latent.seeds[0][0]}, {settings(request)}; σ: standard deviation of w along the direction",
        heads=tuple(f"{strength:+.3g} σ".replace("-", "−") if strength else "0" for strength in strengths),
        names=names,
        side=side,
    )


def title_of(found: DirectionSet) -> str:
    """What a sheet is about."""
    if found.kind == "pca":
        return f"principal components of W, from {found.samples:,} seeds"
    return f"directions from the weights, {found.name}" if found.kind == "sefa" else f"directions of {found.name}"


def drawn(renderer: Renderer, sheet: PictureSheet) -> Any:
    """The sheet as pixels; raises InputError where none of its pictures can be drawn."""
    from app.diagnostics.picture_sheet import run
    from app.errors import InputError

    answer = None
    with click.progressbar(length=sum(map(len, sheet.rows)), label="pictures", show_pos=True, width=30) as bar:
        for update in run(sheet, renderer):
            answer = update.answer
            bar.update(1)
    if answer is None or answer.problems:
        raise InputError(answer.problems[0] if answer is not None else "no picture was drawn")
    return answer.pixels
