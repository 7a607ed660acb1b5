"""`grid`: a sheet of seeds, of mixed styles, or of points at several psi, as one PNG with the seeds written on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._options import CHECKPOINT, Numbers, check_applies, request_options, to_request, truncation
from app.errors import InputError
from app.request import Mix, RenderRequest
from app.studies.picture_list import of_seed, psi_values
from app.studies.picture_sheet import PictureSheet, Sheet, mixing_sheet, psi_sheet, seed_sheet
from app.studies.style_rows import groups

if TYPE_CHECKING:
    from app.frame import ModelInfo
    from app.renderer import Renderer

MOST = 4096  # pictures on a sheet


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--seeds", type=Numbers(MOST), default="0-35", show_default=True,
              help="Which seeds; with --styles those of the rows.")  # fmt: skip
@click.option("--styles", type=Numbers(MOST), help="Style mixing: seeds of the columns, whose styles the rows get.")
@click.option("--mix-group", type=click.Choice(["coarse", "middle", "fine"]),
              help="With --styles: which rows of ws are mixed, in place of --mix-rows.")  # fmt: skip
@click.option("--psi-strip", type=click.IntRange(2, 65), is_flag=False, flag_value=9, default=None,
              help="Each seed at so many psi from -1 to 1. [9]")  # fmt: skip
@click.option("--columns", type=click.IntRange(1, MOST), help="Seeds in a line. [so that the sheet is about square]")
@click.option("--size", type=click.IntRange(8, 4096), default=256, show_default=True,
              help="Longer side of a picture, px: averaged down, or enlarged by a whole factor.")  # fmt: skip
@request_options
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PNG.")
def grid(
    checkpoint: Path, seeds: tuple[int, ...], styles: tuple[int, ...] | None, mix_group: str | None,
    psi_strip: int | None, columns: int | None, size: int, out: Path, **options: Any,
) -> None:  # fmt: skip
    """Draw many pictures on one sheet: seeds; sources x styles (Fig. 3 of Karras et al. 2019); or a strip of psi."""
    if styles is not None and psi_strip is not None:
        raise click.UsageError("--styles and --psi-strip are two sheets; ask for one")
    if styles is None and mix_group is not None:
        raise click.UsageError("--mix-group says which rows come from --styles; name those seeds as well")
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    rows = options["mix_rows"]
    if styles is not None:
        rows = mixing_rows(info, options, mix_group)
        options, request = options | {"mix_rows": (), "mix_seed": None}, replace(request, mix=Mix())
    check_applies(options, info)
    request = replace(request, truncation=truncation(options, info))
    if styles is not None:
        question = mixing_sheet(request, seeds, styles, rows, size)
    elif psi_strip is not None:
        question = psi_sheet([(f"{seed}", of_seed(request, seed)) for seed in seeds], psi_values(psi_strip), size)
    else:
        question = seed_sheet(request, seeds, columns or wide_enough(len(seeds)), size)
    write(renderer, question, request, out)


def mixing_rows(info: ModelInfo, options: dict[str, Any], group: str | None) -> tuple[int, ...]:
    """The rows of ws that come from the style seeds."""
    rows: tuple[int, ...] = options["mix_rows"]
    if options["mix_seed"] is not None:
        raise InputError("--styles names the second seeds; leave out --mix-seed")
    if bool(rows) == (group is not None):
        raise InputError("--styles needs the rows of ws to mix: either --mix-rows 0-3 or --mix-group coarse")
    if bad := [row for row in rows if row >= info.num_ws]:
        raise InputError(f"{info.name}: --mix-rows {bad[0]} is outside 0 to {info.num_ws - 1}")
    if group is None:
        return rows
    found = groups(info.layers, info.num_ws)
    if group not in found:
        raise InputError(f"{info.name}: none of its {info.num_ws} rows of ws is {group}; it has {', '.join(found)}")
    return tuple(found[group])


def wide_enough(count: int) -> int:
    """Columns of a sheet that is about square, rather wide than high."""
    return max(1, -int(-(count**0.5) // 1))


def write(renderer: Renderer, question: PictureSheet, request: RenderRequest, out: Path) -> None:
    """Draw the sheet and write it, with the request that its pictures share inside."""
    from app.commands.render import make_folder
    from app.diagnostics.picture_sheet import run
    from app.recording.embedded import png_info
    from app.recording.sinks.folder import save_png

    make_folder(out.parent)
    sheet: Sheet | None = None
    for update in run(question, renderer):
        sheet = update.answer
    assert sheet is not None
    if sheet.problems:
        raise InputError(sheet.problems[0])
    save_png(out, sheet.pixels, info=png_info(request))
    height, width = sheet.pixels.shape[:2]
    click.echo(f"{out}: {sum(len(row) for row in question.rows)} places, {width} x {height} px")
