"""`open`: the window. It is the verb when none is named."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands import OpenWindow
from app.commands._options import device_option


@click.command("open")
@click.argument("checkpoints", nargs=-1, type=click.Path(path_type=Path))
@device_option
@click.pass_obj
def open_(open_window: OpenWindow, checkpoints: tuple[Path, ...], device: str) -> None:
    """Open a window on the first checkpoint; the others join the recent list."""
    for path in checkpoints:
        if not path.exists():
            raise click.UsageError(f"{path}: no such file, and no verb of that name; see main.py --help")
    open_window([str(path) for path in checkpoints], device)
