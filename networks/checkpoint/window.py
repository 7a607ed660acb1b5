"""Reading a file in pieces: byte ranges with bounds, a job's budgets, progress and cancellation.

Arrays are read straight from the file into their own memory, so that the peak stays near one times the file's size.
Only safetensors are mapped: a mapped file that another program truncates takes the whole process down.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from networks.checkpoint.errors import CheckpointError

Progress = Callable[[float, str], None]

MAX_OPERATIONS = 500_000  # pickle opcodes in one file; a generator has about 50,000
MAX_TEXT = 32 << 20  # bytes of strings and small byte strings that are held in memory
MAX_SENTENCE = 360  # letters of an error
PIECE = 4 << 20  # bytes between two looks at the cancel button


class ReadCancelled(CheckpointError):
    """The user cancelled the reading of a file."""


class Job:
    """One file being read: its name, what it may still use, and who listens."""

    def __init__(
        self, path: Path, size: int, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
    ) -> None:
        self.path, self.size = path, size
        self._progress, self._cancelled = progress, cancelled
        self._operations, self._text, self._array_bytes = 0, 0, 0
        self._work, self._hashing = 0, False

    def error(self, sentence: str) -> CheckpointError:
        """The exception for a sentence about this file; what the file says of itself is made printable and short."""
        printable = "".join(letter if letter.isprintable() else "?" for letter in sentence)
        if len(printable) > MAX_SENTENCE:
            printable = f"{printable[: MAX_SENTENCE - 100]} ... {printable[-90:]}"
        return CheckpointError(f"{self.path.name}: {printable}")

    def spend_operations(self, count: int) -> None:
        """Count pickle operations; raises CheckpointError above MAX_OPERATIONS."""
        self._operations += count
        self.check()
        if self._operations > MAX_OPERATIONS:
            raise self.error(
                f"has more than {MAX_OPERATIONS:,} pickle operations, a generator has about 50,000;"
                " it is no generator or was made to exhaust memory"
            )

    def spend_text(self, count: int) -> None:
        """Count bytes of text held in memory; raises CheckpointError above MAX_TEXT."""
        self._text += count
        if self._text > MAX_TEXT:
            raise self.error(f"has more than {MAX_TEXT >> 20} MiB of text in it, a generator has about 1 MiB")

    def spend_array(self, count: int) -> None:
        """Count bytes of arrays; raises CheckpointError where they add up to more than the file holds."""
        self._array_bytes += count
        if self._array_bytes > self.size + (1 << 20):
            raise self.error(
                f"promises arrays of {self._array_bytes:,} bytes in a file of {self.size:,}; it is damaged"
                " or was made to exhaust memory"
            )

    def advance(self, count: int, what: str) -> None:
        """Report `count` more bytes done; raises ReadCancelled when the user cancelled."""
        self._work = min(self._work + count, 2 * self.size)
        self.check()
        if self._progress is not None:
            self._progress(self._work / max(2 * self.size, 1), what)

    def finish(self) -> None:
        """Report that all is done."""
        if self._progress is not None:
            self._progress(1.0, "read")

    def check(self) -> None:
        """Raise ReadCancelled when the user cancelled."""
        if self._cancelled is not None and self._cancelled():
            raise ReadCancelled(f"{self.path.name}: opening was cancelled")


class Window:
    """Bytes [start, start + length) of an open file, as a file of its own."""

    def __init__(self, file: BinaryIO, job: Job, start: int, length: int) -> None:
        self.job, self.length = job, length
        self._file, self._start = file, start

    def sub(self, start: int, length: int) -> Window:
        """The window at `start` of this one; raises CheckpointError where it reaches past the end."""
        self._check_bounds(start, length)
        return Window(self._file, self.job, self._start + start, length)

    def read(self, start: int, length: int) -> bytes:
        """Read a small range; raises CheckpointError where it reaches past the end."""
        self._check_bounds(start, length)
        self._file.seek(self._start + start)
        data = self._file.read(length)
        if len(data) != length:
            raise self._changed()
        return data

    def read_into(self, start: int, target: memoryview, what: str = "reading weights") -> None:
        """Fill `target` (bytes) from `start`, in pieces with progress."""
        self._check_bounds(start, len(target))
        self._file.seek(self._start + start)
        for offset in range(0, len(target), PIECE):
            piece = target[offset : offset + PIECE]
            if self._file.readinto(piece) != len(piece):  # type: ignore[attr-defined]
                raise self._changed()
            self.job.advance(len(piece), what)

    def map(self) -> mmap.mmap:
        """Map the whole file, private and copy on write: writing to a tensor does not write to the file."""
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)

    def _check_bounds(self, start: int, length: int) -> None:
        if start < 0 or length < 0 or start + length > self.length:
            raise self.job.error(
                f"is cut off: byte {self._start + start + max(length, 0):,} is needed and the file has"
                f" {self.job.size:,}; download it again"
            )

    def _changed(self) -> CheckpointError:
        return changed(self.job)


def changed(job: Job) -> CheckpointError:
    """The error for a file that another program wrote to meanwhile."""
    return job.error("changed while it was read; wait until the other program has finished writing and open it again")


def fingerprint(file: BinaryIO) -> tuple[int, int, int]:
    """(size, modification time in ns, inode) of an open file: differs when somebody wrote to it."""
    stat = os.fstat(file.fileno())
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
