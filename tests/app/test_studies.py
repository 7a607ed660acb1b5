"""Measures answer with the frame, studies in the background: pictures go first, failures end the study alone."""

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from app import engine as engine_module
from app.diagnostics import Seen
from app.engine import Engine
from app.renderer import Renderer
from app.request import View, from_json, to_json
from app.studies import Measure, Study, Update
from tests.app.test_engine import WAIT_S, Gated, seeds

LAYER = ("b32.conv1", "output")


@dataclass(frozen=True)
class Peak(Measure):
    """The largest value of one layer's maps."""

    answered_by: ClassVar[str] = __name__
    layer: str = LAYER[0]


@dataclass(frozen=True)
class Count(Study):
    """Counts up to `end`; `fail_at` raises there."""

    answered_by: ClassVar[str] = __name__
    end: int = 3
    fail_at: int | None = None


calls: list[Seen] = []
gate = threading.Semaphore(0)
closed: list[int] = []


def points(question: Peak, layers: object) -> tuple[tuple[str, str], ...]:
    return ((question.layer, "output"),)


def measure(question: Peak, seen: Seen) -> float | None:
    calls.append(seen)
    found = seen.maps.get((question.layer, "output"))
    return None if found is None else found.max().item()


def run(question: Count, renderer: object) -> Iterator[Update]:
    try:
        for number in range(question.end):
            gate.acquire()
            if number == question.fail_at:
                raise ValueError("the fourth wall")
            yield Update((number + 1) / question.end, f"{number + 1} of {question.end}", number)
    finally:
        closed.append(question.end)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(engine_module, "STUDY_REST_S", 0.0)
    monkeypatch.setattr(sys.modules[__name__], "gate", threading.Semaphore(0))
    calls.clear()
    closed.clear()


@pytest.fixture
def engine():
    renderer = Gated()
    engine = Engine(lambda: renderer)
    engine.gated = renderer
    yield engine
    for _ in range(100):
        gate.release()
        renderer.tickets.release()
    assert engine.close(WAIT_S)


def until(engine, condition):
    """Wait, without a clock of our own, until the worker has brought a condition about."""
    while not condition():
        engine.ask(lambda _: None).result(WAIT_S)


def test_a_measure_is_answered_with_the_frame_and_once_for_one_picture(files):
    request = replace(files.add("a.pkl"), measures=(Peak(),))
    renderer = Renderer()
    frame = renderer.render(request)
    seen = calls[0]
    assert frame.answer(Peak) == seen.maps[LAYER].max().item() > 0
    assert seen.image.shape == (1, 3, 128, 128)
    renderer.render(request)
    assert len(calls) == 1
    renderer.render(replace(request, measures=(Peak("b16.conv1"),)))
    assert len(calls) == 2
    assert renderer.render(replace(request, measures=())).answer(Peak) is None


def test_an_early_picture_answers_with_what_it_reached(files):
    request = replace(files.add("a.pkl"), measures=(Peak(), Peak("b128.conv1")), max_height=64)
    answers = [answer for _, answer in Renderer().render(request).answers]
    assert answers[0] > 0
    assert answers[1] is None
    assert not calls[0].complete


def test_a_measure_and_a_view_share_one_pass_and_change_no_pixel(files):
    request = files.add("a.pkl")
    viewed = replace(request, measures=(Peak(),), view=View(layer="b64.conv0"))
    frame = Renderer().render(viewed)
    assert frame.layer_view.layer == "b64.conv0"
    assert frame.answer(Peak) > 0
    assert (frame.picture == Renderer().render(request).picture).all()


def test_a_measure_that_has_its_answer_costs_no_further_pass(files, monkeypatch):
    """All maps of a large model do not fit into the cache: asked for again, they would be drawn with each change."""
    request = replace(files.add("a.pkl"), measures=(Peak(),))
    renderer = Renderer()
    first = renderer.render(request)
    renderer._maps.clear()
    monkeypatch.setattr(renderer, "_pass", lambda *_: pytest.fail("drawn again"))
    assert renderer.render(replace(request, bgr=True)).answer(Peak) == first.answer(Peak)


def test_measures_are_not_part_of_the_json():
    request = replace(seeds(1)[0], measures=(Peak(),))
    assert from_json(to_json(request)) == seeds(1)[0]


def test_a_study_goes_step_by_step_and_ends(engine):
    study = engine.study(Count(2))
    assert not study.done
    gate.release()
    until(engine, lambda: study.state.update.share == 0.5)
    assert (study.state.update.text, study.done) == ("1 of 2", False)
    gate.release()
    until(engine, lambda: study.done)
    assert study.state.update.answer == 1
    assert study.state.problem is None
    assert closed == [2]


def test_a_study_wakes_an_engine_that_sleeps(engine):
    assert engine.wait_idle(WAIT_S)
    engine.study(Count(1))
    gate.release()
    with engine._news:  # nothing but the study itself may wake the worker
        assert engine._news.wait_for(lambda: closed == [1], WAIT_S)


def test_pictures_go_before_steps_and_idle_does_not_wait_for_studies(engine):
    study = engine.study(Count(100))
    gate.release()
    until(engine, lambda: study.state.update.answer == 0)  # the worker now waits inside of the next step
    (request,) = seeds(1)
    engine.submit(request)
    gate.release()
    for _ in range(Gated.LAYERS):
        engine.gated.tickets.release()
    assert engine.wait_idle(WAIT_S)
    assert engine.latest().request == request
    assert study.state.update.answer == 1
    study.cancel()
    assert study.done


def test_a_cancelled_study_lets_go_and_two_take_turns(engine):
    first, second = engine.study(Count(50)), engine.study(Count(60))
    for _ in range(4):
        gate.release()
    until(engine, lambda: first.state.update.answer == second.state.update.answer == 1)
    first.cancel()
    gate.release()
    until(engine, lambda: closed == [50] or not gate.release())
    second.cancel()


def test_what_a_step_raises_ends_the_study_alone(engine):
    study = engine.study(Count(5, fail_at=1))
    gate.release()
    gate.release()
    until(engine, lambda: study.done)
    assert "the fourth wall" in study.state.problem.detail
    other = engine.study(Count(1))
    gate.release()
    until(engine, lambda: other.done)
    assert other.state.problem is None


def begin_paused(engine, question):
    """A study that is paused before its first step: both happen in the worker's own thread."""

    def begin(_):
        run = engine.study(question)
        run.pause()
        return run

    return engine.ask(begin).result(WAIT_S)


def test_a_paused_study_takes_no_step_while_others_go_on_and_then_continues(engine):
    run = begin_paused(engine, Count(end=3))
    other = engine.study(Count(end=2))
    for _ in range(2):
        gate.release()
    until(engine, lambda: other.done)
    assert run.state.update.answer is None
    assert run.paused
    assert not run.done
    until(engine, lambda: not engine.status().busy)
    run.pause(False)
    for _ in range(3):
        gate.release()
    until(engine, lambda: run.done)
    assert run.state.update.answer == 2


def test_a_paused_study_can_be_cancelled(engine):
    run = begin_paused(engine, Count(end=3))
    run.cancel()
    until(engine, lambda: run.state.done)
    assert not run.paused
    assert run.state.update.answer is None
