"""A training run as a folder: run.json, state.pt, loss.csv, latest.safetensors, samples/*.png, snapshots/*.safetensors.

`latest.safetensors` is the averaged generator as of the last snapshot, so that a run can be watched without its state.
Ctrl-C (or SIGTERM) ends the run after the step at hand, with a snapshot. Everything is written whole or not at all.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from app.errors import InputError
from app.training.grid import contact_sheet, sample
from networks.base import Generator
from networks.training.config import TrainConfig
from networks.training.snapshot import load_state, save_state, write_whole
from networks.training.trainer import Trainer

COLUMNS = (
    "kimg", "seconds", "size", "d_loss", "g_loss", "real_sign", "fake_sign", "r1", "path_penalty", "path_length",
)  # fmt: skip
GRID = (6, 12)  # rows, columns of a sample grid
GRID_SEED = 1


@dataclass(frozen=True)
class Schedule:
    """How long a run goes and what it writes when; lengths in thousands of pictures, `log_steps` in steps."""

    kimg: float
    snapshot_kimg: float = 2.0
    keep_kimg: float = 10.0
    log_steps: int = 16


@dataclass
class Run:
    """One folder and the trainer that fills it."""

    folder: Path
    trainer: Trainer
    schedule: Schedule
    seconds: float = 0.0
    changes: list[str] = field(default_factory=list)  # settings changed on the way, with the pictures seen then
    _sums: dict[str, float] = field(default_factory=dict)
    _count: int = 0
    _started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds of training, those before a resume included."""
        return self.seconds + time.monotonic() - self._started

    def go(self, progress: Callable[[int, int, dict[str, float]], None], scalars: Any = None) -> bool:
        """Train until the schedule ends (True) or a signal stops it (False). scalars: a TensorBoard writer."""
        trainer, total = self.trainer, round(1000 * self.schedule.kimg)
        self._started = time.monotonic()
        if trainer.world.leads and trainer.seen == 0:
            self._show()
        with caught_signals() as stopped:
            while trainer.seen < total:
                before = trainer.seen
                stats = trainer.step()
                self._note(stats, scalars)
                progress(trainer.seen, total, stats)
                stop = trainer.world.any(stopped())
                if stop or trainer.seen >= total or crossed(before, trainer.seen, self.schedule.snapshot_kimg):
                    self.snapshot(keep=crossed(before, trainer.seen, self.schedule.keep_kimg))
                if stop:
                    return False
        return True

    def snapshot(self, keep: bool = False) -> None:
        """Write the state, the sample grid and, with `keep`, the generator as a file of its own."""
        state = self.trainer.state()
        if not self.trainer.world.leads:
            return
        state["seconds"], state["changes"] = self.elapsed, self.changes
        save_state(self.folder / "state.pt", state)
        if keep:
            self._write_average(self.folder / "snapshots" / f"{self._stamp}.safetensors")
        self._show()

    def resume(self, settings: Sequence[str] = ()) -> None:
        """Go on from state.pt; rows of the log that are newer than it are dropped. settings: what changed, to note."""
        path = self.folder / "state.pt"
        if not path.exists():
            raise InputError(f"{self.folder} holds no state.pt, so there is nothing to resume; train without --resume")
        state = load_state(path)
        self.trainer.restore(state)
        self.seconds = float(state["seconds"])
        self.changes = [
            *state.get("changes", ()),
            *(f"{text} from {self.trainer.seen} pictures on" for text in settings),
        ]
        log = self.folder / "loss.csv"
        if log.exists():
            kept = [row for row in read_log(log) if row["kimg"] * 1000 <= self.trainer.seen + 0.5]
            write_whole(log, lambda part: write_log(part, kept))

    @property
    def _stamp(self) -> str:
        return f"kimg-{self.trainer.seen / 1000:08.1f}"

    def _show(self) -> None:
        """Write what whoever watches the run looks at: the sample grid, the newest generator, run.json."""
        self.write_grid()
        self._write_average(self.folder / "latest.safetensors")
        self._write_about()

    def _write_average(self, path: Path) -> None:
        """The averaged generator; its source name in the file ends with the pictures seen (app/training/watch.py)."""
        size, full = self.trainer.stage.size, self.trainer.config.resolution
        grown = f"Grown to {size} × {size} of {full} × {full} px so far: the layers above are still untrained."
        notes = (grown,) if size < full else ()
        write_generator(path, self.trainer.average, f"{self.folder.name}-{self._stamp}", notes)

    def write_grid(self) -> None:
        """The same latents each time, at psi 1, by the averaged generator; while growing, of the size that trains."""
        rows, columns = GRID
        size = self.trainer.stage.size
        pictures = sample(self.trainer.average, rows * columns, GRID_SEED, stop_at=size)
        sheet = contact_sheet(pictures, columns)
        path = self.folder / "samples" / f"{self._stamp}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda part: Image.fromarray(sheet).save(part, format="PNG"))

    def _note(self, stats: dict[str, float], scalars: Any) -> None:
        for key, value in stats.items():
            self._sums[key] = self._sums.get(key, 0.0) + value
        self._count += 1
        if self.trainer.steps % self.schedule.log_steps or not self.trainer.world.leads:
            return
        means = {key: value / self._count for key, value in self._sums.items()}
        row = {"kimg": self.trainer.seen / 1000, "seconds": self.elapsed, "size": self.trainer.stage.size, **means}
        log = self.folder / "loss.csv"
        fresh = not log.exists()
        with log.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerow({key: f"{value:.6g}" for key, value in row.items()})
        if scalars is not None:
            for key, value in means.items():
                scalars.add_scalar(key, value, self.trainer.seen)
        self._sums, self._count = {}, 0

    def _write_about(self) -> None:
        data = self.trainer.data.folder / "dataset.json"
        about = {
            "config": asdict(self.trainer.config),
            "data": json.loads(data.read_text(encoding="utf-8")) if data.exists() else {"source": "unknown"},
            "data_folder": str(self.trainer.data.folder.resolve()),
            "changes": self.changes,
            "schedule": asdict(self.schedule),
            "pictures_seen": self.trainer.seen,
            "seconds": round(self.elapsed),
            "machine": machine(self.trainer.device),
        }
        write_whole(self.folder / "run.json", lambda part: part.write_text(json.dumps(about, indent=1), "utf-8"))


