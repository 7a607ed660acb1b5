"""StyleGAN-XL in NVIDIA's PyTorch container: stem and super-resolution generators, conditional or not."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from networks.checkpoint.importers.nvidia_torch import find_generator, ignored_entries
from networks.checkpoint.importers.stylegan3 import chain_values, is_chain, layer_names
from networks.checkpoint.records import Array, Checkpoint, ModuleRecord, Source
from networks.stylegan_xl import StyleGANXLSpec


def stylegan_xl(source: Source) -> Checkpoint | None:
    """StyleGAN-XL: a StyleGAN3 chain with a projected class embedding, or whose layers carry XL's own settings."""
    record = find_generator(source)
    if record is None or not is_chain(record) or not _is_xl(record):
        return None
    values = chain_values(record, source.path.name)
    embed = record.module("mapping").modules.get("embed")
    state = dict(record.state())
    if values["c_dim"] == 0:
        state["mapping.w_avg"] = torch.as_tensor(state["mapping.w_avg"]).reshape(-1)  # some files keep it as [1, w_dim]
    return Checkpoint(
        path=source.path,
        format="nvidia-torch",
        family="stylegan_xl",
        spec=StyleGANXLSpec(**values, embed_features=0 if embed is None else _width(embed.parameters)),
        state=state,
        ignored=ignored_entries(source),
        sha256=source.sha256,
    )


def _is_xl(record: ModuleRecord) -> bool:
    """Super-resolution generators name their head; XL's layers keep `lrelu_upsampling`, StyleGAN3's do not."""
    synthesis = record.module("synthesis")
    first = synthesis.modules.get(layer_names(synthesis)[0])
    return (
        "embed_proj" in record.module("mapping").modules
        or "head_layer_names" in record.attributes
        or (first is not None and "lrelu_upsampling" in first.attributes)
    )


def _width(parameters: Mapping[str, Array]) -> int:
    return int(parameters["weight"].shape[1])
