"""The panes' workers: who draws what, who waits for whom (nobody), and that they end. Renderers hold gates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.compare import Pane
from app.compare_run import Comparison, Rate, Shared
from app.engine import Engine, content
from app.frame import Frame
from app.problems import describe
from app.request import Latent, Model, Noise, RenderRequest, Transform
from networks.checkpoint.errors import CheckpointError
from tests.app.test_compare import info
from tests.app.test_engine import WAIT_S, Gated

SHARED = RenderRequest(model=Model("open.pkl"))


class PaneRenderer(Gated):
    """One renderer for each pane, told apart by the path that it is first asked for; frames carry a model."""

    store, threads = "the store", 2
    problem: Exception | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.requests: list[RenderRequest] = []
        self.ended = threading.Event()

    def render(self, request: RenderRequest, **options: Any) -> Frame:
        if self.problem is not None:
            raise self.problem
        frame = super().render(request, **options)
        self.requests.append(request)
        return replace(frame, model=info(path=request.model.path))


class Bench:
    """A comparison whose renderers are at hand; `turn` is a turn of the window's loop."""

    def __init__(self) -> None:
        self.main_renderer = PaneRenderer()
        self.main = Engine(lambda: self.main_renderer)
        self.made: list[PaneRenderer] = []
        self.told: list[tuple[Shared, int]] = []
        self.coming: list[PaneRenderer] = []  # renderers for the next panes
        self.comparison = Comparison(self.main, self.make)
        self.request = SHARED

    def make(self, shared: Shared, threads: int) -> PaneRenderer:
        self.told.append((shared, threads))
        self.made.append(self.coming.pop(0))
        return self.made[-1]

    def show(self, *panes: Pane, paired: bool = False) -> None:
        """Declare panes and turn until each has its worker."""
        self.comparison.declare(panes, paired)
        self.turn()
        if self.comparison._shared is not None:
            self.comparison._shared.result(WAIT_S)
        self.turn()

    def turn(self) -> None:
        self.comparison.update(self.request, self.main.latest())

    def seed(self, seed: int) -> None:
        self.request = replace(self.request, latent=Latent(((seed, 1.0),)))
        self.turn()

    def idle(self, number: int) -> None:
        """Wait until a pane's worker has nothing left to draw."""
        assert self.comparison._workers[number].engine.wait_idle(WAIT_S)
        self.turn()

    def seeds(self, renderer: PaneRenderer) -> list[int]:
        return [seed for seed, _ in renderer.drawn]

    def shown(self, number: int) -> int | None:
        frame = self.comparison.frames[number].frame
        return None if frame is None or frame.picture is None else frame.request.latent.seeds[0][0]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    for renderer in (bench.main_renderer, *bench.made):
        renderer.tickets.release(10_000)
    assert bench.comparison.close()
    assert bench.main.close(WAIT_S)


def free(**options: Any) -> PaneRenderer:
    """A renderer that never waits."""
    renderer = PaneRenderer(**options)
    renderer.tickets.release(10_000)
    return renderer


def test_a_slow_pane_does_not_hold_a_fast_one(bench: Bench) -> None:
    """The slow pane stands in the middle of its first picture; the fast one answers every request meanwhile."""
    slow, fast = PaneRenderer(expected=0.1, early=False), free()
    bench.coming = [slow]
    bench.show(Pane("slow.pkl"))
    slow.arrive()
    bench.coming = [fast]
    bench.show(Pane("slow.pkl"), Pane("fast.pkl"))
    for seed in range(6):
        bench.seed(seed)
        bench.idle(1)
        assert bench.shown(1) == seed
    assert bench.shown(0) is None
    assert bench.seeds(fast) == [0, 1, 2, 3, 4, 5]
    slow.let(1000)
    bench.idle(0)
    assert bench.shown(0) == 5  # and it goes on with the newest, not with those between
    assert set(bench.seeds(slow)) <= {0, 5}


