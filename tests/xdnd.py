"""Drops files on a window as a file manager does: the source's half of the XDND protocol, version 5, through Xlib."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.gui_support import Screen

CLIENT_MESSAGE, SELECTION_REQUEST, SELECTION_NOTIFY = 33, 30, 31
VERSION = 5
LONG = ctypes.sizeof(ctypes.c_long)


class FileSource:
    """A client that offers files as text/uri-list to one window."""

    def __init__(self, screen: Screen, target: int, paths: list[Path]) -> None:
        x: Any = ctypes.CDLL("libX11.so.6")
        x.XOpenDisplay.restype = ctypes.c_void_p
        for name in ("XInternAtom", "XCreateSimpleWindow", "XDefaultRootWindow"):
            getattr(x, name).restype = ctypes.c_ulong
        self._x, self._target = x, target
        self._display = ctypes.c_void_p(x.XOpenDisplay(screen.display.encode()))
        root = ctypes.c_ulong(x.XDefaultRootWindow(self._display))
        self._window = x.XCreateSimpleWindow(self._display, root, 0, 0, 1, 1, 0, 0, 0)
        self._text = "".join(f"{path.as_uri()}\r\n" for path in paths).encode()

    def drop(self, frame: Callable[[], object]) -> None:
        """Enters, moves, drops, and hands the list over when it is asked for; `frame` lets the target answer."""
        selection = self._atom("XdndSelection")
        self._x.XSetSelectionOwner(self._display, selection, ctypes.c_ulong(self._window), ctypes.c_ulong(0))
        self._send("XdndEnter", VERSION << 24, self._atom("text/uri-list").value)
        self._send("XdndPosition", 0, (100 << 16) | 100, 0, self._atom("XdndActionCopy").value)
        self._send("XdndDrop", 0, 0)
        while not self._answer_request():
            frame()

    def close(self) -> None:
        self._x.XCloseDisplay(self._display)

    def _atom(self, name: str) -> ctypes.c_ulong:
        return ctypes.c_ulong(self._x.XInternAtom(self._display, name.encode(), 0))

    def _send(self, message: str, *numbers: int) -> None:
        """An XClientMessageEvent from our window; its first number is always the source."""
        event = (ctypes.c_long * 24)()
        event[0], event[4], event[5], event[6] = CLIENT_MESSAGE, self._target, self._atom(message).value, 32
        for index, number in enumerate((self._window, *numbers)):
            event[7 + index] = number
        self._x.XSendEvent(self._display, ctypes.c_ulong(self._target), 0, 0, ctypes.byref(event))
        self._x.XSync(self._display, 0)

    def _answer_request(self) -> bool:
        """Whether the target asked for the list; it then has it."""
        event = (ctypes.c_long * 24)()
        while self._x.XPending(self._display):
            self._x.XNextEvent(self._display, ctypes.byref(event))
            if event[0] & 0xFFFFFFFF == SELECTION_REQUEST:
                self._give(requestor=event[5], selection=event[6], kind=event[7], into=event[8], time=event[9])
                return True
        return False

    def _give(self, requestor: int, selection: int, kind: int, into: int, time: int) -> None:
        window, atom, text_kind = ctypes.c_ulong(requestor), ctypes.c_ulong(into), ctypes.c_ulong(kind)
        self._x.XChangeProperty(self._display, window, atom, text_kind, 8, 0, self._text, len(self._text))
        notify = (ctypes.c_long * 24)()
        notify[0], notify[4], notify[5], notify[6], notify[7], notify[8] = (
            *(SELECTION_NOTIFY, requestor, selection, kind, into, time),
        )
        self._x.XSendEvent(self._display, window, 0, 0, ctypes.byref(notify))
        self._x.XSync(self._display, 0)
