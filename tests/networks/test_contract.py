"""What the layer table promises is what a pass does, for every registered family."""

import dataclasses
import json
import math

import pytest
import torch

from networks import registry
from networks.layers import StyledLayer
from networks.plan import OUTPUT, LayerNoise, Noise
from networks.taps import Taps
from tests.networks.small import NAMES, build, small

pytestmark = pytest.mark.parametrize("name", NAMES)


def goes_round(layer: StyledLayer) -> None:
    start = layer.on_loop(Noise("random", 3), 64, torch.device("cpu"))
    assert torch.equal(layer.on_loop(Noise("random", 3, phase=1.0), 64, torch.device("cpu")), start)
    spread = start.std().item()
    for phase in (0.125, 0.25, 0.6):
        there = layer.on_loop(Noise("random", 3, phase=phase), 64, torch.device("cpu"))
        assert there.std().item() == pytest.approx(spread, rel=0.1)
        assert there.mean().item() == pytest.approx(start.mean().item(), abs=0.1 * spread)
        likeness = torch.corrcoef(torch.stack([start.flatten(), there.flatten()]))[0, 1].item()
        assert likeness == pytest.approx(math.cos(2 * math.pi * phase), abs=0.12)


def see(name: str, ws: torch.Tensor, noise: Noise | None = None) -> tuple[torch.Tensor, Taps]:
    generator = small(name).generator
    taps = Taps(capture=[(info.name, stage) for info in generator.layers for stage in info.stages])
    return generator.synthesize(ws, taps, noise), taps


