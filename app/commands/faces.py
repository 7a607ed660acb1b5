"""`faces`: the window on a real face generator from an optional package."""

from __future__ import annotations

import click

from app.commands import OpenWindow
from app.commands._options import device_option


@click.command()
@device_option
@click.pass_obj
def faces(open_window: OpenWindow, device: str) -> None:
    """Open the FFHQ faces (MobileStyleGAN) of the optional package random-face."""
    from networks.checkpoint.faces import FACES_HINT, find_faces

    path = find_faces()
    if path is None:
        raise click.UsageError(FACES_HINT)
    open_window([str(path)], device)
