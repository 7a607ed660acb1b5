"""`convert`: any checkpoint -> our own safetensors file, which opens fast and runs no code anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands._options import CHECKPOINT
from app.errors import InputError

CHECK_SEEDS = (0, 1)


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--check", is_flag=True, help="Open the new file and compare its pictures with the old one's, bit for bit."
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def convert(checkpoint: Path, out: Path, check: bool, force: bool) -> None:
    """Write a checkpoint as safetensors, with its family, configuration and source in the header."""
    from networks.checkpoint.load import read_checkpoint
    from networks.checkpoint.safetensors_format import save_checkpoint

    if out.suffix.lower() != ".safetensors":
        raise InputError(f"{out.name}: the new file must end in .safetensors")
    if out.exists() and not force:
        raise InputError(f"{out}: is there already; --force replaces it")
    save_checkpoint(read_checkpoint(checkpoint), out)
    click.echo(f"{out}: {out.stat().st_size:,} bytes")
    if check:
        compare(checkpoint, out)


def compare(old: Path, new: Path) -> None:
    """Draw both files' seeds; raises ClickException where a bit differs."""
    import numpy as np

    from app.renderer import Renderer
    from app.request import Latent, Model, RenderRequest

    renderer = Renderer()
    for seed in CHECK_SEEDS:
        a, b = (
            renderer.image(RenderRequest(model=Model(str(path), "cpu"), latent=Latent(((seed, 1.0),))))
            for path in (old, new)
        )
        if not np.array_equal(a, b):
            raise click.ClickException(f"{new.name}: seed {seed} differs by up to {np.abs(a - b).max():g}")
    click.echo(f"checked: the pictures of seeds {', '.join(map(str, CHECK_SEEDS))} are the same, bit for bit")
