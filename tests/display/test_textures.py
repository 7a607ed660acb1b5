"""Pictures reach the screen pixel by pixel, on both backends, over every change of size, filter and slot."""

from __future__ import annotations

import logging

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from OpenGL import GL

from app.display import textures
from app.display.slots import GlSlot, RawSlot
from app.display.textures import PictureTexture, TexturePool

pytestmark = pytest.mark.gui
LEFT, TOP = 8, 8


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


@pytest.fixture(params=["gl", "raw"])
def pool(request, window):
    if request.param == "gl":
        return window.textures
    return TexturePool("raw")


@pytest.fixture
def canvas(window):
    """Draws a picture at (8, 8) without any border, and gives back what the window then shows."""
    with dpg.window(pos=(0, 0), width=900, height=600, no_title_bar=True, no_move=True, no_scrollbar=True):
        image = dpg.add_image(window.textures.create().tag, pos=(LEFT, TOP))

    def draw(picture: PictureTexture, width: int = 0, height: int = 0) -> np.ndarray:
        width, height = width or picture.size[0], height or picture.size[1]
        dpg.configure_item(image, texture_tag=picture.tag, uv_max=picture.uv_max, width=width, height=height)
        return window.grab()[TOP : TOP + height, LEFT : LEFT + width]

    return draw


def test_the_self_test_chose_gl(window):
    assert (window.textures.backend, window.textures.reason) == ("gl", "self-test passed")


def test_pictures_are_exact_over_changes_of_size(window, pool, canvas):
    picture = pool.create()
    for seed, (width, height) in enumerate([(64, 64), (64, 64), (64, 32), (257, 33), (31, 300), (512, 512), (1, 1)]):
        rgba = noise(width, height, seed)
        picture.upload(rgba)
        assert picture.size == (width, height)
        assert np.array_equal(canvas(picture), rgba), (width, height)
        for _ in range(3):  # Dear PyGui must not write over it later
            window.frame()
        assert np.array_equal(canvas(picture), rgba), (width, height)
    picture.release()


def test_a_view_of_an_array_arrives_as_it_looks(pool, canvas):
    rgba = noise(64, 48)
    picture = pool.create()
    picture.upload(rgba[::-1, ::2])
    assert np.array_equal(canvas(picture), rgba[::-1, ::2])
    picture.release()


def test_nearest_shows_square_pixels_and_linear_does_not(pool, canvas):
    rgba = noise(40, 30)
    picture = pool.create()
    picture.upload(rgba)
    square = rgba.repeat(8, axis=0).repeat(8, axis=1)
    smooth = canvas(picture, 320, 240)
    assert not np.array_equal(smooth, square)
    picture.set_filter(linear=False)
    middle = (slice(4, None, 8), slice(4, None, 8))
    assert np.array_equal(canvas(picture, 320, 240)[middle], rgba)
    picture.set_filter(linear=True)
    assert np.array_equal(canvas(picture, 320, 240), smooth)
    picture.release()


def test_gl_nearest_is_exact_everywhere(window, canvas):
    rgba = noise(40, 30)
    picture = window.textures.create()
    picture.upload(rgba)
    picture.set_filter(linear=False)
    assert np.array_equal(canvas(picture, 320, 240), rgba.repeat(8, axis=0).repeat(8, axis=1))
    picture.release()


def test_the_border_does_not_bleed(pool, canvas):
    """Enlarged linearly, the left edge stays the left column's colour; GL_REPEAT would mix in the right one's."""
    picture = pool.create()
    picture.upload(np.full((300, 300, 4), 255, np.uint8))  # what a smaller picture leaves around itself in a raw slot
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[..., 3] = 255
    rgba[:, 8:, 0] = 200
    picture.upload(rgba)
    shown = canvas(picture, 256, 256)
    assert (shown[:, 0, 0] == 0).all()
    assert (shown[:, -1, 0] == 200).all()
    picture.release()


def test_two_pictures_keep_apart(pool, canvas):
    first, second = pool.create(), pool.create()
    a, b = noise(50, 50, 1), noise(50, 50, 2)
    first.upload(a)
    second.upload(b)
    assert np.array_equal(canvas(first), a)
    assert np.array_equal(canvas(second), b)
    first.release()
    second.release()


def test_a_released_slot_is_used_again(pool):
    first = pool.create()
    first.upload(noise(20, 20))
    tag = first.tag
    first.release()
    first.release()
    with pytest.raises(RuntimeError, match="was released"):
        first.upload(noise(20, 20))
    handed_out = [pool.create() for _ in range(len(pool._free))]
    assert tag in [picture.tag for picture in handed_out]
    for picture in handed_out:
        picture.release()