def test_the_same_latent_goes_to_every_pane_and_own_values_stay(bench: Bench) -> None:
    bench.coming = [free(), free()]
    bench.show(Pane("a.pkl", noise="none"), Pane("b.pkl", latent=Latent(((77, 1.0),))))
    bench.seed(3)
    for number in (0, 1):
        bench.idle(number)
    first, second = (state.frame for state in bench.comparison.frames)
    assert first is not None
    assert second is not None
    assert (first.request.model.path, second.request.model.path) == ("a.pkl", "b.pkl")
    assert (first.request.latent.seeds, second.request.latent.seeds) == (((3, 1.0),), ((77, 1.0),))
    assert (first.request.noise.mode, second.request.noise.mode) == ("none", "const")


def test_a_pane_that_follows_shows_the_frames_of_the_main_view(bench: Bench) -> None:
    bench.main_renderer.tickets.release(1000)
    bench.main.submit(bench.request)
    assert bench.main.wait_idle(WAIT_S)
    bench.show(Pane(), Pane(""))
    assert bench.made == []  # nothing is drawn twice, and nobody works for an empty pane
    state, empty = bench.comparison.frames
    assert state.frame is bench.main.latest()
    assert (empty.frame, empty.status.busy) == (None, False)


def test_pictures_that_lie_over_each_other_move_on_together(bench: Bench) -> None:
    """Paired, the fast pane waits: a difference of two moments of a walk would say nothing."""
    slow, fast = PaneRenderer(), free()
    bench.coming = [slow]
    bench.show(Pane("slow.pkl"), paired=True)
    bench.coming = [fast]
    bench.show(Pane("slow.pkl"), Pane("fast.pkl"), paired=True)
    bench.idle(1)
    for seed in (1, 2, 3):
        bench.seed(seed)
    assert bench.seeds(fast) == [0]
    slow.let(3)
    bench.idle(0)
    bench.idle(1)  # both answered 0: now both are asked for 3
    assert bench.seeds(fast) == [0, 3]
    slow.let(3)
    bench.idle(0)
    assert (bench.shown(0), bench.shown(1)) == (3, 3)


def test_paired_another_model_does_not_wait(bench: Bench) -> None:
    slow, fast = PaneRenderer(), free()
    bench.coming = [slow]
    bench.show(Pane("slow.pkl"), paired=True)
    bench.coming = [fast]
    bench.show(Pane("slow.pkl"), Pane("fast.pkl"), paired=True)
    bench.idle(1)
    bench.show(Pane("slow.pkl"), Pane("other.pkl"), paired=True)
    bench.idle(1)
    assert [request.model.path for request in fast.requests] == ["fast.pkl", "other.pkl"]


def test_a_model_that_does_not_load_has_its_sentence_in_its_pane_and_the_others_go_on(bench: Bench) -> None:
    broken, whole = free(), free()
    broken.problem = CheckpointError("b.pkl: half a file")
    bench.coming = [broken]
    bench.show(Pane("b.pkl"))
    bench.coming = [whole]
    bench.show(Pane("b.pkl"), Pane("a.pkl"))
    for number in (0, 1):
        bench.idle(number)
    first, second = (state.frame for state in bench.comparison.frames)
    assert first is not None
    assert second is not None
    assert first.problem == describe(CheckpointError("b.pkl: half a file"))
    assert (second.problem, second.picture is not None) == (None, True)
    broken.problem = None  # the file was repaired
    bench.show(Pane("b.pkl", attempt=1), Pane("a.pkl"))
    bench.idle(0)
    assert bench.comparison.frames[0].frame.problem is None  # type: ignore[union-attr]


