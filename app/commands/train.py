"""`train`: learn a generator from a training set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click


@click.command()
@click.option("--data", "data_folder", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Folder of the training set (see the data command).")  # fmt: skip
@click.option("--family", type=click.Choice(["stylegan1", "stylegan2", "stylegan3"]), default="stylegan2",
              show_default=True, help="Which generator; with --resume that of the run counts.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Go on from the run's last snapshot, bit-exact.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, mps or auto.")
@click.option("--kimg", default=1000.0, show_default=True, help="Length, in thousands of pictures.")
@click.option("--snapshot-kimg", default=2.0, show_default=True, help="Snapshot and sample grid every so often.")
@click.option("--keep-kimg", default=10.0, show_default=True, help="Keep the generator in its own file every so often.")
@click.option("--critic", type=click.Choice(["residual", "growing", "projected"]),
              help="Discriminator [residual; growing for stylegan1].")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="Change a setting, such as batch=32; with --resume, sizes of networks stay.")  # fmt: skip
@click.option("--tensorboard", is_flag=True, help="Write scalars for TensorBoard as well (needs tensorboard).")
def train(
    data_folder: Path,
    family: str,
    out: Path,
    resume: bool,
    device: str,
    kimg: float,
    snapshot_kimg: float,
    keep_kimg: float,
    critic: str | None,
    settings: tuple[str, ...],
    tensorboard: bool,
) -> None:
    """Train a generator. Ctrl-C stops after the step at hand, with a snapshot; --resume goes on exactly there.

    Several GPUs: torchrun --nproc_per_node N main.py train ...
    """
    from app.devices import pick, prepare_thread
    from app.errors import InputError
    from app.memory import keep_big_buffers
    from app.training.run import Run, Schedule, stored_config
    from app.training.settings import changed, chosen
    from networks.training.data import PictureSet
    from networks.training.parallel import join
    from networks.training.trainer import Trainer

    keep_big_buffers()
    prepare_thread()
    chosen_device = pick(device)
    data = PictureSet(data_folder)
    if resume:
        if critic:
            raise click.UsageError("--resume goes on with the run's own discriminator; leave --critic away")
        config = changed(stored_config(out), settings)
    else:
        if (out / "state.pt").exists():
            raise InputError(f"{out} already holds a run; add --resume to go on, or choose another folder")
        config = chosen(family, critic, settings)
        config = replace(config, resolution=data.size, img_channels=data.img_channels)
    out.mkdir(parents=True, exist_ok=True)
    world = join(chosen_device)
    run = Run(out, Trainer(config, data, chosen_device, world), Schedule(kimg, snapshot_kimg, keep_kimg))
    if resume:
        run.resume(settings)
    finished = _go(run, _scalars(out, run.trainer.seen) if tensorboard and world.leads else None)
    if world.leads:
        word = "finished" if finished else "stopped"
        click.echo(f"{word} at {run.trainer.seen / 1000:.1f} kimg; go on with --resume, or: publish {out}")
    world.close()


def _go(run: Any, scalars: Any) -> bool:
    from tqdm import tqdm

    with tqdm(unit="picture", disable=not run.trainer.world.leads, mininterval=1.0) as bar:
        bar.update(run.trainer.seen)

        def progress(done: int, total: int, stats: dict[str, float]) -> None:
            bar.total = total
            bar.set_postfix({key: f"{stats[key]:.2f}" for key in ("d_loss", "g_loss")}, refresh=False)
            bar.update(done - bar.n)

        return bool(run.go(progress, scalars))


def _scalars(out: Path, seen: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise click.UsageError("--tensorboard needs the package tensorboard; install it or leave it away") from error
    return SummaryWriter(str(out / "tensorboard"), purge_step=seen or None)
