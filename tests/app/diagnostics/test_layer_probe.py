"""The layer probe against states that are moved by hand: ideal, nearest and StyleGAN2's own up-sampling in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from app.diagnostics import layer_probe
from app.diagnostics.layer_probe import hooks_at
from app.diagnostics.moving import phase_shift
from app.errors import InputError
from app.renderer import Renderer
from app.studies.layer_probe import LayerProbe
from networks.plan import LayerInfo, Noise
from networks.taps import Taps
from tests.app.conftest import SPEC, build
from tests.networks.small import small
from tests.synthetic import SIDE, Synthetic, spec

LOW = 16  # px, the grid of the probed state
FACTOR = SIDE // LOW


class Enlarged(Synthetic):
    """A blob on a 16 px grid, at a place that w gives, enlarged to the picture; and noise that is added after."""

    def __init__(self, ideal: bool, noise: float = 0.0) -> None:
        super().__init__(spec())
        self.ideal, self.noise = ideal, noise
        state = LayerInfo(0, "state", "conv", (LOW, LOW), 3, 2, 0, sampling_rate=float(LOW))
        last = LayerInfo(1, "last", "conv", (SIDE, SIDE), 3, has_noise=True, sampling_rate=float(SIDE))
        self.layers = (state, last, replace(self.layers[0], index=2))

    def draw(self, ws, asked):
        at = torch.arange(LOW) - (LOW - 1) / 2
        x, y = ws[0, 0].tolist()
        blob = torch.exp(-((at[:, None] - y) ** 2 + (at - x) ** 2) / (2 * 1.6**2))
        state = asked.taps.on_feature(self.layers[0], blob.expand(1, 3, LOW, LOW))
        fine = finer(state) if self.ideal else F.interpolate(state, scale_factor=FACTOR, mode="nearest")
        noise = asked.taps.on_noise(self.layers[1], self.noise * pattern()) if asked.noise.mode != "none" else 0
        return asked.taps.on_feature(self.layers[1], fine + noise)


def pattern():
    """Noise without the highest frequency, so that a shift can be undone."""
    drawn = torch.randn(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(5))
    return phase_shift(phase_shift(drawn, 0.5, 0.5), -0.5, -0.5)


def finer(state):
    """Band-limited enlargement: at each pixel's place, phases of the state continued by its mirror image."""
    places = (np.arange(SIDE) + 0.5) / FACTOR - 0.5
    k = np.arange(LOW)
    basis = np.cos(np.pi * np.multiply.outer(places + 0.5, k) / LOW)  # the mirrored state is a sum of cosines
    samples = np.cos(np.pi * np.multiply.outer(np.arange(LOW) + 0.5, k) / LOW)
    matrix = torch.from_numpy(basis @ np.linalg.inv(samples)).float()
    return matrix @ state @ matrix.T


def last(question):
    *_, update = layer_probe.run(question, Renderer())
    return update.answer


def test_ideal_enlargement_follows_and_nearest_does_not(synthetics):
    found = {}
    for ideal in (True, False):
        request = synthetics.add(Enlarged(ideal), f"{ideal}.pkl")
        found[ideal] = last(LayerProbe(request, layers=("state",), seeds=(1, 2, 3))).layers[0]
        assert found[ideal].moved_px == 0.5 * FACTOR
    assert found[True].db.value > 60
    assert found[True].stuck.value < 1e-3
    assert found[False].db.value < 40


def test_the_numbers_are_those_of_a_state_moved_by_hand(synthetics):
    """Nearest neighbours: the moved blob is known in closed form, so the error can be written out."""
    request = synthetics.add(Enlarged(ideal=False))
    probed = last(LayerProbe(request, layers=("state",), seeds=(1,))).layers[0]
    x, y = np.random.RandomState(1).randn(2)
    at = np.arange(LOW) - (LOW - 1) / 2

    def blob(dx):
        return np.exp(-((at[:, None] - y - dx) ** 2 + (at - x - dx) ** 2) / (2 * 1.6**2))

    def picture(dx):
        return np.kron(blob(dx), np.ones((FACTOR, FACTOR)))

    still, moved = picture(0), picture(0.5)
    expected = np.roll(still, (2, 2), (0, 1))  # half a sample is 2 px
    low = SIDE // 8 + 2
    inner = (slice(low, SIDE - low),) * 2
    error = np.square(moved - expected)[inner].mean()
    assert probed.db.value == pytest.approx(10 * np.log10(4 / error), abs=0.05)
    assert probed.stuck.value == pytest.approx(error / np.square(still - expected)[inner].mean(), rel=0.01)
    assert np.nanmax(np.abs(probed.error - np.abs(moved - expected))) < 2e-3
    assert np.isnan(probed.error[: low - 1]).all()


