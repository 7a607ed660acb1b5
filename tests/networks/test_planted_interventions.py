"""Interventions against a planted droplet: what they do to the spike, and what its sigma did to the picture."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from networks.plan import OUTPUT, PRE_NORM, Disc, Intervention
from networks.taps import Taps
from tests.planted import EXTRA, Plant, Planted, draw_w, plant, random_stylegan1

DISC = Disc(0.6, 0.4, 0.08)
FIRST = "b64.conv0"
FROM_THERE = ("b64.conv0", "b64.conv1", "b128.conv0", "b128.conv1")


@cache
def planted() -> Planted:
    """A droplet of 16 standard deviations at (0.6, 0.4) from b64.conv0 on, which the picture's to-RGB hides."""
    return plant(random_stylegan1(), Plant(strength=16.0, hidden=True))


@cache
def ws() -> torch.Tensor:
    generator = planted().generator
    return draw_w(generator, 1, seed=3)[:, None].repeat(1, generator.num_ws, 1)


@cache
def drawn(*edits: Intervention) -> tuple[np.ndarray, Taps]:
    """The picture [3, 128, 128], cut to black and white, 0..1, and all maps."""
    taps = Taps(capture=[(name, stage) for name in FROM_THERE for stage in (PRE_NORM, OUTPUT)], edits=edits)
    with torch.inference_mode():
        img = planted().generator.synthesize(ws(), taps)
    return (img[0].double().numpy().clip(-1, 1) + 1) / 2, taps


def maps(taps: Taps, name: str, stage: str = PRE_NORM) -> np.ndarray:
    """[C, H, W] float64, without the channels that the droplet is made in: those are the spike, or nothing."""
    return taps.captured[name, stage][0, :-EXTRA].double().numpy()


def peak_ratio(x: np.ndarray) -> float:
    """S(p) = sqrt(mean over the maps of ((x - median) / 1.4826 MAD)^2): largest near the droplet over median."""
    deviation = np.abs(x - np.median(x, axis=(1, 2), keepdims=True))
    z = deviation / (1.4826 * np.median(deviation, axis=(1, 2), keepdims=True))
    saliency = np.sqrt((z**2).mean(axis=0))
    return float(saliency[~far(x.shape[1], 0.12)].max() / np.median(saliency))


def far(size: int, radius: float) -> np.ndarray:
    """Pixels further than so many picture heights from the droplet."""
    place = (np.arange(size) + 0.5) / size
    return np.hypot(place[None] - 0.6, place[:, None] - 0.4) > radius


def before_norm(op: str, value: float = 1.0, onward: bool = True) -> Intervention:
    disc = DISC if op in ("inpaint", "inpaint_same_norm", "clean_norm", "only_disc") else None
    return Intervention(FIRST, op, value, None, PRE_NORM, disc, onward)


def test_untouched_the_spike_stands_in_every_layer_from_there() -> None:
    _, taps = drawn()
    assert min(peak_ratio(maps(taps, name)) for name in FROM_THERE) > 6


@pytest.mark.parametrize("edit", [before_norm("inpaint"), before_norm("clamp_mad", 4.0)], ids=lambda edit: edit.op)
def test_in_painting_and_clamping_take_the_spike_out_of_all_of_them(edit: Intervention) -> None:
    _, taps = drawn(edit)
    assert max(peak_ratio(maps(taps, name)) for name in FROM_THERE) < 4


def test_a_spike_that_the_picture_hides_rules_all_of_it_through_sigma() -> None:
    """The paper's argument: with the spike gone, the picture changes far from where the spike was. With all norms held
    at what they measured before, it does not: so it was sigma's doing."""
    plain, _ = drawn()
    without, _ = drawn(before_norm("inpaint"))
    held, _ = drawn(before_norm("inpaint"), before_norm("untouched_norm"))
    away = far(128, 0.2)  # three 3x3 convolutions, one doubling and blurs carry it 8 pixels, 0.06, beyond the disc
    assert np.abs(without - plain)[:, away].mean() > 0.03
    assert np.abs(held - plain)[:, away].max() < 1e-5
    assert np.abs(held - plain)[:, ~away].max() > 0.01


def test_sigma_alone_does_what_taking_the_spike_out_does() -> None:
    """The other half of it: the spike stays in every map, only the norms do not count it. (Where a channel holds
    nothing but the spike, a norm that does not count it divides by 0: those channels are left alone in both cases.)"""
    plain, taps = drawn()
    away = far(128, 0.2)

    def change(op: str) -> np.ndarray:
        shown = {name: tuple(range(len(maps(taps, name)))) for name in FROM_THERE}
        edits = (Intervention(name, op, 1.0, channels, PRE_NORM, DISC) for name, channels in shown.items())
        return (drawn(*edits)[0] - plain)[:, away].ravel()

    without, sigma = change("inpaint"), change("clean_norm")
    assert np.abs(without).mean() > 0.05
    assert np.corrcoef(without, sigma)[0, 1] > 0.999
    assert np.abs(sigma).mean() == pytest.approx(np.abs(without).mean(), rel=0.01)


def test_the_rest_of_a_map_grows_by_what_the_spike_added_to_sigma() -> None:
    """rho = sigma with the disc over sigma without it, by numpy; the style's scale cancels in the ratio of spreads."""
    _, taps = drawn()
    _, filled = drawn(before_norm("inpaint", onward=False))
    before, after = maps(taps, FIRST), maps(filled, FIRST)
    rho = before.std(axis=(1, 2)) / after.std(axis=(1, 2))
    away = far(64, 0.1)
    grown = maps(filled, FIRST, OUTPUT)[:, away].std(axis=1) / maps(taps, FIRST, OUTPUT)[:, away].std(axis=1)
    assert np.median(rho) > 1.1
    np.testing.assert_allclose(grown, rho, rtol=1e-3)


def test_filled_with_the_same_norm_the_rest_of_the_map_stays() -> None:
    _, taps = drawn()
    _, kept = drawn(before_norm("inpaint_same_norm", onward=False))
    before, after = maps(taps, FIRST, OUTPUT), maps(kept, FIRST, OUTPUT)
    away = far(64, 0.1)
    np.testing.assert_allclose(after[:, away], before[:, away], rtol=1e-4, atol=1e-4)
    assert peak_ratio(after) < 4 < 6 < peak_ratio(before)


def test_without_its_norm_a_layer_hands_on_scale_times_map_plus_bias() -> None:
    """Eq. 1 of Karras et al. 2019 without mean and sigma, by numpy from the layer's own style."""
    _, taps = drawn(before_norm("no_norm", onward=False))
    scale, bias = taps.styles[FIRST][0].double().numpy().reshape(2, -1, 1, 1)[:, :-EXTRA]
    np.testing.assert_allclose(maps(taps, FIRST, OUTPUT), maps(taps, FIRST) * (scale + 1) + bias, rtol=1e-4, atol=1e-4)


def test_the_spike_alone_is_left_where_it_was() -> None:
    _, plain = drawn()
    _, taps = drawn(before_norm("only_disc", onward=False))
    before, after = maps(plain, FIRST), maps(taps, FIRST)
    rows, columns = np.indices((64, 64))
    disc = np.hypot(columns + 0.5 - 0.6 * 64, rows + 0.5 - 0.4 * 64) <= 0.08 * 64
    assert (after[:, disc] == before[:, disc]).all()
    assert np.ptp(after[:, ~disc], axis=1).max() == 0
