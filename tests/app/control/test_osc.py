"""OSC: what python-osc's own client sends is heard; what is broken is counted, and the next packet is heard."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from app.control.events import ControlError, Event
from app.control.osc import DEEPEST, LOOPBACK, Malformed, OscSource, decode, unpack


def message(address: str, *values: object) -> bytes:
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build().dgram


def bundle(*contents: bytes) -> bytes:
    """A bundle written by hand."""
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(each)) + each for each in contents)


class Ear:
    """A source, and what it heard; `wait` holds until so many events came."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.news = threading.Condition()
        self.source = OscSource(self.put, port=0)
        self.client = SimpleUDPClient(LOOPBACK, self.source.port)

    def put(self, event: Event) -> None:
        with self.news:
            self.events.append(event)
            self.news.notify_all()

    def wait(self, count: int) -> list[Event]:
        with self.news:
            assert self.news.wait_for(lambda: len(self.events) >= count, 30), self.events
            return list(self.events)

    def send(self, datagram: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, (LOOPBACK, self.source.port))


@pytest.fixture
def ear() -> Iterator[Ear]:
    ear = Ear()
    yield ear
    ear.source.close()
    ear.client.close()


def test_a_clients_messages_arrive_as_numbers(ear):
    ear.client.send_message("/1/fader3", 0.5)
    ear.client.send_message("/xy", [0.25, 7, True, "words", 2.0])
    ear.client.send_message("/go", [])
    assert ear.wait(6) == [
        Event("osc/1/fader3", 0.5),
        Event("osc/xy", 0.25),
        Event("osc/xy#2", 7.0),
        Event("osc/xy#3", 1.0),
        Event("osc/xy#5", 2.0),
        Event("osc/go", 1.0),
    ]
    assert ear.source.rate.total == 3
    assert ear.source.state == f"listening on 127.0.0.1:{ear.source.port}, 2 messages / s"  # 3 within 2 s


def test_bundles_within_bundles_are_taken_apart(ear):
    inner, outer = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    for number, builder in enumerate((inner, outer)):
        content = OscMessageBuilder(f"/{number}")
        content.add_arg(float(number))
        builder.add_content(content.build())
    outer.add_content(inner.build())
    ear.client.send(outer.build())
    assert sorted(event.address for event in ear.wait(2)) == ["osc/0", "osc/1"]


HOSTILE = {
    "nothing": b"",
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "no end of the address": b"/fader",
    "tags without values": b"/a\0\0,ff\0\0\0\0\0",
    "half a value": b"/a\0\0,f\0\0\x3f\x80",
    "text without an end": b"/a\0\0,sf\0abcdefgh",
    "unknown tag": b"/a\0\0,Q\0\0\0\0\0\0",
    "open bracket": b"/a\0\0,[\0\0",
    "closed bracket": b"/a\0\0,]\0\0",
    "long address": b"/" + b"a" * 400 + b"\0" * 3,
    "unprintable address": b"/\x07\x07\0,i\0\0\0\0\0\x01",
    "blob of negative size": b"/a\0\0,b\0\0\xff\xff\xff\xf0",
    "bundle without a time": b"#bundle\0\0\0",
    "element of negative size": b"#bundle\0" + b"\0" * 8 + struct.pack(">i", -4) + b"/a\0\0",
    "element of size 0": b"#bundle\0" + b"\0" * 8 + b"\0" * 4,
    "element beyond the end": b"#bundle\0" + b"\0" * 8 + struct.pack(">i", 400) + b"/a\0\0",
    "noise": bytes(range(256)) * 4,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_broken_packets_are_counted_and_the_next_one_is_heard(ear, name):
    ear.send(HOSTILE[name])
    ear.client.send_message("/after", 1.0)
    assert ear.wait(1) == [Event("osc/after", 1.0)]
    assert ear.source.malformed == 1
    assert ear.source.state.endswith("1 unreadable")


def test_an_element_of_negative_size_ends_the_datagram():
    with pytest.raises(Malformed, match="size of an element"):  # else it would be walked for ever
        next(unpack(HOSTILE["element of negative size"]))


def test_bundles_too_deep_or_too_full_are_refused(ear):
    deep = message("/a", 1.0)
    for _ in range(DEEPEST):
        deep = bundle(deep)
    assert list(unpack(deep)) == [message("/a", 1.0)]
    with pytest.raises(Malformed):
        list(unpack(bundle(deep)))
    ear.send(bundle(*[message("/many", 1)] * 600))
    assert len(ear.wait(512)) == 512
    ear.client.send_message("/after", 1.0)
    ear.wait(513)
    assert (len(ear.events), ear.source.malformed) == (513, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "7", b"7"])
def test_what_is_no_number_moves_nothing(value):
    assert decode(message("/a", value)) == []


def test_nothing_but_numbers_becomes_an_event_of_a_strange_packet():
    assert decode(message("/a", [1.0, 2.0], 3.0)) == [Event("osc/a#2", 3.0)]
    assert decode(b"/a\0\0") == [Event("osc/a", 1.0)]  # no type tags at all, as old programs send


def test_a_port_in_use_is_one_sentence_and_free_again_after_closing(ear):
    with pytest.raises(ControlError, match=f"port {ear.source.port} is in use by another program; close that one or"):
        OscSource(ear.put, port=ear.source.port)
    with pytest.raises(ControlError, match="no port 70000"):
        OscSource(ear.put, port=70_000)
    port = ear.source.port
    ear.source.close()
    again = OscSource(ear.put, port=port)
    assert again.host == "127.0.0.1"
    again.close()
