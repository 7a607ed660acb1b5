"""Patches followed along walks whose motion is known, freely and from place to place of a grid."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as spline_shift

from app.diagnostics import patch_track
from app.diagnostics.variations import Variations
from app.errors import InputError
from app.latents import draw_z
from app.renderer import Renderer
from app.studies.patch_track import PatchTrack
from networks.plan import Noise
from networks.taps import Taps
from tests.networks.small import small
from tests.synthetic import SIDE, Synthetic, spec

FRAMES = 40
FAR = 13.0  # px that the content goes to the right


def across(**changes) -> Synthetic:
    """Content that goes FAR px to the right along the walk from seed 0 to seed 1, and not down."""
    generator = Synthetic(spec(**changes))
    generator.coarse = replace(generator.coarse, amplitude=3 * generator.coarse.amplitude)
    start, end = (draw_z(seed, 2)[0][0] for seed in (0, 1))
    picture = generator.picture

    def along(w, asked):
        share = (w - start) @ (end - start) / ((end - start) @ (end - start))
        return picture(np.array([share * FAR / generator.spec.gain_px, 0.0]), asked)

    generator.picture = along
    return generator


def last(question):
    *_, update = patch_track.run(question, Renderer())
    return update.answer


def ask(request, **changes):
    return PatchTrack(request, x=0.4, size=0.5, frames=FRAMES, way="linear", **changes)


def test_free_content_is_followed_at_every_resolution(synthetics):
    answer = last(ask(synthetics.add(across())))
    assert [(path.height, path.source) for path in answer.paths] == [(16, "pyramid"), (32, "pyramid"), (64, "pyramid")]
    truth = 0.4 * SIDE + np.linspace(0, FAR, FRAMES)
    for path, allowed in zip(answer.paths, (1.5, 0.6, 0.3), strict=True):
        assert np.abs(path.positions[:, 0] - truth).max() < allowed
        assert np.abs(path.positions[:, 1] - SIDE / 2).max() < allowed
    assert np.abs(answer.coarse.positions[:, 0] - truth).max() < 0.5
    assert answer.left == ""


def test_detail_that_keeps_to_a_grid_is_told_from_detail_that_moves(synthetics):
    snaps = {}
    for grid in (0.0, 4.0):
        answer = last(ask(synthetics.add(across(grid_px=grid), f"{grid}.pkl")))
        snaps[grid] = {snap.grid_px: snap.value for snap in answer.paths[-1].snaps}
    assert list(snaps[4.0]) == [16.0, 8.0, 4.0, 2.0]
    assert snaps[4.0][4.0] > 0.8
    assert abs(snaps[0.0][4.0]) < 0.2
    assert snaps[4.0][16.0] is None  # the coarse content went less far than that


def test_the_snap_is_the_formula():
    coarse = np.stack([np.linspace(0, 12, 37), np.zeros(37)], axis=1)
    path = np.stack([4 * np.round(coarse[:, 0] / 4) + 1.3, np.zeros(37)], axis=1)
    rho = abs(sum(np.exp(2j * np.pi * p / 4) for p in coarse[:, 0])) / 37
    assert patch_track.snap(path, coarse, 4.0) == pytest.approx((1 - rho) / (1 - rho))
    assert patch_track.snap(coarse, coarse, 4.0) == pytest.approx(0.0)
    half = np.stack([np.where(np.arange(37) % 2, 0.0, 1.0), np.zeros(37)], axis=1)  # a right angle apart
    expected = (np.hypot(18 / 37, 19 / 37) - rho) / (1 - rho)
    assert patch_track.snap(half, coarse, 4.0) == pytest.approx(expected)
    assert patch_track.snap(path, coarse / 4, 4.0) is None


def test_displacements_are_found_to_a_hundredth_of_a_pixel():
    """Noise shifted by scipy's splines; the study looks again where the last look said the patch has gone."""
    stream = np.random.default_rng(0)
    picture = gaussian_filter(stream.normal(size=(96, 96)), 1.5)
    moved = spline_shift(picture, (-1.3, 2.65), order=5, mode="reflect")
    follower = patch_track.Follower(32, 1.0, [(48.0, 48.0)])
    for frame in (picture, moved):
        follower.follow(torch.from_numpy(frame)[None].float())
    assert follower.places[-1] == pytest.approx((48 + 2.65, 48 - 1.3), abs=0.02)
    assert follower.confidence[-1] > 0.9


def test_a_path_ends_where_the_patch_leaves_the_picture(synthetics):
    answer = last(replace(ask(synthetics.add(across())), x=0.7))
    finest = answer.paths[-1]
    assert np.isnan(finest.positions[-1]).all()
    assert np.isfinite(finest.positions[5]).all()
    assert "leaves the picture at 64 px in frame" in answer.left


SOURCES = {
    "stylegan1": "to-RGB",
    "stylegan2-skip": "to-RGB",
    "lucidrains": "to-RGB",
    "stylegan2-progressive": "to-RGB",
    "stylegan2-orig": "pyramid",
}


@pytest.mark.parametrize(("name", "source"), SOURCES.items())
def test_pictures_of_resolutions_are_those_of_a_pass_that_stops_there(synthetics, name, source):
    generator = small(name).generator
    variations = Variations(Renderer(), synthetics.add(generator))
    ws = variations.ws()
    levels, found = patch_track.pictures(variations, ws, Noise("none"))
    assert found == source
    whole = variations.draw(ws, Noise("none"))
    assert torch.allclose(levels[-1], whole, atol=1e-5)
    if source == "to-RGB":
        for size, level in zip(generator.preview_sizes, levels, strict=True):
            stopped = variations.draw(ws, Noise("none"), Taps(stop_at=size))
            assert torch.allclose(level, stopped, atol=1e-5)
    else:
        assert torch.allclose(levels[0], whole.unfold(1, 2, 2).unfold(2, 2, 2).mean(dim=(3, 4)), atol=1e-5)


BAD = [({"size": 0.05}, "too small"), ({"x": 0.1}, "reaches out of the picture"), ({"frames": 1}, "at least 2")]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_has_no_meaning_is_said(synthetics, change, words):
    question = replace(PatchTrack(synthetics.add(Synthetic(spec()))), **change)
    with pytest.raises(InputError, match=words):
        next(patch_track.run(question, Renderer()))
