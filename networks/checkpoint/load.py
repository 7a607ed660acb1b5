"""From a path to a generator: read, recognize, check, build."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from networks import registry
from networks.base import Generator
from networks.checkpoint.diagnose import describe
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.openvino import read_openvino
from networks.checkpoint.plausible import SPARE, Allocations, check_spec, understood
from networks.checkpoint.reader import read_source
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.checkpoint.w_avg import mean_w

Progress = Callable[[float, str], None]
# (module below importers/, function), tried in this order
IMPORTERS = (
    ("stylescope", "stylescope"),
    ("stylegan_t", "stylegan_t"),  # before StyleGAN2, whose block names it shares
    ("nvidia_torch", "stylegan2"),
    ("stylegan_xl", "stylegan_xl"),
    ("stylegan3", "stylegan3"),
    ("nvidia_tf", "stylegan_tf"),
    ("openvino", "openvino"),
    ("rosinality", "rosinality"),
    ("mmgen", "mmgen"),
    ("genforce", "genforce"),
    ("lucidrains", "lucidrains"),
)


def read_checkpoint(
    path: str | Path, *, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None
) -> Checkpoint:
    """Open a file as data: which family, which configuration, which weights. Builds no network.

    Raises CheckpointError with one sentence when the file holds no generator that we know.
    """
    source = read_openvino(Path(path)) or read_source(Path(path), progress=progress, cancelled=cancelled)
    for module, name in IMPORTERS:
        importer: Callable[[Source], Checkpoint | None] = getattr(
            importlib.import_module(f"networks.checkpoint.importers.{module}"), name
        )
        with understood(source.path.name, name):
            checkpoint = importer(source)
        if checkpoint is not None:
            return checkpoint
    raise CheckpointError(f"{source.path.name}: no generator of a known family in this file ({describe(source)})")


def build(
    checkpoint: Checkpoint,
    device: torch.device | str = "cpu",
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator:
    """Checkpoint -> generator with its weights, in evaluation mode, on a device.

    Where the file has no w_avg it is estimated once and kept in `cache` (None: the user's cache folder).
    Raises CheckpointError when tensors are missing, have another shape than the configuration says, or hold NaN.
    """
    file, family = checkpoint.path.name, registry.get(checkpoint.family)
    check_spec(file, checkpoint.spec)
    with understood(file, family.title):
        state = {key: _tensor(array) for key, array in checkpoint.state.items()}
        with Allocations(file, sum(tensor.numel() for tensor in state.values()) + SPARE):
            generator = family.build(checkpoint.spec)
        check_state(file, generator.state_dict(), state)
        generator.load_state_dict({key: state[key] for key in generator.state_dict()}, assign=True)
    if not checkpoint.w_avg_known:
        generator.mapping.w_avg = mean_w(
            generator, checkpoint.sha256, cache=cache, progress=progress, cancelled=cancelled
        )
    return generator.requires_grad_(False).to(device)


def check_state(name: str, expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError at the first tensor that is missing, has a wrong shape, or is not finite."""
    missing = [key for key in expected if key not in state]
    if missing:
        raise CheckpointError(
            f"{name}: {len(missing)} of {len(expected)} tensors are missing, first {missing[0]}"
            f" {list(expected[missing[0]].shape)}; is the file complete?"
        )
    for key, tensor in expected.items():
        if state[key].shape != tensor.shape:
            raise CheckpointError(
                f"{name}: {key} is {list(state[key].shape)}, expected {list(tensor.shape)};"
                " its other layers say a different width"
            )
        if not bool(torch.isfinite(state[key]).all()):
            raise CheckpointError(f"{name}: {key} holds NaN or infinite values; training of this network broke down")


def surplus(checkpoint: Checkpoint, generator: Generator) -> tuple[str, ...]:
    """Keys of the file that the network has no place for."""
    return tuple(sorted(set(checkpoint.state) - set(generator.state_dict())))


def load(
    path: str | Path,
    device: torch.device | str = "cpu",
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Generator, Checkpoint]:
    """Open a file and build its generator; see `read_checkpoint` and `build` for what they raise."""
    checkpoint = read_checkpoint(path, progress=progress, cancelled=cancelled)
    return build(checkpoint, device, cache=cache, progress=progress, cancelled=cancelled), checkpoint


def _tensor(array: Array) -> Tensor:
    if isinstance(array, np.ndarray):
        # contiguous and writable, as torch wants it; ascontiguousarray would turn a scalar into [1]
        array = torch.from_numpy(np.require(array, requirements=("C", "W")))
    tensor = array.detach()
    return tensor.float() if tensor.is_floating_point() else tensor
