"""The list of interventions: in order, each on or off, one of them chosen, with undo. No GUI in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from networks.plan import Intervention

DEPTH = 200  # steps back


@dataclass(frozen=True)
class Item:
    """One intervention of the list; off, it is kept but has no effect."""

    edit: Intervention
    on: bool = True


@dataclass(frozen=True)
class Items:
    """A state of the list. chosen: the place of the one that the controls describe, None for none."""

    rows: tuple[Item, ...] = ()
    chosen: int | None = None


class InterventionList:
    """What undo and redo go through is `now`; choosing a row is no step."""

    def __init__(self) -> None:
        self.now = Items()
        self._past: list[Items] = []
        self._future: list[Items] = []
        self._held = False

    @property
    def edits(self) -> tuple[Intervention, ...]:
        """Those that are on, in order."""
        return tuple(item.edit for item in self.now.rows if item.on)

    @property
    def chosen(self) -> Intervention | None:
        """The one that the controls describe."""
        return None if self.now.chosen is None else self.now.rows[self.now.chosen].edit

    def choose(self, number: int | None) -> None:
        """Let the controls describe this one."""
        self._held = False
        self.now = replace(self.now, chosen=number)

    def add(self, edit: Intervention) -> None:
        """Put one at the end and choose it."""
        self._step(Items((*self.now.rows, Item(edit)), len(self.now.rows)))

    def change(self, edit: Intervention, held: bool = False) -> None:
        """Put another in the chosen one's place; while a control is held, all that it passes is one step."""
        self._step(self._with(self._place, edit=edit), held)

    def switch(self, number: int, on: bool) -> None:
        """Turn one on or off."""
        self._step(self._with(number, on=on))

    def remove(self, number: int) -> None:
        """Take one out."""
        rows = tuple(row for place, row in enumerate(self.now.rows) if place != number)
        chosen = self.now.chosen
        if chosen is not None:
            chosen = None if chosen == number else chosen - (chosen > number)
        self._step(Items(rows, chosen))

    def lift(self, number: int) -> None:
        """Let one act before the one above it."""
        if number > 0:
            rows = list(self.now.rows)
            rows[number - 1], rows[number] = rows[number], rows[number - 1]
            moved = {number: number - 1, number - 1: number}
            chosen = self.now.chosen
            self._step(Items(tuple(rows), None if chosen is None else moved.get(chosen, chosen)))

    def put(self, edits: Sequence[Intervention]) -> None:
        """These instead of all that were there; the first is chosen."""
        self._step(Items(tuple(Item(edit) for edit in edits), 0))

    def match(self, edits: Sequence[Intervention]) -> None:
        """Let exactly these be in effect, as one step: by turning those of the list on and off where that will do."""
        if tuple(edits) == self.edits:
            return
        wanted, rows = list(edits), []
        for row in self.now.rows:
            on = bool(wanted) and row.edit == wanted[0]
            rows.append(Item(row.edit, on))
            wanted = wanted[on:]
        self._step(Items(tuple(Item(edit) for edit in edits)) if wanted else replace(self.now, rows=tuple(rows)))

    def clear(self) -> None:
        """None at all."""
        if self.now.rows:
            self._step(Items())

    def forget(self) -> None:
        """None at all, and no way back: they belonged to another model."""
        self.now, self._held = Items(), False
        self._past.clear()
        self._future.clear()

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step was taken back."""
        return bool(self._future)

    def undo(self) -> None:
        """Take the last step back."""
        self._go(self._past, self._future)

    def redo(self) -> None:
        """Take it again."""
        self._go(self._future, self._past)

    def _go(self, source: list[Items], target: list[Items]) -> None:
        if source:
            target.append(self.now)
            self.now, self._held = source.pop(), False

    @property
    def _place(self) -> int:
        assert self.now.chosen is not None
        return self.now.chosen

    def _with(self, number: int, **values: object) -> Items:
        rows = list(self.now.rows)
        rows[number] = replace(rows[number], **values)  # type: ignore[arg-type]
        return replace(self.now, rows=tuple(rows))

    def _step(self, state: Items, held: bool = False) -> None:
        if not (held and self._held):
            self._past = [*self._past[-(DEPTH - 1) :], self.now]
        self._future.clear()
        self.now, self._held = state, held
