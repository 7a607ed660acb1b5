"""mmgeneration / mmagic: a .pth with `state_dict`, keys below `generator_ema.` (or `generator.`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from networks.checkpoint.importers.rosinality_layout import Names, convert
from networks.checkpoint.importers.shapes import State, filter_taps, stripped, stylegan2_spec, tensor_dicts
from networks.checkpoint.records import Checkpoint, Source
from networks.stylegan2 import BINOMIAL

MARK = "constant_input.input"
NAMES = Names(
    mapping_weight="style_mapping.{}.linear.weight_orig",
    mapping_bias="style_mapping.{}.bias",
    const=MARK,
    weight="weight_orig",
    affine="style_modulation.linear.weight_orig",
    affine_bias="style_modulation.bias",
    noise_strength="noise_injector.weight",
    noise_const="injected_noise_{}",
)
NOTE = (
    "mmgeneration trains some generators with blue and red exchanged and no file says so;"
    " if the colours look wrong, exchange them."
)


def mmgen(source: Source) -> Checkpoint | None:
    """Recognized by `constant_input.input` beside `style_mapping.*`; the moving average is preferred."""
    found: list[tuple[str, str, State]] = []
    for entry, state in tensor_dicts(source.root):
        prefixes = [key[: -len(MARK)] for key in state if key.endswith(MARK)]
        found += [(entry, prefix, stripped(state, prefix)) for prefix in prefixes]
    found = [item for item in found if "style_mapping.1.linear.weight_orig" in item[2]]
    if not found:
        return None
    entry, prefix, theirs = sorted(found, key=lambda item: "ema" not in item[1])[0]
    state = dict(convert(source.path.name, theirs, NAMES))
    width = int(theirs["conv1.conv.style_modulation.linear.weight_orig"].shape[1])
    state["mapping.w_avg"] = np.zeros(width, np.float32)
    blur = theirs.get("convs.0.conv.blur.kernel")
    taps = BINOMIAL if blur is None else filter_taps(blur)
    return Checkpoint(
        path=source.path,
        format="mmgen",
        family="stylegan2",
        spec=stylegan2_spec(state, conv_clamp=None, half_resolutions=0, filter_taps=taps),
        state=state,
        ignored=_ignored(source, entry, prefix),
        notes=(NOTE,),
        w_avg_known=False,
        sha256=source.sha256,
    )


def _ignored(source: Source, entry: str, prefix: str) -> tuple[str, ...]:
    names = {str(key) for key in source.root if key != entry} if isinstance(source.root, Mapping) and entry else set()
    for name, state in tensor_dicts(source.root):
        if name == entry and prefix:
            names |= {key.split(".")[0] for key in state} - {prefix.split(".")[0]}
    return tuple(sorted(names))
