"""StyleGAN-T: what is its own. Agreement with the official numbers is in test_reference.py."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from networks.checkpoint.load import load
from networks.filters import upsample2d
from networks.plan import LayerInfo, Noise
from networks.registry import get
from networks.stylegan_t import ResidualConvLayer, SecondOrderStyle, StyleGANTSpec, plan
from networks.taps import Taps

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
SPEC = StyleGANTSpec(
    z_dim=6,
    c_dim=4,
    w_dim=9,
    resolution=(16, 16),
    img_channels=3,
    channels=(8, 4),
    norm_groups=2,
    mapping_features=(7, 5),
)


def build(spec=SPEC):
    generator = get("stylegan_t").build(spec)
    generator.init_weights(0)
    return generator


def test_the_layer_table():
    rows = [(info.name, info.kind, info.size[0], info.style_dim, info.w_index) for b in plan(SPEC)
            for info in b.layers.values()]  # fmt: skip
    assert rows == [
        ("b8.input", "input", 8, 4, 0),
        ("b8.convs1.0", "conv", 8, 8, 1),
        ("b8.convs1.1", "conv", 8, 8, 2),
        ("b8.convs1.2", "conv", 8, 8, 3),
        ("b8.convs1.3", "conv", 8, 8, 4),
        ("b16.conv0", "up", 16, 8, 5),
        ("b16.convs1.0", "conv", 16, 4, 6),
        ("b16.convs1.1", "conv", 16, 4, 7),
        ("b16.convs1.2", "conv", 16, 4, 8),
        ("b16.convs1.3", "conv", 16, 4, 9),
        ("b16.torgb", "torgb", 16, 4, 10),
    ]
    assert build().num_ws == 11
    assert build().preview_sizes == (16,)


def test_the_reference_files_say_their_configuration():
    generator, checkpoint = load(REFERENCE / "stylegan-t-conditional.pkl")
    spec = checkpoint.spec
    assert (spec.z_dim, spec.c_dim, spec.w_dim, spec.resolution) == (32, 48, 80, (32, 32))
    assert (spec.channels, spec.depth, spec.norm_groups, spec.architecture) == ((16, 16, 16), 4, 4, "orig")
    assert (spec.mapping_features, spec.mapping_lr_multiplier, spec.bandwidth) == ((32, 32), 0.01, 2.0)
    assert (checkpoint.format, generator.condition, generator.num_ws) == ("dill", "vector", 16)
    assert checkpoint.ignored == ("D", "G", "training_set_kwargs")


def test_second_order_style_is_m1_m2_plus_m3():
    style = SecondOrderStyle(1, 2)
    style.proj.weight.data.zero_()
    style.proj.bias.data.copy_(torch.tensor([2.0, 3.0, 10.0, 100.0, 0.5, 0.25]))
    assert style(torch.ones(1, 1)).tolist() == [[20.5, 300.25]]


def test_truncation_moves_the_z_half_only():
    generator = build()
    generator.mapping.w_avg[:5] = torch.arange(5.0)
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    c = F.normalize(torch.randn(2, 4, generator=torch.Generator().manual_seed(1)), dim=1)
    full, none, half = (generator.map(z, c, psi) for psi in (1.0, 0.0, 0.5))
    for ws in (full, none, half):
        assert torch.equal(ws[:, 3, 5:], c)
    assert torch.equal(none[:, 0, :5], torch.arange(5.0).expand(2, 5))
    assert torch.allclose(half, (full + none) / 2, atol=1e-6)


def test_without_a_text_the_text_half_is_zero():
    generator = build()
    assert torch.equal(generator.map(torch.ones(1, 6))[..., 5:], torch.zeros(1, 11, 4))
    assert generator.centre().shape == (1, 9)
    assert generator.centre(torch.ones(3, 4)).shape == (3, 9)


def test_the_last_mapping_layer_is_linear():
    generator = build()
    generator.mapping.fc1.weight.data.zero_()
    generator.mapping.fc1.bias.data.fill_(-200.0)  # times the lr multiplier 0.01
    assert torch.allclose(generator.mapping(torch.ones(1, 6))[:, :5], torch.full((1, 5), -2.0))


def residual_layer(gamma):
    info = LayerInfo(0, "layer", "conv", (5, 5), 4, 4, 0, has_noise=True)
    layer = ResidualConvLayer(info, 4, SPEC, gain=math.sqrt(0.5))
    layer.reset_weights(torch.Generator().manual_seed(0))
    layer.norm.reset_weights(torch.Generator())
    layer.gamma.data.fill_(gamma)
    return layer


def test_a_residual_layer_by_hand():
    layer = residual_layer(0.3)
    x = torch.randn(2, 4, 5, 5, generator=torch.Generator().manual_seed(1)) * 7 + 2
    style = torch.rand(2, 4, generator=torch.Generator().manual_seed(2)) + 0.5
    groups = x.view(2, 2, 50).double()
    n = (groups - groups.mean(2, keepdim=True)) / (groups.var(2, keepdim=True, correction=0) + 1e-5).sqrt()
    n = n.view(2, 4, 5, 5)
    for i in range(2):
        weight = layer.weight.double() * style[i, None, :, None, None].double()
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        y = F.leaky_relu(F.conv2d(n[i : i + 1], weight, padding=1), 0.2)  # gain sqrt 2 times sqrt 1/2
        expected = (n[i : i + 1] + 0.3 * y) * math.sqrt(2)
        assert torch.allclose(layer.run(x, style, None, Taps())[i : i + 1].double(), expected, atol=1e-5)


def test_group_norm_computes_in_float32(monkeypatch):
    norm, seen = residual_layer(0.0).norm, []
    group_norm = F.group_norm
    monkeypatch.setattr(F, "group_norm", lambda x, *rest: seen.append(x.dtype) or group_norm(x, *rest))
    assert norm(torch.ones(1, 4, 2, 2, dtype=torch.float16)).dtype == torch.float16
    assert seen == [torch.float32]


def test_skip_architecture_sums_the_pictures():
    generator = build(replace(SPEC, architecture="skip"))
    assert generator.preview_sizes == (8, 16)
    ws = generator.map(torch.ones(1, 6), torch.ones(1, 4))
    taps = Taps(capture=[("b8.torgb", "output"), ("b16.torgb", "output")])
    image = generator.synthesize(ws, taps)
    small, large = (taps.captured[name, "output"] for name in ("b8.torgb", "b16.torgb"))
    assert torch.allclose(image, upsample2d(small, generator.synthesis.resample_filter) + large, atol=1e-6)
    assert torch.equal(generator.synthesize(ws, Taps(stop_at=8)), small)


def test_transform_moves_the_picture():
    """Half a turn about the centre maps the grid onto itself: noise-free features at 8x8 turn exactly."""
    generator = build()
    ws = generator.map(torch.ones(1, 6), torch.ones(1, 4))
    turned, plain = Taps(capture=[("b8.input", "output")]), Taps(capture=[("b8.input", "output")])
    generator.synthesize(ws, plain, Noise("none"))
    generator.synthesize(ws, turned, Noise("none"), transform=[[-1, 0, 0], [0, -1, 0], [0, 0, 1]])
    expected = plain.captured["b8.input", "output"].flip(2, 3)
    assert torch.allclose(turned.captured["b8.input", "output"], expected, atol=1e-5)


def test_a_file_without_encoder_says_what_to_give():
    _, checkpoint = load(REFERENCE / "stylegan-t-conditional.pkl")
    assert checkpoint.text_encoder is None
    assert checkpoint.notes == ("No text encoder in this file: give the text as a vector of 48 numbers (.npy).",)
    assert load(REFERENCE / "stylegan-t.pkl")[1].notes == ()


@pytest.mark.parametrize("name", ["stylegan-t", "stylegan-t-conditional"])
def test_pictures_agree_with_the_official_code(name):
    generator, _ = load(REFERENCE / f"{name}.pkl")
    with np.load(REFERENCE / f"{name}.io.npz") as data:
        ws = torch.from_numpy(data["ws_psi0.7"])
        for key in ("const", "none"):
            error = np.abs(generator.synthesize(ws, noise=Noise(key)).numpy() - data[f"img_{key}"]).max()
            assert error < 5e-6 * np.ptp(data[f"img_{key}"])
