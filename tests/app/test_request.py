"""Requests from files: what is not what its type says is refused with a sentence."""

import json
import math
import re
from typing import Any

import pytest

from app.request import IDENTITY, Latent, Mix, Push, RenderRequest, Transform, Truncation, View, from_json, to_json
from networks.plan import Disc, Intervention, LayerNoise, Noise

FULL = RenderRequest(
    latent=Latent(((5, 0.5),), (("w.npy", 0.5),), "w"),
    truncation=Truncation(0.7, 3),
    mix=Mix(2, (0, 4)),
    pushes=(Push("pca", 3, 1.5, (0, 4)), Push("style:b4.conv1", 7, -2.0)),
    noise=Noise("random", 3, (LayerNoise("b4.conv1", False, 2.0),), 0.25),
    edits=(Intervention("b8.conv1", "inpaint", 1.0, (1, 2), disc=Disc(0.2, 0.3, 0.1)),),
    transform=Transform(matrix=IDENTITY),
    view=View("b8.conv1", held=(2, 1)),
)


def test_a_request_survives_json():
    assert from_json(json.loads(json.dumps(to_json(FULL)))) == FULL


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"truncation": {"psi": "1"}}, "truncation: Expected `float`, got `str`"),
        ({"truncation": {"psi": math.nan}}, "truncation.psi is nan"),
        ({"truncation": {"psi": 0.5, "hidden": 1}}, "truncation has no setting hidden"),
        ({"latent": {"seeds": [[1, 2, 3]]}}, "latent: Expected `array` of length 2"),
        ({"latent": {"seeds": [[10**30, 1.0]]}}, "not a finite number of use"),
        ({"latent": {"seeds": [[1, 1.0]] * 100_001}}, "100001 entries"),
        ({"noise": {"mode": "loud"}}, "noise: Invalid enum value 'loud'"),
        ({"noise": {"layers": [{"name": "a", "evil": 1}]}}, "noise.layers has no setting evil"),
        ({"edits": [{"layer": "a", "op": "exec"}]}, "edits: Invalid enum value 'exec'"),
        ({"bgr": 1}, "bgr: Expected `bool`, got `int`"),
        ({"measures": []}, "a request has no part 'measures'"),
        ([], "a request is an object with parts, not list"),
    ],
)
def test_what_is_not_what_its_type_says_is_refused(values: Any, words: str):
    with pytest.raises(ValueError, match=re.escape(words)):
        from_json(values)
