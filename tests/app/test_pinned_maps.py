"""Pinned maps, the response to edits and principal axes, as the renderer answers them with each picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from app import request as requests
from app.renderer import PacedTaps, Renderer
from app.request import Latent, View
from app.studies.pinned_maps import Pin, PinnedMaps
from networks.plan import Intervention
from tests.app.conftest import build

PINS = (
    Pin("b8.conv1", "output", 3),
    Pin("b64.conv1", "output", 1),
    Pin("b8.conv1", "output", 99),
    Pin("L5", "output", 0),
)


@pytest.fixture
def renderer():
    return Renderer(threads=1)


def captured(request, point, edits=()):
    """The maps of one layer by a pass of our own, [C, H, W]."""
    g = build()
    z = torch.from_numpy(np.random.RandomState(request.latent.seeds[0][0]).randn(1, g.z_dim)).float()
    taps = PacedTaps(capture=[point], edits=edits)
    taps.begin()
    with torch.inference_mode():
        g.synthesize(g.map(z), taps)
    return taps.captured[point][0].numpy()


def test_pinned_maps_come_with_the_picture_without_those_that_it_lacks(renderer, request_):
    frame = renderer.render(replace(request_, measures=(PinnedMaps(PINS),)))
    answer = frame.answer(PinnedMaps)
    assert [found.pin for found in answer] == list(PINS[:2])
    maps = captured(request_, ("b64.conv1", "output"))
    assert answer[1].statistics.std == pytest.approx(maps[1].std(), rel=1e-4)
    assert answer[1].statistics.maximum == pytest.approx(maps[1].max(), rel=1e-5)
    whole = np.floor(maps[1] / np.abs(maps[1]).max() * 127 + 128.5)  # 64 px: not averaged down
    assert np.abs(answer[1].pixels[..., 0].astype(float) - whole).max() <= 1


def test_an_early_picture_answers_with_the_pins_that_it_reached(renderer, request_):
    early = renderer.render(replace(request_, max_height=8, measures=(PinnedMaps(PINS),)))
    assert [found.pin for found in early.answer(PinnedMaps)] == [PINS[0]]


def test_pins_change_no_bit_of_the_picture(renderer, request_):
    plain = Renderer(threads=1).render(request_).picture
    assert np.array_equal(renderer.render(replace(request_, measures=(PinnedMaps(PINS),))).picture, plain)


def test_the_response_compares_with_the_same_picture_without_edits(renderer, request_):
    edits = (Intervention("b16.conv0", "scale", 0.0, (2,)),)
    edited = replace(request_, edits=edits, view=View("b16.conv1", sort="response"))
    shown = renderer.render(edited).layer_view
    point = ("b16.conv1", "output")
    expected = np.abs(captured(request_, point, edits) - captured(request_, point)).mean((1, 2))
    np.testing.assert_allclose(shown.scores, expected, rtol=1e-3, atol=1e-6)
    assert expected.max() > 1e-3
    assert list(shown.order) == sorted(range(16), key=lambda channel: -shown.scores[channel])


def test_the_untouched_pass_is_drawn_only_for_this_sort_and_kept(renderer, request_, monkeypatch):
    drawn = []
    whole_pass = Renderer._pass
    monkeypatch.setattr(Renderer, "_pass", lambda *a: drawn.append(1) or whole_pass(*a))
    edited = replace(request_, edits=(Intervention("b16.conv0", "scale", 0.0, (2,)),))
    renderer.render(replace(edited, view=View("b16.conv1", sort="variance")))
    assert len(drawn) == 1
    renderer.render(replace(edited, view=View("b16.conv1", sort="response")))
    assert len(drawn) == 2
    renderer.render(replace(edited, view=View("b16.conv1", sort="response", colours="vik")))
    assert len(drawn) == 2
    renderer.render(replace(request_, view=View("b16.conv1", sort="response")))
    assert len(drawn) == 3  # no edits: this picture alone


def test_axes_stay_those_of_the_first_picture_until_they_are_fitted_again(renderer, request_):
    looked = View("b16.conv1", mode="pca")
    first = renderer.render(replace(request_, view=looked)).layer_view
    moved = replace(request_, latent=Latent(((7, 1.0),)))
    second = renderer.render(replace(moved, view=looked)).layer_view
    assert second.explained == first.explained
    fresh = renderer.render(replace(moved, view=replace(looked, fit=1))).layer_view
    assert fresh.explained != first.explained
    alone = Renderer(threads=1).render(replace(moved, view=looked)).layer_view
    np.testing.assert_allclose(fresh.values, alone.values, atol=1e-5)
    assert np.abs(second.values - alone.values).max() > 0.01


def test_overlay_and_crop_draw_nothing_anew(renderer, request_):
    shown = renderer.render(replace(request_, view=View("b16.conv1", channel=3))).layer_view
    over = renderer.render(replace(request_, view=View("b16.conv1", channel=3, overlay=0.5, crop=False))).layer_view
    assert over is shown


def test_requests_of_older_recordings_are_read_and_new_ones_come_back(request_):
    values = requests.to_json(replace(request_, view=View("b8.conv1", held=(2, 1), rgb=(3, 4, 5), mode="rgb")))
    assert requests.from_json(values).view == View("b8.conv1", held=(2, 1), rgb=(3, 4, 5), mode="rgb")
    old = {"layer": "b8.conv1", "stage": "output", "channel": None, "first": 64, "count": 64, "normalize": True,
           "gain_db": 3.0}  # fmt: skip
    assert requests.from_json({"view": old}).view == View("b8.conv1", first=64, gain_db=3.0)
