"""A training run's folder as it grows: snapshots, log, settings. Reads what changed, and only that. No torch.

Everything in the folder is written whole or not at all (app/training/run.py), but it may lie on a network drive or be
copied while we look: what cannot be read yet is read at the next look.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import InputError
from app.frame import Snapshot
from app.safetensors_header import read_header

ABOUT, LATEST, KEPT, LOG = "run.json", "latest.safetensors", "snapshots", "loss.csv"
STAMP = re.compile(r"kimg-(\d+(?:\.\d+)?)$")  # ends a snapshot's name, and the source name inside of `latest`
LOOK_EVERY_S = 0.5


def is_run(folder: Path) -> bool:
    """Whether a folder is a training run."""
    return (folder / ABOUT).is_file()


class RunWatch:
    """`look` once per turn of a loop; the attributes are what is known."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises InputError when the folder is no training run, or run.json cannot be read."""
        if not is_run(folder):
            raise InputError(
                f"{folder} holds no {ABOUT}, so it is no training run;"
                " open the folder that train --out wrote, or a checkpoint"
            )
        self.folder, self._clock = folder, clock
        self.problem = ""
        self.snapshots: tuple[Snapshot, ...] = ()
        self.about: dict[str, Any] = _read_about(folder / ABOUT)
        self.log = LossLog(folder / LOG)
        self.written = 0.0
        self._stamps: dict[str, tuple[int, int]] = {}
        self._latest: Snapshot | None = None
        self._next_look = -1.0
        self.look()

    @property
    def newest(self) -> Snapshot | None:
        """The snapshot that saw most pictures; None while there is none."""
        return self.snapshots[-1] if self.snapshots else None

    def look(self) -> bool:
        """Read what changed since the last look, at most twice a second; whether something did."""
        if self._clock() < self._next_look:
            return False
        self._next_look = self._clock() + LOOK_EVERY_S
        before = self.snapshots, self.problem, self.about, self.log.rows, self.written
        try:
            self._read()
            self.problem = ""
        except InputError as error:
            self.problem = str(error)
            self._stamps.pop(ABOUT)  # to be read again at the next look
        except OSError as error:
            self.problem = f"{self.folder} cannot be read any more: {error.strerror}; the last state stays"
        return before != (self.snapshots, self.problem, self.about, self.log.rows, self.written)

    def _read(self) -> None:
        if self._changed(ABOUT):
            self.about = _read_about(self.folder / ABOUT)
        if self._changed(LATEST):
            self._latest = self._read_latest()
        if self._changed(LOG):
            self.log.read()
        self.snapshots = self._list()
        self.written = max((mtime for mtime, _ in self._stamps.values()), default=0) / 1e9

    def _changed(self, name: str) -> bool:
        """Whether a file is another one than at the last look; a missing one counts as unchanged."""
        try:
            stat = os.stat(self.folder / name)
        except FileNotFoundError:
            os.stat(self.folder)  # a folder that is gone is a problem, a file that is not there yet is none
            return False
        stamp = stat.st_mtime_ns, stat.st_size
        changed = self._stamps.get(name) != stamp
        self._stamps[name] = stamp
        return changed

    def _read_latest(self) -> Snapshot | None:
        path = self.folder / LATEST
        source = read_header(path).get("source")
        found = STAMP.search(str(source.get("name"))) if isinstance(source, dict) else None
        return Snapshot(str(path), float(found[1]), self._stamps[LATEST][0]) if found else self._latest

    def _list(self) -> tuple[Snapshot, ...]:
        """The kept snapshots, and the latest where it saw more pictures than they did."""
        kept = []
        for path in (self.folder / KEPT).glob("*.safetensors"):
            with suppress(FileNotFoundError):  # deleted a moment ago
                if found := STAMP.search(path.stem):
                    kept.append(Snapshot(str(path), float(found[1]), path.stat().st_mtime_ns))
        kept.sort(key=lambda snapshot: snapshot.kimg)
        latest = self._latest
        if latest is not None and (not kept or latest.kimg > kept[-1].kimg):
            kept.append(latest)
        return tuple(kept)


class LossLog:
    """loss.csv as columns of numbers; only what was appended is read again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: Mapping[str, np.ndarray] = {}  # name -> float64 [rows], NaN where a cell is empty
        self._start_over()

    def _start_over(self) -> None:
        self._names: list[str] = []
        self._table = np.empty((0, 0))  # [rows, columns]
        self._place: tuple[int, int] = (0, 0)  # inode, bytes read

    @property
    def rows(self) -> int:
        """How many complete lines were read."""
        return len(self._table)

    def read(self) -> None:
        """Take in the lines that were appended; a file that was replaced or cut is read from its beginning."""
        with self.path.open("rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_ino != self._place[0] or stat.st_size < self._place[1]:
                self._start_over()
            file.seek(self._place[1])
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # a line that is being written is read at the next look
        self._place = stat.st_ino, self._place[1] + len(whole)
        lines = [line.split(",") for line in whole.decode("utf-8", "replace").splitlines()]
        if lines and not self._names:
            self._names = lines.pop(0)
            self._table = np.empty((0, len(self._names)))
        rows = [[_number(cell) for cell in line] for line in lines if len(line) == len(self._names)]
        if rows:
            self._table = np.concatenate([self._table, np.array(rows, np.float64)])
        self.columns = {name: self._table[:, place] for place, name in enumerate(self._names)}


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _read_about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); is the run's folder complete?") from error
    if not isinstance(about, dict):
        raise InputError(f"{path} is no table of settings; is this a training run's folder?")
    return about
