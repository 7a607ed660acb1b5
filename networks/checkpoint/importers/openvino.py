"""MobileStyleGAN as OpenVINO IR: what the PyPI package `random-face` holds.

The exporter kept the names of the parameters that it did not change ('m.layers.0.conv1.bias'); folded ones (the
demodulated weights, the noise maps) have none and are found through the nodes that use them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.openvino import IRGraph, IRLayer
from networks.checkpoint.records import Array, Checkpoint, Source
from networks.mobile_stylegan import MobileStyleGANSpec

LR_MULTIPLIER = 0.01  # folded into the exported mapping; taken out again, so that keys mean what they do elsewhere
LICENCE_NOTE = (
    "Distilled from NVIDIA's FFHQ StyleGAN2: its weights are for non-commercial use (random-face, S. Belousov 2021)."
)
NOISE_NOTE = "Noise maps are baked into this file: a learned strength is not known, each map has its own as scale."


def openvino(source: Source) -> Checkpoint | None:
    """The two networks of MobileStyleGAN, recognized by the kind of source."""
    if source.kind != "openvino" or not isinstance(source.root, Mapping):
        return None
    try:
        state: dict[str, Array] = dict(_mapping(source.root["mapping"]))
        widths = _synthesis(source.root["synthesis"], state)
    except (IndexError, ValueError) as error:
        raise CheckpointError(
            f"{source.path.name}: a tensor has another number of dimensions than MobileStyleGAN's ({error})"
        ) from None
    z_dim = int(state["mapping.fc0.weight"].shape[1])
    w_dim = int(state["synthesis.conv1.affine.weight"].shape[1])
    state["mapping.w_avg"] = np.zeros(w_dim, np.float32)
    depth = sum(key.endswith(".weight") for key in state if key.startswith("mapping.fc"))
    side = 4 << len(widths)
    return Checkpoint(
        path=source.path,
        format="openvino",
        family="mobile_stylegan",
        spec=MobileStyleGANSpec(
            z_dim=z_dim,
            c_dim=0,
            w_dim=w_dim,
            resolution=(side, side),
            img_channels=3,
            channels=widths,
            mapping_features=tuple(int(state[f"mapping.fc{i}.weight"].shape[0]) for i in range(depth)),
            mapping_lr_multiplier=LR_MULTIPLIER,
        ),
        state=state,
        notes=(LICENCE_NOTE, NOISE_NOTE),
        w_avg_known=False,
        sha256=source.sha256,
    )


def _mapping(graph: IRGraph) -> Mapping[str, np.ndarray]:
    """Weights of the MLP, in order: MatMul, Add (bias), PReLU, Multiply (gain sqrt 2)."""
    state: dict[str, np.ndarray] = {}
    layers = [layer for layer in graph.layers.values() if layer.type == "MatMul"]
    for i, matmul in enumerate(layers):
        add = graph.consumer(matmul, "Add")
        weight = graph.constant_input(matmul)
        activation = graph.consumer(add, "PReLU")
        _expect(graph, activation, 0.2)
        _expect(graph, graph.consumer(activation, "Multiply"), math.sqrt(2))
        bias = graph.constant(_behind(graph, add, matmul))
        state[f"mapping.fc{i}.weight"] = weight * (math.sqrt(weight.shape[1]) / LR_MULTIPLIER)
        state[f"mapping.fc{i}.bias"] = bias.reshape(-1) / LR_MULTIPLIER
    if not state:
        raise CheckpointError(f"{graph.path.name}: the graph has no linear layer; is this a mapping network?")
    return {key: np.asarray(array, np.float32) for key, array in state.items()}


def _behind(graph: IRGraph, add: IRLayer, other: IRLayer) -> IRLayer:
    """The constant that reaches an Add on its other input, directly or through a Reshape."""
    side = graph.other_input(add, other)
    return graph.inputs(side)[0] if side.type == "Reshape" else side


def _synthesis(graph: IRGraph, state: dict[str, Array]) -> tuple[int, ...]:
    """Fill in the synthesis weights; returns the width of the start and of each block."""
    start = graph.constant(graph.node("m.input.input"))[0]
    state["synthesis.input.const"] = start
    widths = [int(start.shape[0])]
    _conv(graph, "conv1", state)
    blocks = 0
    while f"m.layers.{blocks}.up.modulation.weight" in graph.named:
        name = f"layers.{blocks}"
        _affine(graph, f"{name}.up", f"m.{name}.up", 1.0, state)
        _conv(graph, f"{name}.conv1", state)
        _conv(graph, f"{name}.conv2", state)
        widths.append(int(state[f"synthesis.{name}.conv2.weight"].shape[0]))
        blocks += 1
    if blocks == 0:
        raise CheckpointError(f"{graph.path.name}: no up-sampling block in the graph; is this a MobileStyleGAN?")
    head = f"layers.{blocks - 1}.to_img"
    weight = graph.constant(graph.node(f"m.{head}.conv.weight"))
    _affine(graph, head, f"m.{head}.conv", 1 / math.sqrt(weight.shape[1]), state)
    state[f"synthesis.{head}.weight"] = weight
    state[f"synthesis.{head}.bias"] = graph.constant(graph.node(f"m.{head}.bias")).reshape(-1)
    return tuple(widths)


def _affine(graph: IRGraph, name: str, source: str, gain: float, state: dict[str, Array]) -> None:
    """The linear map from w to a layer's style, and a check that the style's constant factor is the known one."""
    weight = graph.node(f"{source}.modulation.weight")
    bias = graph.node(f"{source}.modulation.bias")
    state[f"synthesis.{name}.affine.weight"] = graph.constant(weight)
    state[f"synthesis.{name}.affine.bias"] = graph.constant(bias).reshape(-1)
    if gain != 1.0:
        reshape = graph.consumer(graph.consumer(bias, "Add"), "Reshape")
        _expect(graph, graph.consumer(reshape, "Multiply"), gain)


def _conv(graph: IRGraph, name: str, state: dict[str, Array]) -> None:
    """One styled convolution: [depthwise,] pointwise or dense weights, noise map, bias, slope 0.2."""
    key = f"synthesis.{name}"
    bias = graph.node(f"m.{name}.bias")
    biased = graph.consumer(bias, "Add")
    noisy = graph.other_input(biased)
    convolution = graph.other_input(noisy)
    _expect(graph, graph.consumer(biased, "PReLU"), 0.2)
    weight = graph.constant_input(convolution)
    fan_in = weight[0].size
    if f"m.{name}.conv.weight_dw" in graph.named:
        depthwise = graph.constant(graph.node(f"m.{name}.conv.weight_dw"))
        state[f"{key}.weight_dw"] = depthwise[:, 0]
        fan_in = depthwise.size
    state[f"{key}.weight"] = weight
    state[f"{key}.bias"] = graph.constant(bias).reshape(-1)
    noise = graph.constant_input(noisy)[0, 0]
    scale = float(noise.std())
    state[f"{key}.noise_const"] = np.asarray(noise / scale if scale > 0 else noise)
    state[f"{key}.noise_strength"] = np.asarray(scale, np.float32)
    _affine(graph, name, f"m.{name}.conv", 1 / math.sqrt(fan_in), state)


def _expect(graph: IRGraph, layer: IRLayer, value: float) -> None:
    """Raise CheckpointError unless the constant that enters a node is the number that the architecture has there."""
    found = np.asarray(graph.constant_input(layer)).reshape(-1)
    if found.size != 1 or not math.isclose(float(found[0]), value, rel_tol=1e-4):
        raise CheckpointError(
            f"{graph.path.name}: {layer.name!r} holds {float(found.flat[0]):.6g}, expected {value:.6g};"
            " another architecture than MobileStyleGAN's"
        )