def test_noise_that_follows_costs_nothing(synthetics):
    request = synthetics.add(Enlarged(ideal=True, noise=0.1))
    stays = last(LayerProbe(request, layers=("state",), seeds=(1,))).layers[0].db.value
    follows = last(LayerProbe(request, layers=("state",), seeds=(1,), noise_follows=True)).layers[0].db.value
    assert stays == pytest.approx(10 * np.log10(4 / (2 * 0.1**2)), abs=0.7)  # E = 2 sigma^2
    assert follows > 60


def test_the_picture_so_far_moves_along_in_stylegan2():
    """To-RGBs behind the cut draw nothing: the picture is the moved sum, enlarged by [1, 3, 3, 1] again and again."""
    generator = build(replace(SPEC, resolution=(32, 32), channels=(16, 16, 16, 8)))
    for name in ("b16", "b32"):
        torgb = generator.synthesis.get_submodule(name).torgb
        torgb.weight.data.zero_()
        torgb.bias.data.zero_()
    generator.requires_grad_(False)
    ws = generator.map(torch.from_numpy(np.random.RandomState(3).randn(1, 16)).float())
    cut = next(layer for layer in generator.layers if layer.name == "b16.conv0")
    with torch.inference_mode():
        at8 = generator.synthesize(ws, Taps(stop_at=8), Noise("none"))
        moved = generator.synthesize(ws, Taps(hooks=hooks_at(generator, cut, 1.0)), Noise("none"))[0].numpy()
    expected = mirrored_shift(at8[0].numpy(), 0.25)  # 1 px of 32 is a quarter of a sample of 8
    for axis in (1, 2, 1, 2):
        x = np.moveaxis(expected, axis, 0)
        around = np.concatenate([0 * x[:1], x, 0 * x[:1]])
        pairs = [(around[:-2] + 3 * x) / 4, (3 * x + around[2:]) / 4]  # [1, 3, 3, 1] on x with zeros between
        expected = np.moveaxis(np.stack(pairs, axis=1).reshape(-1, *x.shape[1:]), 0, axis)
    assert moved == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())


def mirrored_shift(x, samples):
    """[C, n, n] shifted along both axes as the sum of cosines that its mirror image makes of it."""
    n = x.shape[-1]
    k, at = np.arange(n), np.arange(n) + 0.5
    inverse = np.linalg.inv(np.cos(np.pi * np.multiply.outer(at, k) / n))
    matrix = np.cos(np.pi * np.multiply.outer(at - samples, k) / n) @ inverse
    return matrix @ x @ matrix.T


def test_the_short_cut_of_a_resnet_moves_along():
    """Convolutions that draw nothing: all that is left is the short cut, so the last block's state is the picture."""
    generator = build(replace(SPEC, resolution=(16, 16), channels=(8, 8, 8), architecture="resnet"))
    for block in generator.synthesis.blocks[1:]:
        module = generator.synthesis.get_submodule(block.name)
        for layer in (module.conv0, module.conv1):
            layer.weight.data.zero_()
            layer.bias.data.zero_()
    generator.requires_grad_(False)
    ws = generator.map(torch.from_numpy(np.random.RandomState(3).randn(1, 16)).float())
    cut = next(layer for layer in generator.layers if layer.name == "b16.conv1")
    with torch.inference_mode():
        still = generator.synthesize(ws, noise=Noise("none"))
        moved = generator.synthesize(ws, Taps(hooks=hooks_at(generator, cut, 0.5)), Noise("none"))
    expected = mirrored_shift(still[0].double().numpy(), 0.5)
    assert moved[0].numpy() == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())
    assert np.abs((moved - still).numpy()).max() > 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["stylegan1", "stylegan2-skip", "stylegan2-resnet", "stylegan2-orig", "lucidrains",
                                  "mobile_stylegan", "stylegan2-tall-rgba", "stylegan3-t", "stylegan-xl-stem",
                                  "stylegan-t-conditional"])  # fmt: skip
def test_every_family_can_be_probed(synthetics, name):
    generator = small(name).generator
    request = synthetics.add(generator)
    answer = last(LayerProbe(replace(request, noise=Noise("none")), seeds=(0,)))
    assert [layer.name for layer in answer.layers] == [x.name for x in generator.layers if x.kind != "torgb"]
    assert all(np.isfinite(layer.db.value) for layer in answer.layers)
    assert all(layer.moved_px > 0 for layer in answer.layers)


BAD = [
    ({"shift": 2.0}, "trivially exact"),
    ({"layers": ("b9.conv",)}, "no layer 'b9.conv'"),
    ({"seeds": ()}, "no seed"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_has_no_meaning_is_said(synthetics, change, words):
    question = replace(LayerProbe(synthetics.add(Enlarged(True))), **change)
    with pytest.raises(InputError, match=words):
        next(layer_probe.run(question, Renderer()))
