"""Which feature maps are looked at: a layer, a page of its contact sheet, one map, or three as colours. No GUI here."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.frame import LayerView
from app.request import Mode, View
from networks.plan import LayerInfo

PAGE = 1024  # maps on one sheet: all of them, in every official configuration
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels of the sheet


@dataclass
class MapCursor:
    """layer None: nothing. channel None: the contact sheet that begins with place `first`.

    order: channels in the order of the sheet's places, as last seen; () is by number. found: the map that was searched.
    """

    layer: LayerInfo | None = None
    channel: int | None = None
    first: int = 0
    mode: Mode = "maps"
    found: int | None = None
    order: tuple[int, ...] = field(default=())

    def pick_layer(self, layer: LayerInfo | None) -> None:
        """Look at the contact sheet of a layer, or at nothing; RGB and PCA stay what they are."""
        self.layer, self.channel, self.first, self.found, self.order = layer, None, 0, None, ()

    def pick_channel(self, channel: int) -> None:
        """Look at one map; numbers that the layer does not have change nothing."""
        if self.has(channel):
            self.channel, self.mode = channel, "maps"

    def look_at(self, view: View) -> None:
        """What a request's view asks for, its layer being chosen already."""
        self.mode, self.first = view.mode, view.first
        self.channel = view.channel if view.channel is not None and self.has(view.channel) else None

    def has(self, channel: int) -> bool:
        """Whether the layer has a map of this number."""
        return self.layer is not None and 0 <= channel < self.layer.channels

    def find(self, channel: int) -> None:
        """Mark a map on the sheet and turn to its page; while one map is looked at, look at that one."""
        if self.has(channel):
            self.found = channel
            if self.channel is not None:
                self.channel = channel
            self._turn_to(channel)

    def back_to_sheet(self) -> None:
        """Look at the sheet on which the map is."""
        self.mode = "maps"
        if self.channel is not None:
            self._turn_to(self.channel)
            self.found, self.channel = self.channel, None

    def sort_anew(self) -> None:
        """The sheet is about to be sorted by something else: begin at its first place."""
        self.first, self.order = 0, ()

    def place(self, channel: int) -> int:
        """Where a map stands on the sheet, as far as is known."""
        return self.order.index(channel) if channel in self.order else channel

    def can_turn(self, step: int) -> bool:
        """Whether there is a page, or a map, so many steps away."""
        if self.layer is None or self.mode != "maps":
            return False
        place = self.first + step * PAGE if self.channel is None else self.place(self.channel) + step
        return 0 <= place < self.layer.channels

    def turn(self, step: int) -> None:
        """Go that many pages on, or maps, in the order of the sheet, when one map is looked at."""
        if not self.can_turn(step):
            return
        if self.channel is None:
            self.first += step * PAGE
        else:
            place = self.place(self.channel) + step
            self.channel = self.order[place] if self.order else place

    def shows(self, view: LayerView | None) -> bool:
        """Whether the view is what is looked at (and not what was looked at before)."""
        if view is None or self.layer is None or view.layer != self.layer.name or view.mode != self.mode:
            return False
        if self.mode != "maps":
            return True
        return view.channel == self.channel and (self.channel is not None or view.first == self.first)

    def _turn_to(self, channel: int) -> None:
        self.first = self.place(channel) // PAGE * PAGE


def is_sheet(view: LayerView | None) -> bool:
    """Whether the view shows the tiles of many maps."""
    return view is not None and view.mode == "maps" and view.channel is None


def tile_at(view: LayerView, x: int, y: int) -> int | None:
    """The channel whose tile covers the pixel (x, y) of a contact sheet; None in an empty tile or on one large map."""
    if not is_sheet(view):
        return None
    gap = _gap(view)
    number = y // (view.tile[0] + gap) * view.columns + x // (view.tile[1] + gap)
    if number >= view.count:
        return None
    place = view.first + number
    return view.order[place] if view.order else place


def box_of(view: LayerView, place: int) -> Box | None:
    """The tile of a place on the sheet; None when the place is on another page."""
    number = place - view.first
    if not is_sheet(view) or not 0 <= number < view.count:
        return None
    (height, width), gap = view.tile, _gap(view)
    row, column = divmod(number, view.columns)
    left, top = column * (width + gap), row * (height + gap)
    return left, top, left + width, top + height


def _gap(view: LayerView) -> int:
    """Pixels between two tiles."""
    width = view.pixels.shape[1]
    return (width - view.columns * view.tile[1]) // (view.columns - 1) if view.columns > 1 else 0
