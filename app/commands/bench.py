"""`bench`: how fast this machine is, as the tables of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from app.commands import OpenWindow
from app.commands._options import device_option

SECTIONS = ("pictures", "drag", "sheet", "window", "reader", "memory")
DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@click.command()
@click.option("--section", "sections", type=click.Choice(SECTIONS), multiple=True,
              help="Measure this section; may be given again. [all]")  # fmt: skip
@click.option("--quick", is_flag=True, help="Small networks, few repeats; writes only where --out says so.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write there. [docs/benchmarks.md]")
@device_option
@click.pass_obj
def bench(open_window: OpenWindow, sections: tuple[str, ...], quick: bool, out: Path | None, device: str) -> None:
    """Measure pictures, dragging, sheets of feature maps, the window, the reader, memory; print and write tables."""
    from app.benchmarks import document

    out = out or (None if quick else DOCUMENT)
    measured = {}
    for name in SECTIONS:
        if not sections or name in sections:
            measured[name] = section(name, quick, device, open_window)
            click.echo("\n".join([f"## {name.capitalize()}", "", *measured[name], ""]))
            if out is not None:  # after each section: what was measured stays when a later one is stopped
                old = out.read_text(encoding="utf-8") if out.exists() else ""
                out.parent.mkdir(parents=True, exist_ok=True)
                out.write_text(document.update(old, measured, SECTIONS), encoding="utf-8")
    if out is not None:
        say(f"written to {out}")


def section(name: str, quick: bool, device: str, open_window: OpenWindow) -> list[str]:
    """Markdown lines of one section, under what it was measured on."""
    from app.benchmarks import machine

    before = machine.load()
    lines = measure(name)(quick, device, say, *((open_window,) if name == "window" else ()))
    return [machine.conditions(), machine.busy(before, machine.load()), "", *lines]


def measure(name: str) -> Callable[..., list[str]]:
    """The function that measures a section; its modules import torch, so they are imported when it is wanted."""
    from app.benchmarks import drag, memory_use, pictures, reader, sheet, window

    modules = {"pictures": pictures, "drag": drag, "sheet": sheet, "window": window, "reader": reader}
    return {**modules, "memory": memory_use}[name].table


def say(text: str) -> None:
    """Progress, apart from the tables."""
    click.echo(text, err=True)
