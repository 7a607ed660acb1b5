"""Undo and redo of everything: what counts as one step."""

from dataclasses import replace

from app.request import Latent, Model, RenderRequest, Truncation, plane
from app.window.history import REST_S, History

START = RenderRequest(model=Model("a.pkl"))


def at(x: float) -> RenderRequest:
    return replace(START, latent=plane(x, 0.0))


def rest(history: History, request: RenderRequest, seconds: float) -> float:
    """Look at a request twice, a rest apart; returns when."""
    history.observe(request, seconds, held=False)
    history.observe(request, seconds + REST_S, held=False)
    return seconds + REST_S + 0.01


def test_what_a_drag_passes_through_is_one_step():
    history = History()
    now = rest(history, at(0), 0.0)
    for step in range(20):
        history.observe(at(step / 10), now, held=True)
        now += 0.1
    history.observe(at(1.9), now + 5, held=True)  # held still for long: the hand is still on it
    rest(history, at(1.9), now + 6)
    assert history.undo() == at(0)
    assert history.undo() is None
    assert history.redo() == at(1.9)
    assert history.redo() is None


def test_a_change_that_has_not_come_to_rest_is_a_step_when_it_is_undone():
    history = History()
    now = rest(history, at(0), 0.0)
    history.observe(at(3), now, held=False)
    assert history.can_undo
    assert history.undo() == at(0)
    assert history.redo() == at(3)


def test_a_new_step_forgets_what_was_undone():
    history = History()
    now = rest(history, at(0), 0.0)
    now = rest(history, at(1), now)
    history.undo()
    history.arrive(at(0))
    rest(history, at(2), now)
    assert history.redo() is None
    assert history.undo() == at(0)


def test_what_the_panels_make_of_a_restored_request_is_no_step():
    history = History()
    now = rest(history, at(0), 0.0)
    now = rest(history, at(1), now)
    history.undo()
    rounded = replace(at(0), truncation=Truncation(0.99))
    history.arrive(rounded)
    rest(history, rounded, now)
    assert history.redo() == at(1)
    assert history.undo() == rounded


def test_restoring_is_a_step_of_its_own():
    history = History()
    rest(history, at(0), 0.0)
    history.leave()
    history.arrive(replace(START, latent=Latent(((9, 1.0),))))
    assert history.undo() == at(0)


def test_retries_and_early_pictures_are_no_steps():
    history = History()
    now = rest(history, at(0), 0.0)
    rest(history, replace(at(0), max_height=0, model=Model("a.pkl", attempt=3)), now)
    assert not history.can_undo
