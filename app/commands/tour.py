"""`tour`: the real window, driven through its real controls; makes the pictures of the README."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands import OpenWindow


@click.command()
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for what it makes."
)
@click.argument("checkpoint", required=False, type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def tour(open_window: OpenWindow, out: Path, checkpoint: Path | None) -> None:
    """Open a model, drag through W, look at layers, record a walk; write pictures of the window and a film."""
    from app.tour import run

    run(out, open_window, "" if checkpoint is None else str(checkpoint))
