"""How pixels reach the screen: the window, its textures, and the full-screen stage.

`probe` finds out whether a window can open at all, `window` opens it, `textures` is the pool of picture slots that
every panel draws from, `stage` is the second window that shows nothing but the picture. Only the main thread may
call into this package, and nothing in it imports torch: the window has to stand within a second, torch alone takes
four.
"""

import os
import sys

if sys.platform.startswith("linux"):
    # Dear PyGui's GLFW speaks X11 only (through XWayland on a Wayland desktop). PyOpenGL and the glfw package would
    # choose EGL and Wayland there and could then not see its context, so both are told to stay on GLX and X11.
    os.environ.setdefault("PYOPENGL_PLATFORM", "glx")
    os.environ.setdefault("PYGLFW_LIBRARY_VARIANT", "x11")
