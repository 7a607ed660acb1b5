"""Generators by (path, time, size, device): a bounded cache; a failed load is tried again when the user says so."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from app import devices, memory
from app.bounded import Bounded
from app.directions import push
from app.directions.library import Library
from app.errors import InputError
from app.frame import ModelInfo
from app.latents import Encode, Workspace
from app.request import Model
from networks import registry, taps
from networks.base import Generator
from networks.checkpoint import load
from networks.checkpoint.records import Checkpoint
from networks.text_encoder import TextEncoder, TextEncoderUnavailable

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]
WAIT_S = 0.1  # between two looks at whether waiting still makes sense
WORTH_RELEASING = 32 << 20  # bytes; below, going through the snapshots of a small training run would cost 0.15 s each
Key = tuple[str, int, int, str]  # path, mtime in ns, size in bytes, device


@dataclass(eq=False)
class Opened:
    """A generator that is ready, what is known of it, and what was mapped with it."""

    key: Key
    generator: Generator
    info: ModelInfo
    bytes: int
    workspace: Workspace = field(default_factory=Workspace)

    @property
    def device(self) -> torch.device:
        return torch.device(self.key[3])

    @property
    def library(self) -> Library:
        """Its directions."""
        return push.library_of(self.generator, self.workspace.library)


class ModelStore:
    """Opens generators and keeps the latest few; may be used from several threads."""

    def __init__(self, count: int = 6, size: int = 4 << 30) -> None:
        """Keep at most `count` generators and `size` bytes of weights (one always stays).

        Six: the open one, four beside it in a comparison, and one to come back to.
        """
        self._opened: Bounded[Key, Opened] = Bounded(count, size, lambda opened: opened.bytes)
        self._asked: Bounded[tuple[str, str, int], Key] = Bounded(32)
        self._failed: Bounded[tuple[str, str, int], Exception] = Bounded(32)
        self._lock = threading.Lock()

    def open(self, model: Model, progress: Progress | None = None, cancelled: Cancelled | None = None) -> Opened:
        """Return the generator of a request, from the cache where it is there.

        A failure is remembered for this very attempt, so that a broken file is not read again with every frame; the
        file is looked at anew when `attempt` grows. What is cancelled is not remembered.
        """
        asked = (model.path, model.device, model.attempt)
        if (known := self._known(asked)) is not None:  # nobody waits for a file that somebody else opens
            return known
        with self._turn(progress, cancelled):
            if (known := self._known(asked)) is not None:
                return known
            try:
                opened = self._open(model, progress, cancelled)
            except Exception as error:
                if cancelled is None or not cancelled():
                    self._failed.put(asked, error)
                raise
            self._asked.put(asked, opened.key)
            return opened

    @contextlib.contextmanager
    def _turn(self, progress: Progress | None, cancelled: Cancelled | None) -> Iterator[None]:
        """One file is opened at a time; raises taps.Cancelled where the caller need not wait any more."""
        while not self._lock.acquire(timeout=WAIT_S):
            if cancelled is not None and cancelled():
                raise taps.Cancelled("waiting")
            if progress is not None:
                progress(0.0, "Waiting for another file")
        try:
            yield
        finally:
            self._lock.release()

    def _known(self, asked: tuple[str, str, int]) -> Opened | None:
        """What is open already; raises what went wrong with this very attempt."""
        key = self._asked.get(asked)
        if key is not None and (opened := self._opened.get(key)) is not None:
            return opened
        if (failed := self._failed.get(asked)) is not None:
            raise failed.with_traceback(None)
        return None

    def _open(self, model: Model, progress: Progress | None, cancelled: Cancelled | None) -> Opened:
        device = devices.pick(model.device)
        key = file_key(model.path, device)
        if (opened := self._opened.get(key)) is not None:
            return opened
        generator, checkpoint = load.load(model.path, device, progress=progress, cancelled=cancelled)
        info = model_info(generator, checkpoint, device)
        workspace = Workspace(encoder(checkpoint, device), library=Library(generator, checkpoint.sha256))
        opened = Opened(key, generator, info, size_of(generator), workspace)
        gone = self._opened.put(key, opened)
        if sum(former.bytes for former in gone) >= WORTH_RELEASING:
            _release()
        return opened

    def peek(self, model: Model) -> Opened | None:
        """Return the generator of a request if it is open already; never waits, never loads."""
        key = self._asked.peek((model.path, model.device, model.attempt))
        return None if key is None else self._opened.peek(key)

    def forget(self) -> None:
        """Let go of every generator (a lost GPU, memory that ran out)."""
        with self._lock:
            self._opened.clear()
            self._asked.clear()
        _release()

    def __len__(self) -> int:
        return len(self._opened)

    def __bool__(self) -> bool:
        return True  # one with nothing in it is still one: `store or ModelStore()` would swap it for another


def _release() -> None:
    """Give the memory of generators that nobody holds any more back to the system and the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    memory.give_back()


def file_key(path: str, device: torch.device) -> Key:
    """What tells one state of a file from another; raises FileNotFoundError."""
    resolved = Path(path).expanduser().resolve()
    stat = resolved.stat()
    return str(resolved), stat.st_mtime_ns, stat.st_size, str(device)


def encoder(checkpoint: Checkpoint, device: torch.device) -> Encode | None:
    """Prompt -> vector by the text encoder that the file carries, None where it carries none.

    The encoder is built with the first prompt. What it lacks is raised as InputError, with the remedy.
    """
    if checkpoint.text_encoder is None:
        return None
    kept = dataclasses.replace(checkpoint, state={})  # the generator has the weights by now

    @functools.cache
    def build() -> TextEncoder:
        built = TextEncoder.from_checkpoint(kept, device)
        assert built is not None
        return built

    def encode(prompt: str) -> np.ndarray:
        try:
            return build().encode([prompt])[0].cpu().numpy()
        except TextEncoderUnavailable as error:
            raise InputError(str(error)) from error

    return encode


def size_of(generator: Generator) -> int:
    """Bytes of all weights and buffers."""
    return sum(t.numel() * t.element_size() for t in (*generator.parameters(), *generator.buffers()))


def model_info(generator: Generator, checkpoint: Checkpoint, device: torch.device) -> ModelInfo:
    """What panels show of a generator."""
    spec = dataclasses.asdict(generator.spec)
    psi = spec.get("default_psi")  # StyleGAN 1 files carry the truncation of the official code
    return ModelInfo(
        path=str(checkpoint.path),
        name=checkpoint.path.name,
        family=generator.family,
        title=registry.get(generator.family).title,
        format=checkpoint.format,
        resolution=generator.resolution,
        img_channels=generator.spec.img_channels,
        z_dim=generator.z_dim,
        c_dim=generator.c_dim,
        w_dim=generator.w_dim,
        num_ws=generator.num_ws,
        layers=generator.layers,
        preview_sizes=generator.preview_sizes,
        condition=generator.condition if generator.c_dim > 0 else "none",
        has_transform=generator.has_transform,
        has_text_encoder=checkpoint.text_encoder is not None,
        parameters=sum(p.numel() for p in generator.parameters()),
        device=str(device),
        precision="fp32" if device.type != "cuda" or not any(i.half for i in generator.layers) else "fp16 at the top",
        threads=torch.get_num_threads(),
        notes=checkpoint.notes,
        ignored=(*checkpoint.ignored, *load.surplus(checkpoint, generator)),
        default_psi=1.0 if psi is None else psi,
        default_cutoff=spec.get("default_cutoff"),
        sha256=checkpoint.sha256,
    )
