"""Can a window open here? Asked before Dear PyGui is touched, because a bad display makes it abort the whole process.

Two steps, cheapest first: on Linux connect to the X server's socket (well under a millisecond, and it catches
almost every mistake), then let a child process open a hidden window with a GL context. The child takes about 0.2 s,
so start it first thing and collect the answer after the imports:

    probe = DisplayProbe()          # returns at once
    import numpy, dearpygui, ...    # runs beside the child
    problem = probe.result()        # None, or one sentence
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

VIRTUAL_SCREEN = 'xvfb-run -a -s "-screen 0 1600x1000x24" python main.py'
GL_PACKAGES = "sudo apt install libgl1 libgl1-mesa-dri libegl1"
OLDEST_GL = (3, 0)  # Dear PyGui's shaders are GLSL 1.30
CHILD = Path(__file__).with_name("probe_child.py")


def probe_display(environ: Mapping[str, str] = os.environ, timeout_s: float = 15.0) -> str | None:
    """None when a window can open, otherwise one sentence that names the cause and the remedy."""
    return DisplayProbe(environ, timeout_s).result()


class DisplayProbe:
    """The probe in two halves, so that imports run while the child process opens its hidden window."""

    def __init__(self, environ: Mapping[str, str] = os.environ, timeout_s: float = 15.0) -> None:
        self._display = environ.get("DISPLAY", "")
        self._timeout_s = timeout_s
        self._child: subprocess.Popen[str] | None = None
        self.renderer = ""  # of the hidden window, known after result()
        self._problem = _x_server_problem(environ) if sys.platform.startswith("linux") else None
        if self._problem is None:
            self._child = subprocess.Popen(
                [sys.executable, "-P", str(CHILD)],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def result(self) -> str | None:
        """Waits for the child. None when a window can open, otherwise one sentence. May be asked again."""
        if self._child is not None:
            child, self._child = self._child, None
            self._problem = self._judge(child)
        return self._problem

    def _judge(self, child: subprocess.Popen[str]) -> str | None:
        try:
            out, err = child.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return (
                f"The display {self._display} did not open a test window within {self._timeout_s:g} s; "
                f"is the X server hung? A virtual screen works without one: {VIRTUAL_SCREEN}"
            )
        lines = out.strip().splitlines()
        if not lines:
            return _crash_sentence(self._display, child.returncode, err)
        answer: dict[str, str] = json.loads(lines[-1])
        self.renderer = answer.get("renderer", "")
        return _sentence(self._display, answer)


def _x_server_problem(environ: Mapping[str, str]) -> str | None:
    """What DISPLAY and the X server's socket already tell, or None when something listens there."""
    display = environ.get("DISPLAY", "")
    if not display and environ.get("WAYLAND_DISPLAY"):
        return (
            "No X display: this Wayland session runs without XWayland, which Dear PyGui needs; "
            "install it (sudo apt install xwayland) and log in again."
        )
    if not display:
        return (
            "No display: DISPLAY is not set. Start StyleScope from a desktop session (over ssh: ssh -X), "
            f"or on a virtual screen: {VIRTUAL_SCREEN}"
        )
    match = re.fullmatch(r"(?P<host>.*):(?P<number>\d+)(\.\d+)?", display)
    if match is None:
        return f"DISPLAY is {display!r}, expected the form HOST:NUMBER, for example :0; set it or unset it."
    if _x_server_answers(match["host"], int(match["number"])):
        return None
    return (
        f"No X server answers at DISPLAY={display}; set DISPLAY to a running one (often :0), "
        f"or use a virtual screen: {VIRTUAL_SCREEN}"
    )


def _x_server_answers(host: str, number: int) -> bool:
    """Connects where Xlib would: the abstract socket, the socket file, or TCP port 6000 + number of a named host."""
    if host in ("", "unix") or host.endswith("/unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return any(_connects(socket.AF_UNIX, address) for address in ("\0" + path, path))
    return _connects(socket.AF_INET, (host, 6000 + number)) or _connects(socket.AF_INET6, (host, 6000 + number))


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(3.0)
        try:
            connection.connect(address)
        except (OSError, UnicodeError):  # UnicodeError: a host name that IDNA cannot encode
            return False
        return True


def _sentence(display: str, answer: Mapping[str, str]) -> str | None:
    """The child's answer in words; None when it opened a window that is good enough."""
    step, detail = answer.get("step"), answer.get("detail", "")
    if step == "load":
        return _library_sentence(detail)
    if step == "init":
        return (
            f"The X server at DISPLAY={display} refused the connection ({detail}); "
            "are you another user than the one logged in? Allow it with: xhost +si:localuser:$USER"
        )
    if step == "window" and "load GLX" in detail:
        return f"The library libGL is missing, so no window can open ({detail}); install it: {GL_PACKAGES}"
    if step == "window":
        return (
            f"The display {display} has no working OpenGL ({detail}); install a driver: {GL_PACKAGES} "
            "(a virtual screen needs Xvfb started with +extension GLX)"
        )
    version = answer.get("version", "")
    match = re.search(r"(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_GL:
        return (
            f"The driver {answer.get('renderer', '')!r} offers OpenGL {version or 'of unknown version'}, "
            f"{OLDEST_GL[0]}.{OLDEST_GL[1]} is needed; update it or use Mesa's software driver: "
            "LIBGL_ALWAYS_SOFTWARE=1 python main.py"
        )
    return None


def _library_sentence(detail: str) -> str:
    if "No module named" in detail:
        return f"A Python package is missing ({detail}); install them all: pip install -r requirements.txt"
    return (
        f"A system library for windows is missing ({detail}); install them: sudo apt install libx11-6 libgl1 "
        "libgl1-mesa-dri libegl1"
    )


def _crash_sentence(display: str, code: int, stderr: str) -> str:
    last = stderr.strip().splitlines()[-1:] or ["no message"]
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return (
        f"Opening a test window on {display or 'this display'} crashed ({how}: {last[0]}); "
        "the GL driver is broken: reinstall it, or try LIBGL_ALWAYS_SOFTWARE=1 python main.py"
    )
