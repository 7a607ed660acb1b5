"""Pushes: the picture is the one of ws, or of the styles, moved by hand; what a model lacks is said in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from app import latents
from app.diagnostics import drawing
from app.diagnostics.droplets import look
from app.diagnostics.variations import Variations
from app.directions import push
from app.directions.library import Library
from app.directions.sefa import affines
from app.errors import InputError
from app.renderer import Renderer
from app.request import Mix, Model, Push, RenderRequest, Transform, Truncation, from_json, to_json
from app.studies.droplets import DropletRule
from networks.plan import OUTPUT, PRE_NORM, Intervention, Noise
from networks.taps import Cancelled, Taps
from tests.app.conftest import build as build_app
from tests.networks.small import NAMES, build, small

LAYER = "b32.conv1"


def by_hand(renderer, request, pushes=()):
    """ws of the request without pushes, plus strength * sigma * direction."""
    opened = renderer.open(request)
    ws = latents.make_ws(opened.generator, replace(request, pushes=()), opened.workspace)
    for one in pushes:
        found = opened.library.find(one.source)
        first, last = one.rows or (0, ws.shape[1])
        step = found.directions[one.index].astype(np.float64) * found.sigma[one.index]
        ws = ws.clone()
        ws[:, first:last] = ws[:, first:last] + one.strength * torch.from_numpy(step.astype(np.float32))
    return ws


@pytest.mark.parametrize("rows", [None, (0, 3), (4, 6)])
def test_a_pushed_picture_is_the_one_of_ws_moved_by_hand(files, rows):
    pushes = (Push("pca", 0, 2.5, rows), Push("sefa", 1, -1.5, rows))
    request = files.add("a.pkl")
    renderer = Renderer()
    ws = by_hand(renderer, request, pushes)
    expected = renderer.open(request).generator.synthesize(ws)
    found = renderer.image(replace(request, pushes=pushes))
    assert np.array_equal(found, expected.numpy())
    assert np.abs(found - renderer.image(request)).max() > 0.01


def test_rows_outside_of_the_range_do_not_move(files):
    request = files.add("a.pkl")
    renderer = Renderer()
    still, moved = renderer.ws(request), renderer.ws(replace(request, pushes=(Push("pca", 1, 3.0, (2, 5)),)))
    changed = np.abs(moved - still).max(axis=(0, 2)) > 0
    assert changed.tolist() == [row in range(2, 5) for row in range(still.shape[1])]


def test_a_push_comes_after_truncation_and_mixing(files):
    request = replace(files.add("a.pkl"), truncation=Truncation(0.3, 4), mix=Mix(7, (1, 2)))
    pushes = (Push("pca", 0, 1.0),)
    renderer = Renderer()
    step = renderer.open(request).library.step("pca", 0)
    moved = renderer.ws(replace(request, pushes=pushes)) - renderer.ws(request)
    np.testing.assert_allclose(moved, np.broadcast_to(step, moved.shape), atol=1e-6)


def test_a_frozen_input_stays_where_it_is():
    g = small("stylegan3-t").generator
    request = RenderRequest(model=Model("x"), transform=Transform(freeze_input=True), pushes=(Push("pca:100", 0, 3.0),))
    still = latents.make_ws(g, replace(request, pushes=()))
    moved = latents.make_ws(g, request)
    assert torch.equal(moved[:, 0], still[:, 0])
    assert (moved[:, 1:] != still[:, 1:]).any(dim=2).all()


def bias_of(affine):
    """The bias whose last entries are added to the style: of a second-order style those of its third map."""
    return getattr(affine, "proj", affine).bias.data


@pytest.mark.parametrize("name", NAMES)
def test_a_style_push_is_the_same_as_another_bias_in_every_family_also_early(name):
    g, ws = build(name), small(name).ws
    library = Library(g)
    kinds = {info.kind: layer for layer, (info, _) in affines(g).items()}  # the last layer of each kind
    for layer in kinds.values():
        info, affine = affines(g)[layer]
        channel = info.style_dim // 2
        strength = 0.5 / float(library.style(layer)[1][channel])  # weights are random: sigmas may be tiny
        bias = bias_of(affine)
        for stop in (None, *g.preview_sizes[:-1]):
            taps, plain, moved = Taps(stop_at=stop), Taps(stop_at=stop), Taps(stop_at=stop)
            push.shift_styles(taps, (Push(f"style:{layer}", channel, strength),), library)
            found, still = g.synthesize(ws, taps), g.synthesize(ws, plain)
            kept = bias.clone()
            bias[channel - info.style_dim] += 0.5
            expected = g.synthesize(ws, moved)
            bias.copy_(kept)
            size = float(expected.abs().max())
            torch.testing.assert_close(found / size, expected / size, rtol=1e-4, atol=1e-5)
            if stop is None:
                assert (expected - still).abs().max() > 3e-4 * size, f"{layer} changes nothing"
    styled = {info.name for info in g.layers if info.w_index is not None}
    assert set(affines(g)) == styled  # no layer with a style is left out


def test_the_style_that_enters_a_layer_is_seen_moved(files):
    request = files.add("a.pkl")
    opened = Renderer().open(request)
    taps = Taps(capture=[(LAYER, OUTPUT)])
    push.shift_styles(taps, (Push(f"style:{LAYER}", 2, 1.0), Push(f"style:{LAYER}", 2, 0.5)), opened.library)
    plain = Taps(capture=[(LAYER, OUTPUT)])
    ws = by_hand(Renderer(), request)
    opened.generator.synthesize(ws, taps)
    opened.generator.synthesize(ws, plain)
    moved = (taps.styles[LAYER] - plain.styles[LAYER])[0].numpy()
    expected = np.zeros_like(moved)
    expected[2] = 1.5 * opened.library.style(LAYER)[1][2]
    np.testing.assert_allclose(moved, expected, atol=1e-6)


def test_window_studies_and_measurements_draw_the_same_pushed_picture(files):
    request = replace(files.add("a.pkl"), pushes=(Push(f"style:{LAYER}", 1, 30.0), Push("pca", 0, 1.0)))
    renderer = Renderer()
    image = renderer.image(request)
    assert np.abs(image - renderer.image(replace(request, pushes=()))).max() > 0.01
    assert np.array_equal(drawing.draw(renderer, request).numpy(), image)
    assert np.array_equal(look(renderer, request, DropletRule()).image.numpy(), image)
    variations = Variations(renderer, request)
    drawn = variations.draw(variations.ws(), Noise())
    assert np.array_equal(drawn.numpy(), image[0])


def test_a_picture_after_a_style_push_is_not_gone_on_with_from_the_one_before(files):
    """A pass may go on from where the last one was: styles that moved must make it begin anew."""
    request = files.add("a.pkl")
    renderer, fresh = Renderer(), Renderer()
    pushed = replace(request, pushes=(Push(f"style:{LAYER}", 1, 30.0),))
    renderer.image(request)
    assert np.array_equal(renderer.image(pushed), fresh.image(pushed))
    assert np.array_equal(renderer.image(replace(request, bgr=True)), renderer.image(request))


def test_a_strength_of_zero_changes_no_bit_and_computes_nothing(files, monkeypatch):
    request = files.add("a.pkl")
    monkeypatch.setattr(Library, "steps", lambda *_: pytest.fail("computed"))
    pushed = replace(request, pushes=(Push("pca", 0, 0.0), Push("style:nowhere", 0, 0.0)))
    assert np.array_equal(Renderer().image(pushed), Renderer().image(request))


def test_pushes_survive_the_json():
    pushes = (Push("pca:500", 3, -2.25, (4, 8)), Push("style:b64.conv1", 17, 5.0), Push("a/b.npz", 0, 1.0))
    request = RenderRequest(pushes=pushes)
    assert from_json(json.loads(json.dumps(to_json(request)))) == request


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Push("pca", 16, 1.0), "pca: there is no direction 16; they go from 0 to 15"),
        (Push("pca", -1, 1.0), "there is no direction -1"),
        (Push("pca:7", 0, 1.0), "write pca:N with N from 100 to 1,000,000"),
        (Push("pca", 0, 1.0, (8, 14)), "rows 8 to 13 are not all there; this model has 0 to 11"),
        (Push("pca", 0, 1.0, (3, 3)), "rows 3 to 2"),
        (Push("pca", 0, float("nan")), "the strength nan is no number"),
        (Push("sefa:9-40", 0, 1.0), "rows 9 to 40 are not all there"),
        (Push("random", -3, 1.0), "the seed is outside"),
        (Push("style:b7.conv1", 0, 1.0), "no style enters a layer of that name here; there are b4.conv1, "),
        (Push("style:b4.conv1", 999, 1.0), "there is no channel 999; they go from 0 to 15"),
        (Push("style:b4.conv1", 0, 1.0, (0, 2)), "leave the rows of ws out"),
        (Push("gone.npz", 0, 1.0), "gone.npz: no such file of directions"),
        (Push('orthogonal:[["style:b4.conv1",0]]', 0, 1.0), "only directions in W can be made orthogonal"),
        (Push("orthogonal:no", 0, 1.0), r"write orthogonal:\[\[SOURCE, INDEX\], ...\]"),
    ],
)
def test_what_a_model_lacks_is_said_in_one_sentence(files, bad, words):
    with pytest.raises(InputError, match=words):
        Renderer().image(replace(files.add("a.pkl"), pushes=(bad,)))


def test_a_changed_file_of_directions_makes_another_picture(files, tmp_path):
    path = tmp_path / "mine.npy"
    request = replace(files.add("a.pkl"), pushes=(Push(str(path), 0, 3.0),))
    renderer = Renderer()
    np.save(path, np.eye(16)[:1])
    first = renderer.render(request).picture
    np.save(path, np.eye(16, dtype=np.float32)[1:3])
    assert not np.array_equal(renderer.render(request).picture, first)


def test_called_off_components_are_gone_on_with():
    library = Library(build_app())
    pushes, calls = (Push("pca:2000", 0, 1.0),), []

    def second_time():
        calls.append(1)
        return len(calls) == 2

    with pytest.raises(Cancelled):
        push.prepare(pushes, library, second_time)
    told = []
    push.prepare(pushes, library, None, lambda share, words: told.append((share, words)))
    assert told == [
        (0.75, "Principal components of W: 1,500 of 2,000 seeds"),
        (1.0, "Principal components of W: 2,000 of 2,000 seeds"),
    ]
    fresh = Library(build_app())
    assert np.array_equal(library.find("pca:2000").directions, fresh.find("pca:2000").directions)


def test_text_is_never_pushed():
    """w of StyleGAN-T carries the text behind what comes from z."""
    g = build("stylegan-t-conditional")
    library = Library(g)
    for source in ("pca:100", "sefa", "random"):
        steps = library.step(source, 0)
        assert np.abs(steps[: -g.c_dim]).max() > 0
        assert (steps[-g.c_dim :] == 0).all()


def test_statistics_without_edits_are_those_of_the_pushed_picture():
    """'untouched_norm' takes mean and sigma from a pass without edits: pushes are no edits, and belong to it."""
    case = small("stylegan1")
    library = Library(case.generator)
    pushes = (Push("style:b4.conv1", 3, 0.5 / float(library.style("b4.conv1")[1][3])),)
    plain, held = Taps(), Taps(edits=[Intervention("b8.conv1", "untouched_norm", 1.0, stage=PRE_NORM)])
    for taps in (plain, held):
        push.shift_styles(taps, pushes, library)
    expected = case.generator.synthesize(case.ws, plain)
    torch.testing.assert_close(case.generator.synthesize(case.ws, held), expected, rtol=1e-4, atol=1e-4)
    assert (expected - case.generator.synthesize(case.ws)).abs().max() > 0.01
