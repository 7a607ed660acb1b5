"""What Dear PyGui hides: the GLFW and ImGui inside its extension module, which exports them on Linux.

Used for the current GL context, the monitor's scale, dropped files, the iconified state, and for loading a layout
at run time. Everything here asks `available` first: on Windows and macOS the symbols are not exported and each call
answers with the neutral value that its docstring names.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dearpygui._dearpygui as _extension

GLFW_ICONIFIED = 0x00020002
# C++ names: void ImGui::LoadIniSettingsFromMemory(const char*, size_t), ImGuiStyle& ImGui::GetStyle(),
# const ImVec4& ImGui::GetStyleColorVec4(ImGuiCol), const ImGuiStyleVarInfo* ImGui::GetStyleVarInfo(ImGuiStyleVar)
LOAD_INI = "_ZN5ImGui25LoadIniSettingsFromMemoryEPKcm"
GET_STYLE, GET_COLOUR, GET_VARIABLE = (
    "_ZN5ImGui8GetStyleEv",
    "_ZN5ImGui17GetStyleColorVec4Ei",
    "_ZN5ImGui15GetStyleVarInfoEi",
)
TITLE_ALIGN, CHILD_ROUNDING = 6, 7  # ImGuiStyleVar; WindowMenuButtonPosition lies between the two
DIRECTION_NONE = -1  # ImGuiDir_None

DropFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p))


class _Library:
    """The extension module seen as a C library, with the prototypes of what is used."""

    def __init__(self) -> None:
        self.c: Any = ctypes.CDLL(_extension.__file__)
        self.available = hasattr(self.c, "glfwGetCurrentContext")
        self.can_load_ini = hasattr(self.c, LOAD_INI)
        self.can_style = all(hasattr(self.c, name) for name in (GET_STYLE, GET_COLOUR, GET_VARIABLE))
        if self.available:
            self.c.glfwGetCurrentContext.restype = ctypes.c_void_p
            self.c.glfwMakeContextCurrent.argtypes = [ctypes.c_void_p]
            self.c.glfwGetWindowAttrib.argtypes = [ctypes.c_void_p, ctypes.c_int]
            self.c.glfwGetPrimaryMonitor.restype = ctypes.c_void_p
            self.c.glfwGetMonitorContentScale.argtypes = [ctypes.c_void_p, *2 * [ctypes.POINTER(ctypes.c_float)]]
            self.c.glfwGetMonitorWorkarea.argtypes = [ctypes.c_void_p, *4 * [ctypes.POINTER(ctypes.c_int)]]
            self.c.glfwSetDropCallback.argtypes = [ctypes.c_void_p, DropFunction]
            self.c.glfwSetDropCallback.restype = ctypes.c_void_p
        if self.can_load_ini:
            getattr(self.c, LOAD_INI).argtypes = [ctypes.c_char_p, ctypes.c_size_t]
            getattr(self.c, LOAD_INI).restype = None
        if self.can_style:
            getattr(self.c, GET_STYLE).restype = ctypes.c_void_p
            getattr(self.c, GET_COLOUR).restype = ctypes.POINTER(4 * ctypes.c_float)
            getattr(self.c, GET_VARIABLE).restype = ctypes.POINTER(ctypes.c_uint32)


_library = _Library()


def available() -> bool:
    """Whether Dear PyGui's GLFW can be reached (Linux)."""
    return _library.available


def current_window() -> int | None:
    """The GLFW window whose GL context is current on this thread, None where that cannot be asked."""
    return _library.c.glfwGetCurrentContext() if _library.available else None


@contextmanager
def kept_context() -> Iterator[None]:
    """Gives Dear PyGui its GL context back afterwards: without it, its next frame after a foreign one segfaults.

    Nothing to do on Windows and macOS, where Dear PyGui draws with DirectX and Metal.
    """
    if _library.available:
        window = _library.c.glfwGetCurrentContext()
        try:
            yield
        finally:
            _library.c.glfwMakeContextCurrent(window)
    elif sys.platform.startswith("linux"):
        with _kept_glx_context():
            yield
    else:
        yield


