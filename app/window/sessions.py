"""The window's session: saved and opened by hand, and kept by itself so that a crash loses nothing."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from app import session
from app.errors import InputError
from app.request import RenderRequest
from app.session import Session
from app.window.history import lasting

AUTOSAVE_S = 2.0
LAST = "last.session.json"  # of the window that was closed last
Sentence = tuple[str, bool]  # what to say, is it a problem


class Remembers(Protocol):
    """A panel, as far as sessions need it."""

    title: str

    def keep(self) -> Mapping[str, Any]: ...
    def recall(self, kept: Mapping[str, Any]) -> None: ...


class Sessions:
    """Everything runs on the main thread but the writing.

    Each window writes an autosave of its own and holds a lock beside it; one whose lock can be had belongs to a window
    that ended unexpectedly. folder: of the settings. current: what the panels ask for. restore: shows it again.
    """

    def __init__(
        self,
        folder: Path,
        current: Callable[[], RenderRequest],
        restore: Callable[[RenderRequest], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.panels: Sequence[Remembers] = ()
        self._folder, self._current, self._restore, self._clock = folder / "sessions", current, restore, clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="session")
        self._running: list[tuple[str, Future[None]]] = []
        self._own: Path | None = None
        self._lock: FileLock | None = None
        self._kept: tuple[RenderRequest, dict[str, dict[str, Any]]] | None = None
        self._next = 0.0
        self._said: list[Sentence] = []

    def now(self) -> Session:
        """What is shown, and what the panels remember."""
        panels = {panel.title: kept for panel in self.panels if (kept := dict(panel.keep()))}
        return Session(lasting(self._current()), panels, time.strftime("%Y-%m-%d %H:%M:%S"))

    def save(self, path: Path) -> None:
        """Write the session; a sentence follows."""
        path = path if path.name.endswith(session.SUFFIX) else path.with_name(f"{path.stem}{session.SUFFIX}")
        self._write(self.now(), path, f"Saved the session as {path}")

    def open(self, path: Path) -> bool:
        """Show a session again; False with a sentence where it cannot be read."""
        try:
            self.show(session.read(path))
        except (InputError, OSError) as error:
            self._said.append((str(error), True))
            return False
        return True

    def show(self, kept: Session) -> None:
        """Panels first remember, then take their part of the request."""
        for panel in self.panels:
            if panel.title in kept.panels:
                panel.recall(kept.panels[panel.title])
        self._restore(kept.request)

    def take(self, path: str) -> bool:
        """Whether a dropped file is a session; it is then shown, or a sentence says why not."""
        try:
            mine = session.is_session(Path(path))
        except OSError:
            return False
        if mine:
            self.open(Path(path))
        return mine

    # -- by itself ---------------------------------------------------------------------------------------------------

    def recover(self) -> bool:
        """Show what was open when a window last ended unexpectedly; False where none did."""
        for path in self._orphans():
            with contextlib.suppress(InputError, OSError):
                kept = session.read(path)
                self.show(kept)
                self._said.append((f"The app ended unexpectedly; this is what was open at {kept.saved}.", False))
                path.unlink()
                return True
        return False

    def reopen(self) -> None:
        """Show what was open when the last window was closed."""
        path = self._folder / LAST
        if not path.exists():
            self._said.append(("There is no earlier session yet; one is kept whenever the window closes.", False))
        else:
            self.open(path)

    def update(self) -> None:
        """Once per turn of the loop: keep what changed, every few seconds at most."""
        now = self._clock()
        if now < self._next or self._running:
            return
        self._next = now + AUTOSAVE_S
        kept = self.now()
        state = (kept.request, {title: dict(values) for title, values in kept.panels.items()})
        if kept.request.model.path and state != self._kept:
            self._kept = state
            self._keep(kept)

    def _keep(self, kept: Session) -> None:
        try:
            self._write(kept, self._mine(), "")
        except OSError as error:  # no place for it: said once
            self._next = math.inf
            self._said.append((f"The session could not be written to {self._folder}: {error.strerror}.", True))

    def finished(self) -> list[Sentence]:
        """Sentences about what was written or read since the last call."""
        for done in [item for item in self._running if item[1].done()]:
            self._running.remove(done)
            error = done[1].exception()
            if error is not None:
                self._said.append((f"The session could not be written: {error}", True))
            elif done[0]:
                self._said.append((done[0], False))
        said, self._said = self._said, []
        return said

    def close(self) -> None:
        """The window closes as it should: its session is now the last one."""
        if self._own is not None:
            self._write(self.now(), self._own, "")
            self._pool.shutdown(wait=True)
            with contextlib.suppress(OSError):
                self._own.replace(self._folder / LAST)
        else:
            self._pool.shutdown(wait=True)
        self._let_go()

    def _write(self, kept: Session, path: Path, sentence: str) -> None:
        self._running.append((sentence, self._pool.submit(_write, kept, path)))

    def _mine(self) -> Path:
        """The autosave of this window; claims it at the first call."""
        if self._own is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._own = self._folder / f"open-{os.getpid()}-{time.time_ns()}{session.SUFFIX}"
            self._lock = FileLock(_lock_of(self._own))
            self._lock.acquire(blocking=False)
        return self._own

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
            Path(self._lock.lock_file).unlink(missing_ok=True)

    def _orphans(self) -> list[Path]:
        """Autosaves of windows that are gone, the newest first."""
        left = []
        for path in sorted(self._folder.glob(f"open-*{session.SUFFIX}"), key=lambda p: p.stat().st_mtime, reverse=True):
            lock = FileLock(_lock_of(path))
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue  # its window is open
            lock.release()
            Path(lock.lock_file).unlink(missing_ok=True)
            left.append(path)
        return left


def _lock_of(path: Path) -> str:
    return f"{path}.lock"


def _write(kept: Session, path: Path) -> None:
    """Whole or not at all; runs in a thread of its own."""
    text = session.to_text(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
