"""StyleGAN3: the layers follow the paper's rules, and what moves the input moves the picture."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from networks import alias_free, ops
from networks.alias_free import (
    ChainInput,
    FourierInput,
    input_transform,
    layer_table,
    symmetric_padding,
)
from networks.checkpoint.load import read_checkpoint
from networks.plan import OUTPUT, LayerInfo
from networks.registry import get
from networks.stylegan3 import StyleGAN3, design_spec
from networks.taps import Taps
from tests.networks.small import REFERENCE

# What the official code calls the layers of its published networks.
PUBLISHED = {
    (1024, "R"): "L0_36_1024 L1_36_1024 L2_52_1024 L3_52_1024 L4_84_1024 L5_148_1024 L6_148_1024 L7_276_645 L8_276_406"
    " L9_532_256 L10_1044_161 L11_1044_102 L12_1044_64 L13_1024_64 L14_1024_3",
    (256, "T"): "L0_36_512 L1_36_512 L2_36_512 L3_52_512 L4_52_512 L5_84_512 L6_84_512 L7_148_512 L8_148_512"
    " L9_148_362 L10_276_256 L11_276_181 L12_276_128 L13_256_128 L14_256_3",
}
SMALL = {"channel_base": 512, "channel_max": 16, "num_layers": 8, "z_dim": 32, "w_dim": 32}
ANGLE = math.radians(30)


def fresh(config: str, resolution: int = 32, **settings: int) -> StyleGAN3:
    generator = get("stylegan3").build(design_spec(resolution, config, **{**SMALL, **settings}))
    generator.init_weights(0)
    return generator


def ws_of(generator: StyleGAN3) -> torch.Tensor:
    return generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)))


def translation(x: float, y: float) -> list[list[float]]:
    return [[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]]


def rotation(radians: float) -> list[list[float]]:
    """Counter-clockwise as seen on the screen, where y grows downwards."""
    c, s = math.cos(radians), math.sin(radians)
    return [[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]


def decibels(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """EQ-T and EQ-R of Karras et al. 2021 (Eq. 4), with the picture's own range as I_max."""
    span = float(expected.max() - expected.min())
    return 10 * math.log10(span**2 / float((ours - expected).square().mean()))


@pytest.mark.parametrize(("resolution", "config"), PUBLISHED)
def test_layer_names_are_the_published_ones(resolution: int, config: str) -> None:
    spec = design_spec(resolution, config)
    assert " ".join(row.name for row in spec.layers) == PUBLISHED[resolution, config]
    assert spec.config == config


@pytest.mark.parametrize(("name", "config"), [("stylegan3-t", "T"), ("stylegan3-r", "R")])
def test_designed_layers_are_those_of_the_official_code(name: str, config: str) -> None:
    stored = read_checkpoint(REFERENCE / f"{name}.pkl").spec
    designed = design_spec(32, config, **SMALL)
    assert designed.input == stored.input
    for ours, official in zip(designed.layers, stored.layers, strict=True):
        for field, a, b in zip(ours._fields, ours, official, strict=True):
            assert a == (pytest.approx(b) if isinstance(b, float) else b), f"{ours.name}.{field}"
    assert get("stylegan3").build(designed).layers == get("stylegan3").build(stored).layers


@pytest.mark.parametrize("name", ["stylegan3-t", "stylegan3-r", "stylegan-xl-stem", "stylegan-xl-superres"])
def test_padding_keeps_the_centre(name: str) -> None:
    for row in read_checkpoint(REFERENCE / f"{name}.pkl").spec.layers:
        if not row.torgb:
            assert symmetric_padding(row) == row.padding, row.name


def test_table_says_kind_row_rate_and_precision() -> None:
    layers = fresh("T").layers
    assert [info.kind for info in layers] == ["input"] + ["conv"] * 8 + ["torgb"]
    assert [info.w_index for info in layers] == list(range(10))
    assert [info.sampling_rate for info in layers] == [16] * 4 + [32] * 6
    assert [info.half for info in layer_table(design_spec(256))] == [False] * 4 + [True] * 12
    assert not any(info.has_noise for info in layers)


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, 2), (-4, 5)])
def test_translating_the_input_translates_the_picture_in_t(dx: int, dy: int) -> None:
    """Whole pixels, right and down positive; valid where the margin was not used up."""
    generator = fresh("T", 64)
    ws = ws_of(generator)
    still = generator.synthesize(ws)
    moved = generator.synthesize(ws, transform=translation(dx / 64, dy / 64))
    expected = still.roll((dy, dx), dims=(2, 3))
    inner = slice(12, -12)
    assert decibels(moved[..., inner, inner], expected[..., inner, inner]) > 45
    assert decibels(still[..., inner, inner], expected[..., inner, inner]) < 30, "the claim is not empty"


