"""Buffers that a thread keeps between calls: fresh memory costs a page fault per 4 KB."""

from __future__ import annotations

import threading

import torch
from torch import Tensor


class Workspace(threading.local):
    """Named fp32 buffers, each as large as the largest call needed; every thread has its own."""

    def __init__(self) -> None:
        self.buffers: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """A tensor of this shape over the buffer of this name; what it holds is undefined."""
        count = torch.Size(shape).numel()
        held = self.buffers.get(name)
        if held is None or held.numel() < count:
            with torch.inference_mode(False):  # it outlives an inference mode that may end before the next call
                held = self.buffers[name] = torch.empty(count)
        return held[:count].view(shape)


workspace = Workspace()
