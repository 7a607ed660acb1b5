"""`render`: pictures of seeds or latent files, as PNG or as the generator's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands._options import CHECKPOINT, Numbers, check_applies, request_options, to_request, truncation
from app.request import Latent, RenderRequest

if TYPE_CHECKING:
    from app.renderer import Renderer


@click.command()
@click.argument("checkpoint", type=CHECKPOINT)
@click.option("--seeds", type=Numbers(), help="Which seeds.")
@click.option(
    "--latent", "latents", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A latent file (w or W+), in place of seeds; may be given again.",
)  # fmt: skip
@request_options
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder.")
@click.option("--format", "kind", type=click.Choice(["png", "npy"]), default="png", show_default=True,
              help="npy: float32 NCHW in the generator's own range.")  # fmt: skip
@click.option("--save-w", is_flag=True, help="Save each W+ as seedNNNN.npz (key w) as well.")
def render(
    checkpoint: Path, seeds: tuple[int, ...] | None, latents: tuple[Path, ...], out: Path, kind: str, save_w: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Draw seeds: one file seedNNNN.png or .npy each. Same seed, same picture as NVIDIA's tools."""
    held: Latent | None = options["parts"].get("latent")
    if not seeds and not latents and held is None:
        raise click.UsageError("name what to draw: --seeds 0-3,7 or --latent FILE")
    from app.renderer import Renderer

    renderer = Renderer()
    request = to_request(checkpoint, options)
    info = renderer.open(request).info
    check_applies(options, info)
    request = replace(request, truncation=truncation(options, info))
    make_folder(out)
    for name, latent in points(seeds or (), latents, held):
        click.echo(str(draw(renderer, replace(request, latent=latent), out / name, kind, save_w)))


def points(seeds: tuple[int, ...], files: tuple[Path, ...], held: Latent | None = None) -> Iterator[tuple[str, Latent]]:
    """(file name without its ending, latent) of everything that was asked for."""
    for seed in seeds:
        yield f"seed{seed:04d}", Latent(((seed, 1.0),))
    for path in files:
        yield path.stem, Latent.of_file(str(path))
    if held is not None:
        yield "picture", held


def draw(renderer: Renderer, request: RenderRequest, path: Path, kind: str, save_w: bool) -> Path:
    """Draw and write one picture; returns where it went."""
    import numpy as np

    from app import latent_files
    from app.errors import WriteError
    from app.recording.embedded import png_info
    from app.recording.sidecar import pinned
    from app.recording.sinks import save_png

    target = path.with_name(f"{path.name}.{kind}")
    if kind == "npy":
        image = renderer.image(request)
        try:
            np.save(target, image)
        except OSError as error:
            raise WriteError(f"{target}: writing failed, {error.strerror or error}") from error
    else:
        frame = renderer.render(request)
        assert frame.picture is not None
        assert frame.model is not None
        save_png(target, frame.picture, info=png_info(pinned(request, frame.model), frame.model))
    if save_w:
        latent_files.write(path.with_name(f"{path.name}.npz"), renderer.ws(request))
    return target


def make_folder(out: Path) -> None:
    """Make the output folder; raises InputError when something else has its name."""
    from app.errors import InputError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: the folder cannot be made, {error.strerror or error}") from error
