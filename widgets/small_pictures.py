"""Small pictures of requests, asked for in the background and kept: what grids and strips show. No GUI in here."""

from __future__ import annotations

from collections.abc import Sequence

from app.request import RenderRequest
from app.studies.picture_list import NOT_YET, PictureList, Small
from widgets.panel import Actions, StudyHandle

REST_S = 0.25  # what is wanted must stay the same so long: nothing is asked for while a slider moves
KEPT = 1000  # pictures
SIDES = (48, 64, 96, 128, 192, 256, 384)  # px, so that a panel that is resized finds its pictures again

Key = tuple[RenderRequest, int, bool]


class SmallPictures:
    """`want` what is visible, the most important first; `tick` and `update` once per loop; `of` gives a picture.

    What is asked for is cancelled as soon as something else is wanted or the panel is out of sight.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.side, self.exact = SIDES[0], False
        self.wanted: tuple[RenderRequest, ...] = ()
        self._known: dict[Key, Small] = {}
        self._handle: StudyHandle | None = None
        self._question = PictureList(())
        self._seen: object = None
        self._rested = 0.0

    def want(self, requests: Sequence[RenderRequest], pixels: float, exact: bool = False) -> None:
        """These are on the screen now, `pixels` screen pixels on their longer side."""
        wanted, side = tuple(requests), side_for(pixels)
        if (wanted, side, exact) != (self.wanted, self.side, self.exact):
            self.wanted, self.side, self.exact = wanted, side, exact
            self._rested = 0.0

    def of(self, request: RenderRequest) -> Small:
        """What is known of a picture now; a larger one does as well."""
        sides = [side for side in SIDES if side >= self.side]
        found = (self._known.get((request, side, self.exact)) for side in sides)
        return next((small for small in found if small is not None), NOT_YET)

    @property
    def missing(self) -> tuple[RenderRequest, ...]:
        """Those wanted ones for which something is still to come."""
        return tuple(request for request in self.wanted if not self.of(request).final)

    @property
    def words(self) -> str:
        """How far it is, '' when all is there."""
        return "" if self._handle is None or self._handle.done else self._handle.state.update.text

    def tick(self, seconds: float) -> None:
        """Time that passed since the last turn."""
        self._rested += seconds

    def update(self, visible: bool) -> bool:
        """Take what was drawn, ask for what is missing; whether there is news."""
        news = self._collect()
        if not visible:
            self.stop()
        elif self._rested >= REST_S:
            self._ask()
        return news

    def stop(self) -> None:
        """Draw no more; what is there stays."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None

    def forget(self) -> None:
        """Another model is open: nothing of what is known is of use, and nothing that comes late is taken."""
        self.stop()
        self._known, self.wanted, self._seen = {}, (), None

    def _ask(self) -> None:
        missing = self.missing
        question = self._question
        asked = self._handle is not None and (question.side, question.exact) == (self.side, self.exact)
        if not missing or (asked and set(missing) <= set(question.requests)):
            return
        self.stop()
        self._question = PictureList(missing, self.side, self.exact)
        self._handle = self.actions.study(self._question)

    def _collect(self) -> bool:
        """Keep what the study drew since; a study that failed as a whole leaves its sentence in every place."""
        if self._handle is None or (self._handle.state.update is self._seen and not self._handle.done):
            return False
        state, question = self._handle.state, self._question
        self._seen = state.update
        answer: tuple[Small, ...] = state.update.answer or ()
        for request, small in zip(question.requests, answer, strict=False):
            if small is not NOT_YET:
                self._keep((request, question.side, question.exact), small)
        if self._handle.done:
            if state.problem is not None:
                broken = Small(final=True, problem=f"{state.problem.title}: {state.problem.detail}")
                for request in self.missing:
                    self._keep((request, self.side, self.exact), broken)
            self._handle = None
        return True

    def _keep(self, key: Key, small: Small) -> None:
        self._known.pop(key, None)
        self._known[key] = small
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]


def side_for(pixels: float) -> int:
    """The smallest of the usual sides that covers so many screen pixels."""
    return next((side for side in SIDES if side >= pixels), SIDES[-1])
