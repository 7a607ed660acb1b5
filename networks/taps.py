"""Taps: look into one pass through a network, change it, or leave it early."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from torch import Tensor

from networks.edits import Moments, check, intervene, measure, reached
from networks.plan import OUTPUT, Intervention, LayerInfo

Hook = Callable[[Tensor], Tensor]


class Cancelled(Exception):
    """The pass was called off between two layers; nothing of it is kept."""


class Taps:
    """What one pass captures and changes; belongs to that pass alone. An empty one changes no bit.

    capture: (layer name, stage) pairs whose maps [N, C, H, W] are kept in `captured` (after edits).
    edits: interventions, applied in order. hooks: functions on the whole map of one (layer, stage), before edits.
    record_norms: keep in `norms` what each instance norm measured.
    stop_at: side length in pixels at which a trunk with several to-RGBs returns its picture so far.
    cancelled: asked at every layer; `Cancelled` is raised when it answers True.
    """

    def __init__(
        self,
        *,
        capture: Collection[tuple[str, str]] = (),
        edits: Sequence[Intervention] = (),
        hooks: Mapping[tuple[str, str], Hook] | None = None,
        record_norms: bool = False,
        stop_at: int | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.captured: dict[tuple[str, str], Tensor] = {}
        self.styles: dict[str, Tensor] = {}
        self.moments: dict[str, Moments] = {}  # layer -> what its instance norm shall use instead of its own
        self.norms: dict[str, Moments] = {}
        self.untouched: Mapping[str, Moments] = {}  # `norms` of a pass without edits, for those that ask for them
        self.style_shifts: Mapping[str, Tensor] = {}  # layer -> what is added to its style, [style_dim]
        self.added_noise: Mapping[str, Tensor] = {}  # layer -> what it adds, [1, 1 or C, H, W], in place of its noise
        self.record_norms = record_norms
        self.stop_at = stop_at
        self._capture = frozenset(capture)
        self._edits = tuple(edits)
        self._reached: tuple[tuple[str, ...], ...] = tuple((edit.layer,) for edit in self._edits)
        self._rows: dict[str, int] = {}
        self._hooks = dict(hooks or {})
        self._cancelled = cancelled

    def prepare(self, layers: Sequence[LayerInfo]) -> None:
        """Find the layers that the edits reach; raises EditError where one does not fit the layer table."""
        check(self._edits, layers)
        self._reached = tuple(reached(edit, layers) for edit in self._edits)
        self._rows = {info.name: info.index for info in layers}

    @property
    def only_look(self) -> bool:
        """Whether this pass is asked for maps and edits alone: nothing else comes in that changes a layer."""
        given = (self._hooks, self.record_norms, self.added_noise, self.style_shifts, self.untouched, self.moments)
        return not any(given)

    @property
    def is_bare(self) -> bool:
        """Whether this pass neither looks at a layer nor changes one; it may stop early, and add noise of its own."""
        rest = (self._hooks, self.record_norms, self.style_shifts, self.untouched, self.moments)
        return not any((self._capture, self._edits, *rest))

    def edits_of(self, name: str) -> tuple[Intervention, ...]:
        """The edits that reach a layer."""
        return tuple(edit for edit, layers in zip(self._edits, self._reached, strict=True) if name in layers)

    def has_seen(self, done: int, captured: Collection[tuple[str, str]]) -> bool:
        """Whether `captured` holds all that is wanted of the first `done` rows of the layer table."""
        return all(point in captured or self._rows.get(point[0], done) >= done for point in self._capture)

    def recall(self, captured: Mapping[tuple[str, str], Tensor], styles: Mapping[str, Tensor]) -> None:
        """Take over what an earlier pass saw of layers that this one leaves out, as far as it is wanted."""
        self.captured.update((point, x) for point, x in captured.items() if point in self._capture)
        wanted = {name for name, _ in self._capture}
        self.styles.update((name, style) for name, style in styles.items() if name in wanted)

    def rough(self) -> Taps:
        """Taps for layers that are only approximated: edits and calling off; nothing is captured there."""
        taps = Taps(edits=self._edits, cancelled=self._cancelled)
        taps._reached, taps._rows = self._reached, self._rows
        taps.style_shifts = self.style_shifts
        return taps

    def first_pass(self) -> Taps | None:
        """The taps of a pass without edits that must come first, because an edit asks for its norms; None: no need."""
        if self.untouched or not any(edit.op == "untouched_norm" for edit in self._edits):
            return None
        first = Taps(record_norms=True, stop_at=self.stop_at, cancelled=self._cancelled)
        first.added_noise, first.style_shifts = self.added_noise, self.style_shifts
        return first

    def wants(self, name: str) -> bool:
        """Whether this pass looks at or changes a layer; layers off the way to the picture run only then."""
        asked = (*self._capture, *self._hooks, *((edit.layer, edit.stage) for edit in self._edits))
        return any(layer == name for layer, _ in asked)

    def on_style(self, info: LayerInfo, style: Tensor) -> Tensor:
        """Shift and see the style [N, style_dim] that enters a layer; what enters it."""
        shift = self.style_shifts.get(info.name)
        if shift is not None:
            style = style + shift.to(style)
        if any(name == info.name for name, _ in self._capture):
            self.styles[info.name] = style
        return style

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        """See the scaled noise that a layer is about to add (None when it adds none); what it adds."""
        return self.added_noise.get(info.name, noise)

    def on_norm(self, info: LayerInfo, x: Tensor) -> Moments | None:
        """See the map x [N, C, H, W] that a norm is about to measure; what it shall use instead, None for its own."""
        if self.record_norms:
            self.norms[info.name] = measure(x)
        return self.moments.get(info.name)

    def on_feature(self, info: LayerInfo, x: Tensor, stage: str = OUTPUT) -> Tensor:
        """Capture and edit the map x [N, C, H, W] of a layer; raises Cancelled when the pass is called off."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(info.name)
        key = (info.name, stage)
        if key in self._hooks:
            x = self._hooks[key](x)
        for edit, layers in zip(self._edits, self._reached, strict=True):
            if edit.stage == stage and info.name in layers:
                x, moments = intervene(x, edit, info, self.moments.get(info.name), self.untouched.get(info.name))
                if moments is not None:
                    self.moments[info.name] = moments
        if key in self._capture:
            self.captured[key] = self.keep(x)
        return x

    def keep(self, x: Tensor) -> Tensor:
        """What is captured of a map: planes, for channels may lie innermost and who looks at maps wants planes."""
        return x.contiguous()
