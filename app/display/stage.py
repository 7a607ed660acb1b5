"""The stage: a second, full-screen window that shows the current picture and nothing else.

A GLFW window of its own with an OpenGL 3.3 core context, beside Dear PyGui's, drawn from the same loop. After each of
its frames Dear PyGui gets its GL context back (native.kept_context). The stage waits for the screen (vsync); while it
is open the main window must not.

    stage = Stage()
    stage.open()                    # full screen, on a monitor where the main window is not, if there is one
    ...each turn of the loop:
    if stage.is_open:
        stage.show(picture)         # the same array again costs no upload
        stage.frame()               # draws, and notices Esc, F11 and the close button
"""

from dataclasses import dataclass, replace
from typing import Any

import glfw
import numpy as np
from OpenGL import GL
from OpenGL.GL import shaders

from app.display import native
from app.display.slots import Picture

BACKGROUND = (0.0, 0.0, 0.0, 1.0)
CLOSING_KEYS = (glfw.KEY_ESCAPE, glfw.KEY_F11)

VERTEX_SHADER = """
#version 330 core
out vec2 uv;
void main() {  // two triangles that fill the GL viewport; the picture's first row is at the top
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    uv = vec2(corner.x, 1.0 - corner.y);
    gl_Position = vec4(2.0 * corner - 1.0, 0.0, 1.0);
}
"""
FRAGMENT_SHADER = """
#version 330 core
in vec2 uv;
out vec4 colour;
uniform sampler2D picture;
void main() { colour = vec4(texture(picture, uv).rgb, 1.0); }
"""


@dataclass(frozen=True)
class Monitor:
    """A monitor that is connected. name: what tells it from the others, also after a restart."""

    name: str
    size: tuple[int, int]  # (width, height) of its picture in pixels
    at: tuple[int, int]  # of its upper left corner on the desktop

    @property
    def words(self) -> str:
        """For a list to choose from."""
        return f"{self.name}: {self.size[0]} × {self.size[1]} at {self.at[0]}, {self.at[1]}"


class StageError(RuntimeError):
    """The stage could not open; the sentence says why and what to do."""


class Stage:
    """The second window. Everything on the main thread; open and close as often as you like."""

    def __init__(self, linear: bool = True, vsync: bool = True) -> None:
        self.linear = linear
        self._vsync = vsync
        self._window: Any = None
        self._program = self._vertices = self._texture = 0
        self._picture: Picture | None = None
        self._stale = True  # whether the texture does not hold the picture yet
        self._filtered_linear: bool | None = None  # how the texture is filtered; None: not set

    @property
    def is_open(self) -> bool:
        """Whether the window stands."""
        return self._window is not None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the window's pixels; (0, 0) while it is closed."""
        if self._window is None:
            return 0, 0
        width, height = glfw.get_framebuffer_size(self._window)
        return width, height

    def open(self, monitor: int | None = None, windowed: tuple[int, int] | None = None) -> None:
        """Full screen on a monitor (its number; None chooses), or `windowed` at (width, height). StageError if not."""
        if self._window is not None:
            return
        with native.kept_context():
            try:
                self._window = _create_window(monitor, windowed)
                glfw.make_context_current(self._window)
                glfw.swap_interval(1 if self._vsync else 0)
                self._create_gl_objects()
            except (glfw.GLFWError, shaders.ShaderCompilationError) as error:
                self._destroy()
                raise StageError(f"The stage window could not open ({error}); it needs OpenGL 3.3.") from error
        glfw.set_key_callback(self._window, self._on_key)

    def show(self, rgba: Picture) -> None:
        """The picture of the next frames, uint8 [H, W, 4]; it must not be changed afterwards."""
        if rgba.dtype != np.uint8 or rgba.ndim != 3 or rgba.shape[2] != 4:
            raise ValueError(f"The stage got {rgba.dtype} {list(rgba.shape)}, expected uint8 [H, W, 4].")
        if rgba is not self._picture:
            self._picture, self._stale = rgba, True

    def frame(self) -> None:
        """Draws the picture, letterboxed, and handles the stage's own events."""
        if self._window is None:
            return
        with native.kept_context():
            glfw.make_context_current(self._window)
            self._draw()
            glfw.swap_buffers(self._window)
            glfw.poll_events()
            if glfw.window_should_close(self._window):
                self._destroy()

    def grab(self) -> Picture:
        """What the stage shows, drawn anew: uint8 [H, W, 4]."""
        with native.kept_context():
            glfw.make_context_current(self._window)
            self._draw()
            width, height = self.size
            GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
            data = GL.glReadPixels(0, 0, width, height, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE)
        return np.frombuffer(data, np.uint8).reshape(height, width, 4)[::-1]

    def close(self) -> None:
        """Closes the window; nothing when it is closed already."""
        if self._window is not None:
            with native.kept_context():
                self._destroy()

    def _destroy(self) -> None:
        window, self._window = self._window, None
        self._stale, self._filtered_linear = True, None
        if window is not None:
            glfw.destroy_window(window)

    def _create_gl_objects(self) -> None:
        self._vertices = GL.glGenVertexArrays(1)
        GL.glBindVertexArray(self._vertices)
        compiler: Any = shaders  # has no annotations
        self._program = compiler.compileProgram(
            compiler.compileShader(VERTEX_SHADER, GL.GL_VERTEX_SHADER),
            compiler.compileShader(FRAGMENT_SHADER, GL.GL_FRAGMENT_SHADER),
        )
        self._texture = GL.glGenTextures(1)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_S, GL.GL_CLAMP_TO_EDGE)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_WRAP_T, GL.GL_CLAMP_TO_EDGE)

    def _upload(self) -> None:
        """Brings the texture up to date with the picture."""
        if self._picture is None or not self._stale:
            return
        height, width = self._picture.shape[:2]
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)
        pixels = np.ascontiguousarray(self._picture)
        GL.glTexImage2D(GL.GL_TEXTURE_2D, 0, GL.GL_RGBA8, width, height, 0, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, pixels)
        self._stale = False

    def _apply_filter(self) -> None:
        if self.linear != self._filtered_linear:
            mode = GL.GL_LINEAR if self.linear else GL.GL_NEAREST
            GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, mode)
            GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, mode)
            self._filtered_linear = self.linear

    def _draw(self) -> None:
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._texture)
        self._upload()
        self._apply_filter()
        width, height = self.size
        GL.glViewport(0, 0, width, height)
        GL.glClearColor(*BACKGROUND)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        if self._picture is not None:
            GL.glViewport(*letterbox(self._picture.shape[1], self._picture.shape[0], width, height))
            GL.glUseProgram(self._program)
            GL.glBindVertexArray(self._vertices)
            GL.glDrawArrays(GL.GL_TRIANGLE_STRIP, 0, 4)

    def _on_key(self, window: Any, key: int, _scancode: int, action: int, _mods: int) -> None:
        if action == glfw.PRESS and key in CLOSING_KEYS:
            glfw.set_window_should_close(window, True)


