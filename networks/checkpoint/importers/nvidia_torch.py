"""NVIDIA's PyTorch container: a dict with `G_ema`, whose modules were written with torch_utils.persistence.

Here: StyleGAN2 of the stylegan2-ada-pytorch and stylegan3 repositories. Sizes are taken from the stored tensors
wherever they say them, so that forks with other widths open as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.shapes import State, block_names, filter_taps, stylegan2_spec
from networks.checkpoint.records import Checkpoint, ModuleRecord, Source
from networks.stylegan2 import BINOMIAL, StyleGAN2Spec


def find_generator(source: Source) -> ModuleRecord | None:
    """Return the averaged generator of a pickle (`G_ema`, else `G`, else the object itself), None if there is none."""
    root = source.root
    if isinstance(root, Mapping):
        root = next((root[key] for key in ("G_ema", "G") if isinstance(root.get(key), ModuleRecord)), None)
    return root if isinstance(root, ModuleRecord) and "synthesis" in root.modules else None


def ignored_entries(source: Source) -> tuple[str, ...]:
    """Names of the other entries of the container (D, training_set_kwargs, ...)."""
    if not isinstance(source.root, Mapping):
        return ()
    used = next((key for key in ("G_ema", "G") if isinstance(source.root.get(key), ModuleRecord)), "")
    return tuple(sorted({str(key) for key in source.root} - {used}))


def setting(record: ModuleRecord, name: str, default: Any = None) -> Any:
    """A stored attribute, else a constructor argument, else the default."""
    return record.attributes.get(name, record.init_kwargs.get(name, default))


def stylegan2(source: Source) -> Checkpoint | None:
    """StyleGAN2: recognized by `synthesis.b4`-like blocks and a mapping network of `fc{i}`."""
    record = find_generator(source)
    if record is None:
        return None
    state = {key: tensor for key, tensor in record.state() if not key.endswith("resample_filter")}
    if not block_names(state) or "mapping.fc0.weight" not in state:  # StyleGAN-T has such blocks, but another mapping
        return None
    known = "mapping.w_avg" in state
    spec = _spec(record, state, source)
    if not known:
        state["mapping.w_avg"] = torch.zeros(spec.w_dim)
    return Checkpoint(
        path=source.path,
        format="nvidia-torch",
        family="stylegan2",
        spec=spec,
        state=state,
        ignored=ignored_entries(source),
        w_avg_known=known,
        sha256=source.sha256,
    )


def _spec(record: ModuleRecord, state: State, source: Source) -> StyleGAN2Spec:
    synthesis, mapping = record.module("synthesis"), record.module("mapping")
    blocks = block_names(state)
    for key in (f"synthesis.{blocks[0]}.const", f"synthesis.{blocks[-1]}.torgb.weight"):
        if key not in state:
            raise CheckpointError(f"{source.path.name}: {key} is missing; is this a StyleGAN2 generator?")
    conv1 = synthesis.module(f"{blocks[-1]}.conv1")
    resample = conv1.buffers.get("resample_filter")
    clamp = setting(conv1, "conv_clamp")
    return stylegan2_spec(
        state,
        mapping_lr_multiplier=float(mapping.module("fc0").attributes.get("bias_gain", 0.01)),
        half_resolutions=sum(bool(setting(synthesis.modules[name], "use_fp16", False)) for name in blocks),
        conv_clamp=None if clamp is None else float(clamp),
        filter_taps=BINOMIAL if resample is None else filter_taps(resample),
    )
