"""Interventions in a request: its JSON, and the untouched picture beside the changed one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from app.colormaps import table
from app.errors import InputError
from app.renderer import Renderer
from app.request import RenderRequest, from_json, to_json
from app.studies.interventions import Untouched
from networks.plan import PRE_NORM, Disc, Intervention


def test_interventions_survive_the_json():
    edits = (
        Intervention("b64.conv1", "inpaint_same_norm", 0.5, (3, 7), PRE_NORM, Disc(0.25, 0.75, 0.03)),
        Intervention("b8.conv0", "scale", 0.0),
    )
    request = RenderRequest(edits=edits)
    assert from_json(json.loads(json.dumps(to_json(request)))) == request


def test_files_that_name_one_channel_still_load():
    old = [{"layer": "b8.conv1", "op": "scale", "value": 0.0, "channel": 3, "stage": "output"},
           {"layer": "b8.conv1", "op": "shift", "value": 1.5, "channel": None, "stage": "pre_norm"}]  # fmt: skip
    assert from_json({"edits": old}).edits == (
        Intervention("b8.conv1", "scale", 0.0, (3,)),
        Intervention("b8.conv1", "shift", 1.5, None, PRE_NORM),
    )


def test_an_unknown_setting_of_an_edit_is_named():
    with pytest.raises(ValueError, match="edits has no setting colour"):
        from_json({"edits": [{"layer": "b8.conv1", "op": "scale", "colour": 3}]})


# -- beside the untouched picture --------------------------------------------------------------------------------------

HALF = Intervention("b64.torgb", "scale", 0.5)
SPOT = Intervention("b32.conv1", "inpaint", disc=Disc(0.3, 0.6, 0.1))


def count_passes(monkeypatch):
    """The edits of every pass through the synthesis."""
    passes, drawn = [], Renderer._pass

    def counted(self, opened, request, *rest):
        passes.append(request.edits)
        return drawn(self, opened, request, *rest)

    monkeypatch.setattr(Renderer, "_pass", counted)
    return passes


def test_the_numbers_are_those_of_the_two_pictures(request_):
    renderer, edited = Renderer(), replace(request_, edits=(HALF, SPOT), measures=(Untouched(),))
    answer = renderer.render(edited).answer(Untouched)
    fresh = Renderer()
    before, after = (fresh.image(each)[0].clip(-1, 1).astype(float) for each in (request_, edited))
    change = (after - before) / 2 * 100
    assert (answer.untouched == fresh.render(request_).picture).all()
    assert answer.largest == pytest.approx(np.abs(change).max(), rel=1e-4)
    assert answer.mean == pytest.approx(np.abs(change).mean(), rel=1e-4)
    assert answer.changed == pytest.approx(100 * (np.abs(change).max(0) >= 100 / 255).mean(), abs=0.02)
    y, x = np.mgrid[:128, :128]
    disc = np.hypot(x - (0.3 * 128 - 0.5), y - (0.6 * 128 - 0.5)) <= 12.8
    assert answer.inside == pytest.approx(np.abs(change).mean(0)[disc].mean(), rel=1e-4)
    assert answer.outside == pytest.approx(np.abs(change).mean(0)[~disc].mean(), rel=1e-4)
    assert answer.mean > 1


def test_the_pictures_of_the_difference_have_gain_and_sign(request_):
    renderer, edited = Renderer(), replace(request_, edits=(HALF,))
    before, after = (renderer.image(each)[0].clip(-1, 1).astype(float) for each in (request_, edited))
    change = (after - before) / 2
    answer = renderer.render(replace(edited, measures=(Untouched(3.0),))).answer(Untouched)
    assert np.abs(answer.amount[..., :3].transpose(2, 0, 1) - (np.abs(change) * 3).clip(0, 1) * 255).max() <= 0.51
    levels = np.floor((change.mean(0) * 3 + 1) * 128).clip(0, 255).astype(int)
    near = [(answer.signed == table("berlin")[(levels + step).clip(0, 255)]).all(-1) for step in (-1, 0, 1)]
    assert np.any(near, axis=0).all()
    assert near[1].mean() > 0.99


def test_only_what_is_inside_of_the_disc_changes_where_nothing_follows(request_):
    last = Intervention("b128.torgb", "inpaint", disc=Disc(0.3, 0.6, 0.1))
    answer = Renderer().render(replace(request_, edits=(last,), measures=(Untouched(),))).answer(Untouched)
    assert answer.outside == 0.0 < answer.inside
    assert answer.changed < 100 * 3.15 * 0.1**2


def test_while_only_edits_change_the_untouched_picture_is_drawn_once(request_, monkeypatch):
    passes, renderer = count_passes(monkeypatch), Renderer()
    answers = [
        renderer.render(replace(request_, edits=(replace(SPOT, value=share),), measures=(Untouched(),)))
        for share in (0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    assert [edits for edits in passes if not edits] == [()]
    assert len(passes) == 6
    pictures = [frame.answer(Untouched).untouched for frame in answers]
    assert all(picture is pictures[0] for picture in pictures), "so that it goes to the screen once"


def test_an_early_picture_is_compared_with_an_early_one(request_):
    early = replace(request_, edits=(HALF,), measures=(Untouched(),), max_height=64)
    answer = Renderer().render(early).answer(Untouched)
    assert answer.untouched.shape == answer.amount.shape == answer.signed.shape == (64, 64, 4)
    assert not answer.complete
    assert answer.mean > 1


def test_without_edits_there_is_nothing_to_compare(request_, monkeypatch):
    passes = count_passes(monkeypatch)
    assert Renderer().render(replace(request_, measures=(Untouched(),))).answer(Untouched) is None
    assert len(passes) == 1


def test_what_does_not_fit_a_layer_is_said_in_a_sentence(request_):
    with pytest.raises(InputError, match=r"b32.conv1 has maps 0 to 7; there is no map 99"):
        Renderer().render(replace(request_, edits=(Intervention("b32.conv1", "scale", 0.0, (99,)),)))
