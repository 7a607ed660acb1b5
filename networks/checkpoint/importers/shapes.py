"""What tensor shapes tell: specifications from a state that has our names; flat states inside containers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import Array
from networks.stylegan2 import Architecture, StyleGAN2Spec

State = Mapping[str, Array]


def tensor_dicts(root: Any, depth: int = 2) -> Iterator[tuple[str, State]]:
    """Yield (name of the entry, flat dict of arrays) for every state dict in nested containers, the root's first."""
    if not isinstance(root, Mapping):
        return
    arrays = {key: value for key, value in root.items() if isinstance(key, str) and _is_array(value)}
    if arrays:
        yield "", arrays
    if depth > 0:
        for name, value in root.items():
            for inner, state in tensor_dicts(value, depth - 1):
                yield f"{name}.{inner}" if inner else str(name), state


def stripped(state: State, prefix: str) -> dict[str, Array]:
    """The entries below a prefix, without it."""
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def fetch(file: str, state: State, key: str) -> Array:
    """One entry; raises CheckpointError that names the key."""
    if key not in state:
        raise CheckpointError(f"{file}: tensor {key} is missing among {len(state)}; is the file complete?")
    return state[key]


def block_names(state: State) -> list[str]:
    """The blocks of our synthesis network ('b4', 'b8', ...), ascending."""
    found = {match[1] for key in state if (match := re.match(r"synthesis\.(b\d+)\.", key))}
    return sorted(found, key=lambda name: int(name[1:]))


def trunk_sizes(state: State) -> dict[str, Any]:
    """The settings that StyleGAN and StyleGAN2 share, from the shapes of a state with our names."""
    blocks = block_names(state)
    const = next(state[key] for key in state if key.endswith(".const"))
    start = (int(const.shape[1]), int(const.shape[2]))
    top = len(blocks) - 1
    fc = sorted((key for key in state if re.fullmatch(r"mapping\.fc\d+\.weight", key)), key=lambda k: int(k[10:-7]))
    embed = state.get("mapping.embed.weight")
    width = 0 if embed is None else int(embed.shape[0])
    features = tuple(int(state[key].shape[0]) for key in fc)
    return {
        "z_dim": int(state[fc[0]].shape[1]) - width,
        "c_dim": 0 if embed is None else int(embed.shape[1]),
        "w_dim": features[-1],
        "resolution": (start[0] << top, start[1] << top),
        "img_channels": int(state[f"synthesis.{blocks[-1]}.torgb.weight"].shape[0]),
        "channels": tuple(int(state[f"synthesis.{name}.conv1.weight"].shape[0]) for name in blocks),
        "start": start,
        "mapping_features": features,
        "embed_features": width,
    }


def stylegan2_spec(state: State, *, progressive: bool = False, **settings: Any) -> StyleGAN2Spec:
    """Specification of a StyleGAN2 from the shapes of its state; `settings` is what no shape tells."""
    blocks = block_names(state)
    architecture: Architecture = "orig"
    if progressive:
        architecture = "progressive"
    elif f"synthesis.{blocks[-1]}.skip.weight" in state and len(blocks) > 1:
        architecture = "resnet"
    elif f"synthesis.{blocks[0]}.torgb.weight" in state:
        architecture = "skip"
    return StyleGAN2Spec(**trunk_sizes(state), architecture=architecture, **settings)


def filter_taps(kernel: Array) -> tuple[float, ...]:
    """The 1-D taps whose outer product a stored 2-D low-pass is (its row sums, the smallest one made 1)."""
    f = np.asarray(torch.as_tensor(kernel).float().cpu())
    rows = f if f.ndim == 1 else f.sum(axis=1)
    return tuple(round(float(tap), 6) for tap in rows / max(float(rows.min()), 1e-6))


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, torch.Tensor))