def test_more_pictures_than_spare_slots_attach_a_frame_later(window, canvas):
    pictures = [window.textures.create() for _ in range(textures.SPARE_SLOTS + 5)]
    wanted = [noise(30, 20, seed) for seed in range(len(pictures))]
    for picture, rgba in zip(pictures, wanted, strict=True):
        picture.upload(rgba)  # some have no GL texture yet and wait for it
    assert any(not picture.slot.ready for picture in pictures)
    window.frame()
    window.frame()
    assert all(picture.slot.ready for picture in pictures)
    for picture, rgba in zip(pictures, wanted, strict=True):
        assert np.array_equal(canvas(picture), rgba)
    for picture in pictures:
        picture.release()


def test_wrong_pictures_are_refused_with_numbers(pool):
    picture = pool.create()
    with pytest.raises(ValueError, match=r"is float32 \[4, 4, 4\], expected uint8 \[H, W, 4\]"):
        picture.upload(np.zeros((4, 4, 4), np.float32))
    with pytest.raises(ValueError, match=r"is uint8 \[4, 4, 3\]"):
        picture.upload(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"is uint8 \[0, 4, 4\]"):
        picture.upload(np.zeros((0, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="The picture is 40000x1 pixels, the display takes up to"):
        picture.upload(np.zeros((1, 40000, 4), np.uint8))
    picture.release()


def test_gl_state_is_left_as_dear_pygui_expects_it(window):
    picture = window.textures.create()
    buffer = GL.glGenBuffers(1)
    GL.glBindBuffer(GL.GL_PIXEL_UNPACK_BUFFER, buffer)
    bound = GL.glGetIntegerv(GL.GL_TEXTURE_BINDING_2D)
    picture.upload(noise(33, 17))
    assert GL.glGetIntegerv(GL.GL_PIXEL_UNPACK_BUFFER_BINDING) == 0
    assert GL.glGetIntegerv(GL.GL_TEXTURE_BINDING_2D) == bound
    assert GL.glGetIntegerv(GL.GL_UNPACK_ALIGNMENT) == 4
    assert GL.glGetIntegerv(GL.GL_UNPACK_ROW_LENGTH) == 0
    assert GL.glGetIntegerv(GL.GL_FRAMEBUFFER_BINDING) == 0
    GL.glDeleteBuffers(1, [buffer])
    picture.release()


def test_a_failed_self_test_moves_every_picture_to_raw_textures(window, canvas, monkeypatch, caplog):
    monkeypatch.setattr(GlSlot, "read_back", lambda slot: np.zeros((1, 1, 4), np.uint8))
    pool = TexturePool("auto")
    picture, rgba = pool.create(), noise(64, 40)
    picture.upload(rgba)
    with caplog.at_level(logging.WARNING, "stylescope.display"):
        window.frame()
        pool.service()
    assert pool.backend == "raw"
    assert pool.reason == "a 7x5 picture came back changed from its GL texture"
    assert isinstance(picture.slot, RawSlot)
    assert np.array_equal(canvas(picture), rgba)
    assert "slower" in caplog.text


def test_textures_that_are_never_found_fall_back_after_four_frames(window, canvas, monkeypatch):
    monkeypatch.setattr(textures, "find_gl_names", lambda pending: {})
    pool = TexturePool("auto")
    picture, rgba = pool.create(), noise(64, 40)
    picture.upload(rgba)
    for frame in range(textures.FRAMES_TO_ATTACH):
        assert pool.backend == "gl", frame
        window.frame()
        pool.service()
    assert (pool.backend, pool.reason) == ("raw", "6 GL textures were not found within 4 frames")
    assert np.array_equal(canvas(picture), rgba)


def test_without_reachable_gl_the_pool_is_raw_from_the_start(window, monkeypatch):
    monkeypatch.setattr(textures.native, "available", lambda: False)
    pool = TexturePool("auto")
    assert pool.backend == "raw"
    assert pool.decided
    assert pool.reason == "Dear PyGui does not draw with an OpenGL context that can be reached here"


def test_a_raw_picture_that_outgrows_its_texture_gets_a_larger_one(window, canvas):
    pool = TexturePool("raw")
    picture = pool.create()
    small = picture.tag
    picture.upload(noise(200, 200))
    assert picture.tag == small
    assert picture.uv_max == (200 / 258, 200 / 258)
    rgba = noise(300, 200)
    picture.upload(rgba)
    assert picture.tag != small
    assert picture.uv_max == (300 / 514, 200 / 258)
    assert np.array_equal(canvas(picture), rgba)
    assert pool.create().tag == small
