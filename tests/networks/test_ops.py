"""One dispatch: every backend computes the textbook's values on random shapes, and the right one is chosen."""

import gc
import sys

import pytest
import torch

from networks import ops, presets
from networks.filter_design import lowpass, radial_lowpass
from networks.filters import separable_filter
from networks.ops import compiled, packed, reference, winograd, winograd_up
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


@pytest.fixture(params=["torch", "compiled"])
def kernels(request, monkeypatch):
    """The fast CPU path with and without compiled kernels."""
    if request.param == "torch":
        monkeypatch.setattr(compiled, "_kernels", None)
    else:
        assert compiled.settle(), compiled.why_not


@pytest.mark.parametrize("backend", ["plain", "cpu"])
@pytest.mark.parametrize("seed", range(12))
def test_a_styled_layer_equals_the_textbook(kernels, backend, seed):
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
def test_whole_pictures_agree_between_backends(kernels, name):
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


def large_layer(noise=True):
    """A layer that goes through Winograd's transforms in several strips."""
    rng = torch.Generator().manual_seed(1)
    added = draw(rng, 2, 1, 96, 64) if noise else None
    return (
        draw(rng, 2, 70, 96, 64), draw(rng, 65, 70, 3, 3), draw(rng, 2, 70) + 1, draw(rng, 65), added, None, 2**0.5,
        2.0,
    )  # fmt: skip


@pytest.fixture
def several_strips(monkeypatch):
    monkeypatch.setattr(winograd, "STRIP_FLOATS", 36 * 16 * 135 * 5)
    assert compiled.settle()


@pytest.mark.parametrize("noise", [False, True])
def test_a_large_layer_equals_the_textbook(several_strips, noise):
    arguments = large_layer(noise)
    assert winograd.pays(arguments[1], 96, 64)
    with torch.no_grad():
        assert error(ops.styled_conv2d(*arguments), reference.styled_conv2d(*arguments)) < TOLERANCE


def growing_layer(height=33, width=37):
    """An up-sampling layer through Winograd's transforms, whose sides and channels fit no tile and no block."""
    rng = torch.Generator().manual_seed(2)
    return (
        draw(rng, 2, 260, height, width), draw(rng, 130, 260, 3, 3), draw(rng, 2, 260) + 1, draw(rng, 130),
        draw(rng, 2, 1, 2 * height, 2 * width), separable_filter((1.0, 3.0, 3.0, 1.0)), 2**0.5, 20.0,
    )  # fmt: skip


@pytest.fixture
def several_strips_up(monkeypatch):
    """Three rows of tiles in each strip, and how often a layer went this way."""
    through = []
    convolve = winograd_up.convolve_transposed
    monkeypatch.setattr(winograd_up, "STRIP_FLOATS", winograd_up.FLOATS * 8 * 390 * 3)
    monkeypatch.setattr(winograd_up, "convolve_transposed", lambda *args: through.append(1) or convolve(*args))
    assert compiled.settle()
    return through


@pytest.mark.parametrize(("height", "width"), [(33, 37), (34, 32), (50, 35)])
def test_a_large_growing_layer_equals_the_textbook(several_strips_up, height, width):
    arguments = growing_layer(height, width)
    with torch.no_grad():
        assert error(ops.styled_conv2d(*arguments), reference.styled_conv2d(*arguments)) < 2e-5
    assert len(several_strips_up) == 2


def test_threads_change_no_bit_of_a_layer(several_strips, several_strips_up):
    threads = torch.get_num_threads()
    pictures = []
    for arguments in (large_layer(), layer(5), growing_layer()):
        x, weight, style, bias, noise, *rest = arguments
        alone = [x[:1], weight, style[:1], bias, noise if noise is None else noise[:1], *rest]
        try:
            for count in (1, 3):
                torch.set_num_threads(count)
                with torch.no_grad():
                    pictures.append((ops.styled_conv2d(*alone), ops.styled_conv2d(*arguments)[:1]))
        finally:
            torch.set_num_threads(threads)
    for one, three in zip(pictures[::2], pictures[1::2], strict=True):
        assert torch.equal(one[0], three[0])
        assert torch.equal(one[1], three[1])


def one_small_layer():
    """A layer of one picture whose weights are packed."""
    x, weight, style, *rest = layer(1)
    return x[:1], weight, style[:1], *rest


def test_packed_weights_follow_the_weights(several_strips, several_strips_up):
    """In place or in another tensor, inside of inference mode or outside: never the values of before."""
    for make in (large_layer, one_small_layer, growing_layer):
        x, weight, *rest = make()
        with torch.no_grad():
            first = ops.styled_conv2d(x, weight, *rest)
            weight.mul_(-1).add_(0.1)
            second = ops.styled_conv2d(x, weight, *rest)
            assert error(second, reference.styled_conv2d(x, weight, *rest)) < TOLERANCE
        assert not torch.equal(first, second)
        with torch.inference_mode():
            assert torch.equal(ops.styled_conv2d(x, weight, *rest), second)


def test_what_is_packed_leaves_with_its_weight():
    assert compiled.settle()
    before = len(packed._kept)
    arguments = large_layer()
    with torch.no_grad():
        ops.styled_conv2d(*arguments)
    assert len(packed._kept) == before + 1
    del arguments
    gc.collect()
    assert len(packed._kept) == before


def test_without_numba_torch_computes(monkeypatch):
    monkeypatch.setattr(compiled, "_kernels", None)
    monkeypatch.setattr(compiled, "_thread", None)
    monkeypatch.setitem(sys.modules, "networks.ops.kernels", None)
    assert not compiled.settle()
    assert "numba is not installed" in compiled.why_not
    arguments = layer(3)
    with torch.no_grad():
        assert error(ops.styled_conv2d(*arguments), reference.styled_conv2d(*arguments)) < TOLERANCE


def test_what_computes_is_said_in_words(kernels, monkeypatch):
    monkeypatch.setattr(compiled, "why_not", "")
    words = ops.describe(torch.device("cpu"))
    assert words in ("oneDNN, then compiled kernels", "torch alone; kernels are loading")
    assert (words == "oneDNN, then compiled kernels") is (compiled.kernels() is not None)
    monkeypatch.setattr(compiled, "_kernels", None)
    monkeypatch.setattr(compiled, "why_not", "numba is missing")
    assert ops.describe(torch.device("cpu")) == "torch alone: numba is missing"
    assert ops.describe(torch.device("cuda")).startswith("torch alone: ") or torch.cuda.is_available()
    with ops.using("reference"):
        assert ops.describe(torch.device("cpu")) == "reference, as asked"
