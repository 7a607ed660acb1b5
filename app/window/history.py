"""Undo and redo of everything: the requests that the user came to rest at. No GUI in here."""

from __future__ import annotations

from dataclasses import replace

from app.request import RenderRequest

REST_S = 0.4  # a request that stays so long is a step
DEPTH = 200  # steps back


def lasting(request: RenderRequest) -> RenderRequest:
    """What of a request is worth going back to: not what is measured, how fine an early picture is, or retries."""
    return replace(request, max_height=None, measures=(), model=replace(request.model, attempt=0))


class History:
    """`observe` once per turn of the loop. All that a drag or an animation passes through is one step."""

    def __init__(self) -> None:
        self._now: RenderRequest | None = None
        self._past: list[RenderRequest] = []
        self._future: list[RenderRequest] = []
        self._seen: RenderRequest | None = None
        self._since = 0.0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past) or self._seen != self._now

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self._future)

    def observe(self, request: RenderRequest, seconds: float, held: bool) -> None:
        """Note what is asked for at a time; held: a control is in the user's hand, so nothing is at rest."""
        request = lasting(request)
        if request != self._seen:
            self._seen, self._since = request, seconds
        elif not held and seconds - self._since >= REST_S:
            self._settle()

    def undo(self) -> RenderRequest | None:
        """What was before the last step; None where nothing was."""
        self._settle()
        return self._go(self._past, self._future)

    def redo(self) -> RenderRequest | None:
        """What the last undo took back."""
        return self._go(self._future, self._past)

    def leave(self) -> None:
        """Something else is about to be restored: where the user is now, at rest or not, is a step."""
        self._settle()
        if self._now is not None:
            self._past = [*self._past[-(DEPTH - 1) :], self._now]
            self._future.clear()

    def arrive(self, request: RenderRequest) -> None:
        """A request was restored: this is where we are; no step."""
        self._now = self._seen = lasting(request)

    def _settle(self) -> None:
        if self._seen == self._now:
            return
        if self._now is not None:
            self._past = [*self._past[-(DEPTH - 1) :], self._now]
            self._future.clear()
        self._now = self._seen

    def _go(self, source: list[RenderRequest], target: list[RenderRequest]) -> RenderRequest | None:
        if not source:
            return None
        if self._now is not None:
            target.append(self._now)
        self._now = self._seen = source.pop()
        return self._now
