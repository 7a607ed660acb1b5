"""Other people's layouts: a file with our weights in their layout opens as our network, and shows their picture."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from networks import registry
from networks.base import Generator
from networks.checkpoint.errors import CheckpointError
from networks.checkpoint.load import load, read_checkpoint
from networks.lucidrains import LucidrainsSpec
from networks.plan import Noise
from networks.stylegan1 import StyleGAN1Spec
from networks.stylegan2 import StyleGAN2Spec
from tests.networks.checkpoint import port_layouts as layouts
from tests.networks.small import randomize

SHAPE = {"z_dim": 14, "c_dim": 0, "w_dim": 14, "resolution": (32, 32), "img_channels": 3}
PLAIN = {"embed_features": 0, "half_resolutions": 0, "conv_clamp": None, "mapping_features": (14, 14)}
SPEC2 = StyleGAN2Spec(**SHAPE, **PLAIN, channels=(12, 8, 6, 5))
SPEC1 = StyleGAN1Spec(
    **{**SHAPE, "resolution": (128, 128)}, channels=(12, 8, 6, 5, 4, 3), mapping_features=(14, 14), embed_features=0
)
LUCID = LucidrainsSpec(**{**SHAPE, "img_channels": 4}, channels=(12, 8, 6, 5), mapping_layers=3)


def ours(family: str) -> Generator:
    spec = {"stylegan1": SPEC1, "stylegan2": SPEC2, "lucidrains": LUCID}[family]
    return randomize(registry.get(family).build(spec))


def inputs(generator: Generator) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(5)
    z = torch.randn(2, generator.z_dim, generator=stream)
    return z, torch.randn(2, generator.num_ws, generator.w_dim, generator=stream)


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def scaled(expected: torch.Tensor) -> dict[str, float]:
    return {"rtol": 0, "atol": 1e-5 * float(expected.max() - expected.min())}


def same_network(found: Generator, expected: Generator) -> None:
    """Every tensor but the mean w, bit for bit, and the same configuration."""
    assert found.spec == expected.spec
    for key, tensor in expected.state_dict().items():
        assert key == "mapping.w_avg" or torch.equal(found.state_dict()[key], tensor), key
    z, ws = inputs(expected)
    assert torch.equal(found.mapping(z), expected.mapping(z))
    assert torch.equal(found.synthesize(ws), expected.synthesize(ws))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def nested(layout: str, sd: layouts.State) -> object:
    """The containers that rosinality's state dict travels in."""
    other = {key: value + 1 for key, value in sd.items()}
    encoder = {"encoder.input_layer.0.weight": torch.zeros(3)}
    return {
        "training": {"g": other, "d": {"x": torch.zeros(1)}, "g_ema": sd, "g_optim": {"state": {}}, "ada_aug_p": 0.5},
        "converted": {"g_ema": sd, "latent_avg": torch.arange(14.0)},
        "generator only": sd,
        "pSp": {
            "state_dict": encoder | {f"decoder.{key}": value for key, value in sd.items()},
            "latent_avg": torch.arange(14.0).repeat(8, 1),
            "opts": {"stylegan_size": 32},
        },
        "DataParallel": {"g_ema": {f"module.{key}": value for key, value in sd.items()}},
    }[layout]


@pytest.mark.parametrize("layout", ["training", "converted", "generator only", "pSp", "DataParallel"])
def test_rosinality(layout: str, tmp_path: Path, cache: Path) -> None:
    expected = ours("stylegan2")
    sd = layouts.rosinality_file(expected)
    found, checkpoint = load(save(tmp_path / "net.pt", nested(layout, sd)), cache=cache)
    assert (checkpoint.format, checkpoint.family) == ("rosinality", "stylegan2")
    same_network(found, expected)
    z, ws = inputs(expected)
    assert_close(found.mapping(z), layouts.rosinality_w(sd, z))
    picture = layouts.rosinality_picture(sd, ws)
    assert_close(found.synthesize(ws), picture, **scaled(picture))
    assert checkpoint.w_avg_known is (layout in ("converted", "pSp"))
    if checkpoint.w_avg_known:
        assert found.mapping.w_avg.tolist() == list(range(14))


