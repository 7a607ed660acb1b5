"""A screen for the window's measurements: the one there is, or a virtual one for as long as it is needed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from app.start import NoScreenError

START_TIMEOUT_S = 30.0


@contextmanager
def some_screen() -> Iterator[str]:
    """Gives words for the tables; on Linux without a display an Xvfb runs inside. Raises NoScreenError without one."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield "on this computer's screen"
        return
    server, display = start_xvfb("1920x1200")
    os.environ["DISPLAY"] = display
    try:
        yield "on a virtual screen (Xvfb), whose GL is drawn by the same CPU"
    finally:
        del os.environ["DISPLAY"]
        server.terminate()
        server.wait()


def start_xvfb(size: str, *arguments: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start an Xvfb of 'WxH' pixels on a free display; returns the server and ':N'. Raises NoScreenError."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{size}x24", "-nolisten", "tcp"]
    command += arguments or ("+extension", "GLX")
    try:
        server = subprocess.Popen(command, pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError as error:
        os.close(read_end)
        raise NoScreenError("there is no display and no Xvfb; install it with `sudo apt install xvfb`") from error
    finally:
        os.close(write_end)
    with os.fdopen(read_end) as answers:
        ready = select.select([answers], [], [], START_TIMEOUT_S)[0]
        number = answers.readline().strip() if ready else ""
    if not number:
        server.terminate()
        server.wait()
        raise NoScreenError("there is no display and Xvfb did not start")
    return server, f":{number}"
