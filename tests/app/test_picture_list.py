"""Small pictures of many requests: each is the renderer's own picture of its request, averaged over areas."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from app import view
from app.diagnostics import picture_list
from app.renderer import Renderer
from app.request import Diagnostic, Latent, Mix, Truncation, View
from app.studies.picture_list import (
    NOT_YET,
    PictureList,
    mixed,
    of_seed,
    psi_values,
    reduced,
    shown_part,
    truncated,
    unmixed,
)
from networks.plan import Noise


def areas(pixels: np.ndarray, size: int) -> np.ndarray:
    """The mean over the area of each of size x size output pixels, float64 [size, size, C]."""
    side, channels = pixels.shape[0], pixels.shape[2]
    common = math.gcd(side, size)
    fine = pixels.astype(np.float64).repeat(size // common, 0).repeat(size // common, 1)  # parts of whole pixels
    return fine.reshape(size, side // common, size, side // common, channels).mean(axis=(1, 3))


def last(question: PictureList, renderer: Renderer) -> tuple:
    return list(picture_list.run(question, renderer))[-1].answer


@pytest.mark.parametrize("size", [20, 24, 7])
def test_reducing_is_the_mean_over_areas(size: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 4), np.uint8)
    pixels[..., 3] = 255
    assert np.abs(reduced(pixels, size) - areas(pixels, size)).max() <= 0.51
    assert reduced(pixels, 40) is pixels
    assert reduced(pixels[:, :16], 20).shape == (20, 8, 4)


def test_what_is_transparent_has_no_colour_to_give() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, ::2] = (200, 100, 50, 255)
    pixels[:, 1::2] = (0, 255, 0, 0)
    assert np.abs(reduced(pixels, 2)[0, 0].astype(int) - (200, 100, 50, 128)).max() <= 1


def test_a_small_picture_is_the_renderers_picture_reduced(request_) -> None:
    wild = replace(
        request_, truncation=Truncation(0.6, 9), mix=Mix(7, (2, 3)), noise=Noise("random", 5), bgr=True,
        view=View("b32.conv1"), diagnostic=Diagnostic("noise_difference"),
    )  # fmt: skip
    requests = tuple(of_seed(shown_part(wild), seed) for seed in (3, 8))
    window = Renderer()
    window.open(wild)
    found = last(PictureList(requests, 48, exact=True), window)
    for request, small in zip(requests, found, strict=True):
        picture = Renderer().render(replace(wild, latent=request.latent)).picture
        assert small.complete
        assert small.final
        assert np.abs(small.pixels - areas(picture, 48)).max() <= 0.51


def test_early_pictures_come_first_and_are_left_where_the_rest_takes_long(request_, monkeypatch) -> None:
    requests = tuple(of_seed(request_, seed) for seed in range(2))
    window = Renderer()
    window.open(request_)
    monkeypatch.setattr(picture_list, "QUICK_S", -1.0)
    answers = [update.answer for update in picture_list.run(PictureList(requests, 64), window)]
    assert len(answers) == 2
    assert answers[0][1] is NOT_YET
    early = Renderer().render(replace(requests[1], max_height=64)).picture
    assert np.array_equal(answers[1][1].pixels, early)
    assert [(small.complete, small.final) for small in answers[1]] == [(False, True)] * 2
    answers = [update.answer for update in picture_list.run(PictureList(requests, 64, exact=True), window)]
    assert [sum(small.complete for small in answer) for answer in answers] == [0, 0, 1, 2]
    assert [sum(small.final for small in answer) for answer in answers] == [0, 0, 1, 2]
    assert last(PictureList(requests, 65), window)[0].complete  # no early picture between 65 and 127 px


def test_the_full_picture_follows_where_the_window_knows_that_it_is_quick(request_, monkeypatch) -> None:
    window = Renderer()
    window.render(request_)
    monkeypatch.setattr(picture_list, "QUICK_S", 1e9)
    found = last(PictureList((request_,), 64), window)
    assert found[0].complete
    assert np.abs(found[0].pixels - areas(window.render(request_).picture, 64)).max() <= 0.51


def test_another_model_is_opened_apart_and_a_broken_one_says_why(files, tmp_path) -> None:
    here, there = files.add("a.pkl"), files.add("b.pkl", resolution=(64, 64), channels=(16, 16, 16, 8, 8))
    gone = replace(here, model=replace(here.model, path=str(tmp_path / "gone.pkl")))
    window = Renderer()
    window.open(here)
    found = last(PictureList((gone, there, here), 64, exact=True), window)
    assert "gone.pkl" in found[0].problem
    assert found[0].final
    assert found[0].pixels is None
    assert np.array_equal(found[1].pixels, Renderer().render(there).picture)
    assert np.abs(found[2].pixels - areas(Renderer().render(here).picture, 64)).max() <= 0.51
    assert len(window.store) == 1


def test_mixing_takes_rows_of_ws_and_psi_0_is_the_centre(request_) -> None:
    """Against ws that are put together by hand."""
    window = Renderer()
    generator = window.open(request_).generator
    source, style = (torch.from_numpy(window.ws(of_seed(request_, seed))) for seed in (4, 9))
    ws = source.clone()
    ws[:, 1:4] = style[:, 1:4]
    with torch.inference_mode():
        by_hand = view.picture(generator.synthesize(ws, noise=request_.noise))
        mean = generator.mapping.w_avg.expand(1, generator.num_ws, -1)
        centre = view.picture(generator.synthesize(mean.contiguous(), noise=request_.noise))
    asked = (mixed(request_, 4, 9, (1, 2, 3)), truncated(of_seed(request_, 4), 0.0), unmixed(request_, 4))
    found = last(PictureList(asked, 128), window)
    assert np.abs(found[0].pixels.astype(int) - by_hand).max() <= 1
    assert np.abs(found[1].pixels.astype(int) - centre).max() <= 1
    assert np.abs(found[0].pixels.astype(int) - found[2].pixels).max() > 8


def test_what_is_asked_for_keeps_the_settings_but_not_the_look(request_) -> None:
    looked = replace(request_, view=View("b8.conv0"), max_height=64, truncation=Truncation(0.5, 3), mix=Mix(1, (2,)))
    assert shown_part(looked) == replace(request_, truncation=Truncation(0.5, 3), mix=Mix(1, (2,)))
    assert unmixed(looked, 5).mix == Mix()
    assert mixed(looked, 5, 6, ()).mix == Mix()
    assert truncated(looked, 0.25).truncation == Truncation(0.25, 3)
    assert of_seed(looked, 12).latent == Latent(((12, 1.0),))
    assert psi_values(9) == (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
    assert psi_values(7) == (-1.0, -0.67, -0.33, 0.0, 0.33, 0.67, 1.0)
