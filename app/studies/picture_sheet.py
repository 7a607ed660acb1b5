"""A sheet of pictures with words, for a paper or a wall: seeds, mixed styles, a strip of psi, favourites. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from app.frame import Pixels
from app.request import RenderRequest
from app.studies import Study
from app.studies.picture_list import mixed, of_seed, shown_part, truncated, unmixed


@dataclass(frozen=True)
class SheetCell:
    """A place on the sheet: what is drawn there (None: nothing), and the words under it."""

    request: RenderRequest | None = None
    words: str = ""


@dataclass(frozen=True)
class PictureSheet(Study):
    """Draw all pictures to the end and put them on one sheet. Answer: a `Sheet`, when it is done.

    rows: the cells, line by line. heads: words over the columns; names: words to the left of the rows. title, and
    `about` in smaller letters, stand above. own: the first column and the first row are set apart, as in Fig. 3 of
    Karras et al. 2019. side: the longer side of a picture, px; smaller ones are enlarged by a whole factor.
    """

    answered_by: ClassVar[str] = "app.diagnostics.picture_sheet"
    rows: tuple[tuple[SheetCell, ...], ...]
    title: str = ""
    about: str = ""
    heads: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    own: bool = False
    side: int = 256


@dataclass(frozen=True, eq=False)
class Sheet:
    """The sheet, RGBA, and a sentence for each picture that could not be drawn."""

    pixels: Pixels
    problems: tuple[str, ...] = ()


def seed_sheet(request: RenderRequest, seeds: Sequence[int], columns: int, side: int = 256) -> PictureSheet:
    """Seeds line by line, each with its number."""
    base = shown_part(request)
    cells = [SheetCell(of_seed(base, seed), f"{seed}") for seed in seeds]
    return PictureSheet(lines(cells, columns), f"{model_name(request)}: seeds", settings(request), side=side)


def mixing_sheet(
    request: RenderRequest, sources: Sequence[int], styles: Sequence[int], rows: tuple[int, ...], side: int = 256
) -> PictureSheet:
    """Source seeds down, style seeds across, and each mix of the two where they meet."""
    base = shown_part(request)
    table = [[SheetCell(), *(SheetCell(unmixed(base, style)) for style in styles)]]
    for source in sources:
        mixes = [SheetCell(mixed(base, source, style, rows)) for style in styles]
        table.append([SheetCell(unmixed(base, source)), *mixes])
    return PictureSheet(
        tuple(tuple(line) for line in table),
        f"{model_name(request)}: rows {row_words(rows)} of ws from the seed above",
        settings(base, mixing=False),
        ("", *(f"{style}" for style in styles)),
        ("", *(f"{source}" for source in sources)),
        own=True,
        side=side,
    )


def psi_sheet(points: Sequence[tuple[str, RenderRequest]], values: Sequence[float], side: int = 256) -> PictureSheet:
    """A line for each named point, a column for each psi; 0 is the centre of W."""
    table = tuple(
        tuple(SheetCell(truncated(shown_part(request), psi)) for psi in values) for _, request in points
    )  # fmt: skip
    first = points[0][1]
    return PictureSheet(
        table,
        f"{model_name(first)}: truncation",
        settings(first, psi=False),
        tuple(f"ψ {psi:g}" for psi in values),
        tuple(name for name, _ in points),
        side=side,
    )


def lines(cells: Sequence[SheetCell], columns: int) -> tuple[tuple[SheetCell, ...], ...]:
    """Cells in lines of `columns`; the last line may be shorter."""
    return tuple(tuple(cells[start : start + columns]) for start in range(0, len(cells), columns))


def model_name(request: RenderRequest) -> str:
    """The file's name without its suffix."""
    return Path(request.model.path).stem


def row_words(rows: Sequence[int]) -> str:
    """(0, 1, 2, 5) -> '0-2, 5'; no row: 'none'."""
    parts: list[list[int]] = []
    for row in sorted(set(rows)):
        if parts and row == parts[-1][-1] + 1:
            parts[-1].append(row)
        else:
            parts.append([row])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts) or "none"


def settings(request: RenderRequest, psi: bool = True, mixing: bool = True) -> str:
    """What all pictures of a sheet share and differs from the usual, in words."""
    words = []
    truncation = request.truncation
    if psi:
        words.append(f"ψ {truncation.psi:g}")
    if truncation.cutoff is not None:
        words.append(f"on rows below {truncation.cutoff}")
    if request.condition.class_index is not None:
        words.append(f"class {request.condition.class_index}")
    if request.condition.prompt:
        words.append(f"“{request.condition.prompt}”")
    if mixing and request.mix.seed is not None and request.mix.rows:
        words.append(f"rows {row_words(request.mix.rows)} of ws from seed {request.mix.seed}")
    if request.noise.mode != "const":
        words.append("no noise" if request.noise.mode == "none" else f"random noise, seed {request.noise.seed}")
    if request.pushes:
        words.append(f"moved along {len(request.pushes)} direction{'s' if len(request.pushes) > 1 else ''}")
    if request.edits:
        words.append(f"{len(request.edits)} intervention{'s' if len(request.edits) > 1 else ''}")
    return ", ".join(words)
