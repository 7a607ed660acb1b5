"""Pixels from the device to the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from networks.failures import is_out_of_memory


class Event(Protocol):
    """A mark in a stream that can be waited for."""

    def record(self) -> object: ...
    def synchronize(self) -> object: ...


def to_host(x: Tensor) -> np.ndarray:
    """x as an array of its own that nobody writes to again; from CUDA through page-locked memory.

    There the copy runs beside Python, straight into the array: the driver needs no buffer of its own between them. The
    calling thread waits for this copy, and sleeps meanwhile, rather than for all that the device has to do. torch gives
    the memory to another picture when the last array that looks at it is gone, not before.
    """
    if x.device.type != "cuda":
        return x.cpu().numpy()
    with torch.cuda.device(x.device):
        event = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
        return through_locked_memory(x, _locked, event)


def through_locked_memory(x: Tensor, allocate: Callable[[Tensor], Tensor], copied: Event) -> np.ndarray:
    """`to_host` by a page-locked twin of x and an event of its stream."""
    try:
        twin = allocate(x)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return x.cpu().numpy()  # systems bound what may be locked
    twin.copy_(x, non_blocking=True)
    copied.record()
    copied.synchronize()
    return twin.numpy()


def _locked(x: Tensor) -> Tensor:
    return torch.empty(x.shape, dtype=x.dtype, pin_memory=True)
