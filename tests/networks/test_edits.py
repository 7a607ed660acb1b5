"""Interventions by hand: each op against numpy, the filled disc against Laplace's equation solved by scipy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from torch.testing import assert_close

from networks.edits import EditError, check, harmonic, inpainted, inside, intervene, reached
from networks.plan import OUTPUT, PRE_NORM, Disc, Intervention, LayerInfo, on_picture
from networks.stylegan1 import instance_norm
from networks.taps import Taps
from tests.networks.small import small

INFO = LayerInfo(0, "b16.conv1", "conv", (24, 24), 3, stages=(OUTPUT, PRE_NORM), sampling_rate=24.0)
MIDDLE = Disc(0.5, 0.5, 0.1)


def maps(seed: int = 0, size: tuple[int, int] = (24, 24)) -> torch.Tensor:
    return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(seed))


def smooth(size: int = 48) -> np.ndarray:
    """A random map without fine detail, float64 [size, size], standard deviation 1."""
    x = gaussian_filter(np.random.default_rng(1).normal(size=(size, size)), 6)
    return x / x.std()


def spiked(height: float = 50.0) -> torch.Tensor:
    """Normal values with a spike at (12, 12), [2, 3, 24, 24]."""
    x = maps()
    x[:, :, 12, 12] = height
    return x


def changed(x: torch.Tensor, *edits: Intervention) -> torch.Tensor:
    for edit in edits:
        x, _ = intervene(x, edit, INFO)
    return x


def normalized(x: torch.Tensor, *edits: Intervention) -> torch.Tensor:
    """What the instance norm makes of the maps under these edits."""
    moments = None
    for edit in edits:
        x, moments = intervene(x, replace(edit, stage=PRE_NORM), INFO, moments)
    return instance_norm(x, moments)


# -- the values of a map -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Intervention("", "scale", 2.0, (1,)), [[1.0, -6.0, 5.0]]),
        (Intervention("", "shift", 0.5, (0,)), [[1.5, -3.0, 5.0]]),
        (Intervention("", "clamp", 2.0), [[1.0, -2.0, 2.0]]),
        (Intervention("", "clamp", -2.0), [[1.0, -2.0, 2.0]]),
        (Intervention("", "scale", 0.0), [[0.0, 0.0, 0.0]]),
        (Intervention("", "scale", 0.0, (2, 0)), [[0.0, -3.0, 0.0]]),
        (Intervention("", "shift", 1.0, (2,)), [[1.0, -3.0, 6.0]]),
        (Intervention("", "shift", 1.0, ()), [[1.0, -3.0, 5.0]]),
    ],
)
def test_edits_by_hand(edit: Intervention, expected: list[list[float]]) -> None:
    x = torch.tensor([[1.0, -3.0, 5.0]])[:, :, None, None].expand(-1, -1, 2, 2)
    assert_close(changed(x, edit), torch.tensor(expected)[:, :, None, None].expand(-1, -1, 2, 2))
    assert x[0, 1, 0, 0] == -3.0, "the map itself is not changed"


def test_clamping_by_mad_cuts_at_k_robust_deviations() -> None:
    x = spiked()
    y = changed(x, Intervention("", "clamp_mad", 3.0)).numpy()
    for n in range(2):
        for c in range(3):
            values = x[n, c].numpy()
            ordered = np.sort(values.ravel())
            middle = ordered[(ordered.size - 1) // 2]
            deviations = np.sort(np.abs(values - middle).ravel())
            reach = 3.0 * 1.4826 * deviations[(deviations.size - 1) // 2]
            assert_close(y[n, c], np.clip(values, middle - reach, middle + reach))
            assert y[n, c].max() < 4 < values.max()


def test_a_map_becomes_its_mean_as_far_as_the_strength_says() -> None:
    x = maps()
    y = changed(x, Intervention("", "mean", 0.25, (1,))).numpy()
    assert_close(y[:, 1], 0.75 * x[:, 1].numpy() + 0.25 * x[:, 1].numpy().mean((1, 2), keepdims=True))
    assert (y[:, [0, 2]] == x[:, [0, 2]].numpy()).all()


def test_all_but_the_disc_becomes_the_median() -> None:
    x = spiked()
    y = changed(x, Intervention("", "only_disc", 1.0, disc=Disc(12.5 / 24, 12.5 / 24, 0.06))).numpy()
    near = np.hypot(*np.meshgrid(np.arange(24) - 12, np.arange(24) - 12)) <= 0.06 * 24
    assert near.sum() == 9
    assert (y[:, :, near] == x.numpy()[:, :, near]).all()
    ordered = np.sort(x.numpy().reshape(2, 3, -1))
    assert (y[:, :, ~near] == ordered[:, :, [(24 * 24 - 1) // 2]]).all()


# -- where a disc lies -------------------------------------------------------------------------------------------------


def test_a_disc_lies_where_the_picture_shows_it() -> None:
    """A map of 36 samples that stands for 1.5 picture widths: the picture's left quarter lies at sample 11.5."""
    assert Disc(0.25, 0.5, 0.125).on_map((36, 36), 24.0) == (11.5, 17.5, 3.0)
    assert Disc(0.25, 0.5, 0.125).on_map((24, 24), 0.0) == (5.5, 11.5, 3.0)
    assert Disc(0.5 / 24, 23.5 / 24, 0.1).on_map((24, 24), 24.0) == pytest.approx((0.0, 23.0, 2.4))
    assert Disc(0.25, 0.25, 0.25).on_map((16, 8), 8.0) == (1.5, 3.5, 4.0)  # radius in heights
    for size, rate in (((36, 36), 24.0), ((24, 24), 0.0), ((16, 8), 8.0)):
        assert on_picture(*Disc(0.3, 0.8).on_map(size, rate)[:2], size, rate) == pytest.approx((0.3, 0.8))


