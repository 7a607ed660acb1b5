"""The track of a timeline: ruler, pictures and diamonds of the keyframes, how the way is timed, the picture's speed.

A press on a keyframe chooses it, a drag moves it; a press anywhere else moves the playhead, a drag scrubs. The wheel
zooms at the mouse, the right button scrolls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dearpygui.dearpygui as dpg
import numpy as np

from app.timeline import Timeline
from app.timeline.draft import Draft
from widgets import look
from widgets.canvas import BRIGHT, TRACK, Canvas, text_width
from widgets.panel import Texture
from widgets.rows import Tag
from widgets.timeline_pictures import Atlas
from widgets.timeline_scale import Scale, clock, tick_words

RULER, LANE, GRAPH, MARGIN, SMALLEST = 21, 18, 20, 34, 98  # screen pixels at scale 1
STILL = 3  # screen pixels that a click may move
ZOOM_STEP = 1.25  # per notch of the wheel
EMPTY = "Set the panels as you like them, then press K: the first keyframe."
EMPTY_NARROW = "K: the first keyframe."
GROUND: look.Colour = (20, 22, 25, 255)
BEYOND: look.Colour = (0, 0, 0, 110)
LINE: look.Colour = (255, 255, 255, 22)
FAINT: look.Colour = (255, 255, 255, 10)
CURVE: look.Colour = (112, 174, 255, 120)
HEAD = look.WARNING


@dataclass(frozen=True)
class Shown:
    """What is drawn. speed: change of the picture in % per second from frame to frame; none was measured: empty."""

    draft: Draft
    timeline: Timeline | None = None
    chosen: int | None = None
    speed: tuple[float, ...] = ()


class Track(Canvas):
    """on_scrub(seconds): the playhead is to be there. on_choose(number): a keyframe was pressed. on_move(number,
    seconds): it is dragged there. below: screen pixels kept for what follows."""

    def __init__(
        self,
        texture: Callable[[], Texture],
        on_scrub: Callable[[float], None],
        on_choose: Callable[[int], None],
        on_move: Callable[[int, float], None],
    ) -> None:
        super().__init__()
        self.on_scrub, self.on_choose, self.on_move = on_scrub, on_choose, on_move
        self.below = 0.0
        self.atlas = Atlas(texture)
        self.shown = Shown(Draft())
        self.playhead = 0.0
        self.scale = Scale(margin=MARGIN)
        self.held = ""  # 'scrub', 'key' or 'scroll' while a button is down
        self.high = 0  # screen pixels
        self._inside = False  # the mouse is over it
        self._number, self._grip, self._press = 0, 0.0, (0.0, 0.0)
        self._moved = False
        self._head: Tag = 0
        self._head_drawn: float | None = None
        self._length = 0.0
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._wheel)

    def show(self, shown: Shown, playhead: float, pictures: Sequence[np.ndarray | None], follow: bool) -> None:
        """Draw this from now on. follow: keep the playhead in sight."""
        self.playhead = playhead
        if self.atlas.show(pictures) or shown != self.shown:
            self.shown = shown
            self.changed()
        if shown.draft.seconds != self._length and not self.held:  # the scale stays under a hand that drags
            whole = self.scale.span >= self._length
            self._length = shown.draft.seconds
            self._look(self.fitted if whole else self.scale.within(self._length))
        if follow:
            self._look(self.scale.showing(playhead, self._length))

    # -- places ------------------------------------------------------------------------------------------------------

    @property
    def fitted(self) -> Scale:
        """The whole length over the whole width."""
        return Scale(0.0, max(self.shown.draft.seconds, 0.01), self.width, look.pixels(MARGIN))

    @property
    def picture(self) -> float:
        """Side of a keyframe's picture in screen pixels."""
        return max(8.0, self.high - look.pixels(RULER + LANE + GRAPH + 6))

    @property
    def lane(self) -> float:
        """Where the diamonds' middles are, from the top."""
        return look.pixels(RULER + 4 + LANE / 2) + self.picture

    def key_place(self, number: int) -> tuple[float, float]:
        """Where a keyframe's diamond is, in pixels of the canvas."""
        return self.scale.x(self.shown.draft.keyframes[number].seconds), self.lane

    def key_at(self, x: float, y: float) -> int | None:
        """The keyframe whose diamond or picture is there; the chosen one lies on top, then the last."""
        half = self.picture / 2
        reach = half if look.pixels(RULER) < y < self.lane - look.pixels(LANE / 2) else look.pixels(9)
        if y < look.pixels(RULER) or y > self.lane + look.pixels(LANE / 2):
            return None
        order = sorted(range(len(self.shown.draft.keyframes)), key=lambda number: (number == self.shown.chosen, number))
        return next((number for number in reversed(order) if abs(self.key_place(number)[0] - x) <= reach), None)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def update(self) -> None:
        self.width = max(8, int(dpg.get_item_rect_size(self.canvas)[0]))
        self._follow_height()
        self.scale = Scale(self.scale.start, self.scale.span, self.width, look.pixels(MARGIN))
        self._follow_mouse()
        state = (self._version, self.width, self.high, look.pixels(1000), self.hovered, self.scale)
        if state != self._drawn:
            self._drawn = state
            dpg.configure_item(self.drawlist, width=self.width, height=self.high)
            dpg.delete_item(self.drawlist, children_only=True)
            self._head_drawn = None
            self.paint()
            self._head = dpg.add_draw_node(parent=self.drawlist)
        if self.playhead != self._head_drawn:
            self._head_drawn = self.playhead
            dpg.delete_item(self._head, children_only=True)
            self._paint_head()

    def _follow_height(self) -> None:
        window = self._window()
        scrolled = dpg.get_y_scroll(window) if window else 0.0
        bottom = dpg.get_item_pos(self.canvas)[1] + scrolled + self.below
        high = max(look.pixels(SMALLEST), int((dpg.get_item_height(window) or 0) - bottom) if window else 0)
        if high != self.high:
            self.high = high
            dpg.configure_item(self.canvas, height=high)

    def _window(self) -> Tag:
        window: Tag = dpg.get_item_parent(self.canvas) or 0
        while window and not dpg.get_item_type(window).endswith("mvWindowAppItem"):
            window = dpg.get_item_parent(window) or 0
        return window

    def _follow_mouse(self) -> None:
        left, top = dpg.get_item_rect_min(self.drawlist)
        mouse = dpg.get_mouse_pos(local=False)
        x, y = mouse[0] - left, mouse[1] - top
        if self.held:
            self._hold(x, y)
            return
        inside = bool(dpg.is_item_hovered(self.drawlist))
        if inside != self._inside:  # here the wheel zooms
            self._inside = inside
            dpg.configure_item(self._window(), no_scroll_with_mouse=inside)
        self.hovered = self.key_at(x, y) if inside else None
        if inside:
            self._begin(x, y, self.hovered)

    def _begin(self, x: float, y: float, number: int | None) -> None:
        self._press, self._moved = (x, y), False
        if any(dpg.is_mouse_button_clicked(button) for button in (dpg.mvMouseButton_Right, dpg.mvMouseButton_Middle)):
            self.held, self._grip = "scroll", self.scale.seconds(x)
        elif dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            if number is None:
                self.held = "scrub"
                self.on_scrub(self._moment(x))
            else:
                self.held, self._number = "key", number
                self._grip = self.shown.draft.keyframes[number].seconds - self.scale.seconds(x)
                self.on_choose(number)

    def _hold(self, x: float, y: float) -> None:
        self._moved = self._moved or abs(x - self._press[0]) > STILL
        if self._moved and self.held == "scrub":
            self.on_scrub(self._moment(x))
        elif self._moved and self.held == "key":
            self.on_move(self._number, self.scale.seconds(x) + self._grip)
        elif self.held == "scroll":
            start = self.scale.start + self._grip - self.scale.seconds(x)
            self._look(Scale(start, self.scale.span, self.width, self.scale.margin).within(self._length))
        buttons = (dpg.mvMouseButton_Left,) if self.held != "scroll" else (1, 2)
        if not any(dpg.is_mouse_button_down(button) for button in buttons):
            self.held = ""

    def _moment(self, x: float) -> float:
        return min(max(self.scale.seconds(x), 0.0), self.shown.draft.seconds)

    def _wheel(self, sender: Tag, notches: float) -> None:
        if dpg.is_item_hovered(self.drawlist) and self._length:
            x = dpg.get_mouse_pos(local=False)[0] - dpg.get_item_rect_min(self.drawlist)[0]
            self._look(self.scale.zoomed(x, ZOOM_STEP**notches, self._length))

    def _look(self, scale: Scale) -> None:
        self.scale = scale

    def fit(self) -> None:
        """Show the whole length."""
        self._look(self.fitted)

    # -- drawing -----------------------------------------------------------------------------------------------------

    def paint(self) -> None:
        self.box(0, 0, self.width, self.high, GROUND, 4)
        self._paint_ruler()
        self._paint_beyond()
        self._paint_speed()
        self._paint_way()
        order = sorted(range(len(self.shown.draft.keyframes)), key=lambda number: (number == self.shown.chosen, number))
        for number in order:
            self._paint_picture(number)
        for number in order:
            self._paint_diamond(number)
        if not self.shown.draft.keyframes:
            words = EMPTY if text_width(EMPTY) < self.width - look.pixels(2 * MARGIN) else EMPTY_NARROW
            self.text(self.width / 2, self.high / 2, words, look.MUTED, align=0.5)

    def _paint_ruler(self) -> None:
        bottom = look.pixels(RULER)
        for seconds, named in self.scale.ticks(look.pixels(64)):
            x = self.scale.x(seconds)
            self._line((x, bottom - look.pixels(7 if named else 4)), (x, bottom), LINE)
            if named:
                self._line((x, bottom), (x, self.high), FAINT)
                self.text(x, look.pixels(1), tick_words(seconds), look.MUTED, align=0.5)
        self._line((0, bottom), (self.width, bottom), LINE)

    def _paint_way(self) -> None:
        """Between two keyframes, the share of the way over time: a slope is a speed, a flat line a rest."""
        timeline = self.shown.timeline
        if timeline is None:
            return
        high = look.pixels(LANE / 2 - 3)
        for stretch in range(timeline.stretches):
            begin, end = timeline.ends(stretch)
            moments = np.linspace(begin, end, 33)[:-1]
            places = [timeline.place(float(at)) for at in moments if timeline.loop or at <= timeline.seconds]
            rise = [share if at == stretch else float(at > stretch) for at, share in places]
            for shift in (0.0, -timeline.seconds) if end > timeline.seconds else (0.0,):
                points = [
                    [self.scale.x(float(at) + shift), self.lane + high - 2 * high * share]
                    for at, share in zip(moments, rise, strict=False)
                ]
                points.append([self.scale.x(end + shift), self.lane - high])
                dpg.draw_polyline(points, color=CURVE, thickness=look.pixels(15) / 10, parent=self.drawlist)

    def _paint_speed(self) -> None:
        """The picture's measured change over time, from the bottom of the track up."""
        speed = np.array(self.shown.speed)
        if not len(speed) or speed.max() <= 0:
            return
        bottom, high = self.high - 2.0, float(look.pixels(GRAPH - 4))
        columns = np.linspace(self.scale.margin, self.width - self.scale.margin, min(400, int(self.scale.inner)))
        moments = np.array([self.scale.seconds(float(x)) for x in columns])
        middles = (np.arange(len(speed)) + 0.5) * self.shown.draft.seconds / len(speed)
        heights = np.interp(moments, middles, speed) / speed.max() * high
        points = [[float(x), bottom - float(up)] for x, up in zip(columns, heights, strict=True)]
        ground = [[points[-1][0], bottom], [points[0][0], bottom]]
        dpg.draw_polygon(
            [*points, *ground, points[0]], color=(0, 0, 0, 0), fill=(112, 174, 255, 34), parent=self.drawlist
        )
        dpg.draw_polyline(points, color=(112, 174, 255, 190), thickness=1.5, parent=self.drawlist)
        words = f"up to {speed.max():.3g} % / s"
        self.text(look.pixels(4), bottom - look.pixels(17), words, look.MUTED)

    def _paint_picture(self, number: int) -> None:
        x, _ = self.key_place(number)
        side, top = self.picture, look.pixels(RULER + 3)
        if not -side < x < self.width + side:
            return
        corners = (x - side / 2, top), (x + side / 2, top + side)
        self.box(*corners[0], *corners[1], TRACK, 3)
        if (place := self.atlas.place(number)) is not None:
            low, high = place
            dpg.draw_image(self.atlas.texture.tag, *corners, uv_min=low, uv_max=high, parent=self.drawlist)
        lit = number in (self.shown.chosen, self.hovered)
        colour = look.ACCENT if number == self.shown.chosen else BRIGHT if lit else (0, 0, 0, 160)
        dpg.draw_rectangle(*corners, color=colour, thickness=2 if lit else 1, parent=self.drawlist)

    def _paint_diamond(self, number: int) -> None:
        (x, y), r = self.key_place(number), look.pixels(7 if number in (self.shown.chosen, self.hovered) else 6)
        points = (x, y - r), (x + r, y), (x, y + r), (x - r, y)
        fill = look.ACCENT if number == self.shown.chosen else BRIGHT
        dpg.draw_quad(*points, color=GROUND, fill=fill, thickness=2, parent=self.drawlist)

    def _paint_beyond(self) -> None:
        for left, right in ((0.0, self.scale.x(0.0)), (self.scale.x(self.shown.draft.seconds), float(self.width))):
            if right > left and right > 0 and left < self.width:
                self.box(left, 0, right, self.high, BEYOND)

    def _paint_head(self) -> None:
        x, r = self.scale.x(self.playhead), look.pixels(6)
        if not -r <= x <= self.width + r:
            return
        words = clock(self.playhead)
        wide = text_width(words) + look.pixels(10)
        left = min(max(x - wide / 2, 0.0), self.width - wide)
        dpg.draw_line((x, 0), (x, self.high), color=HEAD, thickness=1.5, parent=self._head)
        dpg.draw_rectangle(
            (left, 0), (left + wide, look.pixels(RULER - 4)), color=HEAD, fill=HEAD, rounding=3, parent=self._head
        )
        dpg.draw_text(
            (left + look.pixels(5), look.pixels(1)), words, size=look.pixels(15), color=(24, 20, 12, 255),
            parent=self._head,
        )  # fmt: skip

    def _line(self, begin: tuple[float, float], end: tuple[float, float], colour: look.Colour) -> None:
        dpg.draw_line(begin, end, color=colour, thickness=1, parent=self.drawlist)
