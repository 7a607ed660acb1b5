"""Files that want to run code, exhaust the machine, or are broken: how to make each, and what must be said of it.

`case(name, category, said)` registers a maker of one file. Commands in the files create a canary, `CANARY` in the
working directory; nobody may ever see it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.load import load
from tests.official_layout import Layout
from tests.pickle_writer import Made, Name, dumps

REFERENCE = Path(__file__).parents[3] / "data" / "reference"
CANARY = "canary-that-must-not-be-there"
COMMAND = f"touch {CANARY}"
CODE = f"open({CANARY!r}, 'w').close()"
OPENS = "opens"  # what is said of a file that is harmless after all


@dataclass(frozen=True)
class Case:
    """One file: its name, its category, how to write it, and a regular expression that its sentence must match.

    `during` happens to the file while it is read, at the first report of progress.
    """

    name: str
    category: str
    make: Callable[[Path], Path]
    said: str
    during: Callable[[Path], None] | None = None


CASES: dict[str, Case] = {}
Maker = Callable[[], Any]


def case(name: str, category: str, said: str) -> Callable[[Maker], Maker]:
    """Register a maker of bytes, or of a value that is pickled."""

    def register(make: Maker) -> Maker:
        def write(folder: Path) -> Path:
            made = make()
            path = folder / name
            path.write_bytes(made if isinstance(made, bytes) else dumps(made))
            return path

        add(name, category, said, write)
        return make

    return register


def add(
    name: str,
    category: str,
    said: str,
    write: Callable[[Path], Path],
    during: Callable[[Path], None] | None = None,
) -> None:
    assert name not in CASES, name
    CASES[name] = Case(name, category, write, said, during)


def verdict(case: Case, path: Path) -> str:
    """What the program says of a case's file: the sentence of the error, or `OPENS`. Anything else is raised."""
    happened = False

    def progress(_fraction: float, _what: str) -> None:
        nonlocal happened
        if case.during is not None and not happened:
            happened = True
            case.during(path)

    try:
        load(path, progress=progress)
    except CheckpointError as error:
        return str(error)
    return OPENS


def call(module_name: str, name: str, *args: Any) -> Made:
    return Made(Name(module_name, name), args)


def ran(name: str) -> str:
    """What is said of a file that names a function outside the allow-list."""
    return rf"asks to run {name.replace('.', '[.]')}, which no generator needs; nothing was run"


def container(g_ema: Any, **others: Any) -> dict[str, Any]:
    return {"G": None, "D": None, "G_ema": g_ema, **others}


def small() -> Any:
    return Layout(8, channel_base=64, channel_max=8, w_dim=8).generator()


def torch_zip(root: Any, members: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A torch file as written since torch 1.6."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr("archive/data.pkl", dumps(root, 2))
        for name, data in {"archive/version": b"3\n", **(members or {})}.items():
            archive.writestr(name, data)
    return out.getvalue()
