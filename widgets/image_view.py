"""A picture in a window: drag, zoom at the cursor, pan, pick a pixel; marks for busy and for problems.

Mouse: left drag moves the latent (or pans, where nothing is to be moved), wheel zooms, middle button or space-drag
pans, double click fits, a click without motion picks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np

from widgets import look
from widgets.marks import Checker, ProblemCard, Spinner
from widgets.overlay import Overlay
from widgets.panel import Texture
from widgets.rows import Tag, tooltip
from widgets.view_math import Placement

ZOOM_STEP = 1.25  # per notch of the wheel
STILL = 3  # screen pixels that a click may move
Drag = Callable[[float, float], None]
Describe = Callable[[int, int], str]


class ImageView:
    """Shows uint8 RGBA pictures; call `update` once per loop.

    on_drag(dx, dy): the picture was dragged by so many picture widths. on_click(x, y): a picture pixel was clicked.
    describe(x, y): words for the pixel under the mouse, instead of its colour.
    height: of the picture in lines of text; None fills the window down to `below` lines, kept for what follows.
    """

    def __init__(
        self,
        texture: Callable[[], Texture],
        *,
        on_drag: Drag | None = None,
        on_click: Callable[[int, int], None] | None = None,
        describe: Describe | None = None,
        smooth: bool = True,
        height: float | None = None,
        below: float = 0.0,
        empty: str = "",
    ) -> None:
        self.texture = texture()
        self.on_drag, self.on_click, self.describe = on_drag, on_click, describe
        self.smooth, self.lines, self.below, self.empty = smooth, height, below, empty
        self.placement = Placement()
        self.pixels: np.ndarray | None = None
        self.shown_size = (0, 0)  # (W, H) that coordinates count in; early pictures have fewer pixels
        self._held = ""  # 'drag' or 'pan' while a button is down
        self._start = self._last = (0.0, 0.0)
        self._moved = self._hovered = False
        self._drawn: tuple[Placement, Tag] | None = None
        self._linear: bool | None = None  # how the texture is filtered; None: not set
        self._build(texture)

    def _build(self, texture: Callable[[], Texture]) -> None:
        self.canvas: Tag
        with dpg.child_window(border=False, no_scrollbar=True, no_scroll_with_mouse=True) as self.canvas:
            self.drawlist: Tag = dpg.add_drawlist(8, 8)
            self.checker = Checker(self.drawlist, texture)
            self.image: Tag = dpg.draw_image(
                self.texture.tag, (0, 0), (1, 1), uv_max=(1, 1), parent=self.drawlist, show=False
            )
            self.overlay = Overlay(self.drawlist)
            self.spinner = Spinner(self.drawlist)
            self.words: Tag = dpg.add_text(self.empty, color=look.MUTED, pos=(16, 12), wrap=0, show=bool(self.empty))
            self.problem = ProblemCard()
        look.bind_style(self.canvas, "canvas")
        self._build_footer()
        with dpg.handler_registry():
            dpg.add_mouse_wheel_handler(callback=self._wheel)

    def _build_footer(self) -> None:
        footer: Tag
        with dpg.table(header_row=False, policy=dpg.mvTable_SizingStretchProp, no_pad_outerX=True) as footer:
            look.bind_style(footer, "small")
            dpg.add_table_column(width_stretch=True)
            for _ in range(3):
                dpg.add_table_column(width_fixed=True)
            with dpg.table_row():
                self.status: Tag = dpg.add_text("", color=look.MUTED)
                for label, words, press in (
                    ("Fit", "Show the whole picture. Double click does the same.", self.fit),
                    ("1:1", "One picture pixel per screen pixel.", self.one_to_one),
                    (
                        "Smooth" if self.smooth else "Pixels",
                        "Between pixels: smooth, or hard edges.",
                        self.toggle_smooth,
                    ),
                ):
                    button = dpg.add_button(label=label, callback=lambda s, a, u: u(), user_data=press)
                    look.bind(button, "ghost")
                    tooltip(button, words)
        self.smooth_button: Tag = button

    @property
    def zoom(self) -> float:
        """Screen pixels per picture pixel."""
        return self.placement.zoom

    def fit(self) -> None:
        """Show the whole picture as large as it goes, also when the window changes."""
        self.placement = self.placement.fit()

    def one_to_one(self) -> None:
        """One picture pixel per screen pixel, around the middle of the view."""
        self.placement = self.placement.one_to_one()

    def toggle_smooth(self) -> None:
        """Interpolate between pixels, or show them as squares."""
        self.smooth = not self.smooth
        dpg.set_item_label(self.smooth_button, "Smooth" if self.smooth else "Pixels")

    def set_picture(
        self, pixels: np.ndarray, size: tuple[int, int] | None = None, *, transparent: bool = False
    ) -> None:
        """Show pixels [H, W, 4]; size (W, H): the full picture that an early, smaller one stands for."""
        if pixels is self.pixels:
            return
        self.pixels = pixels
        self.shown_size = size or (pixels.shape[1], pixels.shape[0])
        self.texture.upload(pixels)
        self.checker.show = transparent
        self._drawn = None

    def clear(self, words: str = "") -> None:
        """Show no picture but these words."""
        self.pixels = None
        self.empty = words
        dpg.configure_item(self.image, show=False)

    def pixel_at(self, mouse: Sequence[float]) -> tuple[int, int] | None:
        """The picture pixel under the mouse (in pixels of the window); None outside the picture."""
        if self.pixels is None:
            return None
        x, y = self._local(mouse)
        return self.placement.pixel_at(int(x), int(y))

    def colour_at(self, pixel: tuple[int, int]) -> tuple[int, ...]:
        """RGBA of a picture pixel, 0 to 255; of the pixel that stands for it in an early picture."""
        if self.pixels is None:
            return ()
        (x, y), (width, height) = pixel, self.shown_size
        rows, cols = self.pixels.shape[:2]
        return tuple(int(value) for value in self.pixels[y * rows // height, x * cols // width])

    @property
    def dragging(self) -> bool:
        """Whether the user drags the picture (not the view)."""
        return self._held == "drag" and self._moved and self.on_drag is not None

    def update(self, busy: bool = False) -> None:
        """Follow the window's size and the mouse; draw the marks."""
        self._resize()
        self._hover()
        self._mouse()
        self._filter()
        self._draw()
        self.overlay.draw(self.placement if self.pixels is not None else None)
        self.spinner.update(busy, self.placement.view[0])
        self.problem.place(self.placement.view)
        dpg.configure_item(self.words, default_value=self.empty, show=self.pixels is None and bool(self.empty))
        self._show_status()

    def _resize(self) -> None:
        line = look.line_height()
        height = round(self.lines * line) if self.lines else -(round((self.below + 1) * line) + 16)
        dpg.configure_item(self.canvas, height=height)
        width, height = (max(8, int(side)) for side in dpg.get_item_rect_size(self.canvas))
        if (width, height) != self.placement.view:
            dpg.configure_item(self.drawlist, width=width, height=height)
        self.placement = self.placement.resized((width, height), self.shown_size if self.pixels is not None else (1, 1))

    def _hover(self) -> None:
        """Over the picture the wheel zooms, so the window around it must not scroll."""
        hovered = bool(dpg.is_item_hovered(self.drawlist))
        if hovered != self._hovered:
            self._hovered = hovered
            dpg.configure_item(self._root(), no_scroll_with_mouse=hovered)

    def _root(self) -> Tag:
        item: Tag = self.canvas
        while parent := dpg.get_item_parent(item):
            item = parent
        return item

    def _filter(self) -> None:
        """A picture that is shown smaller than it is is always smooth: hard edges would drop whole lines of it."""
        linear = self.smooth or self.zoom < 1
        if linear != self._linear:
            self._linear = linear
            self.texture.set_filter(linear)

    def _draw(self) -> None:
        if self.pixels is None or self._drawn == (self.placement, self.texture.tag):
            return
        corner, opposite = self.placement.corners()
        dpg.configure_item(
            self.image,
            texture_tag=self.texture.tag,
            pmin=corner,
            pmax=opposite,
            uv_min=(0, 0),
            uv_max=self.texture.uv_max,
            show=True,
        )
        self.checker.draw(corner, opposite, self.placement.view)
        self._drawn = (self.placement, self.texture.tag)

    def _local(self, mouse: Sequence[float]) -> tuple[float, float]:
        left, top = dpg.get_item_rect_min(self.drawlist)
        return mouse[0] - left, mouse[1] - top

    def _mouse(self) -> None:
        x, y = dpg.get_mouse_pos(local=False)
        if not self._held and self._hovered:
            self._press((x, y))
        elif self._held:
            self._hold((x, y))

    def _press(self, mouse: tuple[float, float]) -> None:
        if dpg.is_mouse_button_double_clicked(dpg.mvMouseButton_Left):
            self.fit()
            return
        left, middle = (dpg.is_mouse_button_clicked(b) for b in (dpg.mvMouseButton_Left, dpg.mvMouseButton_Middle))
        if middle or (left and (dpg.is_key_down(dpg.mvKey_Spacebar) or (self.on_drag is None and not self.on_click))):
            self._held = "pan"
        elif left:
            self._held = "drag"
        self._start = self._last = mouse
        self._moved = False

    def _hold(self, mouse: tuple[float, float]) -> None:
        if not self._moved and max(abs(mouse[0] - self._start[0]), abs(mouse[1] - self._start[1])) > STILL:
            self._moved = True
        if self._moved and mouse != self._last:
            dx, dy = mouse[0] - self._last[0], mouse[1] - self._last[1]
            self._last = mouse
            if self._held == "drag" and self.on_drag is not None:
                width = self.zoom * self.shown_size[0]
                self.on_drag(dx / width, dy / width)
            else:
                self.placement = self.placement.panned(dx, dy)
        buttons = (dpg.mvMouseButton_Left, dpg.mvMouseButton_Middle)
        if not any(dpg.is_mouse_button_down(button) for button in buttons):
            self._release(mouse)

    def _release(self, mouse: tuple[float, float]) -> None:
        if self._held == "drag" and not self._moved and self.on_click is not None:
            pixel = self.pixel_at(mouse)
            if pixel is not None:
                self.on_click(*pixel)
        self._held = ""

    def _wheel(self, sender: Tag, app_data: float, user_data: Any) -> None:
        if self.pixels is not None and dpg.is_item_hovered(self.drawlist):
            x, y = self._local(dpg.get_mouse_pos(local=False))
            self.placement = self.placement.zoomed(ZOOM_STEP**app_data, x + 0.5, y + 0.5)

    def _show_status(self) -> None:
        dpg.set_value(self.status, self.read_out())

    def read_out(self) -> str:
        """The words of the status line: the pixel under the mouse, else size and zoom."""
        if self.pixels is None:
            return ""
        width, height = self.shown_size
        words = f"{width} × {height} px   {self.zoom * 100:.0f} %"
        rows, columns = self.pixels.shape[:2]
        if columns < width and self.describe is None:
            words += f"   early picture: {columns} × {rows}"
        if not self._hovered:
            return words
        pixel = self.pixel_at(dpg.get_mouse_pos(local=False))
        if pixel is None:
            return words
        if self.describe is not None:
            return self.describe(*pixel)
        red, green, blue, alpha = self.colour_at(pixel)
        opacity = f" a {alpha}" if self.checker.show else ""
        return f"x {pixel[0]} y {pixel[1]}   r {red} g {green} b {blue}{opacity}"
