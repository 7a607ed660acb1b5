"""OSC from a second process moves psi in the real window."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg
import pytest

from app.control.mapping import Binding
from tests.app.whole_app import WholeApp
from tests.gui_support import centre_of

pytestmark = pytest.mark.gui
SENDER = """
import json, sys
from pythonosc.udp_client import SimpleUDPClient
client = SimpleUDPClient("127.0.0.1", int(sys.argv[1]))
for address, values in json.loads(sys.argv[2]):
    client.send_message(address, values)
"""


def send(port: int, *messages: tuple[str, Any]) -> None:
    """Messages from a process of their own."""
    subprocess.run([sys.executable, "-c", SENDER, str(port), json.dumps(messages)], check=True, timeout=60)


@pytest.fixture
def app(window: Any, screen: Any, tmp_path: Any) -> Iterator[WholeApp]:
    app = WholeApp(window, screen, tmp_path)
    yield app
    app.close()


def click(app: WholeApp, panel: Any, item: int | str) -> None:
    """Scroll to an item of a panel and click its middle."""
    place = dpg.get_item_rect_min(item)[1] - dpg.get_item_pos(panel.window_id)[1]
    dpg.set_y_scroll(panel.window_id, max(0.0, dpg.get_y_scroll(panel.window_id) + place - 60))
    app.turn(3)
    app.hand.click(*centre_of(item))
    app.turn(2)


def listening(app: WholeApp) -> Any:
    """The Control panel in front, OSC switched on by hand on a port that is free; returns the panel."""
    panel = app.raise_tab("Control")
    controller = app.desk.controls.controller
    click(app, panel, panel.on["osc"].tag)
    app.until(lambda: "osc" in controller.sources or "osc" in controller.problems, "OSC")
    if "osc" in controller.problems:
        pytest.fail(controller.problems["osc"])
    return panel


def port_of(app: WholeApp) -> int:
    return app.desk.controls.controller.sources["osc"].port


def free_port() -> int:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_second_process_moves_psi(app):
    app.open("stylegan2.pkl")
    app.raise_tab("Control").port.set(free_port())
    panel = listening(app)
    controller = app.desk.controls.controller
    controller.bind(Binding("osc/fader1", "Truncation/psi", out_low=-1.0, out_high=2.0))
    before = app.picture
    send(port_of(app), ("/fader1", 0.25), ("/unknown", 1.0), ("/fader1", 0.5))
    app.until(lambda: app.panel("Truncation").psi.value == 0.5, "psi")
    app.settle()
    assert app.frame.request.truncation.psi == 0.5
    assert (app.picture != before).any()
    assert dpg.get_value(app.panel("Truncation").psi.tag) == 0.5
    app.until(lambda: controller.steering.ignored == 1, "the unknown address")
    app.turn(2)
    assert f"listening on 127.0.0.1:{port_of(app)}" in dpg.get_value(panel.states["osc"])
    assert "1 ignored" in dpg.get_value(panel.heard)
