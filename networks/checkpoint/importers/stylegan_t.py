"""StyleGAN-T: a dill pickle `dict(G, D, G_ema, training_set_kwargs)` of plain classes `networks.generator.*`.

Sizes are taken from the stored tensors and attributes. The text encoder sits in `mapping.clip`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.nvidia_torch import find_generator, ignored_entries, setting
from networks.checkpoint.records import Array, Checkpoint, ModuleRecord, Source
from networks.stylegan_t import StyleGANTSpec

ENCODER = "mapping.clip."


def stylegan_t(source: Source) -> Checkpoint | None:
    """StyleGAN-T: recognized by its start, `synthesis.b8.input`, and the list of layers beside it, `convs1`."""
    record = find_generator(source)
    if record is None or "b8" not in record.module("synthesis").modules:
        return None
    first = record.module("synthesis.b8")
    if not {"input", "convs1"} <= set(first.modules):
        return None
    state = _state(record)
    encoder = record.module("mapping").modules.get("clip")
    return Checkpoint(
        path=source.path,
        format="dill",
        family="stylegan_t",
        spec=_spec(record, state, source),
        state=state,
        ignored=ignored_entries(source),
        notes=_notes(encoder, setting(record, "c_dim", 0)),
        sha256=source.sha256,
        text_encoder=encoder if encoder is not None and any(True for _ in encoder.state()) else None,
    )


def _notes(encoder: ModuleRecord | None, c_dim: int) -> tuple[str, ...]:
    if c_dim == 0 or (encoder is not None and any(True for _ in encoder.state())):
        return ()
    return (f"No text encoder in this file: give the text as a vector of {c_dim} numbers (.npy).",)


def _state(record: ModuleRecord) -> dict[str, Array]:
    """The tensors under our names: `mapping.mlp.fc*` -> `mapping.fc*`, `mapping.x_avg` -> `mapping.w_avg`."""
    state: dict[str, Array] = {}
    c_dim = int(setting(record, "c_dim", 0))
    for key, array in record.state():
        if key.endswith("resample_filter") or key.startswith(ENCODER):
            continue
        if key == "mapping.x_avg":
            x_avg = torch.as_tensor(array).float()
            state["mapping.w_avg"] = torch.cat([x_avg, x_avg.new_zeros(c_dim)])
        else:
            state[key.replace("mapping.mlp.", "mapping.")] = array
    return state


def _spec(record: ModuleRecord, state: Mapping[str, Array], source: Source) -> StyleGANTSpec:
    synthesis, mapping = record.module("synthesis"), record.module("mapping.mlp")
    names = sorted((name for name in synthesis.modules if name[1:].isdigit()), key=lambda name: int(name[1:]))
    blocks = [synthesis.modules[name] for name in names]
    depths = {len(block.module("convs1").modules) for block in blocks}
    if len(depths) != 1:
        raise CheckpointError(f"{source.path.name}: {sorted(depths)} layers per resolution; expected the same in all")
    depth = depths.pop()
    side = 8 << (len(names) - 1)
    norm = next((layer.modules["norm"] for layer in blocks[0].module("convs1").modules.values()
                 if "norm" in layer.modules), None)  # fmt: skip
    clamp = setting(blocks[0].module("convs1.0"), "conv_clamp")
    torgbs = sum("torgb" in block.modules for block in blocks)
    architecture: Literal["skip", "orig"] = "skip" if torgbs == len(blocks) > 1 else "orig"
    return StyleGANTSpec(
        z_dim=int(state["mapping.fc0.weight"].shape[1]),
        c_dim=int(setting(record, "c_dim", 0)),
        w_dim=int(state["mapping.w_avg"].shape[0]),
        resolution=(side, side),
        img_channels=int(state[f"synthesis.{names[-1]}.torgb.weight"].shape[0]),
        channels=tuple(int(state[f"synthesis.{name}.convs1.0.weight"].shape[0]) for name in names),
        depth=depth,
        architecture=architecture,
        bandwidth=float(setting(blocks[0].module("input"), "bandwidth", 2.0)),
        norm_groups=32 if norm is None else int(setting(norm, "num_groups", 32)),
        norm_eps=1e-5 if norm is None else float(setting(norm, "eps", 1e-5)),
        mapping_features=tuple(int(state[f"mapping.fc{i}.weight"].shape[0]) for i in range(len(mapping.modules))),
        mapping_lr_multiplier=float(setting(mapping.module("fc0"), "bias_gain", 0.01)),
        half_resolutions=sum(bool(setting(block, "use_fp16", False)) for block in blocks),
        conv_clamp=None if clamp is None else float(clamp),
    )
