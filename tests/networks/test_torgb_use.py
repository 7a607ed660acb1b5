"""What a family says of its to-RGBs is how its picture is made, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from networks.taps import Taps
from tests.networks.small import NAMES, small

USES = {
    "stylegan1": "apart", "stylegan1-tall-grey": "apart", "stylegan2-progressive": "apart", "stylegan2-skip": "summed",
    "stylegan2-resnet": "single", "stylegan2-orig": "single", "lucidrains": "summed", "mobile_stylegan": "single",
    "stylegan3-t": "single", "stylegan-xl-stem": "single",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_what_the_use_of_the_to_rgbs_says(name):
    generator, ws = small(name).generator, small(name).ws
    assert generator.torgb_use == USES.get(name, generator.torgb_use)
    layers = [info for info in generator.layers if info.kind == "torgb"]
    if generator.torgb_use == "single":
        assert len(layers) == 1
        return
    taps = Taps(capture=[(info.name, "output") for info in layers])
    picture = generator.synthesize(ws, taps)
    outputs = [taps.captured[info.name, "output"].float() for info in layers]
    made = outputs[0]
    for output in outputs[1:]:
        while made.shape[2] < output.shape[2]:
            made = generator.double_picture(made)
        made = made + output if generator.torgb_use == "summed" else output
    assert made.shape == picture.shape
    assert torch.equal(made, picture)


def test_doubling_repeats_pixels_where_the_to_rgbs_stand_apart():
    picture = torch.arange(4.0).reshape(1, 1, 2, 2)
    want = torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]])
    assert_close(small("stylegan1").generator.double_picture(picture)[0, 0], want)
