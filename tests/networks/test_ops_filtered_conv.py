"""A layer of StyleGAN3 in one compiled pass: the textbook's values at every size, in any company."""

import dataclasses

import pytest
import torch

from networks import ops
from networks.filter_design import lowpass, radial_lowpass
from networks.ops import Resampling, compiled, filtered, packed, reference, strips, winograd

TOLERANCE = 2e-5  # of the output's range; Winograd's transforms round more than sums do
TYPICAL = Resampling(up=2, down=2, padding=(9, 8, 9, 8), gain=2**0.5, slope=0.2, clamp=256.0)
GROWING = dataclasses.replace(TYPICAL, up=4, padding=(-6, -9, -6, -9))
# name -> resampling, channels in and out, side of the kernel, (H, W) of the input
CASES = {
    "vectors of channels": (TYPICAL, 32, 48, 3, (20, 20)),
    "growing": (GROWING, 16, 16, 3, (36, 36)),
    "cropping": (dataclasses.replace(TYPICAL, padding=(-11, -12, -11, -12)), 8, 20, 3, (40, 40)),
    "odd channels": (TYPICAL, 7, 37, 3, (19, 24)),
    "one channel": (TYPICAL, 5, 1, 1, (21, 22)),
    "uneven padding": (dataclasses.replace(TYPICAL, padding=(9, -3, 0, 14)), 6, 18, 3, (31, 40)),
    "odd padding, by four": (dataclasses.replace(GROWING, padding=(3, -5, -7, 10)), 6, 18, 1, (31, 26)),
    "clamping": (dataclasses.replace(TYPICAL, clamp=0.5), 16, 16, 1, (24, 24)),
    "unbounded": (dataclasses.replace(TYPICAL, clamp=None), 16, 16, 1, (24, 24)),
    "another slope and gain": (dataclasses.replace(TYPICAL, slope=0.5, gain=1.0), 16, 16, 1, (24, 24)),
    "through Winograd's tiles": (TYPICAL, 70, 85, 3, (36, 45)),
    "through Winograd's tiles, growing": (GROWING, 64, 64, 3, (45, 36)),
}


@pytest.fixture(autouse=True)
def settled():
    assert compiled.settle(), compiled.why_not


def draw(rng, *shape):
    return torch.randn(*shape, generator=rng)


def layer(case, radial, batch=1):
    """Arguments of `filtered_conv2d`."""
    how, c_in, c_out, k, size = CASES[case]
    rng = torch.Generator().manual_seed(3)
    up = lowpass(6 * how.up, 4.0, 9.0, 16.0 * how.up)
    down = (radial_lowpass if radial else lowpass)(12, 4.5, 8.0, 32.0)
    return (
        draw(rng, batch, c_in, *size), draw(rng, c_out, c_in, k, k), draw(rng, batch, c_in) + 1, draw(rng, c_out),
        torch.tensor(0.7), up, down, how,
    )  # fmt: skip


def textbook(x, weight, style, bias, gain, up, down, how):
    y = reference.modulated_conv2d_full(x, weight, style, bias, gain, True)
    return reference.filtered_lrelu(y, up, down, how)


def error(ours, theirs):
    """Largest deviation as a share of the range."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / (theirs.max() - theirs.min())).item()


@pytest.mark.parametrize("radial", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_layer_equals_the_textbook(case, radial):
    arguments = layer(case, radial, batch=2)
    x, before = arguments[0], arguments[0].clone()
    with torch.no_grad():
        ours = ops.filtered_conv2d(*arguments)
    assert error(ours, textbook(*arguments)) < TOLERANCE
    assert torch.equal(x, before), "the input is not changed"


def test_the_cases_go_where_they_say(monkeypatch):
    """Winograd's tiles where the name says so, several strips of them, and never the path without compiled kernels."""
    strips_used, through = [], []
    convolve = winograd.convolve
    monkeypatch.setattr(winograd, "convolve", lambda *args, **more: through.append(1) or convolve(*args, **more))
    monkeypatch.setattr(strips, "filtered_lrelu", lambda *_: strips_used.append(1))
    monkeypatch.setattr(winograd, "STRIP_FLOATS", 36 * 11 * 155 * 3)  # three rows of tiles: ten make four strips
    for case in CASES:
        through.clear()
        arguments = layer(case, radial=False)
        with torch.no_grad():
            ours = ops.filtered_conv2d(*arguments)
        assert bool(through) == ("Winograd" in case)
        assert error(ours, textbook(*arguments)) < TOLERANCE
    assert not strips_used


