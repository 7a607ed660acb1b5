"""Callbacks, errors, drops, closing, minimising, scale, screenshots: a real window and real events."""

from __future__ import annotations

import ctypes
import logging
import threading

import dearpygui.dearpygui as dpg
import numpy as np
import pytest
from PIL import Image

from app.display import native
from app.display.callbacks import positional_count
from app.display.errors import FoldedErrors
from tests.gui_support import Hand, Screen, XClient, centre_of, point_in
from tests.xdnd import FileSource

pytestmark = pytest.mark.gui


def x11_window(window) -> int:
    library = ctypes.CDLL(native._extension.__file__)
    library.glfwGetX11Window.argtypes, library.glfwGetX11Window.restype = [ctypes.c_void_p], ctypes.c_ulong
    return library.glfwGetX11Window(window.native_window)


def test_a_real_drag_moves_a_slider(window, hand: Hand):
    values = []
    with dpg.window(pos=(20, 20), width=400, height=120):
        slider = dpg.add_slider_float(width=300, max_value=1.0, callback=lambda _, value: values.append(value))
    window.frame()
    hand.drag(point_in(slider, 0.1, 0.5), point_in(slider, 0.8, 0.5))
    assert values[-1] == pytest.approx(0.8, abs=0.02)
    assert values == sorted(values)
    assert len(values) >= 4


def test_wheel_and_keys_arrive(window, hand: Hand):
    seen = []
    with dpg.handler_registry():
        dpg.add_mouse_wheel_handler(callback=lambda _, notches: seen.append(("wheel", notches)))
        dpg.add_key_press_handler(dpg.mvKey_F5, callback=lambda: seen.append(("key", "F5")))
    hand.move(200, 200)
    hand.wheel(2)
    hand.wheel(-1)
    hand.key("F5")
    assert seen == [("wheel", 1), ("wheel", 1), ("wheel", -1), ("key", "F5")]


def test_a_raising_callback_does_not_drop_the_others(window, hand: Hand):
    seen, errors = [], []
    window.on_error = errors.append

    def broken() -> None:
        seen.append("broken")
        raise ValueError("broken on purpose")

    with dpg.window(pos=(20, 20)):
        button = dpg.add_button(label="press", callback=broken)
        with dpg.item_handler_registry() as handlers:
            dpg.add_item_clicked_handler(callback=lambda: seen.append("clicked"))
            dpg.add_item_deactivated_handler(callback=lambda: seen.append("released"))
        dpg.bind_item_handler_registry(button, handlers)
    window.frame()
    hand.click(*centre_of(button))
    assert sorted(seen) == ["broken", "clicked", "released"]
    assert [str(error) for error in errors] == ["broken on purpose"]
    window.on_error = pytest.fail


def test_callbacks_get_as_many_arguments_as_they_take():
    def of(sender, app_data):
        return sender, app_data

    class Panel:
        def changed(self, sender): ...

    assert positional_count(of) == 2
    assert positional_count(Panel().changed) == 1
    assert positional_count(lambda: None) == 0
    assert positional_count(lambda *arguments: None) == 3
    assert positional_count(lambda sender, app_data, user_data, extra=None: None) == 3


def test_the_same_error_is_logged_once_and_then_counted(caplog):
    fold = FoldedErrors()

    def fail(text: str) -> ValueError:
        try:
            raise ValueError(text)
        except ValueError as error:
            return error

    with caplog.at_level(logging.ERROR, "stylescope"):
        for _ in range(25):
            fold(fail("first"))
        fold(fail("second"))
    assert [record.exc_info is not None for record in caplog.records] == [True, False, True]
    assert "now 10 times" in caplog.records[1].message
    assert fold.summary() == ["ValueError: first (25 times)"]


def test_files_dropped_by_another_program_arrive_with_their_names(window, screen: Screen, tmp_path):
    paths = [tmp_path / "a model.pkl", tmp_path / "ψ.safetensors"]
    received = []
    assert window.on_drop(received.append)
    source = FileSource(screen, x11_window(window), paths)
    source.drop(window.frame)
    window.frame()
    window.frame()
    source.close()
    assert received == [[str(path) for path in paths]]


def test_a_drop_callback_that_raises_is_an_error_like_any_other(window):
    errors = []
    window.on_error = errors.append
    window.on_drop(lambda paths: paths[5])
    names = (ctypes.c_char_p * 1)(b"/models/a.pkl")
    window._drop_function(window.native_window, 1, names)
    assert errors == []
    window.frame()
    assert [type(error) for error in errors] == [IndexError]
    window.on_error = pytest.fail