def test_what_a_model_cannot_take_is_left_out_once_it_is_known(bench: Bench) -> None:
    bench.request = replace(SHARED, transform=Transform(0.2), noise=Noise("const"))
    bench.coming = [free()]
    bench.show(Pane("a.pkl", noise_strength=2.0))
    bench.idle(0)  # the first frame brings the model's layers
    bench.idle(0)
    state = bench.comparison.frames[0]
    assert state.left_out == ("shift and turn: its input takes none",)
    assert state.frame is not None
    assert state.frame.request.transform == Transform()
    assert [(layer.name, layer.strength) for layer in state.frame.request.noise.layers] == [
        ("b4.conv1", 2.0),
        ("b8.conv0", 2.0),
    ]


def test_workers_get_the_store_and_their_part_of_the_threads(bench: Bench) -> None:
    bench.main_renderer.threads = 15
    bench.coming = [free()]
    bench.show(Pane("a.pkl"))
    bench.idle(0)
    assert bench.told == [(Shared("the store", 15), 7)]
    bench.coming = [free()]
    bench.show(Pane("a.pkl"), Pane(), Pane("c.pkl"))
    bench.idle(2)
    assert bench.told[1:] == [(Shared("the store", 15), 5)]


def test_the_main_view_gives_threads_and_has_them_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import devices

    used: list[tuple[str, int]] = []
    monkeypatch.setattr(
        devices, "prepare_thread", lambda count: used.append((threading.current_thread().name, count)) or count
    )
    bench.coming = [free(), free()]
    bench.show(Pane("a.pkl"))
    bench.show(Pane("a.pkl"), Pane("b.pkl"))
    bench.show()
    bench.main.ask(lambda renderer: None).result(WAIT_S)
    assert used == [("render", 1), ("render", 2)]  # two threads, three workers: one each; then two again


def test_workers_end_with_their_panes(bench: Bench) -> None:
    held = PaneRenderer()
    bench.coming = [held]
    bench.show(Pane("a.pkl"))
    held.arrive()
    bench.coming = [free()]
    bench.show(Pane("a.pkl"), Pane("b.pkl"))
    engines = [worker.engine for worker in bench.comparison._workers.values()]
    bench.show()  # nobody waits here, although one worker stands in a layer
    assert (bench.comparison.in_use, bench.comparison.busy, bench.comparison.frames) == (False, False, ())
    held.tickets.release(1000)
    assert bench.comparison.close()
    assert [engine._thread.is_alive() for engine in engines] == [False, False]
    assert held.called_off == [0]


def test_a_pane_that_comes_to_follow_needs_no_worker_any_more(bench: Bench) -> None:
    bench.coming = [free()]
    bench.show(Pane(noise="none"))
    bench.idle(0)
    bench.show(Pane())
    assert bench.comparison._workers == {}


def test_pictures_per_second_are_counted_over_two_seconds() -> None:
    rate = Rate()
    assert [rate.note(at, serial) for at, serial in ((0.0, 5), (0.5, 10), (1.0, 15), (4.0, 15))] == [0, 10, 10, 0]


def test_panes_that_follow_have_a_rate_as_well(bench: Bench) -> None:
    now = iter(range(100))
    bench.comparison._clock = lambda: next(now) / 4
    bench.main_renderer.tickets.release(1000)
    for seed in (1, 2, 3):
        bench.request = replace(bench.request, latent=Latent(((seed, 1.0),)))
        bench.main.submit(bench.request)
        assert bench.main.wait_idle(WAIT_S)
        bench.show(Pane())
    assert bench.comparison.frames[0].per_second > 0


def test_early_pictures_are_shared_as_well(bench: Bench) -> None:
    bench.request = replace(SHARED, max_height=0)
    bench.coming = [free()]
    bench.show(Pane("a.pkl"))
    bench.idle(0)
    assert [height for _, height in bench.made[0].drawn] == [0, None]
    assert content(bench.made[0].requests[0]) == content(bench.made[0].requests[1])
    assert np.shape(bench.comparison.frames[0].frame.picture) == (4, 4, 4)  # type: ignore[union-attr]
