"""Two pictures of the same size laid over each other: wipe, onion, difference."""

from __future__ import annotations

from collections.abc import Callable

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.compare_math import apart, difference
from widgets.image_view import Drag, ImageView
from widgets.panel import Texture
from widgets.rows import Tag

GRIP = 9  # screen pixels around the divider that take hold of it
KNOB = 11.0
TEXT = 15  # pixels at scale 1
WHITE: look.Colour = (255, 255, 255, 230)


class Caption:
    """Words at the upper edge of a picture, on a dark ground, so that they can be read on any."""

    def __init__(self, drawlist: Tag) -> None:
        self.ground: Tag = dpg.draw_rectangle(
            (0, 0), (1, 1), color=(0, 0, 0, 0), fill=(14, 15, 17, 185), rounding=4, parent=drawlist, show=False
        )
        self.words: Tag = dpg.draw_text((0, 0), "", size=TEXT, color=WHITE, parent=drawlist, show=False)

    def draw(self, words: str, x: float) -> None:
        """Begin at x, in screen pixels of the view; '' draws nothing."""
        for item in (self.ground, self.words):
            dpg.configure_item(item, show=bool(words))
        if not words:
            return
        size = look.pixels(TEXT)
        wide, high = dpg.get_text_size(words)
        width = wide * size / high if high else size * len(words) / 2
        dpg.configure_item(self.words, text=words, pos=(x, 10), size=size)
        dpg.configure_item(self.ground, pmin=(x - 6, 6), pmax=(x + width + 6, 14 + size))


class PairView(ImageView):
    """The first picture under the second. In a wipe the second begins right of the divider, which can be dragged."""

    def __init__(
        self, texture: Callable[[], Texture], *, on_drag: Drag, on_wipe: Callable[[float], None], below: float = 0.0
    ) -> None:
        """on_wipe(share): the divider was dragged to this share of the view's width."""
        self.on_wipe = on_wipe
        self.mode, self.share, self.opacity, self.gain = "wipe", 0.5, 0.5, 4.0
        self.names = ("", "")
        self.figures: tuple[float, int] | None = None  # mean and largest difference, in levels
        self._mixed: tuple[np.ndarray, np.ndarray, float] | None = None  # what is shown, gain 0: not as a difference
        super().__init__(texture, on_drag=on_drag, below=below, empty="Waiting for both pictures.")

    def _build(self, texture: Callable[[], Texture]) -> None:
        super()._build(texture)
        self.upper = texture()
        self.top: Tag = dpg.draw_image(self.upper.tag, (0, 0), (1, 1), parent=self.drawlist, show=False)
        layer: Tag = dpg.add_draw_layer(parent=self.drawlist, show=False)
        self.line: Tag = dpg.draw_line((0, 0), (0, 1), color=WHITE, thickness=1.5, parent=layer)
        self.knob: Tag = dpg.draw_circle((0, 0), KNOB, color=WHITE, fill=(14, 15, 17, 210), parent=layer)
        self.arrows: list[Tag] = [
            dpg.draw_triangle((0, 0), (0, 0), (0, 0), color=WHITE, fill=WHITE, parent=layer) for _ in range(2)
        ]
        self.divider = layer
        self.captions = [Caption(self.drawlist), Caption(self.drawlist)]

    def _build_footer(self) -> None:
        self.status: Tag = dpg.add_text("", color=look.MUTED)

    def show_pair(self, first: np.ndarray, second: np.ndarray, size: tuple[int, int], transparent: bool) -> None:
        """Show two pictures, early ones or full ones, that stand for pictures of `size` (W, H)."""
        gain = self.gain if self.mode == "difference" else 0.0
        if self._mixed is not None and self._mixed[0] is first and self._mixed[1] is second and self._mixed[2] == gain:
            return
        if self.mode != "difference":
            self._mixed, self.figures = (first, second, gain), None
            self.upper.upload(second)
            self.set_picture(first, size, transparent=transparent)
        elif first.shape == second.shape:  # an early picture has no difference to a full one; the last one stays
            self._mixed, self.figures = (first, second, gain), apart(first, second)
            self.set_picture(difference(first, second, gain), size)
        self._drawn = None

    def clear(self, words: str = "") -> None:
        super().clear(words)
        self._mixed = None
        for item in (self.top, self.divider):
            dpg.configure_item(item, show=False)
        for caption in self.captions:
            caption.draw("", 0)

    @property
    def boundary(self) -> float:
        """Where the divider stands, in screen pixels of the view."""
        return self.share * self.placement.view[0]

    def update(self, busy: bool = False) -> None:
        super().update(busy)
        if self.pixels is not None:
            self._draw_upper()
            self._draw_captions()

    def _filter(self) -> None:
        before = self._linear
        super()._filter()
        if self._linear is not None and self._linear != before:
            self.upper.set_filter(self._linear)

    def _draw_upper(self) -> None:
        """The second picture: right of the divider, or all of it as far as its opacity lets through."""
        (left, upper), (right, lower) = self.placement.corners()
        wiping = self.mode == "wipe"
        begin = min(max(left, self.boundary), right) if wiping else left
        u, v = self.upper.uv_max
        dpg.configure_item(
            self.top,
            texture_tag=self.upper.tag,
            pmin=(begin, upper),
            pmax=(right, lower),
            uv_min=(u * (begin - left) / (right - left), 0),
            uv_max=(u, v),
            color=(255, 255, 255, 255 if wiping else round(255 * self.opacity)),
            show=self.mode != "difference" and begin < right,
        )
        dpg.configure_item(self.divider, show=wiping)
        if wiping:
            self._draw_divider(self.boundary, self.placement.view[1])

    def _draw_divider(self, x: float, height: int) -> None:
        middle = height / 2
        dpg.configure_item(self.line, p1=(x, 0), p2=(x, height))
        dpg.configure_item(self.knob, center=(x, middle))
        for arrow, way in zip(self.arrows, (-1, 1), strict=True):
            tip, foot = x + way * 7, x + way * 3
            dpg.configure_item(arrow, p1=(tip, middle), p2=(foot, middle - 4), p3=(foot, middle + 4))

    def _draw_captions(self) -> None:
        """The names of the two, where they are seen."""
        wiping = self.mode == "wipe"
        texts = self.names if wiping else (self._caption(), "")
        for caption, words, at in zip(self.captions, texts, (12.0, self.boundary + 16), strict=True):
            caption.draw(words, at)

    def _caption(self) -> str:
        first, second = self.names
        if self.mode == "onion":
            return f"{second} at {self.opacity:.0%} over {first}"
        return f"|{first} − {second}| × {self.gain:.0f}"

    def _press(self, mouse: tuple[float, float]) -> None:
        near = abs(self._local(mouse)[0] - self.boundary) <= GRIP
        if self.mode == "wipe" and near and dpg.is_mouse_button_clicked(dpg.mvMouseButton_Left):
            self._held, self._start, self._last, self._moved = "wipe", mouse, mouse, False
        else:
            super()._press(mouse)

    def _hold(self, mouse: tuple[float, float]) -> None:
        if self._held != "wipe":
            super()._hold(mouse)
            return
        self.on_wipe(min(1.0, max(0.0, self._local(mouse)[0] / self.placement.view[0])))
        if not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            self._held = ""

    def read_out(self) -> str:
        """Zoom and pixel; in the difference, how far the two are apart."""
        words = super().read_out()
        if self.figures is None:
            return words
        mean, most = self.figures
        return f"{words}   mean difference {mean:.2f}, largest {most} levels of 255"
