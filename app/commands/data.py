"""`data`: make a training set, from Fluent Emoji or from any folder of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


@click.group()
def data() -> None:
    """Make a training set: one array of pictures with a table of attributes."""


@data.command("fluent-emoji")
@click.option("--size", default=64, show_default=True, type=click.IntRange(16, 512), help="Width and height, pixels.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the training set.")
@click.option("--packages", type=click.Path(path_type=Path), help="Where the npm packages lie or go [OUT/packages].")
@click.option("--seed", default=0, show_default=True, help="Seed of backgrounds and transforms.")
@click.option("--head-draws", default=1, show_default=True, type=click.IntRange(0, 16), help="Pictures per head frame.")
@click.option(
    "--smiley-draws", default=1, show_default=True, type=click.IntRange(0, 16), help="Pictures per smiley frame."
)
def fluent_emoji(size: int, out: Path, packages: Path | None, seed: int, head_draws: int, smiley_draws: int) -> None:
    """Heads and smileys of Microsoft's Fluent Emoji (MIT) on plain backgrounds, each frame moved at random."""
    from app.training import build, fluent
    from app.training.compose import Variation

    draws = {"heads": head_draws, "smileys": smiley_draws}
    which = [name for name, count in draws.items() if count]
    if not which:
        raise click.UsageError("no pictures are asked for: raise --head-draws or --smiley-draws above 0")
    smileys = fluent.read_list("smileys")
    codes = [code for name in which for code in fluent.read_list(name)]
    click.echo("checking the packages")
    archives = fluent.fetch(packages or out / "packages")
    files = fluent.animations(archives, set(codes))
    parts = build.fluent_parts(files, size, seed, Variation(), draws, smileys)
    about = build.fluent_about(which, seed, draws, Variation())
    _write(lambda progress: build.write_set(out, size, about, parts, progress), out)


@data.command("folder")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--size", default=64, show_default=True, type=click.IntRange(16, 512), help="Width and height, pixels.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the training set.")
@click.option("--licence", default="unknown", show_default=True, help="Said on the card of what is trained on it.")
def folder(source: Path, size: int, out: Path, licence: str) -> None:
    """Any folder of pictures: the centre square of each, resized."""
    from app.training import build

    parts = build.folder_parts(source, size)
    about = {"source": source.name, "licence": licence}
    _write(lambda progress: build.write_set(out, size, about, parts, progress), out)


def _write(job: Callable[[Callable[[int, int], None]], int], out: Path) -> None:
    from tqdm import tqdm

    with tqdm(unit="picture") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        total = job(progress)
    click.echo(f"{total} pictures in {out}")
