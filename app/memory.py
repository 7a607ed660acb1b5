"""How much memory is free; and glibc is told to keep big buffers: a pass allocates the same large tensors again and
again.

Each fresh tensor above 128 KB is otherwise mapped anew and pays a page fault per 4 KB, which costs the CPU networks a
factor of 1.3 to 3.5. Linux with glibc only; on other systems `keep_big_buffers` does nothing and returns False.
"""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

# option numbers of mallopt(3)
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


def keep_big_buffers() -> bool:
    """Never map single buffers, never give the heap's end back, grow by 64 MB, one heap for all threads.

    Must run before the worker thread starts, for a thread keeps the heap that it first allocated from. Returns
    whether the allocator took the settings.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 64 << 20))
    return all([mallopt(option, value) == 1 for option, value in settings])


def give_back() -> None:
    """Return the free part of the heap to the system, after a model was closed."""
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def available() -> int:
    """Bytes that this process could still take without pushing others out: of the machine, or of its own container."""
    import psutil  # not at the top: the window is up before it is needed

    return min([psutil.virtual_memory().available, *_left_in_container(Path("/sys/fs/cgroup"))])


def _left_in_container(group: Path) -> list[int]:
    """[bytes] below a container's limit (Linux, cgroup v2), files in the cache not counted as used; [] without one."""
    try:
        most = int((group / "memory.max").read_text())  # 'max' where there is no limit
        used = int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    return [max(0, most - used + int(stat.get("inactive_file", 0)))]
