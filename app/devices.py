"""Which device computes, and with how many threads: the same answer in the window, on the command line, in walks."""

from __future__ import annotations

import functools
import os
import platform
import threading

import torch

from app.errors import DeviceError

GUI_CORES = 1  # what the window keeps for itself where there are more than two


def pick(name: str) -> torch.device:
    """'auto' -> CUDA, else MPS, else CPU; raises DeviceError when the one asked for is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise DeviceError(f"no CUDA device is at hand for torch {torch.__version__}; use --device cpu or auto")
    if name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError(f"no Apple GPU is at hand for torch {torch.__version__}; use --device cpu or auto")
    if name.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"device {name!r} is unknown; use cpu, cuda, mps or auto")
    return torch.device(name)


def wait_for(device: torch.device) -> None:
    """Return when everything that this thread queued on a GPU is done."""
    if device.type == "cuda":
        torch.cuda.current_stream(device).synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


@functools.cache
def thread_count() -> int:
    """Threads of one operation in this process (OMP_NUM_THREADS where set).

    The number decides the order of summation and with it the last bits, so every part of the app uses this one.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return share_of(max(1, min(allowed, torch.get_num_threads())))  # torch counts hyper-threads of a core once


def share_of(cores: int) -> int:
    """All cores but one, which the window keeps; both of two, where priorities share them (`yield_to_window`)."""
    return cores if cores <= 2 else cores - GUI_CORES


def prepare_thread(threads: int | None = None) -> int:
    """Settle torch in the calling thread; returns the number of threads of one operation.

    Full fp32 products and no autotuning on CUDA: the same request gives the same bits.
    """
    count = threads or thread_count()
    torch.get_num_threads()  # a thread's first look takes over what others set; only what comes after it stays its own
    torch.set_num_threads(count)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return count


def yield_to_window(steps: int = 5) -> None:
    """Lower the priority of the calling thread and of those it will start by so many steps of nice(2).

    Linux only, where threads have priorities of their own; elsewhere nothing happens.
    """
    if platform.system() == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), steps)