def letterbox(width: int, height: int, into_width: int, into_height: int) -> tuple[int, int, int, int]:
    """The largest x, y, width, height (whole pixels) of a picture's shape inside a window, centred."""
    scale = min(into_width / width, into_height / height)
    shown_width, shown_height = max(1, round(width * scale)), max(1, round(height * scale))
    return (into_width - shown_width) // 2, (into_height - shown_height) // 2, shown_width, shown_height


def monitors() -> list[Monitor]:
    """The monitors in GLFW's order, which `Stage.open` counts from 0; none where there is no display. Two of one name
    get numbers."""
    with native.kept_context():
        glfw.ERROR_REPORTING = "exception"
        try:
            found = glfw.get_monitors() if glfw.init() else []
            return _told_apart([_described(monitor) for monitor in found])
        except glfw.GLFWError:
            return []


def _described(monitor: Any) -> Monitor:
    size = glfw.get_video_mode(monitor).size
    name = glfw.get_monitor_name(monitor)
    words = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
    left, top = glfw.get_monitor_pos(monitor)
    return Monitor(words, (size.width, size.height), (left, top))


def _told_apart(found: list[Monitor]) -> list[Monitor]:
    """Names are those of models, so two equal monitors share one: the second gets '(2)'."""
    made: list[Monitor] = []
    for monitor in found:
        same = sum(other.name == monitor.name for other in found[: len(made)])
        made.append(replace(monitor, name=f"{monitor.name} ({same + 1})") if same else monitor)
    return made


def _create_window(number: int | None, windowed: tuple[int, int] | None) -> Any:
    """A visible window with a GL 3.3 core context."""
    glfw.ERROR_REPORTING = "exception"
    if not glfw.init():
        raise StageError("The stage window could not open: GLFW found no display.")
    glfw.default_window_hints()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, 3)
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, 3)
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS gives no core context without it
    glfw.window_hint(glfw.AUTO_ICONIFY, False)  # stay on the second screen while the first one is worked on
    if windowed is not None:
        return glfw.create_window(*windowed, "StyleScope stage", None, None)
    monitor = _monitor(number)
    mode = glfw.get_video_mode(monitor)
    for hint, value in (
        (glfw.RED_BITS, mode.bits.red),
        (glfw.GREEN_BITS, mode.bits.green),
        (glfw.BLUE_BITS, mode.bits.blue),
        (glfw.REFRESH_RATE, mode.refresh_rate),
    ):
        glfw.window_hint(hint, value)
    window = glfw.create_window(mode.size.width, mode.size.height, "StyleScope stage", monitor, None)
    glfw.set_input_mode(window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
    return window


def _monitor(number: int | None) -> Any:
    """The monitor of that number; without one the last: the first is where desktops put the main window."""
    monitors = glfw.get_monitors()
    if not monitors:
        raise StageError("The stage window could not open: no monitor is connected.")
    if number is None:
        return monitors[-1]
    if not 0 <= number < len(monitors):
        raise StageError(f"There is no monitor {number}; there are {len(monitors)}, counted from 0.")
    return monitors[number]
