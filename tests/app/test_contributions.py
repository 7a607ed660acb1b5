"""Contributions of the to-RGBs: they add up to the picture, and their shares are those that numpy finds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from app.diagnostics import contributions, drawing
from app.errors import InputError
from app.renderer import Renderer
from app.request import Model, RenderRequest, Truncation
from app.studies.contributions import ContributionShares, ResolutionPictures
from networks.plan import Intervention
from networks.taps import Taps
from tests.networks.small import REFERENCE

SKIP, APART, SINGLE = "stylegan2.pkl", "stylegan1.pkl", "stylegan3-t.pkl"


def request(name: str) -> RenderRequest:
    return RenderRequest(model=Model(str(REFERENCE / name), device="cpu"))


def outputs(renderer: Renderer, asked: RenderRequest) -> list[np.ndarray]:
    """What each to-RGB puts out, by a pass of our own: float64 [C, h, w], coarsest first."""
    generator = renderer.open(asked).generator
    taps = Taps(capture=[(info.name, "output") for info in generator.layers if info.kind == "torgb"])
    generator.synthesize(torch.from_numpy(renderer.ws(asked)), taps)
    return [taps.captured[info.name, "output"][0].double().numpy() for info in generator.layers if info.kind == "torgb"]


@pytest.mark.parametrize("name", [SKIP, "stylegan2-conditional.pkl", "stylegan2-tf.pkl", APART])
def test_the_contributions_add_up_to_the_picture(name):
    renderer = Renderer()
    asked = request(name)
    generator = renderer.open(asked).generator
    picture, maps = drawing.capture(renderer, asked, contributions.torgb_points(generator.layers))
    parts = contributions.parts(generator, maps)
    assert len(parts) > 1
    assert torch.equal(parts[-1].so_far, picture)
    total = sum(contributions.enlarged(generator, part.added, picture.shape[2]) for part in parts)
    assert (total - picture).abs().max() < 2e-6 * picture.abs().max()


def test_shares_of_one_picture_are_those_of_numpy():
    renderer = Renderer()
    asked = replace(request(SKIP), measures=(ResolutionPictures(),))
    answer = renderer.render(asked).answer(ResolutionPictures)
    std = [output.std() / 2 * 100 for output in outputs(renderer, asked)]  # the range -1..1 is 2 wide
    assert answer.sizes == ((4, 4), (8, 8), (16, 16), (32, 32))
    np.testing.assert_allclose(answer.std, std, rtol=1e-6)
    np.testing.assert_allclose(answer.share, 100 * np.array(std) / sum(std), rtol=1e-6)


def test_stylegan_counts_what_each_picture_adds_to_the_doubled_one_before():
    renderer = Renderer()
    asked = replace(request(APART), measures=(ResolutionPictures(),))
    answer = renderer.render(asked).answer(ResolutionPictures)
    pictures = outputs(renderer, asked)
    added = [pictures[0]] + [
        now - before.repeat(2, axis=1).repeat(2, axis=2) for before, now in itertools.pairwise(pictures)
    ]
    np.testing.assert_allclose(answer.std, [part.std() / 2 * 100 for part in added], rtol=1e-5)
    assert answer.use == "apart"


def test_the_pictures_shown_are_the_sums_so_far_and_the_parts():
    renderer = Renderer()
    asked = request(SKIP)
    frame = renderer.render(replace(asked, measures=(ResolutionPictures(),)))
    assert (frame.answer(ResolutionPictures).large == frame.picture).all()
    alone = renderer.render(replace(asked, measures=(ResolutionPictures(alone=True, gain=2.0, chosen=32),)))
    answer = alone.answer(ResolutionPictures)
    want = np.clip(np.floor(outputs(renderer, asked)[-1] * 2.0 * 127.5 + 128), 0, 255).astype(np.uint8)
    assert np.abs(answer.large[..., :3].transpose(2, 0, 1).astype(int) - want).max() <= 1  # float32 against float64
    assert answer.chosen == 3
    coarse = renderer.render(replace(asked, measures=(ResolutionPictures(chosen=8),))).answer(ResolutionPictures)
    assert coarse.chosen == 1
    assert coarse.large.shape == (32, 32, 4)
    assert [tile.shape for tile in coarse.tiles] == [(32, 32, 4)] * 4


def test_an_edit_of_a_to_rgb_is_seen():
    off = Intervention("b32.torgb", "scale", 0.0)
    asked = replace(request(SKIP), edits=(off,), measures=(ResolutionPictures(),))
    answer = Renderer().render(asked).answer(ResolutionPictures)
    assert answer.std[-1] == answer.share[-1] == 0.0
    assert sum(answer.share) == pytest.approx(100)


def test_an_early_picture_answers_for_what_it_reached():
    asked = replace(request(SKIP), measures=(ResolutionPictures(),), max_height=16)
    answer = Renderer().render(asked).answer(ResolutionPictures)
    assert answer.sizes == ((4, 4), (8, 8), (16, 16))
    assert not answer.complete


def test_shares_over_many_latents_are_those_of_all_pixels_at_once():
    renderer = Renderer()
    asked = replace(request(SKIP), truncation=Truncation(0.8))
    updates = list(contributions.run(ContributionShares(asked, count=5, first=3), renderer))
    answer = updates[-1].answer
    drawn = [outputs(renderer, drawing.of_seed(asked, seed)) for seed in range(3, 8)]
    std = [np.stack([picture[level] for picture in drawn]).std() / 2 * 100 for level in range(4)]
    np.testing.assert_allclose(answer.std, std, rtol=1e-6)
    np.testing.assert_allclose(answer.share, 100 * np.array(std) / sum(std), rtol=1e-6)
    one = np.array([part.std() for part in drawn[0]])
    np.testing.assert_allclose(answer.each[0], 100 * one / one.sum(), rtol=1e-6)
    assert [update.share for update in updates] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert updates[1].text == "2 of 5 latents"


def test_one_to_rgb_is_said_in_words():
    asked = replace(request(SINGLE), measures=(ResolutionPictures(),))
    answer = Renderer().render(asked).answer(ResolutionPictures)
    assert (answer.use, answer.sizes) == ("single", ())
    with pytest.raises(InputError, match="one to-RGB"):
        next(contributions.run(ContributionShares(asked), Renderer()))
    with pytest.raises(InputError, match="give at least 1"):
        next(contributions.run(ContributionShares(request(SKIP), count=0), Renderer()))
