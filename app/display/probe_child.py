"""Opens a hidden window with a GL context and prints one JSON line about it. Run as a script by probe.py, never
imported.

It lives in a process of its own because GLFW and the GL drivers answer a bad display with abort() or a crash.
"""

import ctypes
import glob
import importlib.util
import json
import os
import sys
from typing import Any

GLFW_VISIBLE = 0x00020004
GL_RENDERER, GL_VERSION = 0x1F01, 0x1F02


def load_glfw() -> Any:
    """The GLFW that Dear PyGui itself will use where it exports one (Linux), else the glfw package's."""
    spec = importlib.util.find_spec("dearpygui")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for path in [path for folder in folders for path in glob.glob(os.path.join(folder, "_dearpygui*.so"))]:
        library = ctypes.CDLL(path)
        if hasattr(library, "glfwCreateWindow"):
            return library
    import glfw.library

    return glfw.library.glfw


def last_error(library: Any) -> str:
    text = ctypes.c_char_p()
    library.glfwGetError(ctypes.byref(text))
    return (text.value or b"no reason given").decode(errors="replace")


def open_hidden_window(library: Any) -> dict[str, str]:
    """{'renderer', 'version'} of a fresh GL context, or {'step', 'detail'} of what failed."""
    if not library.glfwInit():
        return {"step": "init", "detail": last_error(library)}
    library.glfwWindowHint(GLFW_VISIBLE, 0)
    library.glfwCreateWindow.restype = ctypes.c_void_p
    window = library.glfwCreateWindow(64, 64, b"probe", None, None)
    if not window:
        return {"step": "window", "detail": last_error(library)}
    library.glfwMakeContextCurrent(ctypes.c_void_p(window))
    library.glfwGetProcAddress.restype = ctypes.c_void_p
    address = library.glfwGetProcAddress(b"glGetString")
    if not address:
        return {"step": "window", "detail": "the driver has no glGetString"}
    get_string = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(address)
    renderer, version = get_string(GL_RENDERER) or b"", get_string(GL_VERSION) or b""
    return {"renderer": renderer.decode(errors="replace"), "version": version.decode(errors="replace")}


def main() -> None:
    try:
        answer = open_hidden_window(load_glfw())
    except (ImportError, OSError) as error:
        answer = {"step": "load", "detail": str(error)}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    # A driver that crashes while its libraries unload must not spoil an answer that was good.
    os._exit(0)


if __name__ == "__main__":
    main()
