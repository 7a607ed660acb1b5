"""A renderer that goes on from its last pass: the bits of one that never drew, and larger early pictures."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from app import memory
from app.models import ModelStore
from app.paced import RESERVE, ROOM, SHARE, PacedTaps, Trails
from app.renderer import Renderer
from app.request import Diagnostic, Latent, Mix, RenderRequest, Truncation, View
from networks.plan import Intervention, LayerNoise, Noise

LAYERS = ("b4.conv1", "b16.conv0", "b32.conv1", "b64.conv1", "b128.conv0", "b128.conv1")


@pytest.fixture
def renderer():
    return Renderer()


@pytest.fixture
def ran(monkeypatch):
    """Names of the layers that ran."""
    names = []
    original = PacedTaps.on_feature
    monkeypatch.setattr(
        PacedTaps, "on_feature", lambda self, info, *rest: names.append(info.name) or original(self, info, *rest)
    )
    return names


def begun() -> PacedTaps:
    taps = PacedTaps()
    taps.begin()
    return taps


def another(request: RenderRequest, dice: random.Random) -> RenderRequest:
    """The request after one thing that a user does."""
    layer = dice.choice(LAYERS)
    rows = tuple(sorted(dice.sample(range(12), 3)))
    return dice.choice([
        replace(request, latent=Latent(((dice.randrange(3), 1.0),))),
        replace(request, mix=Mix(dice.randrange(3), (11,))),
        replace(request, mix=Mix(dice.randrange(3), rows)),
        replace(request, truncation=Truncation(dice.choice((0.5, 0.7, 1.0)), dice.choice((None, 4)))),
        replace(request, noise=Noise(dice.choice(("const", "random")), 0, (LayerNoise(layer, dice.random() < 0.5),))),
        replace(request, noise=Noise("const", 0, (LayerNoise(layer, strength=dice.choice((0.5, 2.0))),))),
        replace(request, edits=(Intervention(layer, "scale", dice.choice((0.0, 0.5)), (1, 2)),)),
        replace(request, edits=()),
        replace(request, view=View(dice.choice(("", layer)), count=4)),
        replace(request, max_height=dice.choice((None, None, 32, 64))),
        replace(request, diagnostic=Diagnostic(dice.choice(("none", "noise_difference")))),
    ])  # fmt: skip


def test_whatever_was_drawn_before_the_picture_is_that_of_a_fresh_renderer(renderer, request_):
    dice, store = random.Random(5), ModelStore()
    for _ in range(60):
        request_ = another(request_, dice)
        frame = renderer.render(request_)
        fresh = Renderer(store).render(request_)
        assert np.array_equal(renderer.image(request_), Renderer(store).image(request_))
        assert np.array_equal(frame.picture, fresh.picture)
        assert (frame.layer_view is None) is (fresh.layer_view is None)
        assert frame.layer_view is None or np.array_equal(frame.layer_view.pixels, fresh.layer_view.pixels)
        assert (frame.difference is None) is (fresh.difference is None)
        assert frame.difference is None or np.array_equal(frame.difference, fresh.difference)


def test_noise_of_the_last_layer_runs_that_layer_alone(renderer, request_, ran):
    renderer.render(request_)
    ran.clear()
    renderer.render(replace(request_, noise=Noise(layers=(LayerNoise("b128.conv1", on=False),))))
    assert ran == ["b128.conv1", "b128.torgb"]


def test_the_noise_difference_leaves_the_trail_to_the_picture(renderer, request_, ran):
    renderer.render(replace(request_, diagnostic=Diagnostic("noise_difference")))
    ran.clear()
    renderer.render(replace(request_, noise=Noise(layers=(LayerNoise("b128.conv1", on=False),))))
    assert ran == ["b128.conv1", "b128.torgb"]


def test_refining_repeats_no_layer(renderer, request_, ran):
    renderer.render(replace(request_, max_height=32))
    renderer.render(replace(request_, max_height=64))
    renderer.render(request_)
    assert len(ran) == len(set(ran)) == len(renderer.open(request_).generator.layers)


def test_a_pass_that_goes_on_counts_the_time_it_saved(renderer, request_, monkeypatch):
    clock = iter(range(10_000))
    for module in ("app.paced", "networks.trail"):
        monkeypatch.setattr(f"{module}.time.perf_counter", lambda: next(clock) / 1000)
    renderer.render(request_)
    key = renderer.open(request_).key
    whole = dict(renderer.pace._ms)
    renderer.pace._ms.clear()
    renderer.render(replace(request_, noise=Noise(layers=(LayerNoise("b128.conv1", on=False),))))
    assert list(renderer.pace._ms) == [(key, 128)]
    assert renderer.pace._ms[key, 128] == pytest.approx(whole[key, 128], rel=0.1)


def test_what_need_not_be_repeated_makes_early_pictures_larger(renderer, request_):
    opened = renderer.open(request_)
    renderer.render(request_)
    for place in renderer._trails._trail._places.values():
        object.__setattr__(place, "ms", 50.0 * place.done)  # as if each layer took 50 ms
    renderer.pace._ms.clear()
    for height, ms in ((32, 600.0), (64, 750.0), (128, 900.0)):
        renderer.pace.note(opened.key, height, ms)
    changed = replace(request_, max_height=0, noise=Noise(layers=(LayerNoise("b64.conv1", on=False),)))
    with torch.inference_mode():
        saved = renderer._saved(opened, changed, renderer._ws(opened, changed))
    assert opened.generator.layers[13].name == "b64.conv1"
    assert [saved(height) for height in (16, 32, 64, 128)] == [400.0, 550.0, 650.0, 650.0]
    assert renderer.render(changed).picture.shape[0] == 32  # 100 ms are left to 64, more than the budget
    renderer.pace._ms[opened.key, 64] = 680.0
    assert renderer.render(changed).picture.shape[0] == 64
    assert renderer.render(replace(changed, latent=Latent(((7, 1.0),)))).picture.shape[0] == 32


def test_a_frame_says_how_it_is_refined(renderer, request_):
    key = renderer.open(request_).key
    for height, ms in ((32, 40.0), (64, 150.0), (128, 900.0)):
        renderer.pace.note(key, height, ms)
    assert renderer.render(replace(request_, max_height=32)).next_height == 64
    renderer.pace._ms[key, 128] = 160.0
    assert renderer.render(replace(request_, max_height=32)).next_height is None  # all at once
    assert renderer.render(request_).next_height is None


def test_memory_that_runs_short_gives_up_what_was_kept(request_, monkeypatch):
    given_back = []
    monkeypatch.setattr(memory, "give_back", lambda: given_back.append(1))
    free, opened = [RESERVE + SHARE * ROOM], Renderer().open(request_)
    trails = Trails(lambda: free[0])
    with torch.inference_mode():
        ws = opened.generator.map(torch.randn(1, 16))
        opened.generator.synthesize(ws, begun(), trail=trails.of(opened))
        everything = trails.of(opened).bytes
        assert everything > 0
        free[0] = RESERVE + SHARE * everything // 2 - everything
        assert 0 < trails.of(opened).bytes <= everything // 2
        assert not given_back
        free[0] = RESERVE // 2
        assert trails.of(opened).bytes == 0
        assert given_back
        opened.generator.synthesize(ws, begun(), trail=trails.of(opened))
        assert trails.of(opened).bytes == 0


def test_one_model_is_kept_at_a_time(renderer, files):
    first, second = files.add("one.pkl"), files.add("two.pkl")
    renderer.render(first)
    held = renderer._trails._trail.bytes
    renderer.render(second)
    assert renderer._trails._trail.bytes == held
    renderer.forget()
    assert renderer._trails._trail.bytes == 0


def test_free_memory_is_that_of_the_container_where_there_is_one(tmp_path, monkeypatch):
    assert memory.available() > 0
    assert memory._left_in_container(tmp_path) == []
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 150\n")
    assert memory._left_in_container(tmp_path) == [450]
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._left_in_container(tmp_path) == []
