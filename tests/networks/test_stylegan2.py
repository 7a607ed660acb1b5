"""StyleGAN2: each formula against a plain second implementation, the four architectures, and odd shapes."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from networks import registry, stylegan2, stylegan_t
from networks.filters import separable_filter, upfirdn2d
from networks.ops.plain import activate, innermost, modulated_conv2d
from networks.plan import OUTPUT, Noise
from networks.stylegan2 import StyleGAN2Spec
from networks.taps import Taps
from tests.networks.small import TRUNK, build, randomize, small


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def plain_modulated(x: torch.Tensor, w: torch.Tensor, s: torch.Tensor, demodulate: bool = True) -> torch.Tensor:
    """Eq. 1 and 3 of Karras et al. 2020 on the weights, one sample at a time."""
    maps = []
    for sample, style in zip(x, s, strict=True):
        weight = w * style[None, :, None, None]
        if demodulate:
            weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        maps.append(F.conv2d(sample[None], weight, padding=w.shape[-1] // 2))
    return torch.cat(maps)


@pytest.mark.parametrize("demodulate", [True, False])
def test_scaling_activations_is_scaling_weights(demodulate: bool) -> None:
    x, w, s = draw(2, 5, 6, 4), draw(7, 5, 3, 3, seed=1), draw(2, 5, seed=2)
    assert_close(
        modulated_conv2d(x, w, s, demodulate=demodulate), plain_modulated(x, w, s, demodulate), rtol=1e-4, atol=1e-5
    )


def test_demodulated_output_ignores_the_scale_of_style_and_weight() -> None:
    x, w, s = draw(2, 5, 6, 6), draw(7, 5, 3, 3, seed=1), draw(2, 5, seed=2)
    assert_close(modulated_conv2d(x, w, s), modulated_conv2d(x, 10 * w, 100 * s))


def test_half_precision_stays_finite_and_close() -> None:
    x, w, s = draw(1, 64, 8, 8), 100 * draw(32, 64, 3, 3, seed=1), 1000 * draw(1, 64, seed=2)
    half = modulated_conv2d(x.half(), w, s)
    assert half.dtype == torch.float16
    assert_close(half.float(), modulated_conv2d(x, w, s), rtol=0, atol=0.02)


def test_channels_lie_innermost_in_half_precision_on_cuda_and_everywhere_on_a_cpu() -> None:
    assert innermost("cuda", torch.float16)
    assert not innermost("cuda", torch.float32)
    assert innermost("cpu", torch.float32)
    assert not innermost("mps", torch.float16)


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan2-resnet", "stylegan2-orig", "stylegan-t-conditional"])
def test_half_precision_layers_stay_close(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU runs in fp16, run in fp16 here: every layer that the table marks, within 50 dB."""
    generator, ws = small(name).generator, small(name).ws
    expected = generator.synthesize(ws)
    dtypes = {info.name: torch.float16 if info.half else torch.float32 for info in generator.layers}
    for module in (stylegan2, stylegan_t):
        monkeypatch.setattr(module, "layer_dtype", lambda info, device, precision: dtypes[info.name])
    taps = Taps(capture=[(info.name, OUTPUT) for info in generator.layers if info.kind in ("up", "conv")])
    half = generator.synthesize(ws, taps)
    assert torch.float16 in dtypes.values()
    assert all(x.dtype == dtypes[name] for (name, _), x in taps.captured.items())
    assert half.dtype == torch.float32
    peak = expected.max() - expected.min()
    assert float(20 * torch.log10(peak / (half - expected).square().mean().sqrt())) > 50


@pytest.mark.parametrize("clamp", [None, 0.5])
def test_activation_in_place_is_the_activation_with_gradients(clamp: float | None) -> None:
    y, scales, bias, noise = draw(2, 5, 6, 4), draw(2, 5, 1, 1, seed=1).abs(), draw(5, seed=2), draw(1, 1, 6, 4, seed=3)
    expected = F.leaky_relu(y * scales + noise + bias[:, None, None], 0.2) * math.sqrt(2)
    if clamp is not None:
        expected = expected.clamp(-clamp, clamp)
    kept = y.clone()
    with_gradients = activate(y, scales, bias, noise, clamp=clamp)
    assert_close(with_gradients, expected)
    assert torch.equal(y, kept)
    with torch.no_grad():
        in_place = activate(y, scales, bias, noise, clamp=clamp)
    assert torch.equal(in_place, with_gradients)
    assert in_place.data_ptr() == y.data_ptr()


