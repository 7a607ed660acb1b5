"""Noise regularization: the formula by loops, its gradient by differences, and what normalizing leaves."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.projection.noise_maps import autocorrelation_loss, draw_maps, noisy_layers, normalize_, scaled
from networks.plan import Noise
from networks.taps import Taps
from tests.networks.small import small


def by_hand(n: np.ndarray) -> float:
    """L of one map: sums over pixels written out, edges wrapped; 2x2 means times 2 down to 8x8."""
    total = 0.0
    while True:
        H, W = n.shape
        across = sum(n[y, x] * n[y, x - 1] for y in range(H) for x in range(W)) / (H * W)
        down = sum(n[y, x] * n[y - 1, x] for y in range(H) for x in range(W)) / (H * W)
        total += across**2 + down**2
        if min(H, W) <= 8:
            return float(total)
        n = np.array(
            [[2 * n[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean() for x in range(W // 2)] for y in range(H // 2)]
        )


@pytest.mark.parametrize("size", [(4, 4), (8, 8), (16, 16), (32, 16), (32, 32)])
def test_the_regularizer_is_the_papers_sum(size: tuple[int, int]) -> None:
    n = np.random.RandomState(1).randn(*size)
    assert float(autocorrelation_loss([torch.from_numpy(n)[None, None]])) == pytest.approx(by_hand(n), rel=1e-9)


def test_a_constant_map_costs_two_for_each_level_and_its_variance_doubles_twice() -> None:
    """Ones of 16x16: 1 + 1 at the first level; at 8x8 they are 2 and products 4, so 16 + 16."""
    assert float(autocorrelation_loss([torch.ones(1, 1, 16, 16)])) == pytest.approx(34.0)


def test_levels_of_white_noise_keep_the_variance_one_of_the_first() -> None:
    """What makes the levels alike: the mean of 2x2 values has a quarter of the variance, times 2 gives it back."""
    white = torch.randn(1, 1, 512, 512, generator=torch.Generator().manual_seed(0))
    level = torch.nn.functional.avg_pool2d(white, 2) * 2
    assert float(level.var()) == pytest.approx(1.0, abs=0.02)
    assert float(autocorrelation_loss([white])) < 1e-2 < float(autocorrelation_loss([white.sort(dim=3).values]))


def test_its_gradient_is_that_of_finite_differences() -> None:
    n = torch.randn(1, 1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).requires_grad_()
    (gradient,) = torch.autograd.grad(autocorrelation_loss([n]), n)
    for y, x in ((0, 0), (5, 11), (15, 15)):
        step = torch.zeros_like(n)
        step[0, 0, y, x] = 1e-5
        with torch.no_grad():
            change = (autocorrelation_loss([n + step]) - autocorrelation_loss([n - step])) / 2e-5
        assert float(gradient[0, 0, y, x]) == pytest.approx(float(change), rel=1e-6, abs=1e-10)


def test_normalizing_gives_mean_zero_and_variance_one() -> None:
    maps = [torch.randn(1, 1, 8, 8) * 3 + 2]
    normalize_(maps)
    assert float(maps[0].mean()) == pytest.approx(0.0, abs=1e-6)
    assert float(maps[0].square().mean()) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ["stylegan1", "stylegan2-skip", "stylegan2-resnet", "mobile_stylegan"])
def test_the_stored_maps_given_from_outside_change_no_bit(name: str) -> None:
    """Maps go through the layer's own strength, be it one number or one for each channel."""
    generator, ws = small(name).generator, small(name).ws[:1]
    layers = noisy_layers(generator)
    assert list(layers) == [info.name for info in generator.layers if info.has_noise]
    taps = Taps()
    taps.added_noise = scaled(layers, {name: layer.noise_const[None, None] for name, layer in layers.items()})
    with torch.no_grad():
        plain = generator.synthesize(ws, noise=Noise("const"))
        assert torch.equal(generator.synthesize(ws, taps, Noise("const")), plain)
        taps.added_noise = scaled(layers, draw_maps(layers, 5, torch.device("cpu")))
        assert not torch.allclose(generator.synthesize(ws, taps, Noise("const")), plain, atol=1e-3)


def test_uniform_noise_is_not_made_normal() -> None:
    assert noisy_layers(small("lucidrains").generator) == {}
