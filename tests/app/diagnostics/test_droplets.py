"""Droplets planted by weights are found where they are, followed along a walk, and missed where they lack."""

import sys
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pytest
import torch

from app.diagnostics import droplets
from app.diagnostics.droplets import look, measured, run
from app.errors import InputError
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest
from app.studies.droplets import DropletMeasure, DropletRule, DropletSearch, DropletTrack
from networks.plan import PRE_NORM, Intervention, Noise
from networks.stylegan1 import StyleGAN1
from networks.taps import Taps
from tests.networks.small import NAMES, small
from tests.planted import EXTRA, Plant, Planted, plant, random_stylegan1, save, widen
from tests.planted import main as planted_main

RULE = DropletRule()
ASKED = Plant(strength=16.0, place=(0.58, 0.42), layer="b64.conv0", moves=(0.05, -0.04), missing=0.07)


@dataclass(frozen=True)
class Bench:
    """A planted model as a file, and the one it was made from."""

    planted: Planted
    source: StyleGAN1
    request: RenderRequest
    renderer: Renderer

    def at(self, seed):
        return replace(self.request, latent=Latent(((seed, 1.0),)))

    def w(self, request):
        return torch.from_numpy(self.renderer.ws(request)[:, 0])

    def seeds(self, has, count=3):
        """Seeds that clearly have the droplet, or clearly lack it (7 % of a normal distribution lie below -1.476)."""
        low, high = (-0.8, 1.2) if has else (-9.0, -1.6)
        fitting = (seed for seed in range(100) if low < float(self.planted.codes(self.w(self.at(seed)))[0, 2]) < high)
        return list(islice(fitting, count))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    source = random_stylegan1(0, 128, 2048, channel_max=24)
    planted = plant(source, ASKED)
    path = tmp_path_factory.mktemp("planted") / "planted.safetensors"
    save(planted.generator, path)
    return Bench(planted, source, RenderRequest(model=Model(str(path), "cpu")), Renderer())


def pre_norm(generator, layer, w):
    taps = Taps(capture=[(layer, PRE_NORM)])
    with torch.inference_mode():
        generator.synthesize(w[:, None].repeat(1, generator.num_ws, 1), taps)
    return taps.captured[layer, PRE_NORM][0]


def test_silent_channels_change_no_picture(bench):
    w = bench.w(bench.at(3))
    with torch.inference_mode():
        ws = w[:, None].repeat(1, bench.source.num_ws, 1)
        before, after = bench.source.synthesize(ws), widen(bench.source).synthesize(ws)
    assert (before - after).abs().max() < 1e-4 * before.abs().max()


@pytest.mark.parametrize(("strength", "layer"), [(8.0, "b32.conv1"), (24.0, "b64.conv0")])
def test_the_planted_spike_is_as_strong_as_was_asked_and_where(bench, strength, layer):
    """By hand: its height over the channel's median, in standard deviations of the channel outside."""
    planted = plant(bench.source, Plant(strength, (0.4, 0.65), layer))
    found = []
    for seed in range(8):
        w = bench.w(bench.at(seed))
        x = pre_norm(planted.generator, layer, w)[:-EXTRA].numpy().astype(np.float64)
        H, W = x.shape[1:]
        rows, columns = np.mgrid[:H, :W]
        away = np.hypot((columns + 0.5) / W - 0.4, (rows + 0.5) / H - 0.65)
        nearest = np.unravel_index(away.argmin(), away.shape)
        outside = x[:, away > 0.15]
        heights = (x[:, *nearest] - np.median(outside, 1)) / outside.std(1)
        found.append(np.sqrt((heights**2).mean()))
        before = pre_norm(bench.source, layer, w).numpy()
        far = (away > 0.3) & (rows > 3) & (rows < H - 4) & (columns > 3) & (columns < W - 4)  # zeros blur into edges
        assert np.abs(x[:, far] - before[:, far]).max() < 1e-3 * np.abs(before).max()
    assert np.median(found) == pytest.approx(strength, rel=0.2)


