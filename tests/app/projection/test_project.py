"""The optimization: Adam and gradients against numpy and differences, and the proof that it finds its own pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.projection import noise_maps
from app.projection.adam import Adam, Unknown
from app.projection.features import load_light
from app.projection.project import Projection, Target, matrix_of
from app.request import Transform
from app.studies.projection import ProjectionSettings
from networks.base import Generator
from networks.checkpoint.load import load
from networks.plan import Noise
from tests.networks.small import small

EMOJI = Path(__file__).parents[3] / "assets" / "models" / "emoji-stylegan2" / "emoji-stylegan2.safetensors"
SETTINGS = ProjectionSettings(steps=20)


def begun(name: str, settings: ProjectionSettings = SETTINGS, **target: object) -> Projection:
    """A projection of noise on a small network, at a w that is not the mean."""
    generator = small(name).generator
    shape = (1, generator.spec.img_channels, *generator.resolution)
    picture = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    projection = Projection(generator, Target(picture, **target), load_light(), settings)
    projection.start(small(name).ws[0, 0], 1.5)
    return projection


def test_adam_is_algorithm_1_of_the_paper() -> None:
    values, shares = [np.array([1.0, -2.0, 0.5]), np.array([[3.0]])], [1.0, 0.1]
    unknowns = [Unknown(torch.tensor(v, dtype=torch.float64), s) for v, s in zip(values, shares, strict=True)]
    adam = Adam(unknowns)
    m, v = [np.zeros_like(x) for x in values], [np.zeros_like(x) for x in values]
    stream = np.random.RandomState(0)
    for t in range(1, 6):
        gradients = [stream.randn(*x.shape) for x in values]
        adam.step([torch.from_numpy(g) for g in gradients], 0.05 * t)
        for i, g in enumerate(gradients):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            m_hat, v_hat = m[i] / (1 - 0.9**t), v[i] / (1 - 0.999**t)
            values[i] = values[i] - 0.05 * t * shares[i] * m_hat / (np.sqrt(v_hat) + 1e-8)
    for found, wanted in zip(unknowns, values, strict=True):
        np.testing.assert_allclose(found.value.numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["stylegan1", "stylegan2-skip", "stylegan3-t", "stylegan3-r", "mobile_stylegan"])
@pytest.mark.parametrize("space", ["w", "w+"])
def test_gradients_of_the_picture_are_those_of_finite_differences(name: str, space: str) -> None:
    """Of w, of the noise maps, of shift and turn: the slope of a weighted sum of the pixels along the gradient."""
    projection = begun(name, replace(SETTINGS, space=space))  # type: ignore[arg-type]
    weights = torch.randn(projection.target.picture.shape, generator=torch.Generator().manual_seed(1))

    def pixels() -> torch.Tensor:
        ws = projection.w.expand(-1, projection.generator.num_ws, -1)
        return (projection.draw(ws) * weights).double().sum()

    for unknown in projection.adam.unknowns:
        value = unknown.value
        (gradient,) = torch.autograd.grad(pixels(), value)
        length = float(gradient.norm())
        assert length > 0
        slopes = []
        for size in (1e-2, 1e-3):
            with torch.no_grad():
                value += size * gradient / length
                above = float(pixels())
                value -= 2 * size * gradient / length
                slopes.append((above - float(pixels())) / (2 * size))
                value += size * gradient / length
        assert min(abs(slope / length - 1) for slope in slopes) < 0.02, (tuple(value.shape), slopes, length)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradients_of_the_distance_are_those_of_finite_differences(channels: int) -> None:
    """In double precision, so that the difference can be small beside the kinks of ReLU6."""
    stream = torch.Generator().manual_seed(2)
    target, image = (torch.rand(1, channels, 16, 16, generator=stream, dtype=torch.float64) * 1.8 - 0.9 for _ in "ab")
    mask = torch.ones(1, 1, 16, 16, dtype=torch.float64)
    mask[:, :, :3] = 0
    small_one = small("stylegan2-skip").generator
    projection = Projection(small_one, Target(target, mask), load_light().double(), SETTINGS)
    image.requires_grad_()
    (gradient,) = torch.autograd.grad(projection.measure(image), image)
    step = 1e-6 * gradient / gradient.norm()
    with torch.no_grad():
        slope = float(projection.measure(image + step) - projection.measure(image - step)) / 2e-6
    assert slope == pytest.approx(float(gradient.norm()), rel=1e-4)
    assert float(gradient[:, :, :3].abs().max()) == 0.0


def test_what_is_optimized_is_what_the_network_has() -> None:
    shapes = [tuple(unknown.value.shape) for unknown in begun("stylegan2-skip").adam.unknowns]
    assert shapes == [(1, 1, 14), *((1, 1, side, side) for side in (4, 8, 8, 16, 16))]
    wide = begun("stylegan2-skip", replace(SETTINGS, space="w+", noise_maps=False))
    assert [tuple(unknown.value.shape) for unknown in wide.adam.unknowns] == [(1, 6, 14)]
    moved = begun("stylegan3-t").adam.unknowns
    assert [(tuple(unknown.value.shape), unknown.share) for unknown in moved] == [((1, 1, 32), 1.0), ((3,), 0.02)]
    assert len(begun("stylegan3-t", replace(SETTINGS, move=False)).adam.unknowns) == 1


def test_a_move_is_the_windows_own_transform() -> None:
    x, y, turn = 0.1, -0.25, 30.0
    found = matrix_of(torch.tensor([x, y, math.radians(turn)], dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), np.array(Transform(x, y, turn).as_matrix()), atol=1e-12)


def test_the_mean_of_w_and_its_spread_are_those_of_numpy() -> None:
    projection = begun("stylegan2-skip")
    stream = np.random.RandomState(2)
    w = stream.randn(1200, 14).astype(np.float32) * 0.3 + 1
    given = iter(np.split(w, [500, 1000]))
    shares = list(projection.look_around(lambda count: torch.from_numpy(next(given)[:count]), 1200))
    assert shares == pytest.approx([500 / 1200, 1000 / 1200, 1.0])
    np.testing.assert_allclose(projection.mean.numpy(), w.mean(axis=0), rtol=1e-5)
    spread = np.sqrt(((w - w.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert projection.sigma == pytest.approx(spread, rel=1e-5)


def test_steps_keep_the_noise_normal_and_remember_the_closest_picture() -> None:
    projection = begun("stylegan2-skip")
    found = []
    while not projection.done:
        found.append(projection.step())
    assert projection.best is not None
    assert projection.best.distance == min(each.distance for each in found)
    assert found[0].step == 0
    for drawn in projection.maps.values():
        assert float(drawn.detach().mean()) == pytest.approx(0.0, abs=1e-5)
        assert float(drawn.detach().square().mean()) == pytest.approx(1.0, abs=1e-4)
    best = projection.best
    projection.maps = dict(best.maps)
    with torch.no_grad():
        again = projection.draw(best.ws)
        assert float(projection.measure(again)) == pytest.approx(best.distance, rel=1e-5)
    assert torch.allclose(again, best.image, atol=1e-5)


def test_what_lies_under_the_bars_makes_no_difference() -> None:
    mask = torch.zeros(1, 1, 16, 16)
    mask[:, :, 4:12] = 1
    projection = begun("stylegan2-skip", mask=mask)
    image = torch.rand(1, 3, 16, 16)
    other = torch.where(mask > 0, image, torch.rand_like(image))
    assert float(projection.measure(image)) == float(projection.measure(other)) > 0


def test_psnr_is_that_of_the_clipped_picture() -> None:
    found = begun("stylegan2-skip").step()
    image = torch.full((1, 3, 16, 16), 1.7)
    psnr = replace(found, image=image).psnr(Target(torch.full((1, 3, 16, 16), 0.8)))
    assert psnr == pytest.approx(10 * math.log10(4 / 0.04), rel=1e-5)  # 1.7 is shown as 1
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :8] = 1
    half = torch.full((1, 3, 16, 16), 0.8)
    half[..., 8:] = -1  # under the bar
    assert replace(found, image=image).psnr(Target(half, mask)) == pytest.approx(psnr, rel=1e-5)


@pytest.fixture(scope="module")
def emoji() -> Generator:
    return load(EMOJI)[0]


def projected(generator: Generator, picture: torch.Tensor, steps: int) -> tuple[Projection, list[float]]:
    projection = Projection(generator, Target(picture), load_light(), ProjectionSettings(steps=steps))
    stream = np.random.RandomState(0)

    def draw(count: int) -> torch.Tensor:
        return generator.map(torch.from_numpy(stream.randn(count, generator.z_dim)).float())[:, 0]

    for _ in projection.look_around(draw, 1000):
        pass
    distances = []
    while not projection.done:
        distances.append(projection.step().distance)
    return projection, distances


def test_a_picture_of_the_model_is_found_again_and_another_is_not(emoji: Generator) -> None:
    """60 steps: its own picture, with noise that the projection does not know, and a grid of colours."""
    with torch.no_grad():
        z = torch.from_numpy(np.random.RandomState(3).randn(1, emoji.z_dim)).float()
        own = emoji.synthesize(emoji.map(z), noise=Noise("random", 9)).clamp(-1, 1)
    found, distances = projected(emoji, own, 60)
    assert found.best is not None
    assert distances[0] / found.best.distance > 4
    assert found.best.psnr(found.target) > 25
    with torch.no_grad():
        fresh = noise_maps.draw_maps(found.layers, 1, found.device).values()
        assert noise_maps.autocorrelation_loss(found.maps.values()) < 0.05 * noise_maps.autocorrelation_loss(fresh)
    colours = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    stranger, far = projected(emoji, colours.repeat_interleave(8, 2).repeat_interleave(8, 3), 20)
    assert stranger.best is not None
    assert far[0] / stranger.best.distance < 3
    assert stranger.best.distance > 5 * found.best.distance