def test_rotating_the_input_rotates_the_picture_in_r_and_not_in_t() -> None:
    """A quarter turn maps the grid onto itself, so that R is exact; 3x3 kernels of T point one way."""
    for config, holds in (("R", True), ("T", False)):
        generator = fresh(config)
        ws = ws_of(generator)
        turned = generator.synthesize(ws, transform=rotation(math.pi / 2))
        quality = decibels(turned, generator.synthesize(ws).rot90(1, dims=(2, 3)))
        assert quality > 100 if holds else quality < 30, f"{config}: {quality:.1f} dB"


def test_turning_by_any_angle_holds_far_better_in_r_than_in_t() -> None:
    quality = {}
    for config in "RT":
        generator = fresh(config, 64)
        ws = ws_of(generator)
        turned = generator.synthesize(ws, transform=rotation(ANGLE))
        grid = F.affine_grid(torch.tensor(rotation(-ANGLE))[None, :2], [1, 3, 64, 64], align_corners=False)
        expected = F.grid_sample(generator.synthesize(ws), grid, mode="bicubic", align_corners=False)
        quality[config] = decibels(turned[..., 16:-16, 16:-16], expected[..., 16:-16, 16:-16])
    assert quality["R"] > quality["T"] + 10, quality


def test_the_inverse_of_the_users_transform_enters_the_input() -> None:
    generator = fresh("T")
    ws = ws_of(generator)
    matrix = [[0.9, 0.3, 0.11], [-0.2, 1.1, -0.07], [0.0, 0.0, 1.0]]
    by_user = generator.synthesize(ws, transform=matrix)
    generator.synthesis.input.transform.copy_(torch.linalg.inv(torch.tensor(matrix)))
    torch.testing.assert_close(generator.synthesize(ws), by_user, rtol=0, atol=1e-5)
    identity = translation(0.0, 0.0)
    assert not torch.equal(generator.synthesize(ws, transform=identity), by_user), "it replaces the stored one"


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], r"\[2, 2\], expected \[3, 3\]"),
        ([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]], "determinant 0"),
        ([[math.nan, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "determinant nan"),
    ],
)
def test_a_transform_that_cannot_be_inverted_is_refused(matrix: list[list[float]], says: str) -> None:
    generator = fresh("T")
    with pytest.raises(ValueError, match=says):
        generator.synthesize(ws_of(generator), transform=matrix)


def test_learned_rotation_has_unit_length() -> None:
    """(r_c, r_s, t) of any length stands for the same transform."""
    style = torch.tensor([[0.6, 0.8, 0.3, -0.1]])
    torch.testing.assert_close(input_transform(style), input_transform(style * 7.0))
    # the point t goes to the origin; (1, 0) from there goes to (r_c, r_s)
    points = torch.tensor([[0.3, -0.1, 1.0], [1.3, -0.1, 1.0]]).t()
    torch.testing.assert_close(input_transform(style)[0] @ points, torch.tensor([[0, 0.6], [0, 0.8], [1, 1]]))


def test_fourier_input_is_the_sum_of_sines() -> None:
    info = LayerInfo(0, "input", "input", (5, 9), 7, style_dim=4, w_index=0, sampling_rate=6.0)
    layer = FourierInput(info, ChainInput(7, (5, 9), 6.0, 1.5), w_dim=8)
    stream = torch.Generator().manual_seed(0)
    for module in layer.modules():
        getattr(module, "reset_weights", lambda stream: None)(stream)
    out = layer(torch.zeros(1, 8), Taps())[0].double()
    freqs, phases, weight = layer.freqs.double(), layer.phases.double(), layer.weight.double()
    assert float(freqs.norm(dim=1).max()) <= 1.5, "frequencies within the band"
    for y, x in ((0, 0), (2, 4), (4, 8), (1, 6)):
        place = torch.tensor([(x - 4) / 6, (y - 2) / 6], dtype=torch.float64)  # picture widths from the centre
        waves = torch.sin(2 * math.pi * (freqs @ place + phases))
        torch.testing.assert_close(out[:, y, x], weight @ waves / math.sqrt(7), rtol=0, atol=1e-5)


