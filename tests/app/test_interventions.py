"""Interventions in a request: its JSON, and the untouched picture beside the changed one."""

from __future__ import annotations

import json

import pytest

from app.request import RenderRequest, from_json, to_json
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
    with pytest.raises(ValueError, match="an edit has no setting colour"):
        from_json({"edits": [{"layer": "b8.conv1", "op": "scale", "colour": 3}]})
