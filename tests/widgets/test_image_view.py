"""A picture under a real mouse."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from tests.gui_support import Hand, Screen
from tests.widgets.support import ramp
from widgets.image_view import ImageView

pytestmark = pytest.mark.gui
MIDDLE = 2


class Stand:
    """One view of a 64 x 32 picture in a window of its own, updated with every frame."""

    def __init__(self, window, screen: Screen, **options) -> None:
        self.window, self.drags, self.clicks = window, [], []
        with dpg.window(pos=(10, 10), width=500, height=400):
            self.view = ImageView(
                window.textures.create,
                on_drag=lambda dx, dy: self.drags.append((dx, dy)),
                on_click=lambda x, y: self.clicks.append((x, y)),
                smooth=False,
                **options,
            )
        self.view.set_picture(ramp(64, 32))
        self.hand = Hand(screen, self.turn, lambda: tuple(int(value) for value in dpg.get_viewport_pos()))
        self.turn(4)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.view.update()
            self.window.frame()

    def on_screen(self, x: float, y: float) -> tuple[int, int]:
        """The window pixel that shows a picture point."""
        left, top = dpg.get_item_rect_min(self.view.drawlist)
        corner, _ = self.view.placement.corners()
        return int(left + corner[0] + x * self.view.zoom), int(top + corner[1] + y * self.view.zoom)


@pytest.fixture
def stand(window, screen: Screen) -> Stand:
    return Stand(window, screen)


def test_a_drag_reports_picture_widths(stand: Stand) -> None:
    begin, end = stand.on_screen(10, 10), stand.on_screen(42, 26)
    stand.hand.drag(begin, end)
    dx, dy = np.sum(stand.drags, axis=0)
    width = 64 * stand.view.zoom
    assert dx == pytest.approx((end[0] - begin[0]) / width)
    assert dy == pytest.approx((end[1] - begin[1]) / width)
    assert dx == pytest.approx(0.5, abs=0.01)
    assert stand.clicks == []
    assert stand.view.placement.fitted


def test_the_wheel_zooms_at_the_cursor(stand: Stand) -> None:
    x, y = stand.on_screen(40.5, 20.5)
    stand.hand.move(x, y)
    before, pixel = stand.view.zoom, stand.view.pixel_at((x, y))
    stand.hand.wheel(3)
    assert stand.view.zoom == pytest.approx(before * 1.25**3)
    assert stand.view.pixel_at((x, y)) == pixel == (40, 20)
    stand.hand.wheel(-2)
    assert stand.view.pixel_at((x, y)) == pixel


def test_the_wheel_over_the_picture_does_not_scroll_the_window_around_it(window, screen: Screen) -> None:
    stand = Stand(window, screen, height=10)
    outer = stand.view._root()
    dpg.add_spacer(parent=outer, height=800)
    stand.turn(3)
    assert dpg.get_y_scroll_max(outer) > 100
    stand.hand.move(*stand.on_screen(20, 10))
    stand.hand.wheel(-2)
    assert dpg.get_y_scroll(outer) == 0
    left, bottom = dpg.get_item_rect_min(stand.view.drawlist)[0], dpg.get_item_rect_max(stand.view.drawlist)[1]
    stand.hand.move(left + 40, bottom + 80)
    stand.hand.wheel(-2)
    assert dpg.get_y_scroll(outer) > 0


def test_the_read_out_names_the_pixel_that_is_on_the_screen(stand: Stand, screen: Screen) -> None:
    for target in ((3.5, 2.5), (40.2, 30.7), (63.5, 31.5)):
        x, y = stand.on_screen(*target)
        stand.hand.move(x, y)
        stand.turn(2)
        pixel = stand.view.pixel_at((x, y))
        assert pixel == (int(target[0]), int(target[1]))
        assert stand.view.read_out() == f"x {pixel[0]} y {pixel[1]}   r {pixel[0]} g {pixel[1]} b 200"
        stand.hand.move(5, 5)  # the cursor would cover the pixel
        left, top = (int(value) for value in dpg.get_viewport_pos())
        assert tuple(screen.pixels()[top + y, left + x]) == stand.view.colour_at(pixel)[:3] == (*pixel, 200)


def test_outside_the_picture_is_no_pixel(stand: Stand) -> None:
    x, y = stand.on_screen(64.5, 10)
    stand.hand.move(x, y)
    assert stand.view.pixel_at((x, y)) is None
    assert stand.view.read_out().startswith("64 × 32 px")


@pytest.mark.parametrize("way", ["middle button", "space"])
def test_panning_moves_the_view_and_not_the_latent(stand: Stand, way: str) -> None:
    begin = stand.on_screen(20, 10)
    corner = stand.view.placement.corners()[0]
    if way == "space":
        stand.hand.hold_key("space")
    stand.hand.drag(begin, (begin[0] + 30, begin[1] - 12), button=MIDDLE if way == "middle button" else 1)
    if way == "space":
        stand.hand.release_key("space")
    assert stand.view.placement.corners()[0] == pytest.approx((corner[0] + 30, corner[1] - 12))
    assert stand.drags == []


def test_a_double_click_fits(stand: Stand) -> None:
    stand.hand.move(*stand.on_screen(20, 10))
    stand.hand.wheel(4)
    assert not stand.view.placement.fitted
    stand.hand.double_click(*stand.on_screen(20, 10))
    assert stand.view.placement == stand.view.placement.fit()
    assert stand.drags == []


def test_a_click_picks_a_pixel(stand: Stand) -> None:
    stand.hand.click(*stand.on_screen(12.5, 7.5))
    assert stand.clicks == [(12, 7)]


def test_an_early_picture_takes_the_place_of_the_full_one(stand: Stand) -> None:
    corners = stand.view.placement.corners()
    stand.view.set_picture(ramp(16, 8), (64, 32))
    stand.turn(3)
    assert stand.view.placement.corners() == corners
    assert stand.view.colour_at((63, 31)) == (15, 7, 200, 255)


def test_hard_pixels_or_smooth_ones(stand: Stand, screen: Screen) -> None:
    two = np.zeros((1, 2, 4), np.uint8)
    two[..., 3] = 255
    two[0, 1, :3] = 255
    stand.view.set_picture(two)
    stand.turn(4)
    x, y = stand.on_screen(0.8, 0.5)
    left, top = (int(value) for value in dpg.get_viewport_pos())
    assert screen.pixels()[top + y, left + x, 0] == 0
    stand.view.toggle_smooth()
    stand.turn(3)
    assert 60 < screen.pixels()[top + y, left + x, 0] < 100


def test_under_transparent_pictures_lies_a_checkerboard(stand: Stand, screen: Screen) -> None:
    clear = np.zeros((32, 64, 4), np.uint8)
    stand.view.set_picture(clear, transparent=True)
    stand.hand.move(5, 5)
    stand.turn(5)
    left, top = (int(value) for value in dpg.get_viewport_pos())
    (x0, y0), (x1, y1) = stand.on_screen(1, 1), stand.on_screen(63, 31)
    inside = screen.pixels()[top + y0 : top + y1, left + x0 : left + x1, 0]
    assert set(np.unique(inside)) == {52, 64}


def test_the_problem_card_stands_over_the_picture(stand: Stand) -> None:
    stand.view.problem.show("No picture", "The file holds no generator.", "Open another one.")
    stand.turn(4)
    assert dpg.is_item_visible(stand.view.problem.title)
    bottom = dpg.get_item_rect_max(stand.view.drawlist)[1]
    assert dpg.get_item_rect_min(stand.view.problem.title)[1] > bottom - 200
    stand.view.problem.hide()
    stand.turn(2)
    assert not dpg.is_item_shown(stand.view.problem.card)


def test_a_picture_that_is_shown_smaller_keeps_its_thin_lines(stand: Stand, screen: Screen) -> None:
    lines = np.zeros((1500, 1500, 4), np.uint8)
    lines[..., 3] = 255
    lines[:, ::2] = 255
    stand.view.set_picture(lines)
    stand.turn(4)
    assert stand.view.zoom < 0.35
    x, y = (int(value) for value in dpg.get_viewport_pos())
    left, top = stand.on_screen(300, 300)
    shown = screen.pixels()[y + top, x + left : x + left + 60, 0]
    assert ((shown > 0) & (shown < 255)).any()  # hard edges would leave black and white only