def test_a_disc_holds_its_samples_and_never_none() -> None:
    mask = inside((24, 24), Disc(0.5, 0.25, 0.1), 24.0).numpy()
    rows, columns = np.nonzero(mask)
    distance = np.hypot(np.arange(24)[:, None] - 5.5, np.arange(24)[None] - 11.5)
    assert (mask == (distance <= 2.4)).all()
    assert (rows.mean(), columns.mean()) == (5.5, 11.5)
    single = inside((24, 24), Disc(0.51, 0.26, 0.0001), 24.0)
    assert single.nonzero().tolist() == [[6, 12]]


@pytest.mark.parametrize("name", ["stylegan3-t", "stylegan1", "stylegan1-tall-grey"])
def test_every_layer_finds_the_disc(name: str) -> None:
    """The point (0.3, 0.6) of the picture, found again from the map's samples, to within one of them."""
    generator = small(name).generator
    tall = generator.resolution[0] / generator.resolution[1]
    for info in generator.layers:
        H, W = info.size
        row, column = inside((H, W), Disc(0.3, 0.6, 0.0), info.sampling_rate).nonzero()[0].tolist()
        x = 0.5 + (column - (W - 1) / 2) / info.sampling_rate
        y = 0.5 + (row - (H - 1) / 2) / info.sampling_rate / tall
        assert abs(x - 0.3) <= 0.51 / info.sampling_rate
        assert abs(y - 0.6) <= 0.51 / info.sampling_rate / tall


# -- the filled disc ---------------------------------------------------------------------------------------------------


