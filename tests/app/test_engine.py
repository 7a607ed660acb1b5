"""The worker thread: newest wins, nothing starves, failures are frames. Threads hold gates; nobody sleeps."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.engine import Engine
from app.frame import Frame
from app.pace import Patience
from app.request import Latent, Model, RenderRequest
from networks.taps import Cancelled

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 60


def seeds(*values):
    return [RenderRequest(model=Model("net.pkl"), latent=Latent(((value, 1.0),))) for value in values]


def seed_of(request):
    return request.latent.seeds[0][0]


class Gated:
    """A renderer whose layers each wait for a ticket.

    expected: the seconds that a pass is said to take. early: whether it has early pictures (StyleGAN3 has none).
    """

    LAYERS = 3

    def __init__(self, expected=0.1, fail=None, early=True):
        self.expected, self.fail, self.early = expected, fail or {}, early
        self.at_layer = threading.Semaphore(0)
        self.tickets = threading.Semaphore(0)
        self.drawn, self.called_off, self.forgotten, self.ready = [], [], 0, set()

    def open(self, request, progress=None, cancelled=None):
        return None

    def expected_s(self, request):
        return self.expected

    def is_ready(self, request):
        return seed_of(request) in self.ready

    def forget(self):
        self.forgotten += 1

    def render(self, request, *, cancelled=None, progress=None):
        if (error := self.fail.get(seed_of(request))) is not None:
            raise error
        for _ in range(self.LAYERS):
            self.at_layer.release()
            assert self.tickets.acquire(timeout=WAIT_S)
            if cancelled():
                self.called_off.append(seed_of(request))
                raise Cancelled("layer")
        height = request.max_height if self.early else None
        self.drawn.append((seed_of(request), height))
        return Frame(0, request, np.zeros((4, 4, 4), np.uint8), complete=height is None)

    def arrive(self):
        """Wait until the worker stands at a layer."""
        assert self.at_layer.acquire(timeout=WAIT_S)

    def let(self, layers):
        """Let the worker, which stands at a layer, pass so many layers; it stands at the next one then, or is done."""
        self.tickets.release(layers)


class Quiet(Patience):
    """Patience by the rule, without a clock: every pass has lasted `elapsed`."""

    def __init__(self, elapsed):
        super().__init__()
        self.elapsed = elapsed

    def allows(self, elapsed_s, expected_s):
        return super().allows(self.elapsed, expected_s)

    def called_off(self, seconds):
        super().called_off(self.elapsed)


@pytest.fixture
def engines():
    made = []

    def make(renderer, **options):
        made.append((Engine(lambda: renderer, **options), renderer))
        return made[-1][0]

    yield make
    for engine, renderer in made:
        renderer.tickets.release(1000)
        assert engine.close(WAIT_S)


def test_importing_the_engine_loads_neither_torch_nor_a_gui():
    code = "import sys, app.engine; print(sorted({'torch', 'dearpygui', 'glfw'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_newest_request_wins_and_those_between_are_never_drawn(engines):
    gated = Gated(expected=0.1)
    engine = engines(gated)
    first, *_, last = requests = seeds(1, 2, 3, 4)
    engine.submit(first)
    gated.arrive()
    for request in requests[1:]:
        engine.submit(request)
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert [seed for seed, _ in gated.drawn] == [1, 4]
    assert engine.latest().request == last


def test_a_quick_pass_finishes_while_the_hand_moves_so_the_picture_follows(engines):
    """A network slower than the drag events: each event comes in the middle of a pass, and every pass delivers."""
    gated = Gated(expected=0.3)
    engine = engines(gated)
    serials = []
    for request in seeds(*range(5)):
        engine.submit(request)
        gated.arrive()  # the pass of this request, or the one before, has begun
        gated.let(1)
        gated.arrive()
        engine.submit(replace(request, latent=Latent(((100 + seed_of(request), 1.0),))))
        gated.let(2)  # the pass may go to its end
        gated.arrive()
        gated.let(3)
        assert engine.wait_idle(WAIT_S)
        serials.append(engine.latest().serial)
        while gated.at_layer.acquire(blocking=False):
            pass
    assert gated.called_off == []
    assert [seed for seed, _ in gated.drawn] == [0, 100, 1, 101, 2, 102, 3, 103, 4, 104]
    assert serials == [2, 4, 6, 8, 10]


def test_a_slow_pass_is_called_off_at_the_next_layer(engines):
    gated = Gated(expected=10.0, early=False)
    engine = engines(gated, patience=Quiet(1.0))
    first, second = seeds(1, 2)
    engine.submit(first)
    gated.arrive()
    engine.submit(second)
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == [1]
    assert [seed for seed, _ in gated.drawn] == [2]


def test_slow_passes_that_are_always_out_of_date_still_deliver(engines):
    """10 s a pass, 1 s thrown away each time: five are called off, the sixth finishes although it is out of date."""
    gated = Gated(expected=10.0, early=False)
    engine = engines(gated, patience=Quiet(1.0))
    requests = seeds(*range(8))
    engine.submit(requests[0])
    gated.arrive()
    for request in requests[1:6]:
        engine.submit(request)
        gated.let(1)
        gated.arrive()
    assert gated.called_off == [0, 1, 2, 3, 4]
    engine.submit(requests[6])  # the pass of 5 is out of date as well, but the patience is used up
    gated.let(3)
    gated.arrive()
    gated.arrive()
    gated.arrive()
    assert gated.drawn == [(5, None)]
    engine.submit(requests[7])  # a frame was delivered: patience is there again
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == [0, 1, 2, 3, 4, 6]
    assert gated.drawn == [(5, None), (7, None)]


def test_after_an_early_picture_the_engine_refines_by_itself(engines):
    gated = Gated()
    engine = engines(gated)
    [request] = seeds(1)
    engine.submit(replace(request, max_height=0))
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.drawn == [(1, 0), (1, None)]
    assert engine.latest().complete
    engine.submit(request)  # the hand lets go: the same picture is there already
    assert engine.wait_idle(WAIT_S)
    assert len(gated.drawn) == 2


def test_while_the_hand_moves_nothing_is_refined(engines, monkeypatch):
    monkeypatch.setattr("app.engine.DRAG_REST_S", 1000.0)
    gated = Gated()
    engine = engines(gated)
    [request] = seeds(1)
    engine.submit(replace(request, max_height=0))
    gated.arrive()
    gated.let(100)
    for _ in range(2):  # a task is done when what was begun before it is, and before what waits
        engine.ask(lambda renderer: None).result(WAIT_S)
        assert gated.drawn == [(1, 0)]
    engine.submit(request)  # the hand lets go
    assert engine.wait_idle(WAIT_S)
    assert gated.drawn == [(1, 0), (1, None)]


def test_refining_goes_by_the_steps_that_the_frames_name(engines):
    class Stepped(Gated):
        def render(self, request, **asked):
            frame = super().render(request, **asked)
            return replace(frame, next_height={0: 128, 128: 256}.get(request.max_height))

    gated = Stepped()
    engine = engines(gated)
    first, second = seeds(1, 2)
    engine.submit(replace(first, max_height=0))
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.drawn == [(1, 0), (1, 128), (1, 256), (1, None)]
    assert engine.latest().request == first
    gated.tickets = threading.Semaphore(0)
    gated.at_layer = threading.Semaphore(0)
    engine.submit(replace(second, max_height=0))
    gated.arrive()
    gated.let(2 + 1 + 1)  # the early picture, and one layer of the step after it
    for _ in range(4):
        gated.arrive()
    engine.submit(first)  # at the step's second layer the hand moves on: the next step is not begun
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == [2]
    assert gated.drawn[4:] == [(2, 0), (1, None)]


def test_a_slow_picture_is_preceded_by_an_early_one(engines):
    gated = Gated(expected=3.0)
    engine = engines(gated)
    first, second = seeds(1, 2)
    gated.ready.add(2)  # drawn a moment ago: shown at once
    for request in (first, second):
        engine.submit(request)
        gated.let(100)
        assert engine.wait_idle(WAIT_S)
        assert engine.latest().request == request
    assert gated.drawn == [(1, 0), (1, None), (2, None)]


def test_refining_gives_way_at_once(engines):
    gated = Gated(expected=0.1)
    engine = engines(gated)
    first, second = (replace(request, max_height=0) for request in seeds(1, 2))
    engine.submit(first)
    gated.let(3)
    for _ in range(4):
        gated.arrive()  # the fourth is the first layer of the refining pass
    engine.submit(second)
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == [1]
    assert gated.drawn == [(1, 0), (2, 0), (2, None)]


def test_letting_go_does_not_call_off_the_refining_pass(engines):
    gated = Gated()
    engine = engines(gated)
    [request] = seeds(1)
    engine.submit(replace(request, max_height=0))
    gated.let(3)
    for _ in range(4):
        gated.arrive()
    engine.submit(request)
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == []
    assert gated.drawn == [(1, 0), (1, None)]


def test_another_model_calls_off_anything(engines):
    gated = Gated(expected=0.1)
    engine = engines(gated)
    first, second = seeds(1, 2)
    engine.submit(first)
    gated.arrive()
    engine.submit(replace(second, model=Model("other.pkl")))
    gated.let(100)
    assert engine.wait_idle(WAIT_S)
    assert gated.called_off == [1]


def test_a_failure_is_a_frame_and_the_engine_goes_on(engines, caplog):
    gated = Gated(fail={1: FileNotFoundError(2, "No such file", "/gone.pkl"), 2: MemoryError(), 3: KeyError("a bug")})
    engine = engines(gated)
    titles = []
    for request in seeds(1, 2, 3, 4):
        engine.submit(request)
        gated.let(3)
        assert engine.wait_idle(WAIT_S)
        problem = engine.latest().problem
        titles.append(problem and problem.title)
    assert titles == ["The file is not there", "Out of memory", "Drawing failed", None]
    assert engine.latest().picture is not None
    assert gated.forgotten == 1  # memory ran out: everything is let go
    said = [record.message for record in caplog.records]
    assert said[0] == "The file is not there: /gone.pkl: no such file"
    assert ["Traceback" in text for text in said] == [False, False, True]


def test_the_same_failure_twice_is_folded(engines, caplog):
    gated = Gated(fail={seed: KeyError("a bug") for seed in range(5)})
    engine = engines(gated)
    for request in seeds(*range(5)):
        engine.submit(request)
        assert engine.wait_idle(WAIT_S)
    assert [record.message.splitlines()[0][-30:] for record in caplog.records] == [
        "Drawing failed: KeyError: 'a bug'"[-30:],
        "Drawing failed: KeyError: 'a bug' (2 times)"[-30:],
        "Drawing failed: KeyError: 'a bug' (4 times)"[-30:],
    ]


def test_tasks_run_in_the_worker_before_the_next_picture(engines):
    gated = Gated()
    engine = engines(gated)
    assert engine.ask(lambda renderer: (renderer, threading.current_thread().name)).result(WAIT_S) == (gated, "render")
    failed = engine.ask(lambda renderer: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(WAIT_S)


def test_without_a_model_nothing_is_drawn(engines):
    engine = engines(Gated())
    engine.submit(RenderRequest())
    assert engine.wait_idle(WAIT_S)
    assert (engine.latest().picture, engine.latest().problem) == (None, None)


def test_closing_calls_off_the_running_pass(engines):
    gated = Gated(expected=0.1)
    engine = engines(gated)
    engine.submit(seeds(1)[0])
    gated.arrive()
    closer = threading.Thread(target=engine.close)
    closer.start()
    assert engine.wait_idle(WAIT_S)  # closed is seen before the pass goes on
    gated.let(1)
    closer.join(WAIT_S)
    assert gated.called_off == [1]


def test_the_real_renderer_announces_the_model_then_draws(request_):
    engine = Engine()
    try:
        engine.submit(request_)
        assert engine.wait_idle(WAIT_S)
        frame = engine.latest()
        assert frame.serial == 3  # the model without a picture, an early picture, the full one
        assert frame.model.name == "small.pkl"
        assert frame.picture.shape == (128, 128, 4)
        assert not engine.status().busy
    finally:
        assert engine.close(WAIT_S)
