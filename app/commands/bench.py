"""`bench`: how fast this machine is, as the tables of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.commands import OpenWindow
from app.commands._options import device_option
from app.errors import InputError

SECTIONS = ("pictures", "gpu", "drag", "sheet", "window", "reader", "memory")
DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@click.command()
@click.option("--section", "sections", type=click.Choice(SECTIONS), multiple=True,
              help="Measure this section; may be given again. [all]")  # fmt: skip
@click.option("--quick", is_flag=True, help="Small networks, few repeats; writes only where --out says so.")
@click.option(
    "--film",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Films of the drags in real time, with their raw numbers, into this folder.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write there. [docs/benchmarks.md]")
@device_option
@click.pass_obj
def bench(
    open_window: OpenWindow, sections: tuple[str, ...], quick: bool, film: Path | None, out: Path | None, device: str
) -> None:
    """Measure pictures, dragging, sheets of feature maps, the window, the reader, memory; print and write tables.

    The section gpu is measured where CUDA is, or where it is asked for.
    """
    from app.benchmarks import document

    if film is not None:
        check_film(film, sections)
    out = out or (None if quick else DOCUMENT)
    measured = {}
    for name in SECTIONS:
        if name in (sections or everything()):
            measured[name] = section(name, quick, device, open_window, film)
            click.echo("\n".join([f"## {document.heading(name)}", "", *measured[name], ""]))
            if out is not None:  # after each section: what was measured stays when a later one is stopped
                old = out.read_text(encoding="utf-8") if out.exists() else ""
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(document.update(old, measured, SECTIONS), encoding="utf-8")
    if out is not None:
        say(f"written to {out}")


def everything() -> list[str]:
    """The sections that this machine can measure."""
    import torch

    return [name for name in SECTIONS if name != "gpu" or torch.cuda.is_available()]


def check_film(film: Path, sections: tuple[str, ...]) -> None:
    """Raises InputError where no film can come of it, before anything is measured."""
    from app.benchmarks import drag_film

    if sections and "drag" not in sections:
        raise InputError(f"--film {film}: films are made of the section drag; add --section drag")
    drag_film.check_folder(film)


def section(name: str, quick: bool, device: str, open_window: OpenWindow, film: Path | None = None) -> list[str]:
    """Markdown lines of one section, under what it was measured on."""
    from app.benchmarks import machine

    before = machine.load()
    more: dict[str, tuple[Any, ...]] = {"window": (open_window,), "drag": (film,)}
    lines = measure(name)(quick, device, say, *more.get(name, ()))
    return [machine.conditions(), machine.busy(before, machine.load()), "", *lines]


def measure(name: str) -> Callable[..., list[str]]:
    """The function that measures a section; its modules import torch, so they are imported when it is wanted."""
    from app.benchmarks import drag, gpu, memory_use, pictures, reader, sheet, window

    modules = {"pictures": pictures, "gpu": gpu, "drag": drag, "sheet": sheet, "window": window, "reader": reader}
    return {**modules, "memory": memory_use}[name].table


def say(text: str) -> None:
    """Progress, apart from the tables."""
    click.echo(text, err=True)