def laplace(x: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The hole filled so that each sample is the mean of its four neighbours, by scipy's sparse solver."""
    index = {tuple(place): number for number, place in enumerate(np.argwhere(hole))}
    matrix, right = lil_matrix((len(index), len(index))), np.zeros(len(index))
    for (row, column), number in index.items():
        matrix[number, number] = 4.0
        for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if place in index:
                matrix[number, index[place]] = -1.0
            else:
                right[number] += x[place]
    filled = x.copy()
    filled[hole] = spsolve(matrix.tocsr(), right)
    return filled


@pytest.mark.parametrize("disc", [Disc(0.5, 0.5, 0.12), Disc(0.3, 0.62, 0.2), Disc(0.4, 0.4, 0.01)])
def test_the_filled_disc_solves_laplaces_equation(disc: Disc) -> None:
    """The rim lies 1.5 samples outside of the disc; the neighbours' rim does when scipy's hole is a sample wider."""
    x = smooth()
    hole = inside((48, 48), disc).numpy()
    wanted = laplace(x, inside((48, 48), replace(disc, radius=disc.radius + 1 / 48)).numpy())
    spoilt = np.where(hole, 1000.0, x)
    y = inpainted(torch.from_numpy(spoilt)[None, None], disc)[0, 0].numpy()
    assert (y[~hole] == x[~hole]).all()
    assert np.abs(y - wanted)[hole].max() < 0.05
    assert np.abs(y - wanted)[hole].mean() < 0.015
    assert np.abs(y - x)[hole].max() > 0.5 or hole.sum() == 1, "what was in the hole does not come back"
    rim = x[inside((48, 48), replace(disc, radius=disc.radius + 3 / 48)).numpy() & ~hole]
    assert rim.min() <= y[hole].min() <= y[hole].max() <= rim.max()  # a harmonic function has no peak inside


@pytest.mark.parametrize("radius", [0.01, 0.05, 0.3])
def test_harmonic_maps_come_back_through_the_hole(radius: float) -> None:
    """x, y and xy solve Laplace's equation and bilinear samples know them exactly."""
    row, column = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    x = torch.stack([0.5 * column - 0.25 * row + 3, column * row / 40])[None]
    disc = Disc(0.5, 0.45, radius)
    spoilt = torch.where(inside((40, 40), disc), 1e3, x)
    assert_close(inpainted(spoilt, disc), x, rtol=0, atol=1e-3)


def test_the_series_is_poissons_integral() -> None:
    """u(p) = mean over the circle of (1 - |p|^2) / |p - q|^2 u(q), by numpy, for noise on the circle."""
    count, random = 400, np.random.default_rng(0)
    turns = 2 * np.pi * np.arange(count) / count
    rim = random.normal(size=(3, count))
    distance, angle = np.sqrt(random.uniform(0, 0.95**2, 200)), random.uniform(0, 2 * np.pi, 200)
    points, circle = distance * np.exp(1j * angle), np.exp(1j * turns)
    kernel = (1 - distance[:, None] ** 2) / np.abs(points[:, None] - circle) ** 2
    y = harmonic(torch.from_numpy(rim)[None], torch.from_numpy(np.stack([points.real, points.imag], 1)))[0].numpy()
    np.testing.assert_allclose(y, rim @ kernel.T / count, atol=1e-3)


def test_a_hole_at_the_border_is_filled_from_the_rim_that_is_there() -> None:
    x = torch.full((1, 1, 24, 24), 2.0)
    disc = Disc(0.0, 0.02, 0.2)
    x[:, :, inside((24, 24), disc)] = 1e4
    assert_close(inpainted(x, disc), torch.full_like(x, 2.0))


def test_on_the_coarsest_map_four_samples_in_the_middle_are_filled_from_the_twelve_around() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)  # a ramp
    spoilt = x.clone()
    spoilt[:, :, 1:3, 1:3] = 1e4
    assert_close(inpainted(spoilt, Disc(0.5, 0.5, 0.01)), x, rtol=0, atol=1.5)


def test_the_strength_blends_the_fill_in() -> None:
    x, half = spiked(), Intervention("", "inpaint", 0.5, disc=MIDDLE)
    assert_close(changed(x, half), (x + changed(x, replace(half, value=1.0))) / 2)


# -- what the norm measures --------------------------------------------------------------------------------------------


def moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x.mean((2, 3), keepdims=True), np.sqrt(x.var((2, 3), keepdims=True) + 1e-8)


