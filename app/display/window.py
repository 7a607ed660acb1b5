"""The one window of the app: Dear PyGui's context and viewport, fonts, theme, scale, layout, and one frame at a time.

    window = Window("StyleScope", 1600, 1000, config_dir)
    ...build the panels, with integer tags for windows that are to be docked...
    window.show()
    while window.is_running:
        window.frame()
    window.close()

One window per process, ever, and everything on the thread that created it: Dear PyGui segfaults otherwise. Ask
`probe.probe_display` before.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dearpygui.dearpygui as dpg
import numpy as np
from PIL import Image

from app.display import native, theme
from app.display.callbacks import ErrorHandler, guarded, run_queued_callbacks
from app.display.errors import FoldedErrors
from app.display.fonts import add_fonts
from app.display.layout import DefaultLayout, Geometry, Layout, read_geometry, write_geometry
from app.display.slots import Picture
from app.display.textures import Backend, TexturePool

log = logging.getLogger("stylescope.display")

SMALLEST_SCALE, LARGEST_SCALE = 0.5, 4.0
ICONIFIED_SLEEP_S = 0.05
MOST_REST_S = 0.03  # with a frame of 30 ms the window still answers about 16 times a second
FRAMES_TO_SETTLE = 4  # a new raw texture is blank in its second frame, and what is read is a frame old
FRAMES_FOR_A_GRAB = 5


class Window:
    """Title bar to pixels. width, height: at scale 1.0; the last run's size and place, kept in config_dir, go before.

    scale = the monitor's content scale x user_scale multiplies fonts, paddings and the first size of the window; panels
    read it with dpg.get_global_font_scale(). fps_limit paces frame() (None: as fast as it goes).
    on_error gets every exception of a callback (default: traceback once, then a count).
    """

    def __init__(
        self,
        title: str,
        width: int,
        height: int,
        config_dir: Path,
        *,
        default_layout: DefaultLayout | None = None,
        layout_file: Path | None = None,
        user_scale: float = 1.0,
        fps_limit: float | None = 60.0,
        vsync: bool = False,
        texture_backend: Backend = "auto",
        on_error: ErrorHandler | None = None,
    ) -> None:
        self._thread = threading.get_ident()
        self._config_dir = config_dir
        self.on_error: ErrorHandler = on_error or FoldedErrors()
        self.fps_limit = fps_limit
        self.frame_ms = 0.0  # work of the last frame without the wait that paces it
        self.yielding = False  # leave half of this thread's time to others: somebody computes
        self._next_frame_s = 0.0
        self._running = False
        self._closed = False
        self._native_window: int | None = None
        self._on_close: Callable[[], object] = self.stop
        self._on_drop: Callable[[list[str]], object] | None = None
        self._drop_function: Any = None
        self._dropped: list[list[str]] = []
        self._content_scale = native.content_scale()
        self._user_scale = _clamped_scale(user_scale)
        dpg.create_context()
        dpg.configure_app(manual_callback_management=True, docking=True, docking_space=True)
        add_fonts()
        self._theme = theme.Theme()
        self._apply_scale()
        self.textures = TexturePool(texture_backend)
        self._create_viewport(title, width, height, vsync)
        self.layout = Layout(layout_file or config_dir / "layout.ini", default_layout)

    def _create_viewport(self, title: str, width: int, height: int, vsync: bool) -> None:
        scaled = Geometry(60, 40, round(width * self.scale), round(height * self.scale))
        geometry = (read_geometry(self._geometry_file) or scaled).within(native.work_area())
        dpg.create_viewport(
            title=title,
            width=geometry.width,
            height=geometry.height,
            x_pos=geometry.x,
            y_pos=geometry.y,
            min_width=480,
            min_height=320,
            vsync=vsync,
            clear_color=theme.EMPTY,
            disable_close=True,  # the close button asks, see on_close
        )
        dpg.set_exit_callback(lambda: self._on_close())
        dpg.setup_dearpygui()

    @property
    def _geometry_file(self) -> Path:
        return self._config_dir / "window.json"

    @property
    def scale(self) -> float:
        """The monitor's content scale times the user's; 1.0 is 96 dpi."""
        return self._content_scale * self._user_scale

    @property
    def user_scale(self) -> float:
        """The user's part of the scale. Setting it re-draws fonts and paddings from the next frame on."""
        return self._user_scale

    @user_scale.setter
    def user_scale(self, value: float) -> None:
        self._user_scale = _clamped_scale(value)
        self._apply_scale()

    def _apply_scale(self) -> None:
        dpg.set_global_font_scale(self.scale)
        self._theme.bind(self.scale)
        if self._running:
            self._theme.write_base(self.scale)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the drawable area in pixels."""
        return dpg.get_viewport_client_width(), dpg.get_viewport_client_height()

    @property
    def vsync(self) -> bool:
        """Whether frames wait for the screen. Switch it off while a stage is open: only one window may wait."""
        return bool(dpg.is_viewport_vsync_on())

    @vsync.setter
    def vsync(self, on: bool) -> None:
        dpg.set_viewport_vsync(on)

    @property
    def is_running(self) -> bool:
        """From show() until stop()."""
        return self._running and dpg.is_dearpygui_running()

    @property
    def native_window(self) -> int | None:
        """The GLFW window, None before show() and where it cannot be reached (Windows, macOS)."""
        return self._native_window

    def show(self) -> None:
        """Opens the window and draws until the texture backend is decided (two frames on OpenGL)."""
        self.layout.prepare(*self._planned_size(), self.scale)
        dpg.show_viewport()
        self._native_window = native.current_window()
        if self._native_window is not None:
            self._drop_function = native.set_drop_callback(self._native_window, self._dropped.append)
        self._running = True
        self._theme.write_base(self.scale)
        while not self.textures.decided:
            self._render()

    def _planned_size(self) -> tuple[int, int]:
        return dpg.get_viewport_width(), dpg.get_viewport_height()

    def frame(self) -> None:
        """Draws one frame and then runs the callbacks of what the user did; waits first if fps_limit says so."""
        self._require_own_thread()
        self._wait_for_turn()
        begin_s = time.perf_counter()
        self._render()
        run_queued_callbacks(self.on_error)
        self._deliver_dropped_files()
        self.frame_ms = (time.perf_counter() - begin_s) * 1000

    def _render(self) -> None:
        if native.is_iconified(self._native_window):
            # Dear PyGui would wait for events here and hold up the whole loop.
            native.poll_events()
            time.sleep(ICONIFIED_SLEEP_S)
            return
        dpg.render_dearpygui_frame()
        self.textures.service()

    def _wait_for_turn(self) -> None:
        """Sleeps until the next frame is due; a late frame does not make the following ones hurry.

        While `yielding`, it rests as long as the last frame took, up to MOST_REST_S: a software renderer would keep a
        core busy that the pictures need; on a GPU a frame takes so little that the rate stays as it is.
        """
        now_s = time.perf_counter()
        if self.fps_limit is None:
            return
        if self.yielding:
            self._next_frame_s = max(self._next_frame_s, now_s + min(self.frame_ms / 1000, MOST_REST_S))
        if now_s < self._next_frame_s:
            time.sleep(self._next_frame_s - now_s)
        self._next_frame_s = max(self._next_frame_s, now_s) + 1 / self.fps_limit

    def _deliver_dropped_files(self) -> None:
        while self._dropped:
            paths = self._dropped.pop(0)
            if self._on_drop is not None:
                guarded(self.on_error, self._on_drop, paths)

    def on_drop(self, callback: Callable[[list[str]], object] | None) -> bool:
        """Calls back with the paths of files dropped on the window. False where drops cannot be received."""
        self._on_drop = callback
        return native.available()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Calls back when the user asks to close the window; the default is stop()."""
        self._on_close = callback

    def stop(self) -> None:
        """Ends the loop: is_running is False from now on."""
        self._running = False

    def save_layout(self, file: Path) -> None:
        """Writes the current layout as an ini file, for example to ship it as the default."""
        self.layout.save(file)

    def reset_layout(self) -> bool:
        """Back to the default layout; False where it takes effect only at the next start."""
        return self.layout.reset(*self.size, self.scale)

    def copy(self, text: str) -> None:
        """Put text on the clipboard."""
        self._require_own_thread()
        dpg.set_clipboard_text(text)

    def grab(self) -> Picture:
        """What the window shows, uint8 [H, W, 4]. Draws a few frames, so that what was just changed is in it."""
        self._require_own_thread()
        for _ in range(FRAMES_TO_SETTLE):
            self._render()
        answers: list[Any] = []
        dpg.output_frame_buffer(callback=lambda _, data: answers.append(data))
        for _ in range(FRAMES_FOR_A_GRAB):
            self._render()
            run_queued_callbacks(self.on_error)
            if answers:
                return self._as_picture(answers[0])
        raise RuntimeError("The window gave no picture of itself; is it minimised?")

    def _as_picture(self, data: Any) -> Picture:
        """Dear PyGui's float32 RGBA buffer -> uint8 [H, W, 4], opaque."""
        width, height = self.size
        values = np.frombuffer(data, np.float32)
        if values.size != width * height * 4:
            raise RuntimeError(f"The window's picture has {values.size} values, expected {width}x{height}x4.")
        picture = np.rint(values.reshape(height, width, 4) * 255).astype(np.uint8)
        picture[..., 3] = 255
        return picture

    def screenshot(self, path: Path) -> None:
        """Saves what the window shows as PNG; OSError when it cannot be written."""
        Image.fromarray(self.grab()).save(path, format="PNG")

    def close(self) -> None:
        """Keeps layout and place, and ends Dear PyGui. Stop and join threads that might still call it before."""
        if self._closed:
            return
        self._require_own_thread()
        self._running, self._closed = False, True
        if self._native_window is not None:
            native.set_drop_callback(self._native_window, None)
        if dpg.is_viewport_ok():
            self._keep_geometry()
            self.layout.finish()
        for line in self.on_error.summary() if isinstance(self.on_error, FoldedErrors) else ():
            log.info("%s", line)
        dpg.destroy_context()
        self.layout.after_destroy()

    def _keep_geometry(self) -> None:
        x, y = (round(value) for value in dpg.get_viewport_pos())
        write_geometry(self._geometry_file, Geometry(x, y, *self._planned_size()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require_own_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("The window belongs to the thread that created it; hand the work over to that one.")


def _clamped_scale(value: float) -> float:
    """A scale that leaves the window usable, whatever a settings file says."""
    return min(LARGEST_SCALE, max(SMALLEST_SCALE, value)) if math.isfinite(value) else 1.0
