"""What a pass leaves behind, so that the next one goes on from where the two part; not one bit differs from a whole
pass.

A layer's output is decided by the layers before it, its own style, noise and edits, and by what computes. Where all of
that is as it was, the tensors that the last pass had there are the ones that a whole pass would compute again.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from networks import ops
from networks.ops import compiled
from networks.plan import LayerInfo, Noise
from networks.taps import Taps

if TYPE_CHECKING:
    from networks.base import Pass

State = tuple[Tensor | None, ...]
Identity = tuple[Hashable, ...]  # what computes; then, for each row of the layer table, what decides that layer


def identity(layers: Sequence[LayerInfo], ws: Tensor, asked: Pass) -> Identity:
    """Everything that the bits of each layer depend on, beside the weights: two passes whose identities begin alike
    have the same tensors as far as that goes. ws [N, num_ws, w_dim]; the taps are prepared."""
    transform = asked.transform.tolist() if isinstance(asked.transform, Tensor) else asked.transform
    rows = ws.detach().cpu().transpose(0, 1).contiguous().numpy()
    around = (
        *(tuple(ws.shape), str(ws.dtype), str(ws.device), asked.precision, repr(transform)),
        *(ops.forced(), compiled.kernels() is not None, torch.is_inference_mode_enabled(), torch.get_num_threads()),
    )
    parts = (
        (
            None if info.w_index is None else rows[info.w_index].tobytes(),
            _noise_of(info, asked.noise),
            repr(asked.taps.edits_of(info.name)),  # as text: 0.0 and -0.0 are equal, but make different pictures
        )
        for info in layers
    )
    return (around, *parts)


def _noise_of(info: LayerInfo, noise: Noise) -> Hashable:
    own = noise.of(info.name)
    if not info.has_noise or noise.mode == "none" or not own.on or own.strength == 0.0:
        return None
    return repr(replace(noise, layers=())), repr(own.strength)


def shared(one: Identity, other: Identity) -> int:
    """How many rows of the layer table two passes have in common, from the first on."""
    same = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        same += 1
    return max(same - 1, 0)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a pass may begin: behind `done` rows of the layer table, with what the trunk had in its hands there.

    captured, styles: what the taps had seen by then. ms: what a whole pass takes up to here.
    """

    done: int
    state: State
    captured: dict[tuple[str, str], Tensor]
    styles: dict[str, Tensor]
    ms: float

    def storages(self) -> dict[int, int]:
        """Address -> bytes of all memory that it holds on to."""
        held = [x for x in self.state if x is not None] + [*self.captured.values(), *self.styles.values()]
        return {x.untyped_storage().data_ptr(): x.untyped_storage().nbytes() for x in held}


class Trail:
    """The places that the last pass of one generator came by; belongs to one thread. At most `room` bytes are held.

    Tensors are kept as they are, without a copy: whoever keeps one must not write to it again. Where they do not all
    fit, those go first that save the least time for their bytes.
    """

    def __init__(self, room: int) -> None:
        self.offset_ms = 0.0  # what the running pass saved by not beginning at the first layer
        self._room = room
        self._places: dict[int, Place] = {}  # by `done`, ascending
        self._held: dict[int, tuple[int, int]] = {}  # address -> (places that hold it, bytes)
        self._identity: Identity = ()
        self._start: Place | None = None
        self._keeps = False
        self._compiled = False
        self._began = 0.0

    @property
    def bytes(self) -> int:
        """What is held now."""
        return sum(size for _, size in self._held.values())

    def limit(self, room: int) -> None:
        """Hold at most so many bytes from now on."""
        self._room = room
        self._fit()

    def clear(self) -> None:
        """Let go of everything."""
        for done in list(self._places):
            self._drop(done)
        self._start = None

    def saved_ms(self, identity: Identity, most: int, taps: Taps) -> float:
        """Milliseconds that a pass saves which may leave out at most so many rows of the layer table."""
        place = self._find(min(most, shared(identity, self._identity)), taps)
        return 0.0 if place is None else place.ms

    def begin(self, identity: Identity, most: int, taps: Taps) -> None:
        """A pass begins; places behind where it parts from the last one are let go, so that it can use their memory."""
        self._keeps = self._room > 0
        self._start, self.offset_ms = None, 0.0
        if not self._keeps:
            return
        common = shared(identity, self._identity)
        for done in [done for done in self._places if done > common]:
            self._drop(done)
        self._identity, self._compiled = identity, compiled.kernels() is not None
        self._start = self._find(min(most, common), taps)
        self.offset_ms = 0.0 if self._start is None else self._start.ms
        self._began = time.perf_counter()

    def resume(self, taps: Taps, start: State) -> tuple[int, State]:
        """Rows of the layer table that are done, and the trunk's tensors behind them; `start` where none is."""
        place, self._start = self._start, None
        if place is None:
            return 0, start
        taps.recall(place.captured, place.styles)
        return place.done, place.state

    def keep(self, taps: Taps, done: int, state: State) -> None:
        """So many rows are done, and these are the trunk's tensors."""
        if not self._keeps or done >= len(self._identity) - 1:  # nothing begins behind the last layer
            return
        if (compiled.kernels() is not None) != self._compiled:  # they came in the middle: other bits from here on
            self._keeps = False
            return
        ms = self.offset_ms + (time.perf_counter() - self._began) * 1000
        if done in self._places:
            self._drop(done)
        place = Place(done, state, dict(taps.captured), dict(taps.styles), ms)
        for address, size in place.storages().items():
            holders, _ = self._held.get(address, (0, 0))
            self._held[address] = holders + 1, size
        self._places[done] = place
        self._fit()

    def _find(self, most: int, taps: Taps) -> Place | None:
        """The deepest place with at most so many rows done, and with all that the taps want of these rows."""
        fitting = [p for p in self._places.values() if p.done <= most and taps.has_seen(p.done, p.captured)]
        return max(fitting, key=lambda place: place.done, default=None)

    def _drop(self, done: int) -> None:
        for address in self._places.pop(done).storages():
            holders, size = self._held[address]
            if holders == 1:
                del self._held[address]
            else:
                self._held[address] = holders - 1, size

    def _fit(self) -> None:
        while self._places and self.bytes > self._room:
            self._drop(self._least_worth())

    def _least_worth(self) -> int:
        """The place whose loss costs the least time for the memory that it frees."""
        before, worth = 0.0, {}
        for done, place in sorted(self._places.items()):
            freed = sum(size for address, size in place.storages().items() if self._held[address][0] == 1)
            worth[done] = (place.ms - before) / freed if freed else float("inf")
            before = place.ms
        return min(worth, key=lambda done: worth[done])