@contextmanager
def _kept_glx_context() -> Iterator[None]:
    """The same through GLX itself, for a Dear PyGui whose GLFW symbols are hidden."""
    from OpenGL import GLX

    display, drawable = GLX.glXGetCurrentDisplay(), GLX.glXGetCurrentDrawable()
    context = GLX.glXGetCurrentContext()
    try:
        yield
    finally:
        if display:
            GLX.glXMakeCurrent(display, drawable, context)


def content_scale() -> float:
    """Scale of the primary monitor for text and controls, 1.0 = 96 dpi. Starts GLFW, so probe the display before.

    1.0 on macOS, where windows are measured in points and the system scales them.
    """
    x, y = ctypes.c_float(1.0), ctypes.c_float(1.0)
    if _library.available:
        if _library.c.glfwInit() and (monitor := _library.c.glfwGetPrimaryMonitor()):
            _library.c.glfwGetMonitorContentScale(monitor, ctypes.byref(x), ctypes.byref(y))
        return float(x.value) or 1.0
    if sys.platform == "win32":
        import glfw

        if glfw.init() and (monitor := glfw.get_primary_monitor()):
            return float(glfw.get_monitor_content_scale(monitor)[0]) or 1.0
    return 1.0


def work_area() -> tuple[int, int, int, int] | None:
    """Primary monitor without task bars as (x, y, width, height) in pixels, None where that cannot be asked."""
    if not (_library.available and _library.c.glfwInit()):
        return None
    monitor = _library.c.glfwGetPrimaryMonitor()
    if not monitor:
        return None
    x, y, width, height = (ctypes.c_int() for _ in range(4))
    _library.c.glfwGetMonitorWorkarea(monitor, *(ctypes.byref(number) for number in (x, y, width, height)))
    return x.value, y.value, width.value, height.value


def is_iconified(window: int | None) -> bool:
    """Whether the window is minimised; False where that cannot be asked."""
    return bool(window and _library.c.glfwGetWindowAttrib(window, GLFW_ICONIFIED))


def poll_events() -> None:
    """Handles the window system's pending events without drawing. Nothing where GLFW cannot be reached."""
    if _library.available:
        _library.c.glfwPollEvents()


def set_drop_callback(window: int, dropped: Callable[[list[str]], None] | None) -> Any:
    """Calls `dropped(paths)` when files fall on the window. Keep the returned object alive as long as the window."""

    def receive(_window: int, count: int, paths: Any) -> None:
        if dropped is not None:
            dropped([paths[index].decode(errors="surrogateescape") for index in range(count)])

    function = DropFunction(receive) if dropped is not None else DropFunction()
    _library.c.glfwSetDropCallback(window, function)
    return function


def load_layout(ini: str) -> bool:
    """Applies ImGui settings (positions, sizes, docking) at run time, between frames. False where not exported."""
    if not _library.can_load_ini:
        return False
    data = ini.encode()
    getattr(_library.c, LOAD_INI)(data, len(data))
    return True


def write_style(colours: Mapping[int, Sequence[float]], variables: Mapping[int, Sequence[float]]) -> bool:
    """Writes ImGui's own style, 0..1 RGBA by ImGuiCol and floats by ImGuiStyleVar. False where not exported.

    Dear PyGui applies a theme around each of its windows only: tab bars of docks and the gaps between them keep ImGui's
    style. Call after show_viewport, which makes the style. The menu triangle of docks goes as well.
    """
    if not _library.can_style:
        return False
    for index, rgba in colours.items():
        getattr(_library.c, GET_COLOUR)(index).contents[:] = list(rgba)
    for index, values in variables.items():
        address, count = _style_variable(index)
        (count * ctypes.c_float).from_address(address)[:] = list(values)
    title_align, _ = _style_variable(TITLE_ALIGN)
    if _style_variable(CHILD_ROUNDING)[0] - title_align == 12:  # two floats, the button's position, then child rounding
        ctypes.c_int.from_address(title_align + 8).value = DIRECTION_NONE
    return True


def _style_variable(index: int) -> tuple[int, int]:
    """(address, number of floats) of a style variable; ImGui describes it in 32 bits: count, type, offset."""
    word = int(getattr(_library.c, GET_VARIABLE)(index).contents.value)
    return int(getattr(_library.c, GET_STYLE)()) + (word >> 16), word & 0xFF
