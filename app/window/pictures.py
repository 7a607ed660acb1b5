"""Where pictures, recordings and numbers go, what they are called, and writing them beside the GUI thread."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from PIL import Image

from app.frame import ModelInfo
from app.recording.embedded import REQUEST_KEY, png_info
from app.request import RenderRequest

__all__ = ["REQUEST_KEY", "PictureWriter", "file_name", "free_path", "output_dir", "write_json", "write_png"]


def output_dir() -> Path:
    """The folder for pictures and recordings; STYLESCOPE_OUTPUT replaces the platform's pictures folder."""
    given = os.environ.get("STYLESCOPE_OUTPUT")
    return Path(given) if given else Path(platformdirs.user_pictures_dir()) / "StyleScope"


def file_name(model: str, suffix: str, moment: float | None = None) -> str:
    """'ffhq-20261123-140501.png' from the model's path and the time."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(model).stem).strip("-.") or "picture"
    return f"{stem}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(moment))}{suffix}"


def free_path(folder: Path, name: str) -> Path:
    """A path in the folder that does not exist yet: name, name-2, name-3, ..."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path


def write_png(
    path: Path, rgba: np.ndarray, request: RenderRequest | None = None, model: ModelInfo | None = None
) -> Path:
    """Write uint8 [H, W, 4] as PNG by rename, with the request and its model's name inside; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    info = None if request is None else png_info(request, model)
    part = path.with_name(path.name + ".part")
    try:
        Image.fromarray(rgba if (rgba[..., 3] < 255).any() else rgba[..., :3]).save(part, "PNG", pnginfo=info)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def write_json(path: Path, values: Mapping[str, Any]) -> Path:
    """Write plain values as JSON by rename; raises OSError, and ValueError for what JSON has no word for (NaN)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(values, indent=1, allow_nan=False), encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


class PictureWriter:
    """Writes PNGs and JSON in a thread of its own; `finished` returns sentences about what became of them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="png")
        self._running: list[tuple[Path, Future[Path]]] = []

    def write(
        self, path: Path, rgba: np.ndarray, request: RenderRequest | None = None, model: ModelInfo | None = None
    ) -> None:
        """Queue one picture; the array must not change any more."""
        self._running.append((path, self._pool.submit(write_png, path, rgba, request, model)))

    def write_json(self, path: Path, values: Mapping[str, Any]) -> None:
        """Queue numbers; they must not change any more."""
        self._running.append((path, self._pool.submit(write_json, path, values)))

    def finished(self) -> list[tuple[str, bool]]:
        """(sentence, is it a problem) for every file that is done since the last call."""
        done = [(path, future) for path, future in self._running if future.done()]
        self._running = [(path, future) for path, future in self._running if not future.done()]
        return [_report(path, future) for path, future in done]

    def close(self) -> None:
        """Wait until everything is written."""
        self._pool.shutdown(wait=True)


def _report(path: Path, future: Future[Path]) -> tuple[str, bool]:
    error = future.exception()
    if error is None:
        return f"Saved {path}", False
    if isinstance(error, OSError):
        return (
            f"{path} could not be written: {error.strerror or error}; free some space or choose another folder.",
            True,
        )
    return f"{path} could not be written: {error}", True
