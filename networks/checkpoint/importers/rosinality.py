"""rosinality's stylegan2-pytorch: a .pt with `g_ema`, or nested as `decoder.*` in pSp, e4e and their descendants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from networks.checkpoint.importers.shapes import State, fetch, filter_taps, stripped, stylegan2_spec, tensor_dicts
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.stylegan2 import BINOMIAL

MARK = "conv1.conv.modulation.weight"
PREFERRED = ("g_ema", "ema", "g", "")  # the moving average first


def rosinality(source: Source) -> Checkpoint | None:
    """Recognized by a state dict with `conv1.conv.modulation.weight`, under whatever prefix."""
    found = _find(source.root)
    if found is None:
        return None
    entry, prefix, theirs = found
    w_avg, notes = _w_avg(source.root)
    state = dict(_convert(source.path.name, theirs))
    width = int(theirs[MARK].shape[1])
    state["mapping.w_avg"] = np.zeros(width, np.float32) if w_avg is None else w_avg
    blur = theirs.get("convs.0.conv.blur.kernel")
    taps = BINOMIAL if blur is None else filter_taps(blur)
    return Checkpoint(
        path=source.path,
        format="rosinality",
        family="stylegan2",
        spec=stylegan2_spec(state, conv_clamp=None, half_resolutions=0, filter_taps=taps),
        state=state,
        ignored=_ignored(source.root, entry, prefix),
        notes=notes,
        w_avg_known=w_avg is not None,
        sha256=source.sha256,
    )


def _find(root: Any) -> tuple[str, str, State] | None:
    """(entry, prefix, the generator's state without its prefix) of the best candidate."""
    candidates = []
    for entry, state in tensor_dicts(root):
        for key in state:
            if key.endswith(MARK) and "to_rgb" not in key and "convs." not in key:
                prefix = key[: -len(MARK)]
                candidates.append((entry, prefix, stripped(state, prefix)))
    rank = {name: i for i, name in enumerate(PREFERRED)}
    candidates.sort(key=lambda found: rank.get(found[0], len(rank)))
    return next((found for found in candidates if "input.input" in found[2]), None)


def _w_avg(root: Any) -> tuple[Array | None, tuple[str, ...]]:
    """The mean w [w_dim] that a file may carry beside the weights, once or once for each row of ws."""
    value = root.get("latent_avg") if isinstance(root, Mapping) else None
    if not isinstance(value, (np.ndarray, torch.Tensor)):
        return None, ()
    rows = torch.as_tensor(value).float().reshape(-1, value.shape[-1])
    if torch.equal(rows, rows[:1].expand_as(rows)):
        return rows[0], ()
    return rows.mean(dim=0), (f"latent_avg differs between its {len(rows)} rows; truncation pulls towards their mean.",)


def _ignored(root: Any, entry: str, prefix: str) -> tuple[str, ...]:
    names = {str(key) for key in root} if isinstance(root, Mapping) and entry else set()
    if prefix:
        parts = {key.split(".")[0] for name, state in tensor_dicts(root) if name == entry for key in state}
        names |= parts - {prefix.split(".")[0]}
    return tuple(sorted(names - {entry.split(".")[0], "latent_avg"}))


def _convert(file: str, theirs: State) -> Iterator[tuple[str, Array]]:
    depth = sum(key.startswith("style.") and key.endswith(".weight") for key in theirs)
    for i in range(depth):  # style.0 is the normalization
        for name in ("weight", "bias"):
            yield f"mapping.fc{i}.{name}", fetch(file, theirs, f"style.{i + 1}.{name}")
    const = fetch(file, theirs, "input.input")[0]
    height = int(const.shape[1])
    yield f"synthesis.b{height}.const", const
    yield from _conv(file, theirs, "conv1", f"synthesis.b{height}.conv1", 0)
    yield from _rgb(file, theirs, "to_rgb1", f"synthesis.b{height}.torgb")
    for i in range(sum(key.endswith("conv.modulation.weight") and key.startswith("to_rgbs.") for key in theirs)):
        block = f"synthesis.b{height << (i + 1)}"
        for j in range(2):
            yield from _conv(file, theirs, f"convs.{2 * i + j}", f"{block}.conv{j}", 2 * i + j + 1)
        yield from _rgb(file, theirs, f"to_rgbs.{i}", f"{block}.torgb")


def _modulated(file: str, theirs: State, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", fetch(file, theirs, f"{source}.conv.weight")[0]  # [1, O, I, k, k], up kernels turned
    yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.conv.modulation.weight")
    yield f"{target}.affine.bias", fetch(file, theirs, f"{source}.conv.modulation.bias")


def _conv(file: str, theirs: State, source: str, target: str, noise: int) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.activate.bias").reshape(-1)
    yield f"{target}.noise_strength", fetch(file, theirs, f"{source}.noise.weight").reshape(())
    yield f"{target}.noise_const", fetch(file, theirs, f"noises.noise_{noise}")[0, 0]


def _rgb(file: str, theirs: State, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.bias").reshape(-1)
