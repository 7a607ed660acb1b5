"""genforce: a .pth with `generator_smooth` (and `generator`), StyleGAN and StyleGAN2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.shapes import State, fetch, stylegan2_spec, tensor_dicts, trunk_sizes
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.stylegan1 import StyleGAN1Spec
from networks.stylegan2 import StyleGAN2Spec

MARKS = ("mapping.dense0.weight", "synthesis.layer0.bias")
PREFERRED = ("generator_smooth", "generator", "")  # the moving average first
FUSED_FROM = 128  # StyleGAN up-samples with a transposed convolution from this height on


def genforce(source: Source) -> Checkpoint | None:
    """Recognized by `mapping.dense0.weight` and `synthesis.layer0.*`."""
    found = [(entry, state) for entry, state in tensor_dicts(source.root) if set(MARKS) <= set(state)]
    if not found:
        return None
    rank = {name: i for i, name in enumerate(PREFERRED)}
    entry, theirs = min(found, key=lambda item: rank.get(item[0], len(rank)))
    file, first = source.path.name, "synthesis.layer0.const" in theirs
    others = {str(key) for key in source.root if key != entry} if isinstance(source.root, Mapping) and entry else set()
    state = dict(_mapping(file, theirs))
    state.update(_stylegan1(file, theirs) if first else _stylegan2(file, theirs))
    return Checkpoint(
        path=source.path,
        format="genforce",
        family="stylegan1" if first else "stylegan2",
        spec=StyleGAN1Spec(**trunk_sizes(state)) if first else _stylegan2_spec(state),
        state=state,
        ignored=tuple(sorted(others)),
        w_avg_known="truncation.w_avg" in theirs,
        sha256=source.sha256,
    )


def _stylegan2_spec(state: State) -> StyleGAN2Spec:
    labelled = "mapping.embed.weight" in state
    return stylegan2_spec(state, label_concat=labelled, conv_clamp=None, half_resolutions=0)


def _mapping(file: str, theirs: State) -> Iterator[tuple[str, Array]]:
    depth = sum(bool(re.fullmatch(r"mapping\.dense\d+\.weight", key)) for key in theirs)
    for i in range(depth):
        for name in ("weight", "bias"):
            yield f"mapping.fc{i}.{name}", fetch(file, theirs, f"mapping.dense{i}.{name}")
    if "mapping.label_weight" in theirs:
        yield "mapping.embed.weight", torch.as_tensor(theirs["mapping.label_weight"]).t()
    width = int(theirs[f"mapping.dense{depth - 1}.bias"].shape[0])
    if width != int(fetch(file, theirs, "synthesis.layer0.style.weight").shape[1]):
        raise CheckpointError(f"{file}: its mapping makes another w for each layer ({width} numbers); not supported")
    yield "mapping.w_avg", theirs.get("truncation.w_avg", np.zeros(width, np.float32))


def _layers(theirs: State) -> int:
    return sum(bool(re.fullmatch(r"synthesis\.layer\d+\.bias", key)) for key in theirs)


def _rgbs(theirs: State) -> list[int]:
    found = (re.fullmatch(r"synthesis\.output(\d+)\.weight", key) for key in theirs)
    return sorted(int(match[1]) for match in found if match)


def _stylegan1(file: str, theirs: State) -> Iterator[tuple[str, Array]]:
    """Two layers per resolution; fused up-sampling kernels are turned, like in the TensorFlow files."""
    const = fetch(file, theirs, "synthesis.layer0.const")[0]
    height = int(const.shape[1])
    for i in range(_layers(theirs)):
        size = height << (i // 2)
        source, target = f"synthesis.layer{i}", f"synthesis.b{size}.conv{i % 2}"
        if i == 0:
            yield f"{target}.const", const
        else:
            weight = torch.as_tensor(fetch(file, theirs, f"{source}.weight"))
            fused = i % 2 == 0 and size >= FUSED_FROM
            yield f"{target}.weight", weight.flip((2, 3)) if fused else weight
        yield f"{target}.bias", fetch(file, theirs, f"{source}.bias")
        yield f"{target}.noise_strength", fetch(file, theirs, f"{source}.apply_noise.weight")
        yield f"{target}.noise_const", fetch(file, theirs, f"{source}.apply_noise.noise")[0, 0]
        yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.style.weight")
        yield f"{target}.affine.bias", fetch(file, theirs, f"{source}.style.bias")
    for i in _rgbs(theirs):
        for name in ("weight", "bias"):
            yield f"synthesis.b{height << i}.torgb.{name}", fetch(file, theirs, f"synthesis.output{i}.{name}")


def _stylegan2(file: str, theirs: State) -> Iterator[tuple[str, Array]]:
    """One layer at the start, two at each further resolution; up-sampling kernels are stored unturned."""
    const = fetch(file, theirs, "synthesis.early_layer.const")[0]
    height = int(const.shape[1])
    yield f"synthesis.b{height}.const", const
    for i in range(_layers(theirs)):
        source, up = f"synthesis.layer{i}", i % 2 == 1
        target = f"synthesis.b{height << ((i + 1) // 2)}.conv{0 if up else 1}"
        yield from _modulated(file, theirs, source, target, turned=up)
        yield f"{target}.noise_strength", fetch(file, theirs, f"{source}.noise_strength").reshape(())
        yield f"{target}.noise_const", fetch(file, theirs, f"{source}.noise")[0, 0]
    for i in _rgbs(theirs):
        yield from _modulated(file, theirs, f"synthesis.output{i}", f"synthesis.b{height << i}.torgb", turned=False)


def _modulated(file: str, theirs: State, source: str, target: str, *, turned: bool) -> Iterator[tuple[str, Array]]:
    weight = torch.as_tensor(fetch(file, theirs, f"{source}.weight"))
    yield f"{target}.weight", weight.flip((2, 3)) if turned else weight
    yield f"{target}.bias", fetch(file, theirs, f"{source}.bias")
    yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.style.weight")
    yield f"{target}.affine.bias", fetch(file, theirs, f"{source}.style.bias") + 1  # theirs adds the 1 when it runs