def write_generator(path: Path, generator: Generator, name: str, notes: tuple[str, ...] = ()) -> None:
    """A generator as a safetensors file that the app opens; large tensors in half precision."""
    from networks.checkpoint.records import Checkpoint
    from networks.checkpoint.safetensors_format import save_checkpoint

    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: halved(tensor) for key, tensor in generator.state_dict().items()}
    save_checkpoint(
        Checkpoint(Path(name), "stylescope-run", generator.family, generator.spec, state, notes=notes), path
    )


def halved(tensor: Tensor) -> Tensor:
    """fp16 from 1024 values on, where all of them fit; small tensors (biases, w_avg, filters) keep their precision."""
    if tensor.dtype != torch.float32 or tensor.ndim < 2 or tensor.numel() < 1024 or tensor.abs().max() > 65504:
        return tensor
    return tensor.half()


def crossed(before: int, after: int, kimg: float) -> bool:
    """Whether a multiple of `kimg` thousand pictures lies in (before, after]."""
    every = max(1, round(1000 * kimg))
    return before // every != after // every


def read_log(path: Path) -> list[dict[str, float]]:
    """loss.csv -> one dictionary of numbers per row; empty cells are left out."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def write_log(path: Path, rows: list[dict[str, float]]) -> None:
    """Rows -> loss.csv."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)


def stored_config(folder: Path) -> TrainConfig:
    """The configuration that a run was begun with."""
    path = folder / "state.pt"
    if not path.exists():
        raise InputError(f"{folder} holds no state.pt, so there is nothing to resume; train without --resume")
    return TrainConfig(**load_state(path)["config"])


def machine(device: torch.device) -> str:
    """The machine in general words: cores or the name of the graphics card, torch's version."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of a shared {platform.machine()} CPU, no GPU, torch {torch.__version__}"


@contextmanager
def caught_signals() -> Iterator[Callable[[], bool]]:
    """Inside, SIGINT and SIGTERM only set a flag; yields the question whether one came."""
    came: list[int] = []
    kept = {
        number: signal.signal(number, lambda got, _: came.append(got)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