def test_spike_in_the_map_and_spike_in_sigma_are_told_apart() -> None:
    """Four cases: the map with or without its spike, divided by a sigma with or without it."""
    disc = Disc(12.5 / 24, 12.5 / 24, 0.06)
    x = spiked().double()
    clean = inpainted(x, disc).numpy()
    (mean, sigma), (clean_mean, clean_sigma) = moments(x.numpy()), moments(clean)
    assert (sigma / clean_sigma).min() > 1.9, "the spike rules sigma"
    ops = {op: Intervention("", op, 1.0, disc=disc) for op in ("inpaint", "inpaint_same_norm", "clean_norm")}
    assert_close(normalized(x).numpy(), (x.numpy() - mean) / sigma)
    assert_close(normalized(x, ops["inpaint"]).numpy(), (clean - clean_mean) / clean_sigma)
    assert_close(normalized(x, ops["inpaint_same_norm"]).numpy(), (clean - mean) / sigma)
    assert_close(normalized(x, ops["clean_norm"]).numpy(), (x.numpy() - clean_mean) / clean_sigma)


def test_without_norm_the_map_passes_and_half_way_it_is_divided_by_half_as_much() -> None:
    x = spiked().double()
    mean, sigma = moments(x.numpy())
    assert_close(normalized(x, Intervention("", "no_norm", 1.0)), x)
    half = normalized(x, Intervention("", "no_norm", 0.5)).numpy()
    assert_close(half, (x.numpy() - mean / 2) / ((sigma + 1) / 2))
    assert torch.equal(normalized(x, Intervention("", "no_norm", 0.0)), normalized(x))


def test_a_norm_that_was_told_of_one_map_measures_the_others_itself_at_the_end() -> None:
    x = spiked().double()
    mean, sigma = moments(x.numpy())
    y = normalized(x, Intervention("", "no_norm", 1.0, (1,)), Intervention("", "scale", 3.0)).numpy()
    assert_close(y[:, 1], 3 * x[:, 1].numpy())
    assert_close(y[:, [0, 2]], ((x.numpy() - mean) / sigma)[:, [0, 2]], rtol=1e-6, atol=1e-6)


def test_an_intervention_in_a_pass_changes_what_follows_as_the_formula_says() -> None:
    """StyleGAN's next layer sees (filled - mean) / sigma of the map with its spike, times the style."""
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    name, disc = "b8.conv1", Disc(0.4, 0.6, 0.2)
    seen = Taps(capture=[(name, PRE_NORM), (name, OUTPUT)])
    generator.synthesize(ws, seen)
    edits = [Intervention(name, "inpaint_same_norm", 1.0, stage=PRE_NORM, disc=disc)]
    edited = Taps(capture=[(name, PRE_NORM), (name, OUTPUT)], edits=edits)
    generator.synthesize(ws, edited)
    hole = inside((8, 8), disc).numpy()
    before, after = (taps.captured[name, OUTPUT].detach().numpy() for taps in (seen, edited))
    assert_close(after[:, :, ~hole], before[:, :, ~hole], rtol=1e-4, atol=1e-4)
    assert np.abs(after[:, :, hole] - before[:, :, hole]).max() > 0.1
    assert_close(
        edited.captured[name, PRE_NORM], inpainted(seen.captured[name, PRE_NORM], disc, 8.0), rtol=1e-4, atol=1e-4
    )


def test_onward_reaches_every_later_layer_but_no_torgb() -> None:
    layers = small("stylegan1").generator.layers
    edit = Intervention("b8.conv0", "no_norm", stage=PRE_NORM, onward=True)
    assert reached(edit, layers) == ("b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1")
    assert reached(replace(edit, stage=OUTPUT), layers) == reached(edit, layers)
    assert reached(replace(edit, onward=False), layers) == ("b8.conv0",)
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    one_by_one = [replace(edit, layer=name, onward=False) for name in reached(edit, layers)]
    both = [generator.synthesize(ws, Taps(edits=edits)) for edits in ([edit], one_by_one)]
    assert torch.equal(*both)
    assert not torch.equal(both[0], generator.synthesize(ws, Taps(edits=one_by_one[:1])))


