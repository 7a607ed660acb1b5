"""`droplets`: the droplet measures of many seeds, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._options import CHECKPOINT, Numbers, check_applies, request_options, to_request, truncation
from app.request import Latent, RenderRequest

if TYPE_CHECKING:
    from app.diagnostics.droplets_files import Table
    from app.renderer import Renderer
    from app.studies.droplets import SeedDroplet

FILE_OUT = click.Path(dir_okay=False, path_type=Path)
LISTED = 8  # seeds that are told where no file is asked for
SHEET_PX = 512  # longest side of a picture on the sheet, before it is fitted


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--seeds", type=Numbers(), required=True, help="Which seeds.")
@click.option(
    "--json", "json_out", type=FILE_OUT, help="JSON lines: a heading, then a seed with all its layers a line."
)
@click.option("--csv", "csv_out", type=FILE_OUT, help="A seed a line.")
@click.option("--sheet", type=FILE_OUT, help="PNG: the strongest seeds with their saliency maps.")
@click.option("--sheet-rows", type=click.IntRange(1, 64), default=6, show_default=True, help="Seeds on the sheet.")
@request_options
def droplets(
    checkpoint: Path, seeds: tuple[int, ...], json_out: Path | None, csv_out: Path | None, sheet: Path | None,
    sheet_rows: int, **options: Any,
) -> None:  # fmt: skip
    """Look for droplets, the blobs that instance normalization breeds, in many seeds.

    The same command continues a file that was not finished, and adds further seeds to one that was.
    """
    if sheet is not None and sheet.suffix.lower() != ".png":
        raise click.UsageError(f"--sheet {sheet.name}: the sheet is a PNG, call it {sheet.stem}.png")
    from app.diagnostics.droplets_rule import mark_missing
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    check_applies(options, info)
    request = replace(request, truncation=truncation(options, info))
    seeds = tuple(dict.fromkeys(seeds))
    tables = open_tables(renderer, request, json_out, csv_out)
    try:
        found = mark_missing(measure(renderer, request, seeds, tables))
    finally:
        for table in tables:
            table.close()
    if sheet is not None:
        write_sheet(renderer, request, found, sheet, sheet_rows)
    if not tables and sheet is None:
        for line in listing(found):
            click.echo(line)
    click.echo(verdict(found))


def open_tables(renderer: Renderer, request: RenderRequest, json_out: Path | None, csv_out: Path | None) -> list[Table]:
    """The files asked for, with what they hold already."""
    from app.diagnostics.droplets_files import CsvTable, JsonLines, heading
    from app.studies.droplets import DropletRule

    info = renderer.open(request).info
    head = heading(request, DropletRule(), info.name, info.sha256)
    tables: list[Table] = []
    try:
        for kind, path in ((JsonLines, json_out), (CsvTable, csv_out)):
            if path is not None:
                tables.append(kind(path, head))
    except Exception:
        for table in tables:
            table.close()
        raise
    return tables


def measure(
    renderer: Renderer, request: RenderRequest, seeds: Sequence[int], tables: Sequence[Table]
) -> list[SeedDroplet]:
    """Measure the seeds that a file lacks; returns all of them, in order."""
    from app.diagnostics.droplets import look, row_of
    from app.diagnostics.droplets_files import Row
    from app.studies.droplets import DropletRule

    known = {seed: table.seeds[seed] for table in tables for seed in seeds if seed in table.seeds}
    wanted = [seed for seed in seeds if seed not in known or any(seed not in table.seeds for table in tables)]
    if len(wanted) < len(seeds):
        click.echo(f"{len(seeds) - len(wanted)} of {len(seeds)} seeds are there already", err=True)
    with click.progressbar(length=len(wanted), label="droplets", show_pos=True, width=30) as bar:
        for seed in wanted:
            report = look(renderer, replace(request, latent=Latent(((seed, 1.0),))), DropletRule(), map_px=1).report
            known[seed] = row_of(seed, report)
            for table in tables:
                if seed not in table.seeds:
                    table.add(Row(known[seed], report.layers))
            bar.update(1)
    return [known[seed] for seed in seeds]


def write_sheet(
    renderer: Renderer, request: RenderRequest, found: Sequence[SeedDroplet], path: Path, count: int
) -> None:
    """Draw the strongest once more, with their maps, and write the sheet."""
    from app.diagnostics.droplets import look, thumbnail
    from app.diagnostics.droplets_sheet import Entry, draw
    from app.recording.sinks import save_png
    from app.studies.droplets import DropletRule, DropletSearchAnswer

    opened = renderer.open(request)
    strongest = DropletSearchAnswer(tuple(found)).strongest[:count]
    entries = []
    for row in strongest:
        looked = look(renderer, replace(request, latent=Latent(((row.seed, 1.0),))), DropletRule())
        entries.append(Entry(row, thumbnail(looked.image, opened, SHEET_PX, request.bgr), looked.report))
    first = "the strongest seed" if len(entries) == 1 else f"the {len(entries)} strongest seeds"
    title = f"{opened.info.name}: droplets, {first} of {len(found)}"
    save_png(path, draw(entries, title, f"{opened.info.title}, {verdict(found)}"))
    click.echo(str(path))


def listing(found: Sequence[SeedDroplet]) -> list[str]:
    """The strongest seeds as a table."""
    from app.studies.droplets import DropletSearchAnswer

    rows = DropletSearchAnswer(tuple(found)).strongest[:LISTED]
    width = max(len(row.layer) for row in rows)
    lines = [f"{'seed':>10}  droplet  {'ratio':>8}  agree     x     y  layer"]
    for row in rows:
        x, y = row.spot
        lines.append(
            f"{row.seed:>10}  {'yes' if row.flag else 'no':<7}  {row.ratio:>6.1f} x  {row.agreement:>5.0%}"
            f"  {x:>4.0%}  {y:>4.0%}  {row.layer:<{width}}"
        )
    return lines


def verdict(found: Sequence[SeedDroplet]) -> str:
    """One line about all seeds."""
    from app.studies.droplets import DropletSearchAnswer

    answer = DropletSearchAnswer(tuple(found))
    top = answer.strongest[0]
    seeds = f"{len(found)} seed{'' if len(found) == 1 else 's'}"
    if not answer.flagged:
        return (
            f"no droplets in {seeds}; the largest peak is {top.ratio:.1f} x the median, seed {top.seed} in {top.layer}"
        )
    x, y = top.spot
    line = (
        f"droplets in {answer.flagged} of {seeds}, median strength {answer.median_strength:.1f} x;"
        f" the strongest is seed {top.seed} with {top.ratio:.1f} x in {top.layer} at x {x:.0%}, y {y:.0%}"
    )
    if answer.missing:
        named = ", ".join(str(row.seed) for row in answer.missing[:LISTED])
        line += f"; missing in {len(answer.missing)}: {named}{', ...' if len(answer.missing) > LISTED else ''}"
    return line
