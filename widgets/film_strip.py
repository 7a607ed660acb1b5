"""A film strip: the present picture, and the layer that is looked at, as each snapshot of a training run draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from app.frame import Frame, Snapshot, TrainingRun
from app.request import RenderRequest
from app.studies.development import TILE, Development, Tile
from widgets import look
from widgets.panel import Actions, StudyHandle
from widgets.rows import Tag

MOST = 32  # tiles
SHOWN = 64  # pixels at scale 1
BELOW = 46  # pixels at scale 1, of the words and the scroll bar


class FilmStrip:
    """Asks for the tiles that are missing, in the background, and shows them; a click picks a snapshot."""

    def __init__(self, actions: Actions, on_pick: Callable[[Snapshot], None]) -> None:
        self._actions, self._on_pick = actions, on_pick
        self._texture = actions.texture()
        self._content: RenderRequest | None = None  # what the tiles show, apart from the model
        self._study: StudyHandle | None = None
        self._asked: tuple[Snapshot, ...] = ()
        self._seen: object = None  # the study's last answer
        self._scale = 0.0
        self._drawn: Tag = 0  # the texture that the images point at
        self._marked: Snapshot | None = None
        self.tiles: dict[Snapshot, Tile] = {}
        self.fresh: set[Snapshot] = set()  # those whose tile shows the present picture
        self.places: tuple[Snapshot, ...] = ()
        self.cells: list[tuple[Tag, Tag]] = []  # (image, words) of each place
        self.box: Tag
        with dpg.child_window(horizontal_scrollbar=True, height=10, border=False) as self.box:
            self.row: Tag = dpg.add_group(horizontal=True)
        self._clicks: Tag
        with dpg.item_handler_registry() as self._clicks:
            dpg.add_item_clicked_handler(dpg.mvMouseButton_Left, callback=self._clicked)

    def update(self, run: TrainingRun, frame: Frame | None) -> None:
        """Follow the run and the picture; once per frame while it is on the screen."""
        places = spread(run.snapshots, run.shown)
        scale = dpg.get_global_font_scale()
        changed = (places, scale) != (self.places, self._scale)
        if changed:
            self.places, self._scale = places, scale
            self._lay_out()
        if frame is not None and frame.complete and frame.problem is None and frame.picture is not None:
            self._follow(frame.request)
        changed |= self._collect()
        self._ask()
        if changed or self._drawn != self._texture.tag:
            self._draw()
        self._mark(run.shown)

    def stop(self) -> None:
        """Draw no more tiles; those that are there stay."""
        if self._study is not None:
            self._study.cancel()
        self._study, self._asked = None, ()

    def _follow(self, request: RenderRequest) -> None:
        """Another latent, layer, noise, ...: all tiles are out of date, and stay until new ones are there."""
        model = replace(request.model, path="", attempt=0)
        shown = replace(request, model=model, measures=(), max_height=None)
        if shown != self._content:
            self.stop()
            self._content, self.fresh = shown, set()

    def _collect(self) -> bool:
        """Take what the study drew since; whether that is news."""
        if self._study is None:
            return False
        answer: Mapping[str, Tile] | None = self._study.state.update.answer
        if answer is None or answer is self._seen:
            return False
        self._seen = answer
        new = {snapshot: answer[snapshot.path] for snapshot in self._asked if snapshot.path in answer}
        self.tiles |= new
        self.fresh |= new.keys()
        return True

    def _ask(self) -> None:
        missing = tuple(snapshot for snapshot in self.places if snapshot not in self.fresh)
        if not missing or self._content is None or set(missing) <= set(self._asked):
            return
        self.stop()
        self._asked = missing
        self._study = self._actions.study(Development(self._content, tuple(snapshot.path for snapshot in missing)))

    def _lay_out(self) -> None:
        """An image and words per place."""
        dpg.delete_item(self.row, children_only=True)
        self.cells = []
        self.tiles = {snapshot: tile for snapshot, tile in self.tiles.items() if snapshot in self.places}
        self.fresh &= self.tiles.keys()
        side = look.pixels(SHOWN)
        for place, snapshot in enumerate(self.places):
            with dpg.group(parent=self.row):
                image: Tag = dpg.add_image(self._texture.tag, width=side, height=2 * side, user_data=place)
                words: Tag = dpg.add_text(f"{snapshot.kimg:,.4g}", color=look.MUTED)
            look.bind_font(words, "small")
            dpg.bind_item_handler_registry(image, self._clicks)
            self.cells.append((image, words))

    def _draw(self) -> None:
        """All tiles into one texture: pictures above, maps below."""
        if not self.places:
            return
        tiles = [self.tiles.get(snapshot, Tile()) for snapshot in self.places]
        rows = 2 if any(tile.maps is not None for tile in tiles) else 1
        atlas = np.zeros((rows * TILE, len(tiles) * TILE, 4), np.uint8)
        atlas[...] = look.CANVAS
        for place, tile in enumerate(tiles):
            for row, part in enumerate((tile.picture, tile.maps)[:rows]):
                if part is not None:
                    atlas[row * TILE : (row + 1) * TILE, place * TILE : (place + 1) * TILE] = part
        self._texture.upload(atlas)
        self._drawn = self._texture.tag
        across, down = self._texture.uv_max
        side = look.pixels(SHOWN)
        for place, (image, _) in enumerate(self.cells):
            dpg.configure_item(
                image,
                texture_tag=self._texture.tag,
                height=rows * side,
                uv_min=(across * place / len(tiles), 0.0),
                uv_max=(across * (place + 1) / len(tiles), down),
            )
        dpg.configure_item(self.box, height=rows * side + look.pixels(BELOW))

    def _mark(self, shown: Snapshot | None) -> None:
        for snapshot, (image, words) in zip(self.places, self.cells, strict=True):
            broken = snapshot in self.tiles and self.tiles[snapshot].problem
            colour = look.ERROR if broken else look.ACCENT if snapshot == shown else look.MUTED
            dpg.configure_item(words, color=colour)
            dpg.configure_item(image, border_color=look.ACCENT if snapshot == shown else look.CANVAS)
        if shown != self._marked and shown in self.places:
            self._marked = shown
            self._scroll_to(self.places.index(shown))

    def _scroll_to(self, place: int) -> None:
        """Bring a tile into sight, if it is not."""
        (image, _), width = self.cells[place], dpg.get_item_rect_size(self.box)[0]
        left = dpg.get_item_pos(image)[0] - dpg.get_x_scroll(self.box)
        if not 0 <= left <= width - look.pixels(SHOWN):
            dpg.set_x_scroll(self.box, max(0.0, dpg.get_item_pos(image)[0] - width / 2))

    def _clicked(self, sender: Tag, app_data: Any, user_data: Any) -> None:
        place = dpg.get_item_user_data(app_data[1])
        assert isinstance(place, int)
        self._on_pick(self.places[place])


def spread(snapshots: Sequence[Snapshot], shown: Snapshot | None, most: int = MOST) -> tuple[Snapshot, ...]:
    """At most `most` snapshots, evenly by their number, the first, the last and the shown one among them."""
    count = len(snapshots)
    if count <= most:
        return tuple(snapshots)
    places = {round(index * (count - 1) / (most - 2)) for index in range(most - 1)}
    if shown is not None:
        places.add(snapshots.index(shown))
    return tuple(snapshots[place] for place in sorted(places))
