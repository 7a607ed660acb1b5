"""NVIDIA's PyTorch container: a dict with `G_ema`, whose modules were written with torch_utils.persistence.

Here: StyleGAN2 of the stylegan2-ada-pytorch and stylegan3 repositories. Sizes are taken from the stored tensors
wherever they say them, so that forks with other widths open as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.records import Array, Checkpoint, ModuleRecord, Source
from networks.stylegan2 import Architecture, StyleGAN2Spec


def find_generator(source: Source) -> ModuleRecord | None:
    """Return the averaged generator of a pickle (`G_ema`, else `G`, else the object itself), None if there is none."""
    root = source.root
    if isinstance(root, Mapping):
        root = next((root[key] for key in ("G_ema", "G") if isinstance(root.get(key), ModuleRecord)), None)
    return root if isinstance(root, ModuleRecord) and "synthesis" in root.modules else None


def ignored_entries(source: Source) -> tuple[str, ...]:
    """Names of the other entries of the container (D, training_set_kwargs, ...)."""
    return tuple(sorted(set(source.root) - {"G_ema"})) if isinstance(source.root, Mapping) else ()


def setting(record: ModuleRecord, name: str, default: Any = None) -> Any:
    """A stored attribute, else a constructor argument, else the default."""
    return record.attributes.get(name, record.init_kwargs.get(name, default))


def stylegan2(source: Source) -> Checkpoint | None:
    """StyleGAN2: recognized by `synthesis.b4`-like blocks and a mapping network of `fc{i}`."""
    record = find_generator(source)
    if record is None or not any(_is_block(name) for name in record.modules["synthesis"].modules):
        return None
    state = {key: tensor for key, tensor in record.state() if not key.endswith("resample_filter")}
    return Checkpoint(
        path=source.path,
        format="nvidia-torch",
        family="stylegan2",
        spec=_spec(record, state, source),
        state=state,
        ignored=ignored_entries(source),
        sha256=source.sha256,
    )


def _is_block(name: str) -> bool:
    return name.startswith("b") and name[1:].isdigit()


def _spec(record: ModuleRecord, state: Mapping[str, Array], source: Source) -> StyleGAN2Spec:
    synthesis, mapping = record.module("synthesis"), record.module("mapping")
    names = sorted((name for name in synthesis.modules if _is_block(name)), key=lambda name: int(name[1:]))
    first, last = synthesis.modules[names[0]], synthesis.modules[names[-1]]
    if "const" not in first.parameters:
        raise CheckpointError(f"{source.path.name}: synthesis.{names[0]} has no constant input; is this a StyleGAN2?")
    start = tuple(int(n) for n in first.parameters["const"].shape[1:])
    fc = sorted((n for n in mapping.modules if n.startswith("fc")), key=lambda n: int(n[2:]))
    embed = state.get("mapping.embed.weight")
    conv1 = last.module("conv1")
    resample = conv1.buffers.get("resample_filter")
    clamp = setting(conv1, "conv_clamp")
    return StyleGAN2Spec(
        z_dim=int(setting(record, "z_dim")),
        c_dim=int(setting(record, "c_dim", 0)),
        w_dim=int(state[f"mapping.{fc[-1]}.weight"].shape[0]),
        resolution=(start[0] << (len(names) - 1), start[1] << (len(names) - 1)),
        img_channels=int(state[f"synthesis.{names[-1]}.torgb.weight"].shape[0]),
        channels=tuple(int(state[f"synthesis.{name}.conv1.weight"].shape[0]) for name in names),
        start=(start[0], start[1]),
        architecture=_architecture(synthesis, names),
        mapping_features=tuple(int(state[f"mapping.{name}.weight"].shape[0]) for name in fc),
        embed_features=0 if embed is None else int(embed.shape[0]),
        mapping_lr_multiplier=float(mapping.module(fc[0]).attributes.get("bias_gain", 0.01)),
        half_resolutions=sum(bool(setting(synthesis.modules[name], "use_fp16", False)) for name in names),
        conv_clamp=None if clamp is None else float(clamp),
        filter_taps=(1.0, 3.0, 3.0, 1.0) if resample is None else _taps_of(resample),
    )


def _architecture(synthesis: ModuleRecord, names: list[str]) -> Architecture:
    if len(names) > 1 and "skip" in synthesis.modules[names[1]].modules:
        return "resnet"
    return "skip" if len(names) == 1 or "torgb" in synthesis.modules[names[0]].modules else "orig"


def _taps_of(resample: Array) -> tuple[float, ...]:
    """The 1-D taps whose outer product a stored 2-D filter is (its row sums, up to scale)."""
    f = torch.as_tensor(resample).float()
    rows = f if f.ndim == 1 else f.sum(dim=1)
    return tuple(round(float(tap), 6) for tap in rows / rows.min().clamp(min=1e-6))
