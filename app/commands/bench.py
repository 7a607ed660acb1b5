"""`bench`: how fast this machine is, as the table of docs/benchmarks.md."""

from __future__ import annotations

import multiprocessing
import platform
from collections.abc import Callable
from pathlib import Path

import click

from app.commands import OpenWindow
from app.commands._options import device_option

PARTS = ("pictures", "memory", "window")


@click.command()
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure this part; may be given again. [all]")
@click.option("--quick", is_flag=True, help="Small networks only.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the tables there as Markdown.")
@device_option
@click.pass_obj
def bench(open_window: OpenWindow, only: tuple[str, ...], quick: bool, out: Path | None, device: str) -> None:
    """Measure pictures, memory and the window on this machine; prints Markdown."""
    parts: dict[str, Callable[[], list[str]]] = {
        "pictures": lambda: alone("app.benchmarks.pictures", quick, device),
        "memory": lambda: alone("app.benchmarks.memory_use", quick),
        "window": lambda: window(open_window, device),
    }
    lines = ["# Benchmarks", "", "Made by `python main.py bench`.", "", machine()]
    for name, measure in parts.items():
        if not only or name in only:
            lines += ["", f"## {name.capitalize()}", "", *measure()]
    text = "\n".join(lines) + "\n"
    click.echo(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


def alone(module: str, *arguments: object) -> list[str]:
    """Run a module's `table` in a fresh process, so that parts do not share memory or warmth."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(run_table, (module, arguments))


def run_table(module: str, arguments: tuple[object, ...]) -> list[str]:
    """In the fresh process: import and measure."""
    import importlib

    from app import process

    process.prepare()
    lines: list[str] = importlib.import_module(module).table(*arguments)
    return lines


def window(open_window: OpenWindow, device: str) -> list[str]:
    """The window's numbers, or the sentence why there are none."""
    from app.benchmarks.window import table
    from app.start import NoScreenError

    try:
        return table(open_window, device)
    except NoScreenError as error:
        return [f"Not measured: {error}"]


def machine() -> str:
    """One line about the computer and the versions."""
    import os
    from importlib.metadata import version

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0] if names else cpu
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cpu}, {cores} cores; {platform.system()}; Python {platform.python_version()}, torch {version('torch')}."