def test_rosinality_says_what_it_did_not_need(tmp_path: Path) -> None:
    sd = layouts.rosinality_file(ours("stylegan2"))
    training = read_checkpoint(save(tmp_path / "a.pt", nested("training", sd)))
    assert training.ignored == ("ada_aug_p", "d", "g", "g_optim")
    assert read_checkpoint(save(tmp_path / "b.pt", nested("pSp", sd))).ignored == ("encoder", "opts")


def test_rosinality_latent_avg_that_differs_between_rows_is_averaged(tmp_path: Path) -> None:
    sd = layouts.rosinality_file(ours("stylegan2"))
    rows = torch.stack([torch.zeros(14), torch.full((14,), 2.0)])
    found, checkpoint = load(save(tmp_path / "net.pt", {"g_ema": sd, "latent_avg": rows}))
    assert found.mapping.w_avg.unique().tolist() == [1.0]
    assert checkpoint.notes == ("latent_avg differs between its 2 rows; truncation pulls towards their mean.",)


def test_rosinality_half_precision_weights_become_fp32(tmp_path: Path, cache: Path) -> None:
    expected = ours("stylegan2")
    half = {key: value.half() for key, value in layouts.rosinality_file(expected).items()}
    found, _ = load(save(tmp_path / "net.pt", {"g_ema": half}), cache=cache)
    assert {tensor.dtype for tensor in found.state_dict().values()} == {torch.float32}
    weight = expected.state_dict()["synthesis.b8.conv0.weight"]
    assert torch.equal(found.state_dict()["synthesis.b8.conv0.weight"], weight.half().float())


@pytest.mark.parametrize(
    ("key", "message"), [("convs.2.noise.weight", "convs.2.noise.weight"), ("style.1.bias", "style.1.bias")]
)
def test_rosinality_names_a_missing_tensor(key: str, message: str, tmp_path: Path) -> None:
    sd = layouts.rosinality_file(ours("stylegan2"))
    del sd[key]
    with pytest.raises(CheckpointError, match=f"net.pt: tensor {message} is missing"):
        read_checkpoint(save(tmp_path / "net.pt", {"g_ema": sd}))


def test_mmgen(tmp_path: Path, cache: Path) -> None:
    expected = ours("stylegan2")
    sd = layouts.mmgen_file(expected)
    state = {f"generator.{key}": value + 1 for key, value in sd.items()}
    state |= {f"generator_ema.{key}": value for key, value in sd.items()} | {"discriminator.x": torch.zeros(1)}
    path = save(tmp_path / "net.pth", {"meta": {"mmgen_version": "0.5.0"}, "state_dict": state})
    found, checkpoint = load(path, cache=cache)
    assert (checkpoint.format, checkpoint.w_avg_known) == ("mmgen", False)
    assert "blue and red" in checkpoint.notes[0]
    assert checkpoint.ignored == ("discriminator", "generator", "meta")
    same_network(found, expected)
    _, ws = inputs(expected)
    picture = layouts.rosinality_picture(layouts.rosinality_file(expected), ws)
    assert_close(found.synthesize(ws), picture, **scaled(picture))


def test_genforce_stylegan2(tmp_path: Path) -> None:
    expected = ours("stylegan2")
    sd = layouts.genforce2_file(expected)
    other = {key: value + 1 for key, value in sd.items()}
    path = save(tmp_path / "net.pth", {"generator": other, "discriminator": {}, "generator_smooth": sd})
    found, checkpoint = load(path)
    assert (checkpoint.format, checkpoint.w_avg_known) == ("genforce", True)
    assert checkpoint.ignored == ("discriminator", "generator")
    for key, tensor in expected.state_dict().items():  # style biases lost a bit when 1 was taken away
        assert_close(found.state_dict()[key], tensor, rtol=0, atol=1e-6)
    _, ws = inputs(expected)
    picture = layouts.genforce2_picture(sd, ws)
    assert_close(found.synthesize(ws), picture, **scaled(picture))


