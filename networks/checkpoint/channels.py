"""Red and blue exchanged: some ports train on BGR pictures, and no file says so."""

from __future__ import annotations

import torch

from networks.base import Generator
from networks.checkpoint.errors import CheckpointError


def exchange_red_blue(generator: Generator) -> None:
    """Exchange the first and third row of every to-RGB, in place: pictures come out RGB instead of BGR, or back.

    Exact, because nothing but a sum follows a to-RGB. Raises CheckpointError for grey generators and for those whose
    last layer does not end in pixels (MobileStyleGAN).
    """
    rows = [info for info in generator.layers if info.kind == "torgb"]
    channels = generator.spec.img_channels
    if channels not in (3, 4) or any(info.channels != channels for info in rows):
        raise CheckpointError(f"{generator.family} with {channels} channels has no red and blue to exchange")
    order = torch.tensor([2, 1, 0, 3][:channels])
    for info in rows:
        layer = generator.get_submodule(f"synthesis.{info.name}")
        for tensor in (getattr(layer, "weight", None), getattr(layer, "bias", None)):
            if isinstance(tensor, torch.Tensor):
                tensor.data = tensor.data[order.to(tensor.device)]