def test_held_norms_pass_a_change_on_only_where_convolutions_carry_it() -> None:
    """After the filled 8x8 map come a 3x3 convolution, doubling with blur, two more: 9 pixels at most."""
    generator, ws = small("stylegan1").generator, small("stylegan1").ws
    fill = Intervention("b8.conv0", "inpaint", stage=PRE_NORM, disc=Disc(0.06, 0.06, 0.05))
    hold = Intervention("b8.conv0", "untouched_norm", stage=PRE_NORM, onward=True)
    plain = generator.synthesize(ws)
    alone, held = (generator.synthesize(ws, Taps(edits=edits)) - plain for edits in ([fill], [fill, hold]))
    far = np.add.outer(np.arange(16), np.arange(16)) >= 22
    assert alone[:, :, far].abs().max() > 0.05
    assert held[:, :, far].abs().max() < 1e-4
    assert held.abs().max() > 0.05
    assert (generator.synthesize(ws, Taps(edits=[hold])) - plain).abs().max() < 1e-4, "by itself it changes nothing"


def test_without_instance_norms_a_filled_disc_changes_nothing_far_away() -> None:
    """StyleGAN2, the negative control: its demodulation measures no map."""
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    fill = Intervention("b8.conv0", "inpaint", disc=Disc(0.06, 0.06, 0.05))
    change = generator.synthesize(ws, Taps(edits=[fill])) - generator.synthesize(ws)
    far = np.add.outer(np.arange(16), np.arange(16)) >= 22
    assert change[:, :, far].abs().max() < 1e-5
    assert change.abs().max() > 0.05


# -- what does not fit is said -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Intervention("b16.conv1", "scale", 2.0, (1, 3)), r"b16.conv1 has maps 0 to 2; there is no map 3"),
        (Intervention("b16.conv1", "scale", 2.0, (-1,)), r"there is no map -1"),
        (Intervention("b16.conv1", "inpaint"), r"b16.conv1: inpaint needs a disc"),
        (Intervention("b16.conv1", "no_norm"), r"changes what an instance norm measures; choose stage 'pre_norm'"),
        (Intervention("b16.rgb", "no_norm"), r"no_norm changes .*; this layer has none, StyleGAN's layers do"),
        (Intervention("b16.rgb", "scale", stage=PRE_NORM), r"b16.rgb has no stage 'pre_norm'; choose output"),
        (Intervention("b99.rgb", "scale"), r"no layer 'b99.rgb' to intervene in; its layers: b16.conv1, b16.rgb"),
    ],
)  # fmt: skip
def test_an_edit_that_does_not_fit_its_layer_is_refused_in_words(edit: Intervention, words: str) -> None:
    with pytest.raises(EditError, match=words):
        check([edit], [INFO, LayerInfo(1, "b16.rgb", "torgb", (24, 24), 3)])


def test_a_disc_that_covers_a_whole_map_is_refused() -> None:
    with pytest.raises(EditError, match=r"covers the whole map of 24 x 24 samples; choose a smaller radius"):
        changed(maps(), Intervention("", "inpaint", disc=Disc(0.5, 0.5, 2.0)))


@pytest.mark.parametrize("name", ["stylegan1", "stylegan2-skip", "stylegan3-t"])
def test_every_pass_checks_its_edits(name: str) -> None:
    with pytest.raises(EditError, match="no layer 'b99'"):
        small(name).generator.synthesize(small(name).ws, Taps(edits=[Intervention("b99", "scale")]))


def test_half_precision_keeps_its_type() -> None:
    x = spiked().half()
    for op in ("clamp_mad", "mean", "inpaint", "only_disc"):
        y = changed(x, Intervention("", op, 1.0, (0, 2), disc=MIDDLE))
        assert y.dtype == torch.float16
        assert torch.equal(y[:, 1], x[:, 1])
