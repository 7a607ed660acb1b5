"""mmgeneration / mmagic: a .pth with `state_dict`, keys below `generator_ema.` (or `generator.`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from networks.checkpoint.importers.shapes import State, fetch, filter_taps, stripped, stylegan2_spec, tensor_dicts
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.stylegan2 import BINOMIAL

MARK = "constant_input.input"
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
    state = dict(_convert(source.path.name, theirs))
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


def _convert(file: str, theirs: State) -> Iterator[tuple[str, Array]]:
    depth = sum(key.startswith("style_mapping.") and key.endswith("linear.weight_orig") for key in theirs)
    for i in range(depth):  # style_mapping.0 is the normalization
        yield f"mapping.fc{i}.weight", fetch(file, theirs, f"style_mapping.{i + 1}.linear.weight_orig")
        yield f"mapping.fc{i}.bias", fetch(file, theirs, f"style_mapping.{i + 1}.bias")
    width = int(fetch(file, theirs, f"style_mapping.{depth}.bias").shape[0])
    yield "mapping.w_avg", np.zeros(width, np.float32)
    const = fetch(file, theirs, MARK)[0]
    height = int(const.shape[1])
    yield f"synthesis.b{height}.const", const
    yield from _conv(file, theirs, "conv1", f"synthesis.b{height}.conv1", 0)
    yield from _rgb(file, theirs, "to_rgb1", f"synthesis.b{height}.torgb")
    for i in range(sum(key.startswith("to_rgbs.") and key.endswith("conv.weight_orig") for key in theirs)):
        block = f"synthesis.b{height << (i + 1)}"
        for j in range(2):
            yield from _conv(file, theirs, f"convs.{2 * i + j}", f"{block}.conv{j}", 2 * i + j + 1)
        yield from _rgb(file, theirs, f"to_rgbs.{i}", f"{block}.torgb")


def _modulated(file: str, theirs: State, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", fetch(file, theirs, f"{source}.conv.weight_orig")[0]
    yield f"{target}.affine.weight", fetch(file, theirs, f"{source}.conv.style_modulation.linear.weight_orig")
    yield f"{target}.affine.bias", fetch(file, theirs, f"{source}.conv.style_modulation.bias")


def _conv(file: str, theirs: State, source: str, target: str, noise: int) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.activate.bias").reshape(-1)
    yield f"{target}.noise_strength", fetch(file, theirs, f"{source}.noise_injector.weight").reshape(())
    yield f"{target}.noise_const", fetch(file, theirs, f"injected_noise_{noise}")[0, 0]


def _rgb(file: str, theirs: State, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield from _modulated(file, theirs, source, target)
    yield f"{target}.bias", fetch(file, theirs, f"{source}.bias").reshape(-1)
