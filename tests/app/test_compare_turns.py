"""Turns on a GPU, with threads that stand still until they are told, and a clock that is set by hand."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from app import devices
from app.compare_turns import Turns
from app.models import Opened
from app.renderer import Renderer
from app.request import RenderRequest

WAIT_S = 60


class Drawer:
    """Draws pictures of `layers` layers of so many seconds each, one step for each ticket."""

    def __init__(self, stand: Stand, name: str, layer_s: float, layers: int, pictures: int) -> None:
        self.stand, self.name, self.layer_s, self.layers, self.pictures = stand, name, layer_s, layers, pictures
        self.turn = stand.turns.turn()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for _ in range(self.pictures):
            with self.turn:
                for _ in range(self.layers):
                    self.stand.compute(self.name, self.layer_s)
                    self.turn.hand_over(lambda: self.stand.settled.append(self.name))
            self.stand.done.append((self.name, self.stand.now))


class Stand:
    """A device and a clock: time passes only while somebody computes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = Turns(lambda: self.now)
        self.log: list[str] = []
        self.done: list[tuple[str, float]] = []
        self.settled: list[str] = []
        self.first = threading.Event()
        self.go = threading.Event()
        self.busy = threading.Lock()

    def compute(self, name: str, seconds: float) -> None:
        assert self.busy.acquire(blocking=False), "two computed at once"
        self.first.set()
        assert self.go.wait(WAIT_S)
        self.log.append(name)
        self.now += seconds
        self.busy.release()

    def run(self, *drawers: Drawer) -> None:
        """Start the first, let the others queue up while it stands in its first layer, then let all go on."""
        first, *others = drawers
        first.thread.start()
        assert self.first.wait(WAIT_S)
        for drawer in others:
            drawer.thread.start()
        while len(self.turns._waiting) < len(others):
            pass
        self.go.set()
        for drawer in drawers:
            drawer.thread.join(WAIT_S)
            assert not drawer.thread.is_alive()


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.go.set()


def test_a_quick_picture_takes_its_own_time_and_as_much_again(stand: Stand) -> None:
    """Layers of 5 s in pictures of 100 s beside pictures of 20 layers of 0.25 s: no picture waits for a slow one."""
    slow, quick = Drawer(stand, "slow", 5.0, 20, 1), Drawer(stand, "quick", 0.25, 20, 8)
    stand.run(slow, quick)
    ends = [at for name, at in stand.done if name == "quick"]
    apart = [after - before for before, after in itertools.pairwise(ends)]
    assert ends[0] == 5.0 + 5.0  # one slow layer, then itself
    assert max(apart) <= 2 * 5.0  # its own 5 s and one slow layer
    assert [at for name, at in stand.done if name == "slow"] == [100 + 8 * 5.0]
    assert stand.log.count("slow") == 20


def test_equal_ones_take_turns_layer_by_layer(stand: Stand) -> None:
    stand.run(Drawer(stand, "a", 1.0, 3, 1), Drawer(stand, "b", 1.0, 3, 1))
    assert stand.log == ["a", "b", "b", "a", "a", "b"]


def test_who_is_alone_never_waits_for_its_layers(stand: Stand) -> None:
    stand.run(Drawer(stand, "alone", 1.0, 5, 2))
    assert stand.log == ["alone"] * 10
    assert stand.settled == []


def test_who_rested_is_owed_nothing(stand: Stand) -> None:
    """After 1000 s of somebody else's work a newcomer gets half of the device, not 1000 s of it."""
    before = Drawer(stand, "old", 10.0, 100, 1)
    stand.go.set()
    before.thread.start()
    before.thread.join(WAIT_S)
    stand.go.clear()
    stand.first.clear()
    old = Drawer(stand, "old", 10.0, 10, 1)
    old.turn = before.turn
    stand.log.clear()
    stand.run(old, Drawer(stand, "new", 10.0, 10, 1))
    assert abs(stand.log[:10].count("new") - 5) <= 1


def test_a_pass_that_fails_leaves_the_device_to_the_others(stand: Stand) -> None:
    turn = stand.turns.turn()
    with pytest.raises(ValueError, match="called off"), turn:
        raise ValueError("called off")
    stand.run(Drawer(stand, "next", 1.0, 1, 1))
    assert stand.log == ["next"]


def test_a_renderer_takes_its_turn_for_each_pass_and_hands_over_at_each_layer(
    request_: RenderRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the CPU, which is said to be a GPU: the picture stays as it is."""
    plain = Renderer()
    expected = plain.render(request_).picture
    monkeypatch.setattr(Opened, "device", property(lambda opened: torch.device("cuda")))
    monkeypatch.setattr(devices, "wait_for", lambda device: None)
    renderer, calls = Renderer(plain.store), []

    class Noted:
        def __enter__(self) -> None:
            calls.append("take")

        def __exit__(self, *_: object) -> None:
            calls.append("give")

        def hand_over(self, settle: object) -> None:
            calls.append("layer")

    renderer.turn = Noted()  # type: ignore[assignment]
    picture = renderer.render(request_).picture
    assert np.array_equal(picture, expected)
    assert (calls[0], calls[-1]) == ("take", "give")
    assert set(calls[1:-1]) == {"layer"}
    assert len(calls) - 2 >= len([layer for layer in plain.open(request_).generator.layers if layer.kind != "const"])
    renderer.render(request_)
    assert calls.count("take") == 1  # what is there already needs no turn
