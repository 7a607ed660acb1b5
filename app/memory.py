"""Tell glibc to keep big buffers: a pass allocates the same large tensors again and again.

Each fresh tensor above 128 KB is otherwise mapped anew and pays a page fault per 4 KB, which costs the CPU networks a
factor of 1.3 to 3.5. Linux with glibc only; on other systems `keep_big_buffers` does nothing and returns False.
"""

from __future__ import annotations

import ctypes
import platform

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
