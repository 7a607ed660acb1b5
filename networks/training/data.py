"""Training pictures: one memory-mapped array, batches drawn from an explicit random stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class PictureSet:
    """DIR/pictures.npy, uint8 [N, H, W, C]; pictures come as float32 [n, C, H, W] in [-1, 1]."""

    def __init__(self, folder: Path) -> None:
        path = folder / "pictures.npy"
        if not path.exists():
            raise FileNotFoundError(f"{folder} holds no pictures.npy; make a training set with the data command first")
        self.folder = folder
        self.pictures = np.load(path, mmap_mode="r", allow_pickle=False)
        if self.pictures.ndim != 4 or self.pictures.shape[1] != self.pictures.shape[2]:
            raise ValueError(f"{path} is {list(self.pictures.shape)}, expected [N, size, size, channels]")

    def __len__(self) -> int:
        return int(self.pictures.shape[0])

    @property
    def size(self) -> int:
        """Width and height in pixels."""
        return int(self.pictures.shape[1])

    @property
    def img_channels(self) -> int:
        return int(self.pictures.shape[3])

    def take(self, indices: Tensor) -> Tensor:
        """indices [n] -> pictures [n, C, H, W] in [-1, 1]."""
        raw = torch.from_numpy(self.pictures[indices.numpy()])
        return raw.permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1

    def batch(self, count: int, rng: torch.Generator, mirror: bool = False) -> Tensor:
        """`count` pictures drawn with replacement; with `mirror` each is turned left to right with probability 1/2."""
        pictures = self.take(torch.randint(len(self), (count,), generator=rng))
        if mirror:
            turn = torch.rand(count, 1, 1, 1, generator=rng) < 0.5
            pictures = torch.where(turn, pictures.flip(3), pictures)
        return pictures
