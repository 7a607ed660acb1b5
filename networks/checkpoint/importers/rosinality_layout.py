"""The layout that rosinality's port and mmgen's descendant share: one tree, other last parts of the names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from networks.checkpoint.importers.shapes import State, fetch
from networks.checkpoint.records import Array


@dataclass(frozen=True)
class Names:
    """How one port calls things. `{}` is a number: of the mapping layer (from 1), or of the noise map."""

    mapping_weight: str
    mapping_bias: str
    const: str
    weight: str  # below `...conv.`, [1, O, I, k, k], up-sampling kernels turned already
    affine: str  # below `...conv.`
    affine_bias: str
    noise_strength: str
    noise_const: str


def convert(file: str, theirs: State, names: Names) -> Iterator[tuple[str, Array]]:
    """The port's tensors under our names, but for w_avg."""
    before, after = names.mapping_weight.split("{}")
    for i in range(sum(key.startswith(before) and key.endswith(after) for key in theirs)):  # number 0 normalizes
        yield f"mapping.fc{i}.weight", fetch(file, theirs, names.mapping_weight.format(i + 1))
        yield f"mapping.fc{i}.bias", fetch(file, theirs, names.mapping_bias.format(i + 1))
    const = fetch(file, theirs, names.const)[0]
    height = int(const.shape[1])
    yield f"synthesis.b{height}.const", const
    yield from _conv(file, theirs, names, "conv1", f"synthesis.b{height}.conv1", 0)
    yield from _rgb(file, theirs, names, "to_rgb1", f"synthesis.b{height}.torgb")
    for i in range(sum(key.startswith("to_rgbs.") and key.endswith(f"conv.{names.affine}") for key in theirs)):
        block = f"synthesis.b{height << (i + 1)}"
        for j in range(2):
            yield from _conv(file, theirs, names, f"convs.{2 * i + j}", f"{block}.conv{j}", 2 * i + j + 1)
        yield from _rgb(file, theirs, names, f"to_rgbs.{i}", f"{block}.torgb")


def _modulated(file: str, theirs: State, names: Names, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", fetch(file, theirs, f"{source}.conv.{names.weight}")[0]
    yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.conv.{names.affine}")
    yield f"{target}.affine.bias", fetch(file, theirs, f"{source}.conv.{names.affine_bias}")


def _conv(file: str, theirs: State, names: Names, source: str, target: str, noise: int) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, names, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.activate.bias").reshape(-1)
    yield f"{target}.noise_strength", fetch(file, theirs, f"{source}.{names.noise_strength}").reshape(())
    yield f"{target}.noise_const", fetch(file, theirs, names.noise_const.format(noise))[0, 0]


def _rgb(file: str, theirs: State, names: Names, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, names, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.bias").reshape(-1)