def test_frequencies_beyond_the_band_fade_to_nothing_at_nyquist() -> None:
    info = LayerInfo(0, "input", "input", (16, 16), 3, style_dim=4, w_index=0, sampling_rate=16.0)
    layer = FourierInput(info, ChainInput(3, (16, 16), 16.0, 2.0), w_dim=8)
    freqs = torch.tensor([[[1.9, 0.0], [0.0, 5.0], [8.1, 0.0]]])
    torch.testing.assert_close(layer._amplitudes(freqs), torch.tensor([[1.0, 0.5, 0.0]]))


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("size", [4, 40])
def test_scaling_weights_or_activations_is_one_convolution(size: int, demodulate: bool) -> None:
    """size 4: fewer activations than weights, so those are scaled; 40: the weights of each sample are."""
    stream = torch.Generator().manual_seed(0)
    x, weight = torch.randn(2, 6, size, size, generator=stream), torch.randn(5, 6, 3, 3, generator=stream)
    style, bias = torch.randn(2, 6, generator=stream), torch.randn(5, generator=stream)
    assert (weight.numel() > x[0].numel()) is (size == 4)
    w = weight.double()[None] * style.double()[:, None, :, None, None]
    if demodulate:  # Eq. 3 of Karras et al. 2020
        w = w / w.square().sum(dim=(2, 3, 4), keepdim=True).sqrt()
    expected = torch.stack([F.conv2d(x[n].double(), w[n] * 0.7, bias.double(), padding=2) for n in range(2)])
    ours = ops.modulated_conv2d_full(x, weight, style, bias, torch.tensor(0.7), demodulate=demodulate)
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("config", "TR")
def test_gradients_reach_ws_and_weights(config: str) -> None:
    generator = fresh(config).requires_grad_(True)
    ws = ws_of(generator).detach().requires_grad_()
    generator.synthesize(ws).square().mean().backward()
    assert float(ws.grad.abs().amax(dim=2)[0, 1:].min()) > 0, "every row but the input's, which starts without effect"
    assert all(p.grad is not None and bool(p.grad.any()) for p in generator.synthesis.L3_52_16.parameters())
    with torch.no_grad():
        ahead = ws + 1e-2 * ws.grad / ws.grad.norm()
        gain = generator.synthesize(ahead).square().mean() - generator.synthesize(ws).square().mean()
    assert float(gain) == pytest.approx(1e-2 * float(ws.grad.norm()), rel=0.05)


@pytest.mark.parametrize("config", "TR")
def test_half_precision_layers_stay_close(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU runs in fp16, run in fp16 here: every layer that the table marks, within 50 dB."""
    generator = fresh(config)
    ws = ws_of(generator)
    dtypes = {info.name: torch.float16 if info.half else torch.float32 for info in generator.layers[1:]}
    monkeypatch.setattr(alias_free, "layer_dtype", lambda info, device, precision: dtypes[info.name])
    taps = Taps(capture=[(name, OUTPUT) for name in dtypes])
    half = generator.synthesize(ws, taps)
    assert {name: taps.captured[name, OUTPUT].dtype for name in dtypes} == dtypes
    monkeypatch.undo()
    assert half.dtype == torch.float32
    assert decibels(half, generator.synthesize(ws)) > 50


def test_rows_that_follow_no_rule_build_and_run() -> None:
    """A chain of 2:1 maps whose names skip a number: sizes are data."""
    spec = design_spec(32, "T", **SMALL)
    rows = []
    for row in spec.layers:
        tall = row._replace(in_size=(row.in_size[0], row.in_size[1] // 2), size=(row.size[0], row.size[1] // 2))
        rows.append(tall._replace(name=tall.name.replace("L7_", "L9_"), padding=symmetric_padding(tall)))
    start = spec.input._replace(size=(36, 18))
    generator = get("stylegan3").build(replace(spec, layers=tuple(rows), input=start, resolution=(32, 16)))
    generator.init_weights(0)
    taps = Taps(capture=[(info.name, OUTPUT) for info in generator.layers])
    assert generator.synthesize(ws_of(generator), taps).shape == (1, 3, 32, 16)
    assert [tuple(x.shape[2:]) for x in taps.captured.values()] == [info.size for info in generator.layers]
    assert generator.layers[8].name == "L9_32_16"