def test_channels_lie_innermost_between_layers_and_maps_are_handed_out_as_planes() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    inner: list[bool] = []

    def look(x: torch.Tensor) -> torch.Tensor:
        inner.append(x.is_contiguous(memory_format=torch.channels_last))
        return x

    taps = Taps(hooks={("b16.conv0", OUTPUT): look}, capture=[("b16.conv0", OUTPUT)])
    with torch.no_grad():
        without_gradients = generator.synthesize(ws, taps)
    assert inner == [True]
    assert taps.captured["b16.conv0", OUTPUT].is_contiguous()
    assert_close(without_gradients, generator.synthesize(ws), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("up", "down", "pad"), [(1, 1, (1, 1, 1, 1)), (2, 1, (2, 1, 2, 1)), (1, 2, (0, 1, -1, 2))])
def test_depthwise_filters_are_the_filter_on_each_map_alone(up: int, down: int, pad: tuple[int, int, int, int]) -> None:
    x, f = draw(2, 3, 9, 7), separable_filter((1.0, 3.0, 2.0, 5.0))
    wide = torch.zeros(2, 3, 9 * up, 7 * up)
    wide[:, :, ::up, ::up] = x
    wide = F.pad(wide, pad)
    rows, columns = (wide.shape[2] - 4) // down + 1, (wide.shape[3] - 4) // down + 1
    expected = torch.zeros(2, 3, rows, columns)
    for i in range(rows):
        for j in range(columns):
            window = wide[:, :, i * down : i * down + 4, j * down : j * down + 4]
            expected[:, :, i, j] = 4 * (window * f.flip(0, 1)).sum(dim=(2, 3))
    assert_close(upfirdn2d(x, f, up, down, pad, gain=4), expected, rtol=1e-5, atol=1e-6)


def up2(img: torch.Tensor) -> torch.Tensor:
    """[1, 3, 3, 1] interpolation by hand: zeros in between, 4x the binomial, borders of zeros."""
    n, c, h, w = img.shape
    wide = torch.zeros(n, c, 2 * h, 2 * w)
    wide[:, :, ::2, ::2] = img
    f = torch.outer(*2 * [torch.tensor([1.0, 3, 3, 1]) / 4])
    return F.conv2d(F.pad(wide, (2, 1, 2, 1)), f.expand(c, 1, 4, 4), groups=c)


