"""Which feature maps are looked at: a layer, a page of its contact sheet, or one map. No GUI in here."""

from __future__ import annotations

from dataclasses import dataclass

from app.frame import LayerView
from networks.plan import LayerInfo

PAGE = 64  # maps on one sheet


@dataclass
class MapCursor:
    """layer None: nothing. channel None: the contact sheet that begins with map `first`."""

    layer: LayerInfo | None = None
    channel: int | None = None
    first: int = 0

    def pick_layer(self, layer: LayerInfo | None) -> None:
        """Look at the contact sheet of a layer, or at nothing."""
        self.layer, self.channel, self.first = layer, None, 0

    def pick_channel(self, channel: int) -> None:
        """Look at one map; numbers that the layer does not have change nothing."""
        if self.layer is not None and 0 <= channel < self.layer.channels:
            self.channel = channel

    def back_to_sheet(self) -> None:
        """Look at the sheet on which the map is."""
        if self.channel is not None:
            self.first, self.channel = self.channel // PAGE * PAGE, None

    def can_turn(self, step: int) -> bool:
        """Whether there is a page, or a map, so many steps away."""
        place = self.first + step * PAGE if self.channel is None else self.channel + step
        return self.layer is not None and 0 <= place < self.layer.channels

    def turn(self, step: int) -> None:
        """Go that many pages on, or maps when one map is looked at."""
        if not self.can_turn(step):
            return
        if self.channel is None:
            self.first += step * PAGE
        else:
            self.channel += step

    def shows(self, view: LayerView | None) -> bool:
        """Whether the view is what is looked at (and not what was looked at before)."""
        if view is None or self.layer is None or (view.layer, view.channel) != (self.layer.name, self.channel):
            return False
        return self.channel is not None or view.first == self.first


def tile_at(view: LayerView, x: int, y: int) -> int | None:
    """The channel whose tile covers the pixel (x, y) of a contact sheet; None in an empty tile or on one large map."""
    if view.channel is not None:
        return None
    columns, width = view.columns, view.pixels.shape[1]
    gap = (width - columns * view.tile[1]) // (columns - 1) if columns > 1 else 0  # pixels between two tiles
    number = y // (view.tile[0] + gap) * columns + x // (view.tile[1] + gap)
    return view.first + number if number < view.count else None
