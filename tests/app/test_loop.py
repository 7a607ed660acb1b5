"""The loop folds, submits once per change, and shows each frame once."""

from __future__ import annotations

from dataclasses import replace

from app.frame import Frame, LoopState, RecordingState, Status
from app.loop import CHOOSE_HEIGHT, Loop
from app.request import Model, RenderRequest, Truncation


class FakeEngine:
    def __init__(self) -> None:
        self.submitted: list[RenderRequest] = []
        self.frame: Frame | None = None

    def submit(self, request: RenderRequest) -> None:
        self.submitted.append(request)

    def latest(self) -> Frame | None:
        return self.frame

    def status(self) -> Status:
        return Status()


class PsiPanel:
    def __init__(self) -> None:
        self.psi, self.moving, self.seconds, self.shown = 1.0, False, 0.0, []

    def contribute(self, request: RenderRequest) -> RenderRequest:
        return replace(request, truncation=Truncation(psi=self.psi))

    def show(self, frame: Frame | None, state: LoopState) -> None:
        self.shown.append(frame)

    def tick(self, seconds: float) -> None:
        self.seconds += seconds

    def dragging(self) -> bool:
        return self.moving


def make(path: str = "model.pkl") -> tuple[Loop, FakeEngine, PsiPanel, list[Frame], list[float]]:
    engine, panel, frames, times = FakeEngine(), PsiPanel(), [], [0.0]
    loop = Loop(
        engine,
        [panel],
        lambda: RenderRequest(model=Model(path=path)),
        lambda status, frame: LoopState(1.0, 60.0, 1.0, "gl", status, RecordingState()),
        frames.append,
        clock=lambda: times[0],
    )
    return loop, engine, panel, frames, times


def test_a_request_is_submitted_once_per_change() -> None:
    loop, engine, panel, _, _ = make()
    for _ in range(3):
        loop.step()
    panel.psi = 0.5
    for _ in range(3):
        loop.step()
    assert [request.truncation.psi for request in engine.submitted] == [1.0, 0.5]


def test_nothing_is_submitted_without_a_model() -> None:
    loop, engine, _, _, _ = make(path="")
    loop.step()
    assert engine.submitted == []


def test_dragging_asks_for_an_early_picture_and_resting_for_the_full_one() -> None:
    loop, engine, panel, _, _ = make()
    panel.moving = True
    loop.step()
    panel.moving = False
    loop.step()
    assert [request.max_height for request in engine.submitted] == [CHOOSE_HEIGHT, None]


def test_each_frame_reaches_the_listener_once_and_the_panels_every_turn() -> None:
    loop, engine, panel, frames, _ = make()
    engine.frame = Frame(serial=1, request=RenderRequest())
    loop.step()
    loop.step()
    assert len(frames) == 1
    assert panel.shown == [engine.frame, engine.frame]


def test_animations_run_on_wall_clock_time() -> None:
    loop, _, panel, _, times = make()
    for now in (0.5, 0.6, 2.0):
        times[0] = now
        loop.step()
    assert abs(panel.seconds - 2.0) < 1e-9
