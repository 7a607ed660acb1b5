"""Taps: look into one pass through a network, change it, or leave it early."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from torch import Tensor

from networks.edits import Moments, check, intervene
from networks.plan import OUTPUT, Intervention, LayerInfo

Hook = Callable[[Tensor], Tensor]


class Cancelled(Exception):
    """The pass was called off between two layers; nothing of it is kept."""


class Taps:
    """What one pass captures and changes; belongs to that pass alone. An empty one changes no bit.

    capture: (layer name, stage) pairs whose maps [N, C, H, W] are kept in `captured` (after edits).
    edits: interventions, applied in order. hooks: functions on the whole map of one (layer, stage), before edits.
    stop_at: side length in pixels at which a trunk with several to-RGBs returns its picture so far.
    cancelled: asked at every layer; `Cancelled` is raised when it answers True.
    """

    def __init__(
        self,
        *,
        capture: Collection[tuple[str, str]] = (),
        edits: Sequence[Intervention] = (),
        hooks: Mapping[tuple[str, str], Hook] | None = None,
        stop_at: int | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.captured: dict[tuple[str, str], Tensor] = {}
        self.styles: dict[str, Tensor] = {}
        self.moments: dict[str, Moments] = {}  # layer -> what its instance norm shall use instead of its own
        self.stop_at = stop_at
        self._capture = frozenset(capture)
        self._edits = tuple(edits)
        self._hooks = dict(hooks or {})
        self._cancelled = cancelled

    def check(self, layers: Sequence[LayerInfo]) -> None:
        """Raise EditError where an edit does not fit the layer table."""
        check(self._edits, layers)

    def wants(self, name: str) -> bool:
        """Whether this pass looks at or changes a layer; layers off the way to the picture run only then."""
        asked = (*self._capture, *self._hooks, *((edit.layer, edit.stage) for edit in self._edits))
        return any(layer == name for layer, _ in asked)

    def on_style(self, info: LayerInfo, style: Tensor) -> Tensor:
        """See the style [N, style_dim] that enters a layer."""
        if any(name == info.name for name, _ in self._capture):
            self.styles[info.name] = style
        return style

    def on_noise(self, info: LayerInfo, noise: Tensor | None) -> Tensor | None:
        """See the scaled noise that a layer is about to add; None when it adds none."""
        return noise

    def on_feature(self, info: LayerInfo, x: Tensor, stage: str = OUTPUT) -> Tensor:
        """Capture and edit the map x [N, C, H, W] of a layer; raises Cancelled when the pass is called off."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(info.name)
        key = (info.name, stage)
        if key in self._hooks:
            x = self._hooks[key](x)
        for edit in self._edits:
            if (edit.layer, edit.stage) == key:
                x, moments = intervene(x, edit, info, self.moments.get(info.name))
                if moments is not None:
                    self.moments[info.name] = moments
        if key in self._capture:
            self.captured[key] = self.keep(x)
        return x

    def keep(self, x: Tensor) -> Tensor:
        """What is captured of a map: planes, for channels may lie innermost and who looks at maps wants planes."""
        return x.contiguous()
