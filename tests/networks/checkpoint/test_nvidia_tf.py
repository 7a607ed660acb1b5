"""TensorFlow pickles: every configuration of StyleGAN 1, 2 and 2-ADA opens as our network with the same weights."""

import math
import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from networks import registry
from networks.base import Generator, Spec
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.nvidia_tf import stylegan_tf
from networks.checkpoint.load import build, load
from networks.checkpoint.records import Checkpoint, Source, TFNetwork
from networks.stylegan1 import StyleGAN1Spec
from networks.stylegan2 import StyleGAN2Spec
from tests.networks.checkpoint.tf_layout import tf_network
from tests.networks.small import TRUNK, randomize

PLAIN: dict[str, Any] = {"embed_features": 0, "half_resolutions": 0, "conv_clamp": None}
LABELLED = {**TRUNK, "c_dim": 3}
TALL = {**TRUNK, "resolution": (16, 8), "start": (4, 2)}
# name: (family's specification, arguments of the TensorFlow network)
NETWORKS: dict[str, tuple[Spec, dict[str, Any]]] = {
    "StyleGAN": (StyleGAN1Spec(**TRUNK, embed_features=0), {}),
    "StyleGAN, labels": (StyleGAN1Spec(**LABELLED, embed_features=5), {"label_size": 3}),
    "StyleGAN, fused from 128": (
        StyleGAN1Spec(**{**TRUNK, "resolution": (128, 128), "channels": (6, 5, 4, 4, 4, 4)}, embed_features=0),
        {"fused_scale": "auto"},
    ),
    "StyleGAN, 2:1": (StyleGAN1Spec(**TALL, embed_features=0), {"resolution_w": 8, "resolution_h": 16}),
    "StyleGAN, own truncation": (
        StyleGAN1Spec(**TRUNK, embed_features=0, default_psi=None, default_cutoff=4, mapping_lr_multiplier=0.02),
        {"truncation_psi": None, "truncation_cutoff": 4, "mapping_lrmul": 0.02},
    ),
    "configs B to D": (StyleGAN2Spec(**TRUNK, **PLAIN, architecture="progressive"), {}),
    "config E orig": (StyleGAN2Spec(**TRUNK, **PLAIN, architecture="orig"), {"architecture": "orig"}),
    "config E resnet": (StyleGAN2Spec(**TRUNK, **PLAIN, architecture="resnet"), {"architecture": "resnet"}),
    "config F": (StyleGAN2Spec(**TRUNK, **PLAIN), {"randomize_noise": False}),
    "config F, labels": (
        StyleGAN2Spec(**LABELLED, **{**PLAIN, "embed_features": 5}, label_concat=True),
        {"label_size": 3},
    ),
    "config F, 2:1, grey": (StyleGAN2Spec(**{**TALL, "img_channels": 1}, **PLAIN), {"resolution_h": 16}),
    "ADA, labels, fp16": (
        StyleGAN2Spec(**LABELLED, embed_features=5, half_resolutions=4, conv_clamp=256.0),
        {"num_fp16_res": 4, "conv_clamp": 256, "label_fmaps": 5},
    ),
    "ADA, RGBA, other filter": (
        StyleGAN2Spec(**{**TRUNK, "img_channels": 4}, **PLAIN, filter_taps=(1.0, 2.0, 1.0)),
        {"resample_kernel": [1, 2, 1]},
    ),
}


def make(name: str) -> Generator:
    spec = NETWORKS[name][0]
    family = "stylegan1" if isinstance(spec, StyleGAN1Spec) else "stylegan2"
    return randomize(registry.get(family).build(spec))


def convert(root: object) -> Checkpoint | None:
    return stylegan_tf(Source(Path("net.pkl"), "pickle", root))


@pytest.mark.parametrize("name", NETWORKS)
def test_opens_as_our_network(name: str) -> None:
    expected, (spec, arguments) = make(name), NETWORKS[name]
    checkpoint = convert(tf_network(expected, arguments))
    assert checkpoint is not None
    assert checkpoint.spec == spec
    assert (checkpoint.ignored, checkpoint.notes, checkpoint.w_avg_known) == ((), (), True)
    found = build(checkpoint)
    for key, tensor in expected.state_dict().items():  # style biases lost a bit when 1 was taken away
        assert_close(found.state_dict()[key], tensor, rtol=0, atol=1e-6, msg=key)
    ws = torch.randn(1, expected.num_ws, 14, generator=torch.Generator().manual_seed(2))
    img = expected.synthesize(ws)
    assert_close(found.synthesize(ws), img, rtol=0, atol=1e-4 * float(img.max() - img.min()))


def test_the_residual_short_cut_is_theirs() -> None:
    """TensorFlow adds layers and short cut and divides by sqrt 2; we scale both before. Same picture."""
    generator = make("config E resnet")
    variables = tf_network(generator).components["synthesis"].variables
    short = torch.tensor(variables["8x8/Skip/weight"]).permute(3, 2, 0, 1) / math.sqrt(12)
    x = torch.randn(1, 12, 4, 4, generator=torch.Generator().manual_seed(4))
    f = torch.outer(*2 * [torch.tensor([1.0, 3, 3, 1]) / 4])
    wide = torch.zeros(1, 8, 8, 8)
    wide[:, :, ::2, ::2] = F.conv2d(x, short)
    theirs = F.conv2d(F.pad(wide, (2, 1, 2, 1)), f.expand(8, 1, 4, 4), groups=8) / math.sqrt(2)
    assert_close(generator.synthesis.b8.skip(x), theirs, rtol=1e-4, atol=1e-4)


