"""StyleGAN3 in NVIDIA's PyTorch container: sizes, rates and cut-offs are what each stored layer says of itself.

The constructors' rules are not run again: forks choose other sizes, and StyleGAN-XL appends layers of another rule.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from networks.alias_free import ChainInput, ChainLayer
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.nvidia_torch import find_generator, ignored_entries, setting
from networks.checkpoint.records import Checkpoint, ModuleRecord, Source
from networks.stylegan3 import StyleGAN3Spec


def stylegan3(source: Source) -> Checkpoint | None:
    """StyleGAN3, T or R: recognized by the Fourier input of its synthesis network."""
    record = find_generator(source)
    if record is None or not is_chain(record):
        return None
    embed = record.module("mapping").modules.get("embed")
    values = chain_values(record, source.path.name)
    return Checkpoint(
        path=source.path,
        format="nvidia-torch",
        family="stylegan3",
        spec=StyleGAN3Spec(**values, embed_features=0 if embed is None else int(embed.parameters["weight"].shape[0])),
        state=dict(record.state()),
        ignored=ignored_entries(source),
        sha256=source.sha256,
    )


def is_chain(record: ModuleRecord) -> bool:
    """Whether a generator's synthesis network starts with Fourier features and goes on with `L...` layers."""
    synthesis = record.modules["synthesis"]
    start = synthesis.modules.get("input")
    return start is not None and "freqs" in start.buffers and bool(layer_names(synthesis))


def layer_names(synthesis: ModuleRecord) -> list[str]:
    """Names of the layers in order of execution: as stored, else as they follow in the file."""
    stored = synthesis.attributes.get("layer_names")
    names = stored if stored else [name for name in synthesis.modules if name.startswith("L")]
    return [str(name) for name in names]


def chain_values(record: ModuleRecord, file: str) -> dict[str, Any]:
    """Everything that a ChainSpec holds but the width of the embedding, from a StyleGAN3-like generator."""
    synthesis, mapping = record.module("synthesis"), record.module("mapping")
    missing = [name for name in layer_names(synthesis) if name not in synthesis.modules]
    if missing:
        raise CheckpointError(f"{file}: synthesis.{missing[0]} is listed but not stored; is the file complete?")
    layers = tuple(_layer(name, synthesis.modules[name], file) for name in layer_names(synthesis))
    fc = sorted((name for name in mapping.modules if name.startswith("fc")), key=lambda name: int(name[2:]))
    if not fc:
        raise CheckpointError(f"{file}: mapping has no layers fc0, fc1, ...; is this a StyleGAN3?")
    features = tuple(int(mapping.modules[name].parameters["weight"].shape[0]) for name in fc)
    return {
        "z_dim": int(setting(record, "z_dim")),
        "c_dim": int(setting(record, "c_dim", 0)),
        "w_dim": features[-1],
        "resolution": layers[-1].size,
        "img_channels": layers[-1].channels,
        "input": _input(synthesis.modules["input"], file),
        "layers": layers,
        "output_scale": float(setting(synthesis, "output_scale", 0.25)),
        "mapping_features": features,
        "mapping_lr_multiplier": float(mapping.modules[fc[0]].attributes.get("bias_gain", 0.01)),
    }


def _input(record: ModuleRecord, file: str) -> ChainInput:
    return ChainInput(
        channels=int(record.parameters["weight"].shape[0]),
        size=_size(_stored(record, "size", f"{file}: synthesis.input")),
        rate=float(_stored(record, "sampling_rate", f"{file}: synthesis.input")),
        bandwidth=float(_stored(record, "bandwidth", f"{file}: synthesis.input")),
    )


def _layer(name: str, record: ModuleRecord, file: str) -> ChainLayer:
    def stored(key: str) -> Any:
        return _stored(record, key, f"{file}: synthesis.{name}")

    weight = record.parameters["weight"]
    up, down = record.buffers.get("up_filter"), record.buffers.get("down_filter")
    clamp = setting(record, "conv_clamp")
    left, right, top, bottom = (int(n) for n in stored("padding"))
    return ChainLayer(
        name=name,
        in_channels=int(weight.shape[1]),
        channels=int(weight.shape[0]),
        kernel=int(weight.shape[2]),
        in_size=_size(stored("in_size")),
        size=_size(stored("out_size")),
        in_rate=float(stored("in_sampling_rate")),
        rate=float(stored("out_sampling_rate")),
        in_cutoff=float(stored("in_cutoff")),
        cutoff=float(stored("out_cutoff")),
        in_half_width=float(stored("in_half_width")),
        half_width=float(stored("out_half_width")),
        up=int(stored("up_factor")),
        up_taps=1 if up is None else int(up.shape[0]),
        down=int(stored("down_factor")),
        down_taps=1 if down is None else int(down.shape[0]),
        radial=down is not None and len(down.shape) == 2,
        padding=(left, right, top, bottom),
        torgb=bool(stored("is_torgb")),
        half=bool(setting(record, "use_fp16", False)),
        clamp=None if clamp is None else float(clamp),
    )


def _stored(record: ModuleRecord, key: str, where: str) -> Any:
    value = setting(record, key)
    if value is None:
        raise CheckpointError(f"{where} does not say its {key}; re-save the file with the code it was trained with")
    return value


def _size(stored: Any) -> tuple[int, int]:
    """The stored (W, H), or one number for both -> (H, W)."""
    width, height = (int(n) for n in np.broadcast_to(np.asarray(stored), (2,)))
    return height, width
