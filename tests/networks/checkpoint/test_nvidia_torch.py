"""NVIDIA's PyTorch container: what of a pickled StyleGAN2 the specification is read from."""

from pathlib import Path
from typing import Any

import pytest
import torch

from networks import registry
from networks.base import Generator
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.nvidia_torch import stylegan2
from networks.checkpoint.load import build
from networks.checkpoint.records import Checkpoint, ModuleRecord, Source
from networks.filters import separable_filter
from networks.stylegan2 import StyleGAN2Spec
from tests.networks.small import TRUNK, randomize

TALL = {**TRUNK, "resolution": (16, 8), "start": (4, 2)}
SPECS = {
    "skip": StyleGAN2Spec(**TRUNK, embed_features=0, half_resolutions=2),
    "orig": StyleGAN2Spec(**TRUNK, embed_features=0, half_resolutions=0, architecture="orig"),
    "resnet": StyleGAN2Spec(**TRUNK, embed_features=0, half_resolutions=0, architecture="resnet"),
    "conditional": StyleGAN2Spec(**{**TRUNK, "c_dim": 3}, embed_features=5, half_resolutions=0, conv_clamp=None),
    "2:1 and grey": StyleGAN2Spec(**{**TALL, "img_channels": 1}, embed_features=0, half_resolutions=0),
    "RGBA, box filter, faster mapping": StyleGAN2Spec(
        **{**TRUNK, "img_channels": 4},
        embed_features=0,
        half_resolutions=0,
        filter_taps=(1.0, 1.0),
        mapping_lr_multiplier=0.1,
    ),
}


def record_of(generator: Generator) -> ModuleRecord:
    """The modules of a generator as the reader returns them, with the attributes that the official classes have."""
    spec = generator.spec
    root = ModuleRecord("Generator", attributes={"z_dim": spec.z_dim, "c_dim": spec.c_dim, "w_dim": spec.w_dim})
    for key, tensor in generator.state_dict().items():
        record = root
        for part in key.split(".")[:-1]:
            record = record.modules.setdefault(part, ModuleRecord(part))
        record.parameters[key.split(".")[-1]] = tensor
    for name, module in root.modules["mapping"].modules.items():
        module.attributes = {"bias_gain": spec.mapping_lr_multiplier if name.startswith("fc") else 1.0}
    for level, block in enumerate(root.modules["synthesis"].modules.values()):
        block.attributes = {"use_fp16": level >= len(spec.channels) - spec.half_resolutions}
        block.modules["conv1"].attributes = {"conv_clamp": spec.conv_clamp}
        block.modules["conv1"].buffers["resample_filter"] = separable_filter(spec.filter_taps)
    return root


def fresh_record(name: str = "skip") -> ModuleRecord:
    return record_of(randomize(registry.get("stylegan2").build(SPECS[name])))


def convert(root: Any) -> Checkpoint | None:
    return stylegan2(Source(Path("net.pkl"), "pickle", root))


@pytest.mark.parametrize("name", SPECS)
def test_opens_as_our_network(name: str) -> None:
    expected = randomize(registry.get("stylegan2").build(SPECS[name]))
    checkpoint = convert({"G_ema": record_of(expected), "G": None, "D": None, "training_set_kwargs": {}})
    assert checkpoint is not None
    assert checkpoint.spec == SPECS[name]
    assert checkpoint.ignored == ("D", "G", "training_set_kwargs")
    ws = torch.randn(1, expected.num_ws, 14, generator=torch.Generator().manual_seed(0))
    assert torch.equal(build(checkpoint).synthesize(ws), expected.synthesize(ws))


def test_g_is_taken_where_no_average_was_kept() -> None:
    for root, ignored in (({"G": fresh_record(), "D": None}, ("D",)), (fresh_record(), ())):
        checkpoint = convert(root)
        assert checkpoint is not None
        assert checkpoint.ignored == ignored


def test_a_mapping_that_tracked_no_mean_leaves_it_to_be_estimated() -> None:
    root = fresh_record()
    del root.modules["mapping"].parameters["w_avg"]
    checkpoint = convert({"G_ema": root})
    assert checkpoint is not None
    assert not checkpoint.w_avg_known
    assert float(build(checkpoint).mapping.w_avg.abs().max()) > 0


def test_half_precision_weights_become_fp32() -> None:
    root = fresh_record()
    for block in root.modules["synthesis"].modules.values():
        for layer in block.modules.values():
            layer.parameters = {key: tensor.half() for key, tensor in layer.parameters.items()}
    checkpoint = convert({"G_ema": root})
    assert checkpoint is not None
    assert {tensor.dtype for tensor in build(checkpoint).state_dict().values()} == {torch.float32}


@pytest.mark.parametrize("missing", ["synthesis.b4.const", "synthesis.b16.torgb.weight"])
def test_a_generator_without_its_ends_is_named(missing: str) -> None:
    root = fresh_record()
    *path, last = missing.split(".")
    del root.module(".".join(path)).parameters[last]
    with pytest.raises(CheckpointError, match=f"net.pkl: {missing} is missing; is this a StyleGAN2 generator?"):
        convert({"G_ema": root})


def test_other_things_are_left_to_other_importers() -> None:
    assert convert({"G_ema": ModuleRecord("Generator")}) is None
    assert convert({"D": fresh_record()}) is None
    assert convert([1, 2]) is None
