"""StyleGAN-XL: classes have their own centres, layers are what the file says, also without classes."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.importers.stylegan3 import stylegan3
from networks.checkpoint.importers.stylegan_xl import stylegan_xl
from networks.checkpoint.load import build, load
from networks.checkpoint.reader import read_source
from networks.checkpoint.records import Source
from networks.stylegan_xl import StyleGANXL
from tests.networks.small import REFERENCE, small

CLASSES = Path(__file__).parents[2] / "assets" / "imagenet_classes.json"


def one_hot(*classes: int) -> torch.Tensor:
    return torch.eye(1000)[list(classes)]


def source(name: str) -> Source:
    """The records of a file, free to be changed."""
    return copy.deepcopy(read_source(REFERENCE / f"{name}.pkl"))


def unconditional(w_avg: torch.Tensor) -> Source:
    """The stem as an unconditional training leaves it: no embedding, half as wide an fc0, one centre."""
    found = source("stylegan-xl-stem")
    record = found.root["G_ema"]
    mapping = record.module("mapping")
    for name in ("embed", "embed_proj"):
        mapping.modules.pop(name)
    for module in (record, mapping):
        module.attributes = {**module.attributes, "c_dim": 0}
    fc0 = mapping.module("fc0")
    fc0.parameters = {**fc0.parameters, "weight": fc0.parameters["weight"][:, : record.attributes["z_dim"]]}
    mapping.buffers = {"w_avg": w_avg}
    return found


@pytest.fixture(scope="module")
def stem() -> StyleGANXL:
    generator = small("stylegan-xl-stem").generator
    assert isinstance(generator, StyleGANXL)
    return generator


def test_the_centre_is_the_classs_own(stem: StyleGANXL) -> None:
    w_avg = stem.mapping.w_avg
    assert w_avg.shape == (1000, 32)
    torch.testing.assert_close(stem.centre(one_hot(207, 88)), w_avg[[207, 88]])
    torch.testing.assert_close(stem.centre(one_hot(207, 88).mean(0, keepdim=True))[0], w_avg[[207, 88]].mean(0))
    torch.testing.assert_close(stem.centre(), w_avg.mean(0, keepdim=True))


def test_psi_zero_is_the_centre_of_the_class_for_every_z(stem: StyleGANXL) -> None:
    z = torch.randn(2, stem.z_dim, generator=torch.Generator().manual_seed(0))
    ws = stem.map(z, one_hot(5, 900), psi=0.0)
    torch.testing.assert_close(ws[:, 0], stem.mapping.w_avg[[5, 900]])


def test_the_class_reaches_w_and_a_blend_lies_elsewhere_than_both(stem: StyleGANXL) -> None:
    z = torch.randn(1, stem.z_dim, generator=torch.Generator().manual_seed(0))
    dog, bird, between = (stem.mapping(z, c) for c in (one_hot(207), one_hot(88), one_hot(207, 88).mean(0)[None]))
    assert not torch.allclose(dog, bird, atol=1e-3)
    assert not torch.allclose(between, dog, atol=1e-3)
    assert not torch.allclose(between, bird, atol=1e-3)


def test_no_class_is_all_classes_alike(stem: StyleGANXL) -> None:
    z = torch.randn(1, stem.z_dim, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(stem.mapping(z), stem.mapping(z, torch.full((1, 1000), 1e-3)))


def test_super_resolution_keeps_the_stem_and_appends_its_head() -> None:
    stem, superres = (load(REFERENCE / f"{name}.pkl")[0] for name in ("stylegan-xl-stem", "stylegan-xl-superres"))
    stem_names, names = ([info.name for info in generator.layers] for generator in (stem, superres))
    assert " ".join(names[:6]) == "input L0_36_16 L1_36_16 L2_36_16 L3_52_16 L4_52_16"
    assert " ".join(names[6:]) == "L6_52_16 L7_84_14 L8_84_8 L9_64_8 L10_64_3"
    assert names[:6] == stem_names[:6]
    assert [info.w_index for info in superres.layers] == list(range(11)), "rows do not skip as names do"
    assert [info.sampling_rate for info in superres.layers][5:] == [32, 32, 64, 64, 64, 64]
    assert superres.resolution == (64, 64)
    assert superres.spec.layers[5].in_cutoff == stem.spec.layers[4].cutoff, "the head goes on where the stem was cut"


@pytest.mark.parametrize("shape", [(32,), (1, 32)])
def test_unconditional_files_open_as_stylegan_xl(shape: tuple[int, ...]) -> None:
    w_avg = torch.arange(32.0)
    checkpoint = stylegan_xl(unconditional(w_avg.reshape(shape)))
    assert checkpoint is not None
    assert (checkpoint.family, checkpoint.spec.c_dim, checkpoint.spec.embed_features) == ("stylegan_xl", 0, 0)
    generator = build(checkpoint)
    torch.testing.assert_close(generator.centre(), w_avg[None])
    ws = generator.map(torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(0)), psi=0.5)
    assert generator.synthesize(ws).shape == (2, 3, 32, 32)


def test_the_two_importers_know_their_files() -> None:
    for name, xl in (("stylegan-xl-stem", True), ("stylegan-xl-superres", True), ("stylegan3-t", False)):
        assert (stylegan_xl(source(name)) is not None) is xl, name
    assert stylegan3(source("stylegan3-r")) is not None
    assert stylegan3(source("stylegan2")) is None
    assert stylegan_xl(source("stylegan2")) is None


def test_a_layer_that_is_listed_but_not_stored_is_named() -> None:
    found = source("stylegan-xl-superres")
    synthesis = found.root["G_ema"].module("synthesis")
    synthesis.modules.pop("L8_84_8")
    with pytest.raises(CheckpointError, match=r"stylegan-xl-superres\.pkl: synthesis\.L8_84_8 is listed but not"):
        stylegan_xl(found)


def test_a_layer_that_does_not_say_its_cutoff_is_named() -> None:
    found = source("stylegan3-t")
    layer = found.root["G_ema"].module("synthesis.L2_36_16")
    layer.attributes = {key: value for key, value in layer.attributes.items() if key != "out_cutoff"}
    layer.init_kwargs = {}
    with pytest.raises(CheckpointError, match=r"stylegan3-t\.pkl: synthesis\.L2_36_16 does not say its out_cutoff"):
        stylegan3(found)


def test_a_specification_with_another_class_count_has_as_many_centres(stem: StyleGANXL) -> None:
    generator = StyleGANXL(replace(stem.spec, c_dim=7))
    assert generator.state_dict()["mapping.w_avg"].shape == (7, 32)
    assert generator.state_dict()["mapping.embed.weight"].shape == (7, 320)


def test_class_names_are_complete_and_in_order() -> None:
    data = json.loads(CLASSES.read_text(encoding="utf-8"))
    names = data["names"]
    assert len(names) == len(set(names)) == 1000
    assert {i: names[i] for i in (0, 88, 207, 281, 404, 999)} == {
        0: "tench", 88: "macaw", 207: "golden retriever", 281: "tabby", 404: "airliner", 999: "toilet tissue",
    }  # fmt: skip
    assert "torchvision" in data["source"]
    assert "BSD-3-Clause" in data["license"]
    assert (CLASSES.parent / "LICENSE-imagenet-classes.txt").exists()
