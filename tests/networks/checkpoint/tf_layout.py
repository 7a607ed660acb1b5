"""Our network's weights under the names and in the order of NVIDIA's TensorFlow code."""

from __future__ import annotations

from typing import Any

import numpy as np

from networks.base import Generator
from networks.checkpoint.records import TFNetwork

Variables = dict[str, np.ndarray]


def tf_network(generator: Generator, arguments: dict[str, Any] | None = None, *, version: int = 4) -> TFNetwork:
    """A `Gs` that holds the generator. Its up-sampling kernels are turned where TensorFlow turns them."""
    ours = {key: value.numpy().copy() for key, value in generator.state_dict().items()}
    synthesis = _stylegan1(generator, ours) if generator.family == "stylegan1" else _stylegan2(generator, ours)
    kwargs = {"resolution": generator.resolution[1], "num_channels": generator.spec.img_channels, **(arguments or {})}
    return TFNetwork(
        name="Gs",
        version=version,
        static_kwargs=kwargs,
        build_func_name="G_main",
        components={
            "mapping": TFNetwork("G_mapping", version, kwargs, "G_mapping", {}, _mapping(generator, ours)),
            "synthesis": TFNetwork("G_synthesis", version, kwargs, "G_synthesis", {}, synthesis),
        },
        variables={"lod": np.zeros((), np.float32), "dlatent_avg": ours["mapping.w_avg"]},
    )


def _mapping(generator: Generator, ours: Variables) -> Variables:
    out = {}
    for i in range(len(generator.spec.mapping_features)):
        out[f"Dense{i}/weight"] = ours[f"mapping.fc{i}.weight"].T
        out[f"Dense{i}/bias"] = ours[f"mapping.fc{i}.bias"]
    if "mapping.embed.bias" in ours:  # StyleGAN2-ADA
        out["LabelEmbed/weight"], out["LabelEmbed/bias"] = ours["mapping.embed.weight"].T, ours["mapping.embed.bias"]
    elif "mapping.embed.weight" in ours:
        out["LabelConcat/weight"] = ours["mapping.embed.weight"].T
    return out


def _scope(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def _kernel(weight: np.ndarray, turned: bool = False) -> np.ndarray:
    return (weight[:, :, ::-1, ::-1] if turned else weight).transpose(2, 3, 1, 0)


def _stylegan1(generator: Generator, ours: Variables) -> Variables:
    out: Variables = {"lod": np.zeros((), np.float32)}
    levels = len(generator.spec.channels)
    styled = [info for info in generator.layers if info.kind != "torgb"]
    for i, info in enumerate(styled):
        source = f"synthesis.{info.name}"
        name = {"const": "Const", "up": "Conv0_up", "conv": "Conv1" if i > 1 else "Conv"}[info.kind]
        target = f"{_scope(info.size)}/{name}"
        if info.kind == "const":
            out[f"{target}/const"] = ours[f"{source}.const"][None]
        else:
            fused = info.kind == "up" and min(info.size) >= 128
            out[f"{target}/weight"] = _kernel(ours[f"{source}.weight"], fused)
        out[f"{target}/Noise/weight"] = ours[f"{source}.noise_strength"]
        out[f"noise{i}"] = ours[f"{source}.noise_const"][None, None]
        out[f"{target}/bias"] = ours[f"{source}.bias"]
        out[f"{target}/StyleMod/weight"] = ours[f"{source}.affine.weight"].T
        out[f"{target}/StyleMod/bias"] = ours[f"{source}.affine.bias"]
    for level, info in enumerate(info for info in generator.layers if info.kind == "torgb"):
        out[f"ToRGB_lod{levels - 1 - level}/weight"] = _kernel(ours[f"synthesis.{info.name}.weight"])
        out[f"ToRGB_lod{levels - 1 - level}/bias"] = ours[f"synthesis.{info.name}.bias"]
    return out


def _stylegan2(generator: Generator, ours: Variables) -> Variables:
    out: Variables = {}
    levels, noisy, level = len(generator.spec.channels), 0, 0
    for info in generator.layers:
        source, scope = f"synthesis.{info.name}", _scope(info.size)
        if info.kind == "const":
            out[f"{scope}/Const/const"] = ours[source][None]
            continue
        name = {"up": f"{scope}/Conv0_up", "conv": f"{scope}/{'Conv1' if noisy else 'Conv'}"}.get(info.kind, "")
        if info.kind == "torgb":
            progressive = generator.spec.architecture == "progressive"
            name = f"ToRGB_lod{levels - 1 - level}" if progressive else f"{scope}/ToRGB"
            level += 1
        out[f"{name}/weight"] = _kernel(ours[f"{source}.weight"], info.kind == "up")
        out[f"{name}/mod_weight"] = ours[f"{source}.affine.weight"].T
        out[f"{name}/mod_bias"] = ours[f"{source}.affine.bias"] - 1
        out[f"{name}/bias"] = ours[f"{source}.bias"]
        if info.has_noise:
            out[f"noise{noisy}"] = ours[f"{source}.noise_const"][None, None]
            out[f"{name}/noise_strength"] = ours[f"{source}.noise_strength"]
            noisy += 1
    for key, value in ours.items():
        if key.endswith(".skip.weight"):
            height = int(key.split(".")[1][1:])
            out[f"{_scope((height, height * generator.resolution[1] // generator.resolution[0]))}/Skip/weight"] = (
                _kernel(value)
            )
    return out
