"""Going on from the last pass: every bit is that of a whole pass, and what did not change is not computed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from networks import ops
from networks.ops import compiled
from networks.plan import OUTPUT, Intervention, LayerNoise, Noise
from networks.taps import Cancelled, Taps
from networks.trail import Trail
from tests.networks.small import NAMES, small

ROOM = 1 << 30
TURNED = ((0.8, 0.6, 0.1), (-0.6, 0.8, 0.0), (0.0, 0.0, 1.0))


class Counting(Taps):
    """Notes the layers that run."""

    def __init__(self, **asked: Any) -> None:
        super().__init__(**asked)
        self.ran: list[str] = []

    def on_feature(self, info, x, stage=OUTPUT):
        if stage == OUTPUT:
            self.ran.append(info.name)
        return super().on_feature(info, x, stage)


@dataclass(frozen=True)
class Wish:
    """One pass: ws and what is asked for beside it."""

    ws: torch.Tensor
    noise: Noise = field(default_factory=Noise)
    edits: tuple[Intervention, ...] = ()
    stop: int | None = None
    capture: tuple[tuple[str, str], ...] = ()
    transform: Any = None


def draw(generator: Any, wish: Wish, trail: Trail | None = None) -> tuple[torch.Tensor, Counting]:
    taps = Counting(capture=wish.capture, edits=wish.edits, stop_at=wish.stop)
    return generator.synthesize(wish.ws, taps, wish.noise, wish.transform, trail=trail), taps


def holds(generator: Any, wish: Wish, trail: Trail) -> int:
    """Compare with a whole pass, bit by bit; returns how many layers the trail saved."""
    whole, all_seen = draw(generator, wish)
    found, seen = draw(generator, wish, trail)
    assert found.dtype == whole.dtype
    assert torch.equal(found.view(torch.int32), whole.view(torch.int32)), wish
    assert seen.captured.keys() == all_seen.captured.keys(), wish
    assert all(torch.equal(x, all_seen.captured[point]) for point, x in seen.captured.items()), wish
    assert seen.styles.keys() == all_seen.styles.keys()
    assert seen.ran == all_seen.ran[len(all_seen.ran) - len(seen.ran) :]
    return len(all_seen.ran) - len(seen.ran)


def changed(wish: Wish, generator: Any, dice: random.Random) -> Wish:
    """One of the things that a user changes: rows of ws, noise of a layer, an edit, the size, the maps looked at."""
    layer = dice.choice(generator.layers)
    kind = dice.choice(("rows", "rows", "noise", "noise", "mode", "edit", "undo", "stop", "look", "transform"))
    if kind == "rows":
        ws = wish.ws.clone()
        ws[:, dice.randrange(generator.num_ws) :: dice.choice((1, 2, 100))] += dice.choice((-0.5, 0.25))
        return replace(wish, ws=ws)
    if kind == "noise":
        others = tuple(part for part in wish.noise.layers if part.name != layer.name)
        part = LayerNoise(layer.name, dice.random() < 0.5, dice.choice((0.0, 1.0, 2.0)))
        return replace(wish, noise=replace(wish.noise, layers=(*others, part)))
    if kind == "mode":
        return replace(wish, noise=replace(wish.noise, mode=dice.choice(("const", "none", "random")), phase=0.3))
    if kind == "edit":
        onward = layer.kind != "torgb" and dice.random() < 0.3
        stage = dice.choice(layer.stages)
        edit = Intervention(layer.name, dice.choice(("scale", "shift", "mean")), 0.7, (0,), stage, onward=onward)
        return replace(wish, edits=(*wish.edits, edit))
    if kind == "undo":
        return replace(wish, edits=wish.edits[:-1])
    if kind == "stop":
        return replace(wish, stop=dice.choice((None, *generator.preview_sizes)))
    if kind == "look":
        return replace(wish, capture=((layer.name, dice.choice(layer.stages)),) if dice.random() < 0.6 else ())
    return replace(wish, transform=dice.choice((None, TURNED)) if generator.has_transform else None)


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_any_sequence_of_wishes_gives_the_bits_of_whole_passes(name: str) -> None:
    generator, wish = small(name).generator, Wish(small(name).ws)
    dice, trail, saved = random.Random(name), Trail(ROOM), 0
    for _ in range(40):
        wish = changed(wish, generator, dice)
        if wish.stop is not None:  # a map that this pass does not reach is not asked for
            reached = {info.name for info in generator.layers if generator.reaches(info, wish.stop)}
            wish = replace(wish, capture=tuple(point for point in wish.capture if point[0] in reached))
        saved += holds(generator, wish, trail)
    assert saved > 10


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_after_a_change_only_the_layers_behind_it_run(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    trail = Trail(ROOM)
    draw(generator, Wish(ws), trail)
    last = max(info.w_index for info in generator.layers if info.w_index is not None)
    other = ws.clone()
    other[:, last] += 1.0
    first = min(info.index for info in generator.layers if info.w_index == last)
    _, seen = draw(generator, Wish(other), trail)
    rows = {info.name: info.index for info in generator.layers}
    per_block = generator.family in ("lucidrains", "stylegan_t")  # these two begin at blocks, not at layers
    assert min(rows[ran] for ran in seen.ran) in range(first - (2 if per_block else 0), first + 1)


@torch.inference_mode()
def test_refining_an_early_picture_repeats_nothing() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail = Trail(ROOM)
    _, early = draw(generator, Wish(ws, stop=8), trail)
    assert holds(generator, Wish(ws), trail) == len(early.ran)
    assert early.ran[-1] == "b8.torgb"


@torch.inference_mode()
def test_a_map_seen_before_is_handed_out_again_and_one_not_seen_is_computed() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail, seen = Trail(ROOM), (("b4.conv1", OUTPUT),)
    draw(generator, Wish(ws, capture=seen), trail)
    other = ws.clone()
    other[:, -1] += 1.0
    assert holds(generator, Wish(other, capture=seen), trail) > 5
    assert holds(generator, Wish(other, capture=(("b8.conv0", OUTPUT),)), trail) == 3  # const, conv1, torgb of 4x4


@torch.inference_mode()
def test_a_pass_called_off_leaves_what_it_had_done() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail, asked = Trail(ROOM), iter([False] * 5 + [True])
    with pytest.raises(Cancelled):
        generator.synthesize(ws, Taps(cancelled=lambda: next(asked)), trail=trail)
    assert holds(generator, Wish(ws), trail) == 5


@torch.inference_mode()
def test_zero_and_minus_zero_are_told_apart() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail = Trail(ROOM)
    for value in (0.0, -0.0):
        layer = generator.layers[-1].name
        holds(generator, Wish(ws, edits=(Intervention(layer, "scale", value),)), trail)


@torch.inference_mode()
def test_another_way_to_compute_shares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail = Trail(ROOM)
    draw(generator, Wish(ws), trail)
    with ops.using("reference"):
        assert holds(generator, Wish(ws), trail) == 0
        assert holds(generator, Wish(ws), trail) > 0
    monkeypatch.setattr(compiled, "_kernels", None if compiled.kernels() else compiled)
    with ops.using("plain"):
        draw(generator, Wish(ws), trail)
    monkeypatch.undo()
    with ops.using("plain"):
        assert holds(generator, Wish(ws), trail) == 0


@torch.inference_mode()
def test_kernels_that_come_in_the_middle_end_the_trail_there(monkeypatch: pytest.MonkeyPatch) -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail, before = Trail(ROOM), compiled.kernels()

    class Arriving(Taps):
        def on_feature(self, info, x, stage=OUTPUT):
            if info.name == "b8.conv0":
                monkeypatch.setattr(compiled, "_kernels", None if before else compiled)
            return super().on_feature(info, x, stage)

    with ops.using("plain"):
        generator.synthesize(ws, Arriving(), trail=trail)
        monkeypatch.setattr(compiled, "_kernels", before)
        assert holds(generator, Wish(ws), trail) == 3  # the 4x4 block


@torch.inference_mode()
def test_hooks_and_given_noise_are_computed_whole() -> None:
    generator, ws = small("stylegan2-skip").generator, small("stylegan2-skip").ws
    trail = Trail(ROOM)
    draw(generator, Wish(ws), trail)
    hooked = Taps(hooks={("b4.conv1", OUTPUT): lambda x: x * 2})
    given = Taps()
    given.added_noise = {"b4.conv1": torch.ones(1, 1, 4, 4)}
    plain = generator.synthesize(ws)
    for taps in (hooked, given):
        assert not torch.equal(generator.synthesize(ws, taps, trail=trail), plain)
    assert holds(generator, Wish(ws), trail) > 0


@pytest.mark.parametrize("name", ["stylegan2-skip", "stylegan1", "mobile_stylegan"])
@torch.inference_mode()
def test_what_is_held_stays_within_its_room(name: str) -> None:
    generator, ws = small(name).generator, small(name).ws
    trail = Trail(ROOM)
    draw(generator, Wish(ws), trail)
    everything = trail.bytes
    room = everything // 2
    small_trail = Trail(room)
    for row in range(generator.num_ws):
        other = ws.clone()
        other[:, row:] += 1.0
        holds(generator, Wish(other), small_trail)
        assert 0 < small_trail.bytes <= room
    trail.limit(room)
    assert 0 < trail.bytes <= room
    holds(generator, Wish(ws), trail)
    trail.clear()
    assert trail.bytes == 0
    assert holds(generator, Wish(ws), trail) == 0
    trail.limit(0)
    assert trail.bytes == 0
    assert holds(generator, Wish(ws), trail) == 0
    assert trail.bytes == 0


def test_what_saves_the_least_time_for_its_bytes_goes_first() -> None:
    trail, taps = Trail(ROOM), Taps()
    trail.begin((None,) * 9, 0, taps)
    for done, floats in ((1, 10), (2, 1000), (3, 100)):
        trail.keep(taps, done, (torch.zeros(floats),))
    for place, ms in ((1, 5.0), (2, 10.0), (3, 15.0)):
        trail._places[place] = replace(trail._places[place], ms=ms)
    trail.limit(4 * 500)
    assert sorted(trail._places) == [1, 3]
    trail.limit(4 * 50)
    assert sorted(trail._places) == [1]


def test_a_tensor_in_two_places_is_counted_once() -> None:
    trail, taps, x = Trail(ROOM), Taps(), torch.zeros(100)
    trail.begin((None,) * 9, 0, taps)
    trail.keep(taps, 1, (x,))
    trail.keep(taps, 2, (x, torch.zeros(10)))
    assert trail.bytes == 440
    trail.begin((None, None, 1, None), 0, taps)  # parts behind the first row
    assert trail.bytes == 400
