"""The training run that is open: which of its snapshots the window shows, following the newest or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.frame import Snapshot, TrainingRun
from app.training.watch import RunWatch

TABLES = {"config": "", "schedule": "", "data": "data "}  # parts of run.json that hold settings, and their prefix


class OpenRun:
    """Follows the newest snapshot until the user picks another one."""

    def __init__(self, watch: RunWatch) -> None:
        self.watch = watch
        self.shown: Snapshot | None = watch.newest
        self.following = True
        self._state = self._describe()

    @property
    def state(self) -> TrainingRun:
        """What the panels see; the same object until something changes."""
        return self._state

    def update(self) -> Snapshot | None:
        """Look at the folder; the snapshot that is to be opened now, None when nothing changed."""
        if not self.watch.look():
            return None
        due = self.watch.newest if self.following and self.watch.newest != self.shown else None
        self.shown = due or self.shown
        self._state = self._describe()
        return due

    def choose(self, snapshot: Snapshot) -> None:
        """Show one snapshot and stay there; the newest one as well."""
        self.shown, self.following = snapshot, False
        self._state = self._describe()

    def follow(self, on: bool) -> Snapshot | None:
        """Follow the newest, or stay; the snapshot that is to be opened now."""
        self.following = on
        due = self.watch.newest if on and self.watch.newest != self.shown else None
        self.shown = due or self.shown
        self._state = self._describe()
        return due

    def holds(self, path: str) -> bool:
        """Whether a checkpoint lies in this run."""
        return bool(path) and Path(path).is_relative_to(self.watch.folder)

    @property
    def name(self) -> str:
        """The run and how far it was, for the names of saved pictures."""
        kimg = f"-{self.shown.kimg:.1f}-kimg" if self.shown is not None else ""
        return f"{self.watch.folder.name}{kimg}"

    def _describe(self) -> TrainingRun:
        watch = self.watch
        snapshots = watch.snapshots
        if self.shown is not None and self.shown not in snapshots:  # replaced since, yet still on the screen
            snapshots = tuple(sorted((*snapshots, self.shown), key=lambda snapshot: snapshot.kimg))
        planned = _table(watch.about, "schedule").get("kimg")
        return TrainingRun(
            folder=str(watch.folder),
            snapshots=snapshots,
            shown=self.shown,
            following=self.following,
            log=watch.log.columns,
            settings=settings_in_words(watch.about),
            planned_kimg=float(planned) if isinstance(planned, int | float) else None,
            written=watch.written,
            problem=watch.problem,
        )


def settings_in_words(about: dict[str, Any]) -> dict[str, str]:
    """run.json -> setting -> value, what was changed on the way last."""
    words = {}
    for part, prefix in TABLES.items():
        for name, value in _table(about, part).items():
            if not isinstance(value, dict) and name != "sha512":
                words[f"{prefix}{name}"] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    words["machine"] = str(about.get("machine", "unknown"))
    changes = about.get("changes")
    for number, change in enumerate(changes if isinstance(changes, list) else [], 1):
        words[f"change {number}"] = str(change)
    return words


def _table(about: dict[str, Any], name: str) -> dict[str, Any]:
    part = about.get(name)
    return part if isinstance(part, dict) else {}
