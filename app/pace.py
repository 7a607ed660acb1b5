"""How long passes take: which early picture fits the time, how it is refined, which pass may be called off."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

BUDGET_MS = 50.0  # for an early picture: a movement of the hand waits for up to two of them, and for a turn of the loop
TO_SPARE = 0.75  # of the budget, for a picture larger than the one before
STEP_MS = 200.0  # an early picture is refined in steps of about this
SMALLEST_FIRST = 64  # px: what is shown first while nothing was measured
SMALLEST = 32  # px: what is worth looking at, however slow the machine is
WEIGHT = 0.5  # of the newest measurement in the running estimate


Saved = Callable[[int], float]


def nothing(height: int) -> float:
    """Nothing is done already."""
    return 0.0


class Pace:
    """Exponential running estimates of milliseconds per (model, height of the picture in px)."""

    def __init__(self) -> None:
        self._ms: dict[tuple[Hashable, int], float] = {}

    def note(self, model: Hashable, height: int, ms: float) -> None:
        """Take in one measurement: estimate <- (1 - WEIGHT) estimate + WEIGHT ms."""
        before = self._ms.get((model, height), ms)
        self._ms[model, height] = (1 - WEIGHT) * before + WEIGHT * ms

    def predict(self, model: Hashable, height: int) -> float | None:
        """Milliseconds that a pass up to this height is expected to take; None when nothing was measured.

        Where this height was never reached, the nearest lower one that was is scaled by the number of pixels.
        """
        known = {h: ms for (m, h), ms in self._ms.items() if m == model}
        if height in known or not known:
            return known.get(height)
        nearest = max((h for h in known if h < height), default=min(known))
        return known[nearest] * (height / nearest) ** 2

    def choose(
        self,
        model: Hashable,
        heights: Sequence[int],
        budget_ms: float = BUDGET_MS,
        saved: Saved = nothing,
        last: int | None = None,
    ) -> int:
        """Return the largest of the ascending heights that fits the budget, or the smallest worth looking at.

        saved: of a height, the milliseconds of its pass that are done already. last: the height shown before; a larger
        one must fit with room to spare, so that measured times, which scatter, do not make the picture flicker.
        """
        costs = [(h, ms - saved(h)) for h in heights if (ms := self.predict(model, h)) is not None]
        smallest = SMALLEST if costs else SMALLEST_FIRST
        floor = next((h for h in heights if h >= smallest), heights[-1])
        return max([floor, *(h for h, ms in costs if ms <= budget_ms * (TO_SPARE if last and h > last else 1.0))])

    def next_step(self, model: Hashable, heights: Sequence[int], shown: int, saved: Saved = nothing) -> int:
        """The height that follows an early picture: the largest that takes no longer than a step, or the next one."""
        larger = [h for h in heights if h > shown]
        costs = [(h, ms - saved(h)) for h in larger if (ms := self.predict(model, h)) is not None]
        return max([larger[0], *(h for h, ms in costs if ms <= STEP_MS)])


class Patience:
    """When a pass that is out of date may be called off, so that the picture follows the hand and never starves.

    Somebody who drags asks for another picture faster than a slow network can draw one. Calling off each pass that is
    out of date would never deliver any; finishing each one would make the last, wanted one late. So: a pass expected
    to take less than QUICK_S always finishes; of a slower one, the seconds thrown away since the last frame was
    delivered may not exceed half of what a pass takes. At worst two thirds of the possible pictures are shown, and
    after the hand rests the wanted picture begins at the next layer, or after half the current pass has been saved.
    """

    QUICK_S = 0.5
    UNKNOWN_S = 0.5  # what may be thrown away while the time of a pass is not known

    def __init__(self) -> None:
        self.thrown_away_s = 0.0

    def delivered(self) -> None:
        """A frame reached the screen."""
        self.thrown_away_s = 0.0

    def called_off(self, seconds: float) -> None:
        """A pass was given up after so many seconds."""
        self.thrown_away_s += seconds

    def allows(self, elapsed_s: float, expected_s: float | None) -> bool:
        """Whether the running pass, `elapsed_s` old and expected to take `expected_s`, may be given up."""
        if expected_s is None:
            return self.thrown_away_s + elapsed_s <= self.UNKNOWN_S
        if expected_s < self.QUICK_S:
            return False
        return self.thrown_away_s + elapsed_s <= expected_s / 2
