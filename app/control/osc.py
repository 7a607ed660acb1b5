"""OSC over UDP (Open Sound Control 1.0): a thread that listens, on this computer only unless told otherwise.

The messages are decoded by python-osc, but measured first: it reads 0 where a cut-off packet ends, and a bundle that
states a negative size keeps its loop busy for ever. Values are numbers and booleans; a message without any value is
a press. Time tags are not waited for: what comes counts at once.
"""

from __future__ import annotations

import errno
import math
import socket
import threading
from collections.abc import Callable, Iterator

from pythonosc import osc_message

from app.control.events import LONGEST, ControlError, Event, Rate

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
PORT = 9000
BUNDLE = b"#bundle\0"
HEADER = 16  # bytes of a bundle before its first element: the word and the time tag
DEEPEST = 8  # bundles within bundles
MOST = 512  # messages of one datagram
BYTES = {**dict.fromkeys("ifrm", 4), **dict.fromkeys("hdt", 8), **dict.fromkeys("TFN[]", 0)}  # of a value of a type
DATAGRAM = 65_536
WAIT_S = 0.2  # between two looks at whether to stop


class Malformed(ValueError):
    """A datagram that is no OSC."""


def unpack(datagram: bytes, depth: int = 0) -> Iterator[bytes]:
    """A datagram -> its messages, those of nested bundles too; raises Malformed."""
    if not datagram.startswith(BUNDLE):
        yield datagram
        return
    if depth >= DEEPEST or len(datagram) < HEADER:
        raise Malformed("bundle")
    place = HEADER
    while place < len(datagram):
        size = int.from_bytes(datagram[place : place + 4], "big", signed=True)
        place += 4
        if size <= 0 or place + size > len(datagram):
            raise Malformed("size of an element")
        yield from unpack(datagram[place : place + size], depth + 1)
        place += size


def decode(message: bytes) -> list[Event]:
    """A message -> an event for each of its numbers: 'osc/xy', 'osc/xy#2', ...; raises Malformed."""
    measure(message)
    try:
        parsed = osc_message.OscMessage(message)
    except Exception as error:  # whatever a strange packet does to the parser, the next one is heard
        raise Malformed(str(error)) from error
    address = f"osc{parsed.address}"
    if len(address) > LONGEST or not address.isprintable():
        raise Malformed("address")
    if not parsed.params:
        return [Event(address, 1.0)]
    numbered = [(place, _number(value)) for place, value in enumerate(parsed.params, 1)]
    return [
        Event(address if place == 1 else f"{address}#{place}", value) for place, value in numbered if value is not None
    ]


def measure(message: bytes) -> None:
    """Walk over a message; raises Malformed where it does not begin as one, names a type that OSC 1.0 lacks, or ends
    before its values do."""
    place = _after_text(message, 0)
    if not message.startswith(b"/"):
        raise Malformed("address")
    if place == len(message):  # no type tags at all, as old programs send
        return
    start = place
    place = _after_text(message, place)
    if message[start : start + 1] != b",":
        raise Malformed("type tags")
    for tag in message[start + 1 : message.index(b"\0", start)].decode("latin-1"):
        place = _after_value(message, place, tag)
        if place > len(message):
            raise Malformed("cut off")


def _after_text(message: bytes, start: int) -> int:
    """Where the text that begins at `start` ends, with its padding to 4 bytes."""
    end = message.find(b"\0", start)
    after = end + 4 - end % 4
    if end < 0 or after > len(message):
        raise Malformed("text without an end")
    return after


def _after_value(message: bytes, start: int, tag: str) -> int:
    if tag == "s":
        return _after_text(message, start)
    if tag == "b":
        size = int.from_bytes(message[start : start + 4], "big", signed=True)
        if size < 0:
            raise Malformed("size of a blob")
        return start + 4 + -(-size // 4) * 4
    if tag not in BYTES:
        raise Malformed("type tag")
    return start + BYTES[tag]


def _number(value: object) -> float | None:
    """A number or a truth value that can be used; None for text, blobs, arrays, infinity."""
    if isinstance(value, int | float) and math.isfinite(number := float(value)):
        return number
    return None


class OscSource:
    """Listens in a thread of its own. `put` is called there with each event."""

    def __init__(self, put: Callable[[Event], None], host: str = LOOPBACK, port: int = PORT) -> None:
        """Raises ControlError where the port cannot be had. port 0: a free one."""
        self._put = put
        self.rate = Rate()
        self.malformed = 0
        self._stop = threading.Event()
        self._socket = _bound(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._socket.settimeout(WAIT_S)
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        """In words: where it listens, how much comes."""
        broken = f", {self.malformed} unreadable" if self.malformed else ""
        return f"listening on {self.host}:{self.port}, {self.rate.per_second:.0f} messages / s{broken}"

    def close(self) -> None:
        """Stop listening; the port is free afterwards."""
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                datagram = self._socket.recv(DATAGRAM)
            except TimeoutError:
                continue
            except OSError:  # Windows tells that a former answer was not delivered; nothing was lost
                self._stop.wait(WAIT_S)
                continue
            self._hear(datagram)

    def _hear(self, datagram: bytes) -> None:
        """Take one datagram; what cannot be read is counted."""
        try:
            for number, message in enumerate(unpack(datagram)):
                if number == MOST:
                    raise Malformed("more messages than a datagram may hold")
                self.rate.note()
                for event in decode(message):
                    self._put(event)
        except Malformed:
            self.malformed += 1


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise ControlError(f"OSC: there is no port {port}; choose one from 1024 to 65535.")
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise ControlError(_why_not(host, port, error)) from error
    return opened


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
        return f"OSC: port {port} is in use by another program; close that one or choose another port."
    if error.errno in (errno.EACCES, errno.EPERM, getattr(errno, "WSAEACCES", None)):
        return f"OSC: port {port} needs special rights; choose one from 1024 to 65535."
    return f"OSC: cannot listen on {host}:{port}: {error.strerror or error}."
