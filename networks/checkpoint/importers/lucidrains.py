"""lucidrains' stylegan2-pytorch: a .pt with `GAN` (all its networks in one flat dict) and `version`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.shapes import State, fetch, tensor_dicts
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.lucidrains import START, LucidrainsSpec

NOTE = "This layout keeps no noise maps; a fixed one (uniform, seed 0) stands in."


def lucidrains(source: Source) -> Checkpoint | None:
    """Recognized by `GE.blocks.0.to_style1.weight`; GE and SE are the moving averages of G and S."""
    found = [(entry, s) for entry, s in tensor_dicts(source.root) if _averaged(s) is not None]
    if not found:
        return None
    entry, theirs = found[0]
    letters = _averaged(theirs)
    assert letters is not None
    file, (mapping, synthesis) = source.path.name, letters
    _refuse_variants(file, theirs, synthesis)
    state = dict(_convert(file, theirs, mapping, synthesis))
    channels = tuple(
        int(state[f"synthesis.b{START << i}.conv1.weight"].shape[0]) for i in range(_blocks(theirs, synthesis))
    )
    resolution = START << (len(channels) - 1)
    w_dim = int(state["mapping.fc0.weight"].shape[0])
    others = {key.split(".")[0] for key in theirs} - {mapping, synthesis}
    if isinstance(source.root, Mapping):
        others |= {str(key) for key in source.root} - {entry}
    return Checkpoint(
        path=source.path,
        format="lucidrains",
        family="lucidrains",
        spec=LucidrainsSpec(
            z_dim=w_dim,
            c_dim=0,
            w_dim=w_dim,
            resolution=(resolution, resolution),
            img_channels=int(state[f"synthesis.b{resolution}.torgb.weight"].shape[0]),
            channels=channels,
            mapping_layers=sum(key.startswith("mapping.fc") for key in state) // 2,
        ),
        state=state,
        ignored=tuple(sorted(others)),
        notes=(NOTE,),
        w_avg_known=False,
        sha256=source.sha256,
    )


def _averaged(state: State) -> tuple[str, str] | None:
    """The names of the mapping and the synthesis network in the flat dict, the moving averages first."""
    for mapping, synthesis in (("SE", "GE"), ("S", "G")):
        if f"{synthesis}.blocks.0.to_style1.weight" in state and f"{mapping}.net.0.weight" in state:
            return mapping, synthesis
    return None


def _refuse_variants(file: str, theirs: State, synthesis: str) -> None:
    if any(key.startswith(f"{synthesis}.attns.") for key in theirs):
        raise CheckpointError(f"{file}: its lucidrains generator has attention layers, which are not supported")
    if f"{synthesis}.to_initial_block.weight" in theirs:
        raise CheckpointError(f"{file}: its lucidrains generator has no constant (no_const), which is not supported")
    if f"{synthesis}.initial_conv.weight" not in theirs:
        raise CheckpointError(
            f"{file}: its lucidrains generator has no initial_conv; that early version is not supported"
        )


def _blocks(theirs: State, synthesis: str) -> int:
    pattern = re.compile(rf"{synthesis}\.blocks\.\d+\.conv1\.weight")
    return sum(bool(pattern.fullmatch(key)) for key in theirs)


def _convert(file: str, theirs: State, mapping: str, synthesis: str) -> Iterator[tuple[str, Array]]:
    names = sorted({int(m[1]) for key in theirs if (m := re.match(rf"{mapping}\.net\.(\d+)\.weight", key))})
    for i, name in enumerate(names):  # every second entry of the Sequential is an activation
        yield f"mapping.fc{i}.weight", fetch(file, theirs, f"{mapping}.net.{name}.weight")
        yield f"mapping.fc{i}.bias", fetch(file, theirs, f"{mapping}.net.{name}.bias")
    yield "mapping.w_avg", np.zeros(int(theirs[f"{mapping}.net.0.weight"].shape[0]), np.float32)
    yield f"synthesis.b{START}.const", fetch(file, theirs, f"{synthesis}.initial_block")[0]
    for part in ("weight", "bias"):
        yield f"synthesis.b{START}.conv.{part}", fetch(file, theirs, f"{synthesis}.initial_conv.{part}")
    count = _blocks(theirs, synthesis)
    noise = np.random.RandomState(0).rand(START << (count - 1), START << (count - 1)).astype(np.float32)
    for i in range(count):
        size = START << i
        source, target = f"{synthesis}.blocks.{i}", f"synthesis.b{size}"
        for j in range(2):
            yield from _affine(file, theirs, f"{source}.to_style{j + 1}", f"{target}.conv{j}")
            yield f"{target}.conv{j}.weight", fetch(file, theirs, f"{source}.conv{j + 1}.weight")
            yield f"{target}.conv{j}.noise_strength", fetch(file, theirs, f"{source}.to_noise{j + 1}.weight")[:, 0]
            yield f"{target}.conv{j}.bias", fetch(file, theirs, f"{source}.to_noise{j + 1}.bias")
            yield f"{target}.conv{j}.noise_const", noise[:size, :size].T  # H and W are exchanged in every layer
        yield from _affine(file, theirs, f"{source}.to_rgb.to_style", f"{target}.torgb")
        yield f"{target}.torgb.weight", fetch(file, theirs, f"{source}.to_rgb.conv.weight")


def _affine(file: str, theirs: State, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.weight")
    yield f"{target}.affine.bias", torch.as_tensor(fetch(file, theirs, f"{source}.bias")) + 1  # theirs: style + 1
