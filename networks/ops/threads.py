"""Threads that each compute a part of one operation; as many as torch is set to use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

T = TypeVar("T")


@lru_cache(maxsize=1)
def pool(threads: int) -> ThreadPoolExecutor:
    """Threads that compute alone: torch would split every small product of a tile among all of them and wait."""
    started = threading.Barrier(threads + 1)

    def start() -> None:
        torch.get_num_threads()  # a thread takes the common setting over when it first asks; later it would undo ours
        torch.set_num_threads(1)  # for this thread, and as the setting of threads to come, hence the reset below
        started.wait()

    executor = ThreadPoolExecutor(threads, thread_name_prefix="ops")
    for _ in range(threads):
        executor.submit(start)
    started.wait()
    torch.set_num_threads(threads)
    return executor


def each(work: Callable[[T], None], jobs: Iterable[T]) -> None:
    """Do every job, in the calling thread alone where torch is set to one."""
    threads = torch.get_num_threads()
    if threads == 1:
        for job in jobs:
            work(job)
    else:
        list(pool(threads).map(work, jobs))


def share_rows(work: Callable[[int, int], None], rows: int) -> None:
    """work(first, last) on an equal part of the rows for each thread."""
    threads = min(torch.get_num_threads(), rows)
    if threads <= 1:
        work(0, rows)
        return
    cuts = [rows * part // threads for part in range(threads + 1)]
    each(lambda part: work(cuts[part], cuts[part + 1]), range(threads))
