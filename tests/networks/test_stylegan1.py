"""StyleGAN: each formula against a plain second implementation, and the outer shapes that files come in."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from networks import registry
from networks.plan import OUTPUT, PRE_NORM, Noise
from networks.stylegan1 import StyleGAN1Spec, adain, doubling_conv2d, instance_norm
from networks.taps import Taps
from tests.networks.small import TRUNK, randomize, small


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("height", "width"), [(4, 4), (4, 2), (5, 7)])
def test_doubling_convolution_is_nearest_then_convolution(height: int, width: int) -> None:
    x, w = draw(2, 3, height, width), draw(4, 3, 3, 3, seed=1)
    plain = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), w, padding=1)
    assert_close(doubling_conv2d(x, w), plain)


def test_instance_norm_leaves_mean_0_and_mean_square_1() -> None:
    y = instance_norm(3 + 5 * draw(2, 3, 8, 8))
    assert_close(y.mean(dim=(2, 3)), torch.zeros(2, 3), atol=1e-6, rtol=0)
    assert_close(y.square().mean(dim=(2, 3)), torch.ones(2, 3))


def test_adain_sets_standard_deviation_and_mean() -> None:
    style = torch.tensor([[1.0, -0.5, 0.25, 7.0]])  # scales 2 and 0.5, biases 0.25 and 7
    y = adain(draw(1, 2, 16, 16), style)
    assert_close(y.mean(dim=(2, 3)), torch.tensor([[0.25, 7.0]]))
    assert_close(y.std(dim=(2, 3), correction=0), torch.tensor([[2.0, 0.5]]))


def epilogue(x: torch.Tensor, state: dict[str, torch.Tensor], layer: str, w: torch.Tensor) -> torch.Tensor:
    """Noise per channel, bias, lrelu, instance norm, style; written once more, step by step."""
    p = {key.removeprefix(layer + "."): value for key, value in state.items() if key.startswith(layer + ".")}
    x = x + p["noise_strength"].view(1, -1, 1, 1) * p["noise_const"]
    x = x + p["bias"].view(1, -1, 1, 1)
    x = torch.where(x > 0, x, 0.2 * x)
    x = F.instance_norm(x, eps=1e-8)
    s = w @ p["affine.weight"].T / math.sqrt(w.shape[1]) + p["affine.bias"]
    half = x.shape[1]
    return x * (s[:, :half, None, None] + 1) + s[:, half:, None, None]


def test_the_first_blocks_step_by_step() -> None:
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    state = generator.state_dict()
    names = ("b4.conv0", "b4.conv1", "b8.conv0", "b8.conv1")
    taps = Taps(capture=[(name, OUTPUT) for name in names])
    generator.synthesize(ws, taps)
    x = epilogue(state["synthesis.b4.conv0.const"].expand(2, -1, -1, -1), state, "synthesis.b4.conv0", ws[:, 0])
    assert_close(taps.captured["b4.conv0", OUTPUT], x, rtol=1e-4, atol=1e-5)
    for row, name in enumerate(names[1:], start=1):
        weight = state[f"synthesis.{name}.weight"] * math.sqrt(2 / (9 * x.shape[1]))
        if name == "b8.conv0":
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.conv2d(x, weight, padding=1)
        if name == "b8.conv0":
            blur = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
            x = F.conv2d(x, blur.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = epilogue(x, state, f"synthesis.{name}", ws[:, row])
        assert_close(taps.captured[name, OUTPUT], x, rtol=1e-4, atol=1e-4)


def test_mapping_normalizes_after_the_label_is_appended() -> None:
    generator, z, c = small("stylegan1-conditional").generator, small("stylegan1-conditional").z, torch.eye(3)[[2, 0]]
    state = generator.state_dict()
    x = torch.cat([z, c @ state["mapping.embed.weight"].T], dim=1)
    x = x / x.square().mean(dim=1, keepdim=True).sqrt()
    for i in range(2):
        weight = state[f"mapping.fc{i}.weight"] * (0.01 * math.sqrt(2 / x.shape[1]))
        x = F.leaky_relu(x @ weight.T + 0.01 * state[f"mapping.fc{i}.bias"], 0.2)
    assert_close(generator.mapping(z, c), x)
    assert not torch.allclose(generator.mapping(z, c), generator.mapping(z, None)), "no class is the zero label"


def test_every_resolution_has_its_own_picture() -> None:
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    state = generator.state_dict()
    assert generator.preview_sizes == (4, 8, 16)
    for size in generator.preview_sizes:
        taps = Taps(capture=[(f"b{size}.conv1", OUTPUT), ("b8.torgb", OUTPUT)], stop_at=size)
        img = generator.synthesize(ws, taps)
        features, weight = taps.captured[f"b{size}.conv1", OUTPUT], state[f"synthesis.b{size}.torgb.weight"]
        plain = F.conv2d(features, weight / math.sqrt(weight.shape[1])) + state[f"synthesis.b{size}.torgb.bias"].view(
            1, -1, 1, 1
        )
        assert_close(img, plain)
        assert (("b8.torgb", OUTPUT) in taps.captured) is (size >= 8), "looked at, it runs on the way as well"


def test_other_pictures_are_drawn_only_for_who_looks() -> None:
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    calls = []
    handle = generator.synthesis.b8.torgb.register_forward_hook(lambda *_: calls.append(1))
    generator.synthesize(ws)
    assert calls == []
    generator.synthesize(ws, Taps(capture=[("b8.torgb", OUTPUT)]))
    handle.remove()
    assert calls == [1]


def test_the_map_before_the_norm_is_the_norms_input() -> None:
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    taps = Taps(capture=[("b8.conv1", PRE_NORM), ("b8.conv1", OUTPUT)])
    generator.synthesize(ws, taps)
    before, after = taps.captured["b8.conv1", PRE_NORM], taps.captured["b8.conv1", OUTPUT]
    assert_close(adain(before, taps.styles["b8.conv1"]), after)


def test_noise_has_a_strength_for_each_channel() -> None:
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    layer = generator.synthesis.b8.conv1
    maps = {}
    for mode in ("const", "none"):
        taps = Taps(capture=[("b8.conv1", PRE_NORM)], hooks={("b8.conv0", OUTPUT): torch.zeros_like})
        generator.synthesize(ws, taps, Noise(mode))
        maps[mode] = taps.captured["b8.conv1", PRE_NORM]
    bias = layer.bias.view(1, -1, 1, 1)
    noisy = F.leaky_relu(layer.noise_strength.view(1, -1, 1, 1) * layer.noise_const + bias, 0.2)
    assert_close(maps["const"], noisy.expand(2, -1, -1, -1))
    assert_close(maps["none"], F.leaky_relu(bias, 0.2).expand(2, -1, 8, 8))


def test_the_default_truncation_is_told_and_not_applied() -> None:
    generator, z = small("stylegan1").generator, small("stylegan1").z
    assert (generator.spec.default_psi, generator.spec.default_cutoff) == (0.7, 8)
    assert torch.equal(generator.map(z)[:, 0], generator.mapping(z))


def test_official_size_has_18_rows_and_26_layers_of_style() -> None:
    spec = StyleGAN1Spec(
        512, 0, 512, (1024, 1024), 3, channels=(512, 512, 512, 512, 256, 128, 64, 32, 16), embed_features=0
    )
    with torch.device("meta"):
        generator = registry.get("stylegan1").build(spec)
    assert generator.num_ws == 18
    assert len(generator.layers) == 27
    assert sum(p.numel() for p in generator.parameters()) == 26_219_627  # as the official code counts


@pytest.mark.parametrize(("start", "channels"), [((4, 2), 3), ((2, 4), 1), ((3, 5), 4)])
def test_non_square_grey_and_rgba(start: tuple[int, int], channels: int) -> None:
    spec = StyleGAN1Spec(**{**TRUNK, "resolution": (start[0] * 4, start[1] * 4), "img_channels": channels}, start=start)
    generator = randomize(registry.get("stylegan1").build(spec))
    img = generator.synthesize(generator.map(torch.randn(1, 10, generator=torch.Generator().manual_seed(0))))
    assert img.shape == (1, channels, start[0] * 4, start[1] * 4)
    middle = generator.layers[4]
    assert middle.name == f"b{start[0] * 2}.conv1"
    noise_const = generator.synthesis.get_submodule(middle.name).noise_const
    assert tuple(noise_const.shape) == middle.size == (start[0] * 2, start[1] * 2)
