"""Taps: look into a pass, change it, leave it early, call it off. An empty one changes no bit."""

import pytest
import torch

from networks import registry
from networks.plan import OUTPUT, PRE_NORM, Intervention, LayerInfo
from networks.taps import Cancelled, Taps
from tests.networks.small import NAMES, small

INFO = LayerInfo(0, "b4.conv1", "conv", (2, 2), 3)


def every(name: str) -> list[tuple[str, str]]:
    return [(info.name, stage) for info in small(name).generator.layers for stage in info.stages]


def middle(name: str) -> LayerInfo:
    """A styled layer in the middle of the network."""
    layers = [info for info in small(name).generator.layers if info.kind in ("conv", "up", "wavelet")]
    return layers[len(layers) // 2]


def test_every_registered_family_is_tested() -> None:
    assert {small(name).generator.family for name in NAMES} == set(registry.families())


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_one_is_bit_identical_to_none(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    assert torch.equal(generator.synthesize(ws, Taps()), generator.synthesize(ws))


@pytest.mark.parametrize("name", NAMES)
def test_looking_changes_no_bit(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    assert torch.equal(generator.synthesize(ws, Taps(capture=every(name))), generator.synthesize(ws))


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_changes_its_channel_and_what_follows(name: str) -> None:
    generator, ws, layer = small(name).generator, small(name).ws, middle(name)
    before, after = (
        Taps(capture=every(name)),
        Taps(capture=every(name), edits=[Intervention(layer.name, "scale", 0.0, (1,))]),
    )
    img, edited = generator.synthesize(ws, before), generator.synthesize(ws, after)
    assert not torch.equal(img, edited)
    x, y = before.captured[layer.name, OUTPUT], after.captured[layer.name, OUTPUT]
    others = [i for i in range(layer.channels) if i != 1]
    assert torch.equal(x[:, others], y[:, others])
    assert y[:, 1].abs().max() == 0 < x[:, 1].abs().max()
    for info in generator.layers[: layer.index]:
        assert torch.equal(before.captured[info.name, OUTPUT], after.captured[info.name, OUTPUT])


@pytest.mark.parametrize("name", NAMES)
def test_a_neutral_edit_changes_no_bit(name: str) -> None:
    generator, ws, layer = small(name).generator, small(name).ws, middle(name)
    edits = [Intervention(layer.name, "scale", 1.0), Intervention(layer.name, "clamp", 1e9, (0,))]
    assert torch.equal(generator.synthesize(ws, Taps(edits=edits)), generator.synthesize(ws))


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_pass_stops_at_the_next_layer(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    answers = iter([False, False, True])
    taps = Taps(capture=every(name), cancelled=lambda: next(answers))
    with pytest.raises(Cancelled):
        generator.synthesize(ws, taps)
    assert len(taps.captured) == 2, "it was asked at the third stage and ran no further"
    assert torch.equal(generator.synthesize(ws), generator.synthesize(ws)), "nothing of it is left behind"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("stylegan1")])
def test_stylegan1_can_be_edited_before_its_norm(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    before, after = (
        Taps(capture=every(name)),
        Taps(capture=every(name), edits=[Intervention("b8.conv1", "scale", 5.0, stage=PRE_NORM)]),
    )
    generator.synthesize(ws, before)
    generator.synthesize(ws, after)
    ratio = after.captured["b8.conv1", PRE_NORM] / before.captured["b8.conv1", PRE_NORM]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 5.0))
    torch.testing.assert_close(
        after.captured["b8.conv1", OUTPUT], before.captured["b8.conv1", OUTPUT], rtol=1e-4, atol=1e-4
    )  # the norm takes the scale away again


def test_hooks_come_before_edits_and_capture_sees_both() -> None:
    taps = Taps(
        capture=[("b4.conv1", OUTPUT)],
        hooks={("b4.conv1", OUTPUT): lambda x: x + 1},
        edits=[Intervention("b4.conv1", "scale", 10.0), Intervention("b4.conv1", "shift", 0.5)],
    )
    y = taps.on_feature(INFO, torch.zeros(1, 3, 2, 2))
    assert y.unique().tolist() == [10.5]
    assert taps.captured["b4.conv1", OUTPUT] is y


def test_only_what_was_asked_for_is_kept() -> None:
    taps = Taps(capture=[("b4.conv1", PRE_NORM)])
    x = torch.zeros(1, 3, 2, 2)
    assert taps.on_feature(INFO, x) is x
    assert taps.captured == {}
    assert taps.on_feature(INFO, x, PRE_NORM) is x
    assert list(taps.captured) == [("b4.conv1", PRE_NORM)]


def test_wants_names_the_layers_that_somebody_looks_at() -> None:
    taps = Taps(capture=[("a", OUTPUT)], hooks={("b", OUTPUT): lambda x: x}, edits=[Intervention("c", "scale", 2.0)])
    assert [name for name in "abcd" if taps.wants(name)] == ["a", "b", "c"]
