"""Several processes train one model: each has a share of the batch, gradients are averaged (torchrun, gloo or NCCL)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class World:
    """Which of how many processes this is. With one process every method returns at once."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows progress."""
        return self.rank == 0

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes, in one message."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all processes, in order of rank; all have one shape."""
        if self.size == 1:
            return [tensor]
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        parts = [torch.empty_like(tensor, device=device) for _ in range(self.size)]
        dist.all_gather(parts, tensor.to(device))
        return [part.cpu() for part in parts]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return any(bool(part.item()) for part in self.gather(torch.tensor([flag], dtype=torch.uint8)))

    def close(self) -> None:
        """Leave the process group."""
        if self.size > 1:
            dist.destroy_process_group()


def join(device: torch.device) -> World:
    """The world that torchrun describes in the environment; alone where it does not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return World(dist.get_rank(), size)