def test_the_close_button_asks(window, screen: Screen):
    asked = []
    window.on_close(lambda: asked.append(window.is_running))
    with XClient(screen, x11_window(window)) as manager:
        manager.ask_to_close()
    window.frame()
    window.frame()
    assert asked == [True]
    assert window.is_running


def test_frames_return_and_events_arrive_while_minimised(window, screen: Screen):
    with XClient(screen, x11_window(window)) as manager:
        manager.set_state(XClient.ICONIC)
        window.frame()
        assert native.is_iconified(window.native_window)
        drawn = dpg.get_frame_count()
        window.frame()
        window.frame()
        assert dpg.get_frame_count() == drawn
        asked = []
        window.on_close(lambda: asked.append("close"))
        manager.ask_to_close()
        window.frame()
        window.frame()
        assert asked == ["close"]
        manager.set_state(XClient.NORMAL)
        window.frame()
        window.frame()
        window.frame()
    assert dpg.get_frame_count() > drawn


def test_a_screenshot_is_what_stands_on_the_screen(window, hand: Hand, screen: Screen, tmp_path):
    hand.move(-20, -20)  # the pointer is on the screen, but never in a screenshot
    with dpg.window(pos=(0, 0), width=300, height=200, no_title_bar=True):
        text = dpg.add_text("before", color=(255, 255, 0))
    window.frame()
    dpg.set_value(text, "after the change")
    window.screenshot(tmp_path / "window.png")
    saved = np.asarray(Image.open(tmp_path / "window.png").convert("RGB"))
    width, height = window.size
    left, top = (int(value) for value in dpg.get_viewport_pos())
    shown = screen.pixels()[top : top + height, left : left + width]
    assert saved.shape == (height, width, 3)
    assert np.array_equal(saved, shown)


def test_a_screenshot_that_cannot_be_written_says_so(window, tmp_path):
    with pytest.raises(FileNotFoundError):
        window.screenshot(tmp_path / "missing" / "window.png")


def test_the_scale_changes_text_and_padding_at_once(window):
    with dpg.window(pos=(0, 0)):
        button = dpg.add_button(label="scale")
    window.frame()
    window.frame()
    small = dpg.get_item_rect_size(button)
    window.user_scale = 2.0
    window.frame()
    window.frame()
    large = dpg.get_item_rect_size(button)
    assert large == pytest.approx([2 * value for value in small], abs=2)


def test_the_scale_stays_usable(window):
    for asked, given in ((0.0, 0.5), (100.0, 4.0), (float("nan"), 1.0), (1.5, 1.5)):
        window.user_scale = asked
        assert window.user_scale == given


def test_another_thread_is_refused_with_a_sentence(window):
    errors = []

    def call() -> None:
        try:
            window.frame()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert errors == ["The window belongs to the thread that created it; hand the work over to that one."]


def test_frames_are_paced_by_the_clock_and_late_ones_do_not_hurry(window, monkeypatch):
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr("app.display.window.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("app.display.window.time.sleep", sleep)
    window.fps_limit = 50
    window._next_frame_s = 0.0
    window._wait_for_turn()
    now[0] += 0.005  # a frame of 5 ms: wait 15
    window._wait_for_turn()
    now[0] += 0.090  # a frame of 90 ms: the next one starts at once
    window._wait_for_turn()
    now[0] += 0.005  # and the one after waits again
    window._wait_for_turn()
    assert slept == [0.015, 0.015]


@pytest.mark.parametrize(("frame_ms", "rest"), [(2.0, 0.018), (25.0, 0.025), (200.0, 0.03)])
def test_while_somebody_computes_a_slow_frame_is_followed_by_a_rest(window, monkeypatch, frame_ms, rest):
    """2 ms: the pace of 50 frames a second holds; 25 ms: half of the time is left; 200 ms: never more than 30 ms."""
    now, slept = [100.0], []
    monkeypatch.setattr("app.display.window.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("app.display.window.time.sleep", lambda seconds: slept.append(round(seconds, 6)))
    window.fps_limit, window._next_frame_s = 50, 0.0
    window._wait_for_turn()
    now[0] += frame_ms / 1000
    monkeypatch.setattr(window, "frame_ms", frame_ms)
    monkeypatch.setattr(window, "yielding", True)
    window._wait_for_turn()
    assert slept == [rest]