@pytest.mark.parametrize("radial", [False, True])
def test_asymmetric_filters_are_convolved_not_correlated(radial):
    x, weight, style, bias, gain, *_, how = layer("odd channels", radial)
    rng = torch.Generator().manual_seed(1)
    up, down = torch.rand(12, generator=rng), torch.rand((12, 12) if radial else (12,), generator=rng)
    arguments = x, weight, style, bias, gain, up, down, how
    with torch.no_grad():
        assert error(ops.filtered_conv2d(*arguments), textbook(*arguments)) < TOLERANCE


@pytest.mark.parametrize("case", ["odd channels", "vectors of channels", "through Winograd's tiles"])
def test_threads_and_neighbours_change_no_bit(case):
    arguments = layer(case, radial=False, batch=3)
    x, weight, style, *rest = arguments
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            with torch.no_grad():
                found.append(ops.filtered_conv2d(*arguments))
                found.append(
                    torch.cat([ops.filtered_conv2d(x[n : n + 1], weight, style[n : n + 1], *rest) for n in range(3)])
                )
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(found[0], other) for other in found[1:])


@pytest.mark.parametrize("case", ["odd channels", "through Winograd's tiles"])
def test_what_is_kept_follows_the_weights(case):
    x, weight, *rest = layer(case, radial=False)
    with torch.no_grad():
        first = ops.filtered_conv2d(x, weight, *rest)
        weight.mul_(-1).add_(0.1)
        second = ops.filtered_conv2d(x, weight, *rest)
        assert error(second, textbook(x, weight, *rest)) < TOLERANCE
    assert not torch.equal(first, second)
    with torch.inference_mode():
        assert torch.equal(ops.filtered_conv2d(x, weight, *rest), second)
    assert torch.equal(second, ops.filtered_conv2d(x, weight, *rest)), "nothing of the inference mode is left behind"


def test_a_map_of_any_layout_has_the_same_bits():
    x, *rest = layer("odd channels", radial=False)
    with torch.no_grad():
        assert torch.equal(
            ops.filtered_conv2d(x, *rest), ops.filtered_conv2d(x.contiguous(memory_format=torch.channels_last), *rest)
        )


def test_what_is_not_a_number_is_not_hidden():
    """A clamp by comparison would turn it into the bound."""
    x, *rest = layer("clamping", radial=False)
    x[0, 3, 12, 12] = float("nan")
    with torch.no_grad():
        assert ops.filtered_conv2d(x, *rest).isnan().any()


def test_what_is_learnt_gets_gradients():
    """By a path that torch can differentiate, even where the map itself is a constant."""
    x, weight, *rest = layer("odd channels", radial=False)
    found = []
    for backend in (None, "reference"):
        learnt = weight.clone().requires_grad_()
        with ops.using(backend):
            y = ops.filtered_conv2d(x, learnt, *rest)
        found.append(torch.autograd.grad((y * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum(), learnt)[0])
    assert error(*found) < 1e-4


@pytest.mark.parametrize("reason", ["no kernels", "other filters", "no packed weights"])
def test_without_the_compiled_pass_torch_computes(monkeypatch, reason):
    x, weight, style, bias, gain, up, down, how = layer("odd channels", radial=False)
    if reason == "no kernels":
        monkeypatch.setattr(compiled, "_kernels", None)
    elif reason == "other filters":
        down = lowpass(8, 4.5, 8.0, 32.0)
    else:
        monkeypatch.setattr(packed, "available", lambda: False)
    used = []
    monkeypatch.setattr(filtered, "_filter", lambda *_: used.append(1))
    with torch.no_grad():
        ours = ops.filtered_conv2d(x, weight, style, bias, gain, up, down, how)
    assert not used
    assert error(ours, textbook(x, weight, style, bias, gain, up, down, how)) < TOLERANCE
