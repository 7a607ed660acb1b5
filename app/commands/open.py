"""`open`: the window. It is the verb when none is named."""

from __future__ import annotations

from pathlib import Path

import click

from app.bundled import first_model
from app.commands import OpenWindow
from app.commands._options import device_option
from app.training.watch import is_run
from networks.checkpoint.folders import find_folder


@click.command("open")
@click.argument("checkpoints", metavar="[CHECKPOINT | RUN]...", nargs=-1, type=click.Path(path_type=Path))
@device_option
@click.pass_obj
def open_(open_window: OpenWindow, checkpoints: tuple[Path, ...], device: str) -> None:
    """Open a window on the first checkpoint; the others join the recent list.

    The folder of a training run is watched: each new snapshot is shown as soon as it is written. Without an argument
    the window opens on the StyleGAN2 that comes with the app; after a crash, on what was open then.
    """
    for path in checkpoints:
        if not path.exists():
            raise click.UsageError(f"{path}: no such file, and no verb of that name; see main.py --help")
        if path.is_dir() and not is_run(path) and find_folder(path) is None:
            raise click.UsageError(f"{path} is a folder without run.json, so no training run; name a run or a file")
    bundled = [] if checkpoints else [first_model()]
    open_window([path for path in (*map(str, checkpoints), *bundled) if path], device, recover=not checkpoints)