def test_a_hidden_one_is_in_the_maps_and_faint_in_the_picture(bench):
    """What the last to-RGB gives, applied to the spike alone, at the mean w."""
    shown = []
    for hidden in (False, True):
        planted = plant(bench.source, Plant(16.0, (0.4, 0.6), "b64.conv0", hidden=hidden))
        generator, last = planted.generator, planted.generator.layers[-2].name
        taps = Taps(capture=[(last, "output")])
        with torch.inference_mode():
            generator.synthesize(planted.mean[None, None].repeat(1, generator.num_ws, 1), taps)
        x = taps.captured[last, "output"][0, :-EXTRA].flatten(1)
        spike = x[:, int(0.6 * 128) * 128 + int(0.4 * 128)] - x.median(dim=1).values
        assert spike.square().mean().sqrt() > 4
        torgb = generator.synthesis.get_submodule(generator.layers[-1].name)
        shown.append(float((torgb.weight[:, :-EXTRA, 0, 0] @ spike).norm()))
    assert shown[1] < 0.3 * shown[0]


def test_the_generator_writes_a_checkpoint_that_opens(tmp_path, monkeypatch):
    source, out = tmp_path / "source.safetensors", tmp_path / "out.safetensors"
    save(random_stylegan1(3, 64, channel_max=12), source)
    args = ["--source", source, "--strength", 20, "--layer", "b32.conv1", "--place", 0.5, 0.3]
    monkeypatch.setattr(sys, "argv", ["planted", *map(str, [out, *args])])
    planted_main()
    verdict = look(Renderer(), RenderRequest(Model(str(out), "cpu")), RULE).report.verdict
    assert verdict.spot == pytest.approx((0.5, 0.3), abs=0.02)


@pytest.mark.parametrize("asked", [Plant(layer="b8.conv0"), Plant(layer="b64.torgb"), Plant(place=(0.1, 0.5))])
def test_what_cannot_be_planted_is_refused(bench, asked):
    with pytest.raises(ValueError, match="a droplet can"):
        plant(bench.source, asked)


def test_the_measure_of_the_screen_finds_it(bench):
    for seed in bench.seeds(has=True):
        request = replace(bench.at(seed), measures=(DropletMeasure(),))
        report = bench.renderer.render(request).answer(DropletMeasure)
        true = bench.planted.place(bench.w(request))[0].tolist()
        assert report.verdict.flag
        assert report.verdict.spot == pytest.approx(true, abs=0.02)
        assert report.verdict.resolutions == (64, 128)
        assert report.of("b64.conv0").ratio > 8 > 4 > report.of("b32.conv1").ratio
        assert report.of("b64.conv0").median_rho > 1.05 > report.of("b32.conv1").median_rho
        assert report.complete
        assert [row.stage for row in report.layers] == [PRE_NORM] * 12


def test_an_early_picture_says_what_it_reached(bench):
    request = replace(bench.at(0), measures=(DropletMeasure(),), max_height=32)
    report = bench.renderer.render(request).answer(DropletMeasure)
    assert not report.complete
    assert [row.layer for row in report.layers][-1] == "b32.conv1"


@pytest.mark.parametrize("noise", [Noise("none"), Noise("random", 7)])
def test_it_is_made_by_convolutions_not_by_noise(bench, noise):
    request = replace(bench.at(bench.seeds(has=True)[0]), noise=noise)
    assert look(bench.renderer, request, RULE).report.verdict.flag


def test_a_look_on_the_way_measures_what_the_frame_measures(bench):
    request = replace(bench.at(5), measures=(DropletMeasure(),))
    frame = bench.renderer.render(request)
    looked = look(bench.renderer, request, RULE)
    for ours, theirs in zip(looked.report.layers, frame.answer(DropletMeasure).layers, strict=True):
        assert (ours.layer, ours.ratio, ours.spot) == (theirs.layer, pytest.approx(theirs.ratio), theirs.spot)
    assert looked.report.verdict == frame.answer(DropletMeasure).verdict
    small = droplets.thumbnail(looked.image, bench.renderer.open(request), 32)
    means = frame.picture[..., :3].reshape(32, 4, 32, 4, 3).mean((1, 3))
    assert np.abs(small[..., :3] - means).mean() < 4  # clipped after averaging, not before


