"""The stage shows the picture and nothing else, and Dear PyGui draws on unharmed beside it."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import numpy as np
import pytest

from app.display import native
from app.display.stage import Stage, StageError, letterbox
from tests.gui_support import SCREEN_SIZE, Hand, Screen

pytestmark = pytest.mark.gui


@pytest.fixture
def stage(window):
    stage = Stage(vsync=False)
    yield stage
    stage.close()
    window.frame()


def noise(width: int, height: int) -> np.ndarray:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


def test_letterbox_centres_the_largest_whole_size():
    assert letterbox(512, 512, 1280, 800) == (240, 0, 800, 800)
    assert letterbox(512, 1024, 1280, 800) == (440, 0, 400, 800)
    assert letterbox(1024, 256, 1280, 800) == (0, 240, 1280, 320)
    assert letterbox(4000, 1, 100, 100) == (0, 49, 100, 1)


def test_it_fills_the_screen_with_the_picture_alone(window, screen: Screen, hand: Hand, stage: Stage):
    hand.move(-60, -40)  # the pointer is hidden on the stage, but Xvfb draws the one it started with
    rgba = noise(200, 400)
    stage.linear = False
    stage.open()
    assert stage.is_open
    assert stage.size == SCREEN_SIZE
    stage.show(rgba)
    for _ in range(3):
        stage.frame()
        window.frame()
    shown = screen.pixels()
    assert np.array_equal(shown[:, 440:840], rgba[..., :3].repeat(2, axis=0).repeat(2, axis=1))
    assert (shown[:, 24:440] == 0).all()
    assert (shown[:, 840:] == 0).all()


def test_the_window_draws_on_while_the_stage_is_open_and_after(window, stage: Stage):
    rgba = noise(64, 64)
    picture = window.textures.create()
    with dpg.window(pos=(0, 0), width=300, height=300, no_title_bar=True):
        image = dpg.add_image(picture.tag, width=64, height=64, pos=(8, 8))
    context = native.current_window()
    for _ in range(3):
        stage.open(windowed=(320, 200))
        stage.show(rgba)
        stage.frame()
        assert native.current_window() == context
        picture.upload(rgba)
        assert np.array_equal(window.grab()[8:72, 8:72], rgba)
        stage.close()
        assert native.current_window() == context
        picture.upload(rgba[::-1])
        assert np.array_equal(window.grab()[8:72, 8:72], rgba[::-1])
    dpg.delete_item(image)
    picture.release()


def test_new_pictures_and_filters_are_taken_over(window, stage: Stage):
    stage.open(windowed=(400, 400))
    stage.show(noise(100, 100))
    smooth = stage.grab()
    stage.linear = False
    square = stage.grab()
    assert np.array_equal(square[::4, ::4], noise(100, 100))
    assert not np.array_equal(smooth, square)
    stage.show(noise(50, 50))
    assert np.array_equal(stage.grab()[::8, ::8], noise(50, 50))


@pytest.mark.parametrize("key", ["Escape", "F11"])
def test_escape_and_f11_close_it(window, screen: Screen, stage: Stage, key: str):
    stage.open()
    stage.show(noise(8, 8))

    def frame() -> None:
        stage.frame()
        window.frame()

    hand = Hand(screen, frame, lambda: (0, 0))
    hand.move(600, 400)
    hand.key("a")
    assert stage.is_open
    hand.key(key)
    assert not stage.is_open
    assert stage.size == (0, 0)
    stage.frame()
    window.frame()


def test_a_monitor_that_is_not_there_is_named(window, stage: Stage):
    with pytest.raises(StageError, match="There is no monitor 7; there are 1, counted from 0"):
        stage.open(monitor=7)
    assert not stage.is_open
    window.frame()
    stage.open(monitor=0)
    assert stage.is_open


def test_a_wrong_picture_is_refused_with_numbers(stage: Stage):
    with pytest.raises(ValueError, match=r"The stage got float32 \[4, 4, 3\], expected uint8 \[H, W, 4\]"):
        stage.show(np.zeros((4, 4, 3), np.float32))
