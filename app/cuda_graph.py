"""What is CUDA's own in app/graphs.py: record kernels on a stream of their own, start them again, ask for memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Recording:
    """A graph: `replay` computes `picture` anew from what the buffers hold now."""

    replay: Callable[[], object]
    picture: Tensor


class Machine(Protocol):
    """What `Graphs` needs of a device that can record what it computes."""

    def takes(self, device: torch.device) -> bool: ...
    def free_bytes(self, device: torch.device) -> int: ...
    def settle(self, device: torch.device) -> None: ...
    def record(self, device: torch.device, draw: Callable[[], Tensor], warm_ups: int) -> Recording: ...


class Cuda:
    """torch's CUDA graphs; each has a memory pool of its own."""

    def takes(self, device: torch.device) -> bool:
        return device.type == "cuda"

    def free_bytes(self, device: torch.device) -> int:
        """What the driver has free, and what torch holds but does not use."""
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)

    def settle(self, device: torch.device) -> None:
        """Wait for what this thread has queued."""
        torch.cuda.current_stream(device).synchronize()

    def record(self, device: torch.device, draw: Callable[[], Tensor], warm_ups: int) -> Recording:
        """Warm up and record on one stream of its own; other threads may go on with theirs meanwhile."""
        with torch.cuda.device(device):
            stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(stream):
                for _ in range(warm_ups):
                    draw()
            torch.cuda.current_stream(device).wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                picture = draw()
        return Recording(graph.replay, picture)