def test_genforce_stylegan1_from_64_to_128_pixels_is_fused(tmp_path: Path) -> None:
    expected = ours("stylegan1")
    sd = layouts.genforce1_file(expected)
    found, checkpoint = load(save(tmp_path / "net.pth", {"generator": sd, "discriminator": {}}))
    assert (checkpoint.format, checkpoint.family) == ("genforce", "stylegan1")
    same_network(found, expected)
    assert torch.equal(found.mapping.w_avg, expected.mapping.w_avg)
    _, ws = inputs(expected)
    picture = layouts.genforce1_picture(sd, ws)
    assert_close(found.synthesize(ws), picture, rtol=0, atol=1e-4 * float(picture.max() - picture.min()))


def test_genforce_labels(tmp_path: Path) -> None:
    spec = StyleGAN2Spec(
        **{**SHAPE, "c_dim": 3}, **{**PLAIN, "embed_features": 14}, channels=(12, 8, 6, 5), label_concat=True
    )
    expected = randomize(registry.get("stylegan2").build(spec))
    found, _ = load(save(tmp_path / "net.pth", {"generator_smooth": layouts.genforce2_file(expected)}))
    assert found.spec == spec
    z, c = inputs(expected)[0], torch.eye(3)[:2]
    assert torch.equal(found.mapping(z, c), expected.mapping(z, c))


def test_lucidrains(tmp_path: Path, cache: Path) -> None:
    expected = ours("lucidrains")
    sd = layouts.lucidrains_file(expected)
    other = {key.replace("GE.", "G.").replace("SE.", "S."): value + 1 for key, value in sd.items()}
    path = save(tmp_path / "net.pt", {"GAN": sd | other | {"D.blocks.0.x": torch.zeros(1)}, "version": "1.8.9"})
    found, checkpoint = load(path, cache=cache)
    assert (checkpoint.format, checkpoint.w_avg_known) == ("lucidrains", False)
    assert found.spec == expected.spec
    assert checkpoint.ignored == ("D", "G", "S", "version")
    z, ws = inputs(expected)
    assert_close(found.mapping(z), layouts.lucidrains_w(sd, z))
    noise = torch.from_numpy(np.random.RandomState(0).rand(32, 32)).float()
    picture = layouts.lucidrains_picture(sd, ws, noise)
    assert_close(found.synthesize(ws), picture, **scaled(picture))
    silent = layouts.lucidrains_picture(sd, ws, torch.zeros(32, 32))
    assert_close(found.synthesize(ws, noise=Noise("none")), silent, **scaled(silent))


def test_lucidrains_random_noise_is_uniform(cache: Path) -> None:
    layer = ours("lucidrains").synthesis.b32.conv1
    drawn = layer.draw(Noise("random", 3), 4, torch.device("cpu"))
    assert drawn.shape == (4, 1, 32, 32)
    assert 0.0 <= float(drawn.min()) < 0.01
    assert 0.99 < float(drawn.max()) <= 1.0
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"GE.attns.1.0.fn.to_q.weight": 0}, "attention layers"),
        ({"GE.to_initial_block.weight": 0}, "no constant"),
        ({"GE.initial_conv.weight": None}, "no initial_conv"),
    ],
)
def test_lucidrains_variants_that_are_other_networks(
    change: dict[str, int | None], sentence: str, tmp_path: Path
) -> None:
    sd = layouts.lucidrains_file(ours("lucidrains"))
    for key, value in change.items():
        if value is None:
            del sd[key]
        else:
            sd[key] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=f"net.pt: its lucidrains generator has {sentence}"):
        read_checkpoint(save(tmp_path / "net.pt", {"GAN": sd, "version": "1.8.9"}))
