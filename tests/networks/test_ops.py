"""One dispatch: every backend computes the textbook's values on random shapes, and the right one is chosen."""

import pytest
import torch

from networks import ops, presets
from networks.filter_design import lowpass, radial_lowpass
from networks.filters import separable_filter
from networks.ops import reference
from networks.ops.resampling import Resampling

TOLERANCE = 1e-4  # of the output's range


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng)


def error(a, b):
    """Largest deviation as a share of b's range."""
    return ((a - b).abs().max() / (b.max() - b.min())).item()


def integer(rng, low, high):
    return int(torch.randint(low, high + 1, (), generator=rng))


def layer(seed):
    """Random arguments of `styled_conv2d`: odd sizes, batches, with and without noise, up-sampling and clamp."""
    rng = torch.Generator().manual_seed(seed)
    N, c_in, c_out, H, W = (integer(rng, 1, high) for high in (3, 40, 40, 24, 24))
    fir = separable_filter((1.0, 3.0, 3.0, 1.0)) if seed % 2 else None
    size = (H, W) if fir is None else (2 * H, 2 * W)
    noise = [None, draw(rng, 1, 1, *size), draw(rng, N, 1, *size)][seed % 3]
    clamp = [None, 1.5][seed % 4 // 2]
    return (
        draw(rng, N, c_in, H, W), draw(rng, c_out, c_in, 3, 3), draw(rng, N, c_in) + 1, draw(rng, c_out), noise, fir,
        2**0.5, clamp,
    )  # fmt: skip


@pytest.mark.parametrize("backend", ["plain", "cpu"])
@pytest.mark.parametrize("seed", range(12))
def test_a_styled_layer_equals_the_textbook(backend, seed):
    arguments = layer(seed)
    with torch.no_grad(), ops.using(backend):
        ours = ops.styled_conv2d(*arguments)
    assert error(ours, reference.styled_conv2d(*arguments)) < TOLERANCE


@pytest.mark.parametrize("seed", range(4))
def test_gradients_of_the_plain_layer_equal_the_textbook(seed):
    found = []
    for backend in ("plain", "reference"):
        x, weight, style, *rest = layer(seed)
        inputs = [part.clone().requires_grad_() for part in (x, weight, style)]
        with ops.using(backend):
            y = ops.styled_conv2d(*inputs, *rest)
        found.append(torch.autograd.grad((y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum(), inputs))
    for ours, theirs in zip(*found, strict=True):
        assert error(ours, theirs) < TOLERANCE


@pytest.mark.parametrize("backend", ["plain", "cpu"])
@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_filtered_lrelu_equals_the_textbook(backend, radial, seed):
    rng = torch.Generator().manual_seed(seed)
    N, C, H, W = (integer(rng, 1, high) for high in (2, 12, 30, 30))
    up, down = (2, 2) if seed % 2 else (4, 2)
    padding = tuple(integer(rng, 8, 16) for _ in range(4))
    how = Resampling(up, down, padding, 2**0.5, 0.2, [None, 1.0][seed // 2 % 2])
    filters = lowpass(6 * up, 2.0, 2.0, 16.0), (radial_lowpass if radial else lowpass)(12, 2.0, 2.0, 16.0)
    x = draw(rng, N, C, H + 8, W + 8)
    with torch.no_grad(), ops.using(backend):
        ours = ops.filtered_lrelu(x, *filters, how)
    assert error(ours, reference.filtered_lrelu(x, *filters, how)) < TOLERANCE


@pytest.mark.parametrize("demodulate", [False, True])
@pytest.mark.parametrize("shape", [(2, 30, 20, 3, 4), (1, 6, 9, 1, 17), (2, 8, 5, 3, 21)])
def test_a_convolution_over_the_plane_equals_the_textbook(demodulate, shape):
    N, c_in, c_out, k, size = shape
    rng = torch.Generator().manual_seed(0)
    arguments = draw(rng, N, c_in, size, size), draw(rng, c_out, c_in, k, k), draw(rng, N, c_in) + 1, draw(rng, c_out)
    ours = ops.modulated_conv2d_full(*arguments, 0.7, demodulate=demodulate)
    assert error(ours, reference.modulated_conv2d_full(*arguments, 0.7, demodulate)) < TOLERANCE


@pytest.mark.parametrize("name", ["stylegan2-64-small", "stylegan3-t-64-small", "stylegan3-r-64-small"])
def test_whole_pictures_agree_between_backends(name):
    generator = presets.build_preset(name)
    with torch.inference_mode():
        ws = generator.map(torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(0)))
        pictures = {}
        for backend in (None, *ops.BACKENDS):
            with ops.using(backend):
                pictures[backend] = generator.synthesize(ws)
    assert torch.equal(pictures[None], pictures["cpu"])
    for backend in ("plain", "cpu"):
        assert error(pictures[backend], pictures["reference"]) < TOLERANCE


def test_tensors_decide():
    x = torch.zeros(1, 1, 2, 2)
    assert ops.chosen(x) == "cpu"
    assert ops.chosen(x.clone().requires_grad_()) == "plain"
    assert ops.chosen(x.half()) == "plain"
    assert ops.chosen(torch.zeros(1, device="meta")) == "plain"
    with torch.autocast("cpu", torch.bfloat16):
        assert ops.chosen(x) == "plain"
    with torch.no_grad():
        assert ops.chosen(x.clone().requires_grad_()) == "cpu"
    with ops.using("reference"):
        assert ops.chosen(x) == "reference"
        with ops.using("cpu"):
            assert ops.chosen(x.half()) == "plain"
    assert ops.chosen(x) == "cpu"
