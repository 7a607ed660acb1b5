"""Snapshots that are there whole or not at all: written beside, flushed to disk, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path` and rename it; a failure leaves what was at `path` as it was."""
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a trainer's state (plain values and tensors)."""
    write_whole(path, lambda part: torch.save(state, part))


def load_state(path: Path) -> dict[str, Any]:
    """Read a trainer's state; nothing in the file is executed."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
