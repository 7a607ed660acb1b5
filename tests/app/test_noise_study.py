"""The spread that noise makes: against numpy over pictures drawn one by one, and a network worked out by hand."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.diagnostics import drawing, noise_study
from app.errors import InputError
from app.renderer import Renderer
from app.request import Model, RenderRequest
from app.studies.noise_study import ALL, NoiseSpread
from networks.layers import draw_noise
from networks.plan import LayerNoise, Noise
from networks.taps import Taps
from tests.networks.small import REFERENCE


@pytest.fixture
def plain(request_: RenderRequest) -> tuple[Renderer, RenderRequest]:
    """A small StyleGAN2 with noise of strength 0.5 everywhere."""
    return Renderer(), request_


def last(question: NoiseSpread, renderer: Renderer) -> object:
    return list(noise_study.run(question, renderer))[-1].answer


def test_the_spread_of_all_layers_is_that_of_pictures_with_random_noise(plain):
    renderer, asked = plain
    answer = last(NoiseSpread(asked, draws=3, first=5, by_layer=False), renderer)
    drawn = [renderer.image(replace(asked, noise=Noise("random", seed)))[0] for seed in (5, 6, 7)]
    want = 100 * np.sqrt(np.stack(drawn).astype(float).var(axis=0, ddof=1).mean(axis=0)) / 2  # the range is 2 wide
    (row,) = answer.rows
    assert (row.layer, row.size, row.draws) == (ALL, (128, 128), 3)
    np.testing.assert_allclose(row.spread, want, rtol=1e-3, atol=1e-6)
    assert row.mean == pytest.approx(want.mean(), rel=1e-4)
    assert row.largest == pytest.approx(want.max(), rel=1e-3)
    assert row.mean > 1


class Replaced(Taps):
    """Adds to one layer's stored noise, times 0.5, what was drawn for that layer alone."""

    def __init__(self, layer: str, seed: int) -> None:
        super().__init__()
        self.layer, self.seed = layer, seed

    def on_noise(self, info, noise):
        if info.name != self.layer:
            return noise
        return 0.5 * draw_noise(info, Noise("random", self.seed), 1, info.size, torch.device("cpu"))


def test_one_layers_spread_keeps_the_stored_noise_of_the_others(plain):
    renderer, asked = plain
    answer = last(NoiseSpread(asked, draws=3), renderer)
    rows = {row.layer: row for row in answer.rows}
    layers = [info.name for info in renderer.open(asked).generator.layers if info.has_noise]
    assert list(rows) == [ALL, *layers]
    for layer in (layers[0], layers[-2]):
        drawn = [drawing.draw(renderer, asked, Replaced(layer, seed))[0].double().numpy() for seed in range(3)]
        want = 100 * np.sqrt(np.stack(drawn).var(axis=0, ddof=1).mean(axis=0)) / 2
        np.testing.assert_allclose(rows[layer].spread, want, rtol=1e-3, atol=1e-6)
    assert rows["b128.conv1"].size == (128, 128)
    assert (answer.picture == renderer.render(asked).picture).all()


def test_the_mode_of_the_request_does_not_matter_but_its_layers_do(plain):
    renderer, asked = plain
    noise = (LayerNoise("b8.conv0", on=False), LayerNoise("b16.conv0", strength=0.0))
    answers = [
        last(NoiseSpread(replace(asked, noise=Noise(mode, 9, noise)), draws=2), renderer)
        for mode in ("none", "const", "random")
    ]
    assert [row.mean for row in answers[0].rows] == [row.mean for row in answers[1].rows]
    assert [row.mean for row in answers[0].rows] == [row.mean for row in answers[2].rows]
    means = {row.layer: row.mean for row in answers[0].rows}
    assert means["b8.conv0"] == means["b16.conv0"] == 0.0
    assert means["b32.conv0"] > 0


def test_steps_are_single_pictures_and_rows_grow(plain):
    renderer, asked = plain
    updates = list(noise_study.run(NoiseSpread(asked, draws=2), renderer))
    layers = sum(info.has_noise for info in renderer.open(asked).generator.layers)
    assert len(updates) == 1 + 2 * (1 + layers)
    assert updates[0].answer.rows == ()
    assert [len(update.answer.rows) for update in updates[1:5]] == [0, 1, 1, 2]
    assert updates[-1].share == 1.0
    assert updates[2].text == "all layers: draw 2 of 2"
    assert all(a.share < b.share for a, b in itertools.pairwise(updates))


def test_pictures_that_are_known_give_the_deviation_by_hand():
    spread = noise_study.Spread()
    for value in (0.0, 0.5, 1.0):  # variance of these three with n - 1: 0.25
        spread.add(np.stack([np.full((2, 2), value), np.zeros((2, 2))]))  # the second channel stands still
    row = spread.row("x", (2, 2))
    assert row.spread == pytest.approx(np.full((2, 2), 100 * np.sqrt(0.125)))
    assert row.mean == pytest.approx(35.3553, abs=1e-3)


def test_no_noise_and_too_few_draws_are_said_in_words():
    asked = RenderRequest(model=Model(str(REFERENCE / "stylegan3-t.pkl"), device="cpu"))
    with pytest.raises(InputError, match="no noise inputs"):
        next(noise_study.run(NoiseSpread(asked), Renderer()))
    with pytest.raises(InputError, match="at least 2"):
        next(noise_study.run(NoiseSpread(asked, draws=1), Renderer()))