def see(name: str) -> tuple[torch.Tensor, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    generator, ws = small(name).generator, small(name).ws
    taps = Taps(capture=[(info.name, OUTPUT) for info in generator.layers])
    img = generator.synthesize(ws, taps)
    return img, {layer: x for (layer, _), x in taps.captured.items()}, generator.state_dict()


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan2-tall-rgba"])
def test_skip_sums_the_pictures_of_all_resolutions(name: str) -> None:
    img, maps, _ = see(name)
    assert_close(img, up2(up2(maps["b4.torgb"]) + maps["b8.torgb"]) + maps["b16.torgb"], rtol=1e-4, atol=1e-4)


def test_a_preview_is_the_sum_so_far() -> None:
    _, maps, _ = see("stylegan2-skip")
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    assert generator.preview_sizes == (4, 8, 16)
    preview = generator.synthesize(ws, Taps(stop_at=8))
    assert_close(preview, up2(maps["b4.torgb"]) + maps["b8.torgb"], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["stylegan2-orig", "stylegan2-progressive", "stylegan2-resnet"])
def test_the_others_show_the_last_to_rgb_alone(name: str) -> None:
    img, maps, _ = see(name)
    assert torch.equal(img, maps["b16.torgb"])


def test_orig_and_resnet_have_one_picture_and_progressive_one_for_each_resolution() -> None:
    sizes = {kind: small(f"stylegan2-{kind}").generator.preview_sizes for kind in ("orig", "resnet", "progressive")}
    assert sizes == {"orig": (16,), "resnet": (16,), "progressive": (4, 8, 16)}
    generator, ws = small("stylegan2-progressive").generator, small("stylegan2-progressive").ws
    _, maps, _ = see("stylegan2-progressive")
    assert torch.equal(generator.synthesize(ws, Taps(stop_at=8)), maps["b8.torgb"])


def test_progressive_with_the_same_weights_is_orig() -> None:
    orig, progressive = build("stylegan2-orig"), build("stylegan2-progressive", seed=1)
    progressive.load_state_dict(orig.state_dict(), strict=False)
    ws = small("stylegan2-orig").ws
    assert torch.equal(orig.synthesize(ws), progressive.synthesize(ws))


def test_residual_blocks_add_the_up_sampled_input_with_equal_power() -> None:
    _, maps, state = see("stylegan2-resnet")
    weight = state["synthesis.b8.skip.weight"] / math.sqrt(maps["b4.conv1"].shape[1])
    shortcut = up2(F.conv2d(maps["b4.conv1"], weight)) * math.sqrt(0.5)
    block = shortcut + maps["b8.conv1"]  # conv1 is scaled by sqrt(1/2) inside
    weight = state["synthesis.b16.conv0.weight"]
    style = small("stylegan2-resnet").ws[:, 3] @ state["synthesis.b16.conv0.affine.weight"].T / math.sqrt(14)
    style = style + state["synthesis.b16.conv0.affine.bias"]
    x = layer_up(block, weight, style, state, "synthesis.b16.conv0")
    assert_close(maps["b16.conv0"], x, rtol=1e-4, atol=1e-4)


def layer_up(
    x: torch.Tensor, w: torch.Tensor, s: torch.Tensor, state: dict[str, torch.Tensor], name: str
) -> torch.Tensor:
    """An up-sampling layer: zeros in between, the turned modulated kernel, the binomial, noise, bias, lrelu sqrt 2."""
    n, _, h, width = x.shape
    wide = torch.zeros(n, x.shape[1], 2 * h + 3, 2 * width + 3)
    wide[:, :, 2:-2:2, 2:-2:2] = x  # a border of 2 zeros: the full convolution
    maps = []
    for sample, style in zip(wide, s, strict=True):
        weight = w * style[None, :, None, None]
        weight = weight / (weight.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
        maps.append(F.conv2d(sample[None], weight.flip((2, 3))))
    y = torch.cat(maps)
    f = torch.outer(*2 * [torch.tensor([1.0, 3, 3, 1]) / 4])
    y = F.conv2d(F.pad(y, (1, 1, 1, 1)), f.expand(y.shape[1], 1, 4, 4), groups=y.shape[1])
    y = y + state[f"{name}.noise_strength"] * state[f"{name}.noise_const"] + state[f"{name}.bias"].view(1, -1, 1, 1)
    return F.leaky_relu(y, 0.2) * math.sqrt(2)


def test_label_and_z_are_normalized_together_or_apart() -> None:
    z, c = small("stylegan2-conditional").z, torch.eye(3)[[2, 0]]

    def unit(x: torch.Tensor) -> torch.Tensor:
        return x / x.square().mean(dim=1, keepdim=True).sqrt()

    for name, concat in (("stylegan2-conditional", False), ("stylegan2-label-concat", True)):
        generator = small(name).generator
        state = generator.state_dict()
        y = c @ state["mapping.embed.weight"].T
        if not concat:
            y = unit(y / math.sqrt(3) + state["mapping.embed.bias"])
        x = unit(torch.cat([z, y], dim=1)) if concat else torch.cat([unit(z), y], dim=1)
        for i in range(2):
            weight, bias = state[f"mapping.fc{i}.weight"], state[f"mapping.fc{i}.bias"]
            x = F.leaky_relu(x @ weight.T * 0.01 / math.sqrt(x.shape[1]) + 0.01 * bias, 0.2) * math.sqrt(2)
        assert_close(generator.mapping(z, c), x)


def test_clamp_bounds_every_map() -> None:
    spec = StyleGAN2Spec(**TRUNK, conv_clamp=0.5)
    generator = randomize(registry.get("stylegan2").build(spec))
    taps = Taps(capture=[(info.name, OUTPUT) for info in generator.layers if info.kind != "const"])
    generator.synthesize(small("stylegan2-skip").ws, taps)
    assert {round(float(x.abs().max()), 6) for x in taps.captured.values()} == {0.5}


@pytest.mark.parametrize(
    ("start", "channels", "taps"), [((4, 2), 3, (1, 3, 3, 1)), ((2, 4), 1, (1, 1)), ((7, 3), 4, (1, 2, 1))]
)
def test_non_square_grey_rgba_and_other_filters(start: tuple[int, int], channels: int, taps: tuple[int, ...]) -> None:
    spec = StyleGAN2Spec(
        **{**TRUNK, "resolution": (start[0] * 4, start[1] * 4), "img_channels": channels},
        start=start,
        filter_taps=tuple(float(tap) for tap in taps),
    )
    generator = randomize(registry.get("stylegan2").build(spec))
    img = generator.synthesize(small("stylegan2-skip").ws, noise=Noise("random", 3))
    assert img.shape == (2, channels, start[0] * 4, start[1] * 4)


def test_official_size_has_18_rows_and_30_million_parameters() -> None:
    spec = StyleGAN2Spec(512, 0, 512, (1024, 1024), 3, channels=(512,) * 5 + (256, 128, 64, 32))
    with torch.device("meta"):
        generator = registry.get("stylegan2").build(spec)
    assert generator.num_ws == 18
    assert sum(p.numel() for p in generator.parameters()) == 30_370_060  # as the official code counts config F
    assert next(info.name for info in generator.layers if info.half) == "b128.conv0", "fp16 in the top 4 resolutions"