def test_gs_of_a_tuple_is_taken() -> None:
    g, gs = (tf_network(randomize(make("config F"), seed)) for seed in (1, 2))
    g.name = "G"
    d = TFNetwork("D", 4, {}, "D_stylegan2", {}, {"4x4/Dense0/weight": np.zeros((2, 2), np.float32)})
    for root in ((g, d, gs), [g, d, gs], gs, {"G": g, "D": d, "Gs": gs}):
        checkpoint = convert(root)
        assert checkpoint is not None
        assert np.array_equal(checkpoint.state["mapping.w_avg"], gs.variables["dlatent_avg"])
        assert checkpoint.ignored == (() if root is gs else ("G", "D"))


def test_without_w_avg_it_is_to_be_estimated() -> None:
    network = tf_network(make("config F"))
    network.variables = {"lod": np.zeros((), np.float32)}
    checkpoint = convert(network)
    assert checkpoint is not None
    assert not checkpoint.w_avg_known
    assert checkpoint.state["mapping.w_avg"].tolist() == [0.0] * 14


def test_unknown_arguments_and_variables_are_reported() -> None:
    network = tf_network(make("config F"), {"latent_mask": 3, "verbose": True})
    network.components["synthesis"].variables = {
        **network.components["synthesis"].variables,
        "8x8/Attention/weight": np.zeros(3, np.float32),
    }
    checkpoint = convert(network)
    assert checkpoint is not None
    assert checkpoint.notes == ("Built with arguments that are unknown here and were not used: latent_mask, verbose.",)
    assert checkpoint.ignored == ("synthesis/8x8/Attention/weight",)


def test_an_unfinished_growing_network_is_told() -> None:
    network = tf_network(make("StyleGAN"))
    network.components["synthesis"].variables["lod"] = np.float32(1.5)
    checkpoint = convert(network)
    assert checkpoint is not None
    assert checkpoint.notes == (
        "Training stopped while the network grew (lod 1.5); layers above 4x4 pixels are unfinished.",
    )


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("StyleGAN", {"use_pixel_norm": True}, "net.pkl: built with use_pixel_norm=True; only False can be shown here"),
        (
            "config F",
            {"nonlinearity": "relu"},
            "net.pkl: built with nonlinearity='relu'; only 'lrelu' can be shown here",
        ),
    ],
)
def test_other_networks_are_refused(name: str, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        convert(tf_network(make(name), arguments))


@pytest.mark.parametrize(
    ("group", "variable"),
    [("synthesis", "8x8/Conv1/mod_weight"), ("mapping", "Dense1/bias"), ("synthesis", "8x8/Conv0_up/bias")],
)
def test_a_missing_variable_is_named(group: str, variable: str) -> None:
    network = tf_network(make("config F"))
    variables = dict(network.components[group].variables)
    del variables[variable]
    network.components[group].variables = variables
    with pytest.raises(CheckpointError, match=f"net.pkl: variable {group}/{variable} is missing"):
        convert(network)


def test_a_discriminator_or_progan_alone_is_refused() -> None:
    d = TFNetwork("D", 4, {}, "D_stylegan2", {}, {})
    with pytest.raises(CheckpointError, match=r"net.pkl: no style-based generator among .*\(D_stylegan2\)"):
        convert(d)
    progan = TFNetwork("Gs", 2, {}, "G_paper", {}, {"4x4/Dense/weight": np.zeros((2, 2), np.float32)})
    with pytest.raises(CheckpointError, match="G_paper"):
        convert((progan, d, progan))
    assert convert({"G_ema": 1}) is None


def test_half_precision_variables_become_fp32() -> None:
    network = tf_network(make("config F"))
    part = network.components["synthesis"]
    part.variables = {name: value.astype(np.float16) for name, value in part.variables.items()}
    checkpoint = convert(network)
    assert checkpoint is not None
    assert {tensor.dtype for tensor in build(checkpoint).state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_of_the_official_layout_opens(protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written through a stand-in of `dnnlib.tflib.network.Network`, which is gone when the file is read."""

    class Network:
        def __init__(self, record: TFNetwork) -> None:
            self.record = record

        def __getstate__(self) -> dict[str, Any]:
            return {
                "version": self.record.version,
                "name": self.record.name,
                "static_kwargs": dict(self.record.static_kwargs),
                "components": {name: Network(part) for name, part in self.record.components.items()},
                "build_module_src": "raise SystemExit('code of a file ran')",
                "build_func_name": self.record.build_func_name,
                "variables": list(self.record.variables.items()),
            }

    Network.__module__, Network.__qualname__ = "dnnlib.tflib.network", "Network"
    stand_in = types.ModuleType("dnnlib.tflib.network")
    stand_in.Network = Network  # type: ignore[attr-defined]
    expected = make("config F")
    with monkeypatch.context() as patch:
        for name in ("dnnlib", "dnnlib.tflib"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        patch.setitem(sys.modules, "dnnlib.tflib.network", stand_in)
        gs = Network(tf_network(expected))
        (tmp_path / "net.pkl").write_bytes(pickle.dumps((gs, gs, gs), protocol))
    found, checkpoint = load(tmp_path / "net.pkl")
    assert checkpoint.spec == expected.spec
    assert checkpoint.format == "nvidia-tf"
    assert_close(found.state_dict(), expected.state_dict(), rtol=0, atol=1e-6)