def test_the_table_is_what_a_pass_produces(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    img, taps = see(name, ws)
    assert [info.index for info in generator.layers] == list(range(len(generator.layers)))
    promised = {info.name: (len(ws), info.channels, *info.size) for info in generator.layers}
    assert {layer: tuple(x.shape) for (layer, stage), x in taps.captured.items() if stage == OUTPUT} == promised
    assert [layer for layer, stage in taps.captured if stage == OUTPUT] == list(promised), "the order of execution"
    assert set(taps.captured) == {(info.name, stage) for info in generator.layers for stage in info.stages}
    assert img.shape == (len(ws), generator.spec.img_channels, *generator.resolution)
    assert img.dtype == torch.float32
    assert torch.isfinite(img).all()


def test_styles_enter_where_the_table_says(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    _, taps = see(name, ws)
    promised = {info.name: (len(ws), info.style_dim) for info in generator.layers if info.w_index is not None}
    assert {layer: tuple(style.shape) for layer, style in taps.styles.items()} == promised


def test_a_row_of_ws_reaches_its_layers_and_no_layer_before(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    assert {info.w_index for info in generator.layers} - {None} <= set(range(generator.num_ws))
    _, before = see(name, ws)
    for row in range(generator.num_ws):
        changed = ws.clone()
        changed[:, row] += 1.0
        _, after = see(name, changed)
        mine = [info for info in generator.layers if info.w_index == row]
        for layer, style in after.styles.items():
            same = torch.equal(style, before.styles[layer])
            assert same is (layer not in {info.name for info in mine}), f"row {row}, style of {layer}"
        first = min((info.index for info in mine), default=len(generator.layers))
        for info in generator.layers:
            same = torch.equal(after.captured[info.name, OUTPUT], before.captured[info.name, OUTPUT])
            assert same or info.index >= first, f"row {row} changes {info.name}, which comes before"
            assert not same or info not in mine, f"row {row} does not change {info.name}"


def test_every_layer_has_its_tensors_under_its_name(name: str) -> None:
    generator = small(name).generator
    keys = generator.state_dict().keys()
    assert "mapping.w_avg" in keys
    for info in generator.layers:
        prefix = f"synthesis.{info.name}"
        assert any(key == prefix or key.startswith(prefix + ".") for key in keys), prefix
        assert (f"{prefix}.noise_strength" in keys) is info.has_noise, prefix
        if info.has_noise:
            assert tuple(generator.state_dict()[f"{prefix}.noise_const"].shape[-2:]) == info.size


def test_noise_of_one_layer_changes_that_layer_and_none_before(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    _, before = see(name, ws)
    for changed in generator.layers:
        _, after = see(name, ws, Noise(layers=(LayerNoise(changed.name, strength=3.0),)))
        for info in generator.layers[: changed.index]:
            assert torch.equal(after.captured[info.name, OUTPUT], before.captured[info.name, OUTPUT])
        same = torch.equal(after.captured[changed.name, OUTPUT], before.captured[changed.name, OUTPUT])
        assert same is not changed.has_noise, changed.name


def test_noise_off_in_every_layer_is_noise_none(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    off = Noise(layers=tuple(LayerNoise(info.name, on=False) for info in generator.layers))
    assert torch.equal(generator.synthesize(ws, noise=off), generator.synthesize(ws, noise=Noise("none")))


def test_random_noise_follows_its_seed(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    one, again, other = (generator.synthesize(ws, noise=Noise("random", seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert torch.equal(one, other) is not any(info.has_noise for info in generator.layers)


def test_random_noise_goes_round_a_loop_and_keeps_its_spread(name: str) -> None:
    generator = small(name).generator
    layers = [layer for layer in generator.modules() if isinstance(layer, StyledLayer) and layer.info.has_noise]
    assert bool(layers) is any(info.has_noise for info in generator.layers)
    for layer in layers[-1:]:  # the largest: enough values for the bounds
        goes_round(layer)


def test_previews_end_in_the_picture(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    sizes = generator.preview_sizes
    assert list(sizes) == sorted(set(sizes))
    assert sizes[-1] == generator.resolution[0]
    full = generator.synthesize(ws)
    for size in sizes:
        taps = Taps(capture=[(info.name, OUTPUT) for info in generator.layers], stop_at=size)
        img = generator.synthesize(ws, taps)
        assert img.shape[1:3] == (generator.spec.img_channels, size)
        if size < sizes[-1]:
            reached = {info.name for info in generator.layers if generator.reaches(info, size)}
            assert {layer for layer, _ in taps.captured} == reached, "no layer above it runs as for the full picture"
            assert 0 < len(reached) < len(generator.layers)
        else:
            assert torch.equal(img, full)


def test_truncation_pulls_towards_the_centre(name: str) -> None:
    generator, z, c = small(name).generator, small(name).z, small(name).c
    ws = generator.map(z, c)
    assert ws.shape == (2, generator.num_ws, generator.w_dim)
    assert torch.equal(ws, ws[:, :1].expand_as(ws)), "one w for every row"
    one_class = None if c is None else c[:1].expand_as(c)
    torch.testing.assert_close(*generator.map(z, one_class, psi=0.0).unbind(), msg="psi 0 is one w for every z")
    cut = generator.map(z, c, psi=0.5, cutoff=2)
    assert torch.equal(cut[:, 2:], ws[:, 2:])
    assert torch.equal(cut[:, :2], generator.map(z, c, psi=0.5)[:, :2])
    assert not torch.equal(cut[:, :2], ws[:, :2])


def test_samples_of_a_batch_do_not_meet(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    together = generator.synthesize(ws)
    alone = torch.cat([generator.synthesize(ws[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4 * float(together.abs().max()))


def test_a_specification_survives_json(name: str) -> None:
    generator = small(name).generator
    family = registry.get(generator.family)
    spec = family.spec(json.loads(json.dumps(dataclasses.asdict(generator.spec))))
    assert spec == generator.spec
    assert family.build(spec).layers == generator.layers


def test_fresh_weights_follow_their_seed(name: str) -> None:
    one, again, other = (build(name) for _ in range(3))
    for generator, seed in ((one, 1), (again, 1), (other, 2)):
        generator.init_weights(seed)
    ws = small(name).ws
    assert torch.equal(one.synthesize(ws), again.synthesize(ws))
    assert not torch.equal(one.synthesize(ws), other.synthesize(ws))
    assert 0.01 < float(one.synthesize(ws).std()) < 100.0
