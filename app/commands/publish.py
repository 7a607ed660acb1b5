"""`publish`: a run becomes a model that ships: weights, card, sample grids, measured numbers."""

from __future__ import annotations

from pathlib import Path

import click

MODELS = Path(__file__).resolve().parents[2] / "assets" / "models"


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--name", help="Name of the model [that of the run's folder].")
@click.option("--out", type=click.Path(path_type=Path), default=MODELS, help="Where models lie [assets/models].")
@click.option("--data", "data_folder", type=click.Path(path_type=Path), help="Training set [where the run found it].")
@click.option("--pictures", default=2048, show_default=True, help="Pictures on each side of the Fréchet distance.")
@click.option("--neighbours-from", default=8192, show_default=True, help="Training pictures searched for neighbours.")
def publish(
    run: Path, name: str | None, out: Path, data_folder: Path | None, pictures: int, neighbours_from: int
) -> None:
    """Write the safetensors, the card and the sample grids of a run in one step."""
    from app.memory import keep_big_buffers
    from app.training import publish as publishing
    from networks.training.data import PictureSet

    keep_big_buffers()
    effort = publishing.Effort(pictures, neighbours_from)
    data = PictureSet(data_folder) if data_folder else None
    folder = publishing.publish(run, out, name or run.name, effort, click.echo, data)
    click.echo(f"published in {folder}")
