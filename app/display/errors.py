"""Folding of repeated errors: a callback that fails in every frame must not bury the terminal."""

import logging
import traceback
from collections import Counter
from collections.abc import Callable

log = logging.getLogger("stylescope")


class FoldedErrors:
    """Logs an error's traceback once; the same error again is only counted, and the count logged at 10, 100, 1000, ...

    Two errors are the same when type, text and the line that raised them agree. `also` gets every error, too.
    """

    def __init__(self, logger: logging.Logger = log, also: Callable[[BaseException], object] | None = None) -> None:
        self._log, self._also = logger, also
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def __call__(self, error: BaseException) -> None:
        key = _identity(error)
        self._counts[key] += 1
        count = self._counts[key]
        if count == 1:
            self._log.error("%s: %s", key[0], key[1], exc_info=error)
        elif _is_power_of_ten(count):
            self._log.error("%s: %s (now %d times, at %s)", key[0], key[1], count, key[2])
        if self._also is not None:
            self._also(error)

    def count(self, error: BaseException) -> int:
        """How often this very error was reported so far."""
        return self._counts[_identity(error)]

    def summary(self) -> list[str]:
        """One line for each error that happened more than once, for the log at the end."""
        return [f"{kind}: {text} ({count} times)" for (kind, text, _), count in self._counts.items() if count > 1]


def _identity(error: BaseException) -> tuple[str, str, str]:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown line"
    return type(error).__name__, str(error), where


def _is_power_of_ten(count: int) -> bool:
    return count >= 10 and str(count).strip("0") == "1"