def test_edits_are_measured_too(bench):
    seed = bench.seeds(has=True)[0]
    clamped = tuple(Intervention(row.name, "clamp", 1e-3, stage=PRE_NORM) for row in bench.planted.generator.layers
                    if row.kind != "torgb" and row.size[0] >= 64)  # fmt: skip
    request = replace(bench.at(seed), edits=clamped)
    assert not look(bench.renderer, request, RULE).report.verdict.flag


def test_a_search_tells_who_has_it_who_lacks_it_and_who_has_most(bench):
    has, lacks = bench.seeds(has=True, count=9), bench.seeds(has=False, count=3)
    assert (len(has), len(lacks)) == (9, 3)
    question = DropletSearch(bench.request, (*has[:4], *lacks, *has[4:]), thumbnail_px=24)
    updates = list(run(question, bench.renderer))
    assert [update.share for update in updates] == pytest.approx([n / 12 for n in range(1, 13)])
    assert [len(update.answer.rows) for update in updates] == list(range(1, 13))
    answer = updates[-1].answer
    assert {row.seed for row in answer.rows if row.flag} == set(has)
    assert {row.seed for row in answer.missing} <= set(lacks)
    assert answer.missing
    strengths = [row.strength for row in answer.strongest]
    assert strengths == sorted(strengths, reverse=True)
    assert answer.rows[0].thumbnail.shape == (24, 24, 4)
    assert not updates[6].answer.missing  # 7 seeds are too few to call one an exception


def test_a_track_follows_the_spot(bench):
    first, second = bench.seeds(has=True, count=2)
    question = DropletTrack(bench.request, (first, second), steps=4, way="linear", thumbnail_px=16)
    answer = list(run(question, bench.renderer))[-1].answer
    assert (answer.total, len(answer.points)) == (5, 5)
    assert [point.position for point in answer.points] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    found = np.array([point.spot for point in answer.points])
    ws = torch.cat([bench.w(replace(bench.request, latent=Latent(point.weights))) for point in answer.points])
    true = bench.planted.place(ws).numpy()
    assert np.abs(true[-1] - true[0]).max() > 0.03  # it moves
    assert np.abs(found - true).max() < 0.025
    assert all(point.flag for point in answer.points)


def test_a_loop_has_no_double_end(bench):
    question = DropletTrack(bench.request, (1, 2, 3), steps=2, loop=True, layer="b16.conv0", thumbnail_px=8)
    answer = list(run(question, bench.renderer))[-1].answer
    assert [point.position for point in answer.points] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert answer.layer == "b16.conv0"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (DropletSearch(RenderRequest(), ()), "at least one seed"),
        (DropletTrack(RenderRequest(), (1,)), "at least two seeds, 1 given"),
        (DropletTrack(RenderRequest(), (1, 2), steps=0), "0 steps"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused_in_words(bench, question, words):
    with pytest.raises(InputError, match=words):
        next(run(replace(question, request=bench.request), bench.renderer))


def test_an_unknown_layer_is_named(bench):
    with pytest.raises(InputError, match=r"b7\.conv9: no layer of this model"):
        next(run(DropletTrack(bench.request, (1, 2), layer="b7.conv9"), bench.renderer))


@pytest.mark.parametrize("name", NAMES)
def test_every_family_is_measured_where_its_convolutions_end(name):
    generator = small(name).generator
    points = measured(generator.layers)
    kinds = {info.name: info.kind for info in generator.layers}
    assert {kinds[layer] for layer, _ in points} <= {"conv", "up", "const"}
    assert {layer for layer, _ in points} >= {name for name, kind in kinds.items() if kind in ("conv", "up")}
    assert {stage for _, stage in points} == ({PRE_NORM} if generator.family == "stylegan1" else {"output"})
    taps = Taps(capture=points)
    with torch.inference_mode():
        generator.synthesize(small(name).ws[:1], taps)
    assert set(taps.captured) == set(points)
    for info in generator.layers:
        for stage in info.stages:
            if (info.name, stage) in points:
                row = droplets.layer_droplet(taps.captured[info.name, stage], info, stage, generator.resolution, RULE)
                assert np.isfinite([row.ratio, row.agreement, row.prominence, row.energy, *row.rho]).all()
                assert all(0 <= part <= 1 for part in row.spot)
