"""What was measured on: processor, versions, threads, how busy the machine was; and memory of this process."""

from __future__ import annotations

import ctypes
import datetime
import os
import platform
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "torch", "dearpygui")


def conditions() -> str:
    """One line; torch is not imported for it."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{processor()}, {cores()} cores; {platform.system()}, Python {platform.python_version()}, {packages};"
        f" {datetime.date.today().isoformat()}."
    )


def processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def load() -> float | None:
    """Programs that ran or waited for a core, mean of the last minute; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def busy(before: float | None, after: float | None) -> str:
    """How busy the machine was, as a sentence."""
    if before is None or after is None:
        return "The system does not say how busy it was."
    return f"Load of the machine {before:.1f} before and {after:.1f} after, on {cores()} cores."


def resident_mb() -> float:
    """Memory that the process holds now, in MB of 10^6 bytes (Linux; elsewhere 0)."""
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """The most that the process ever held, in MB (Linux; elsewhere 0)."""
    return _status_mb("VmHWM")


def in_use_mb() -> float | None:
    """What the program holds of the allocator's memory, in MB: allocated and not freed (mallinfo2 of glibc 2.33; None
    elsewhere). Resident memory is that and whatever free memory the allocator keeps."""
    if platform.libc_ver()[0] != "glibc" or not hasattr(libc := ctypes.CDLL(None), "mallinfo2"):
        return None
    libc.mallinfo2.restype = MallInfo
    info = libc.mallinfo2()
    return (info.uordblks + info.hblkhd) / 1e6


class MallInfo(ctypes.Structure):
    """struct mallinfo2: all arenas. hblkhd: bytes in blocks mapped one by one; uordblks: bytes in use in the heap."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    )  # fmt: skip


def _status_mb(field: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6  # the kernel counts in KiB
