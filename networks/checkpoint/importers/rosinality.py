"""rosinality's stylegan2-pytorch: a .pt with `g_ema`, or nested as `decoder.*` in pSp, e4e and their descendants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from networks.checkpoint.importers.rosinality_layout import Names, convert
from networks.checkpoint.importers.shapes import State, filter_taps, stripped, stylegan2_spec, tensor_dicts
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.stylegan2 import BINOMIAL

MARK = "conv1.conv.modulation.weight"
NAMES = Names(
    mapping_weight="style.{}.weight",
    mapping_bias="style.{}.bias",
    const="input.input",
    weight="weight",
    affine="modulation.weight",
    affine_bias="modulation.bias",
    noise_strength="noise.weight",
    noise_const="noises.noise_{}",
)
PREFERRED = ("g_ema", "ema", "g", "")  # the moving average first


def rosinality(source: Source) -> Checkpoint | None:
    """Recognized by a state dict with `conv1.conv.modulation.weight`, under whatever prefix."""
    found = _find(source.root)
    if found is None:
        return None
    entry, prefix, theirs = found
    w_avg, notes = _w_avg(source.root)
    state = dict(convert(source.path.name, theirs, NAMES))
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
