"""What can be asked of the diagnostics, and what they answer: frozen plain values (arrays allowed), no torch.

One file per subject. Each names in `answered_by` the module of app/diagnostics/ that computes the answer. Panels and
commands import the questions from here; torch loads with the first answer, in the worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from app.frame import Problem


@dataclass(frozen=True)
class Question:
    """Base of both kinds. `answered_by`: the module that answers."""

    answered_by: ClassVar[str] = ""


@dataclass(frozen=True)
class Measure(Question):
    """Asked of the very picture on the screen: part of a request, answered with each frame (`Frame.answer`).

    The module has `points(question, layers) -> (layer, stage) pairs` to capture in the picture's own pass, and
    `measure(question, seen: app.diagnostics.Seen) -> answer`.
    """


@dataclass(frozen=True)
class Study(Question):
    """Asked of many pictures: runs in the background while nothing else is to be drawn (`Actions.study`).

    The module has `run(question, renderer) -> Iterator[Update]`; each step is short (about one picture), or the
    user who drags waits for it.
    """


@dataclass(frozen=True)
class Update:
    """How far a study is (share 0..1, None: not known), in words, with what is known so far."""

    share: float | None
    text: str
    answer: Any = None


@dataclass(frozen=True)
class StudyState:
    """A study as panels see it. `done`: nothing more will come (finished, cancelled or failed)."""

    update: Update = Update(0.0, "Waiting")
    done: bool = False
    problem: Problem | None = None
