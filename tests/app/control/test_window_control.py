"""The Control panel in the real window: OSC from a second process, learning by hand, live keys, a pad, the stage."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dearpygui.dearpygui as dpg
import pytest

from app.control.controller import Controller
from app.control.events import Event
from app.control.gamepad import Pad
from app.control.mapping import Binding
from app.display.stage import Monitor, monitors
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


def scroll_to(app: WholeApp, panel: Any, item: int | str) -> None:
    """Bring an item of a panel into sight; one in a table that is out of sight does not know where it is."""
    top = dpg.get_item_pos(panel.window_id)[1] + 40
    bottom = dpg.get_item_pos(panel.window_id)[1] + dpg.get_item_rect_size(panel.window_id)[1] - 20
    for place in range(0, 3000, 60):
        dpg.set_y_scroll(panel.window_id, place)
        app.turn(3)
        if dpg.is_item_visible(item) and top <= centre_of(item)[1] <= bottom:
            return
    pytest.fail(f"{item} does not come into sight")


def click(app: WholeApp, panel: Any, item: int | str) -> None:
    """Scroll to an item of a panel and click its middle."""
    scroll_to(app, panel, item)
    app.hand.click(*centre_of(item))
    app.turn(2)


def listening(app: WholeApp) -> Any:
    """The Control panel in front, OSC switched on by hand on a port that is free; returns the panel."""
    panel = app.raise_tab("Control")
    panel.port.set(free_port())
    click(app, panel, panel.on["osc"].tag)
    app.until(lambda: controller_of(app).sources or controller_of(app).problems, "OSC")
    assert controller_of(app).problems == {}
    return panel


def controller_of(app: WholeApp) -> Controller:
    return app.desk.controls.controller


def hear(app: WholeApp, *events: tuple[str, float]) -> None:
    """Events as a source leaves them."""
    for event in events:
        controller_of(app).inbox.put(Event(*event))
    app.turn(2)


def port_of(app: WholeApp) -> int:
    return controller_of(app).sources["osc"].port


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_second_process_moves_psi(app):
    app.open("stylegan2.pkl")
    panel = listening(app)
    controller = controller_of(app)
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


def test_early_pictures_will_do_while_values_stream_in(app):
    app.open("stylegan2.pkl")
    controller_of(app).bind(Binding("osc/a", "Truncation/psi"))
    app.turn(2)
    assert app.running.loop.request().max_height is None
    controller_of(app).inbox.put(Event("osc/a", 0.3))
    app.turn()
    assert app.running.loop.request().max_height == 0
    assert not app.panel("Truncation").psi.held
    app.until(lambda: app.running.loop.request().max_height is None, "the end of the stream")


def test_a_slider_in_the_hand_and_a_fader_are_bound_and_the_range_is_typed(app):
    panel = app.raise_tab("Control")
    click(app, panel, panel.learn.tag)
    assert dpg.get_item_label(panel.learn.tag) == "Cancel"
    psi = app.raise_tab("Truncation").psi
    x, y = centre_of(psi.tag)
    app.hand.drag((x, y), (x + 15, y))
    assert controller_of(app).learning.parameter == "Truncation/psi"
    app.raise_tab("Control")
    assert "Truncation/psi: now move" in dpg.get_value(panel.words)
    hear(app, ("osc/fader", 0.5))
    (row,) = panel.list.rows
    assert row.binding == Binding("osc/fader", "Truncation/psi", "absolute", 0.0, 1.0, -1.0, 2.0)
    scroll_to(app, panel, row.fields["out_high"])
    app.hand.click(*centre_of(row.fields["out_high"]))
    app.until(lambda: dpg.is_item_active(row.fields["out_high"]), "the field to take the keyboard")
    app.hand.key("ctrl+a")
    app.hand.type("1.5")
    app.hand.key("Tab")
    app.until(lambda: controller_of(app).bindings[0].out_high == 1.5, "the typed number")
    hear(app, ("osc/fader", 1.0))
    assert psi.value == 1.5
    assert panel.list.rows == [row]  # not made anew under the user's fingers
    kept = json.loads((app.desk.folder / "control.json").read_text())
    assert kept["bindings"][0]["out_high"] == 1.5
    click(app, panel, row.delete.tag)
    app.until(lambda: controller_of(app).bindings == (), "the binding to go")
    app.turn(2)
    assert panel.list.rows == []


def test_ranges_that_cannot_be_are_said_and_not_taken(app):
    panel = app.raise_tab("Control")
    controller_of(app).bind(Binding("osc/a", "Truncation/psi"))
    app.turn(2)
    row = panel.list.rows[0]
    row._number_typed(row.fields["in_high"], 0.0, "in_high")
    assert controller_of(app).bindings == (Binding("osc/a", "Truncation/psi"),)
    app.turn(2)
    assert "two different ends" in app.desk.messages.text
    row._mode_chosen(row.mode, "relative", None)
    app.turn(2)
    assert panel.list.rows[0].binding == Binding("osc/a", "Truncation/psi", "relative", -1.0, 1.0, -0.03, 0.03)


def test_a_played_key_moves_its_control_and_its_shortcut_rests(app):
    app.open("stylegan2.pkl")
    latent, psi = app.panel("Latent"), app.panel("Truncation").psi
    controller_of(app).bind(Binding("key/R", "Truncation/psi", "momentary", out_low=0.25, out_high=1.75))
    panel = app.raise_tab("Control")
    click(app, panel, panel.on["keys"].tag)
    app.point()
    app.hand.hold_key("r")
    app.until(lambda: psi.value == 1.75, "the key")
    app.hand.release_key("r")
    app.until(lambda: psi.value == 0.25, "the end of the key")
    assert (latent.x.value, latent.y.value) == (0.0, 0.0)
    click(app, panel, panel.on["keys"].tag)
    app.key("r")
    app.until(lambda: (latent.x.value, latent.y.value) != (0.0, 0.0), "a random seed")
    assert psi.value == 0.25


def test_a_stick_walks_and_a_button_does_what_a_shortcut_does(app):
    app.open("stylegan2.pkl")
    controller, latent = controller_of(app), app.panel("Latent")
    pads = {0: Pad("fake pad", (0.0,), (False,))}
    controller._pads = lambda: pads
    controller.bind(Binding("pad/0/axis/0", "Latent/x", "rate", -1.0, 1.0, -50.0, 50.0))
    controller.bind(Binding("pad/0/button/0", "Latent/Snap to the nearest whole seed", "momentary"))
    panel = app.raise_tab("Control")
    click(app, panel, panel.on["pads"].tag)
    assert dpg.get_value(panel.states["pads"]) == "0: fake pad, 1 axes, 1 buttons"
    pads[0] = Pad("fake pad", (1.0,), (False,))
    app.until(lambda: latent.x.value > 0.3, "the walk")
    pads[0] = Pad("fake pad", (0.0,), (False,))
    app.turn(2)
    stopped = latent.x.value
    app.turn(5)
    assert latent.x.value == stopped
    latent.x.set(4.3)
    pads[0] = Pad("fake pad", (0.0,), (True,))
    app.turn(2)
    assert latent.x.value == 4.0


def test_sessions_and_defaults_leave_devices_alone(app):
    panel = listening(app)
    controller_of(app).bind(Binding("osc/a", "Truncation/psi"))
    assert panel.keep() == {}
    panel.recall({"on": True, "port": 1234})
    app.desk.reset_all()
    app.turn(3)
    assert "osc" in controller_of(app).sources
    assert len(controller_of(app).bindings) == 1


def test_the_stage_opens_on_the_chosen_monitor(app, monkeypatch):
    (real,) = monitors()
    assert real.size == (1280, 800)
    opened: list[tuple[int, ...]] = []
    monkeypatch.setattr(app.desk.stage, "open", lambda *number: opened.append(number))
    two = [real, Monitor("DP-2", (640, 480), (1280, 0))]
    monkeypatch.setattr("app.window.control.monitors", lambda: two)
    panel = app.raise_tab("Control")
    app.until(lambda: "DP-2" in panel.monitor.choices, "the second monitor")
    assert panel.monitor.choices["DP-2"] == "DP-2: 640 × 480 at 1280, 0"
    panel.monitor.move("DP-2")
    app.desk.toggle_stage()
    two.reverse()
    app.desk.toggle_stage()
    del two[0]  # pulled out
    app.desk.toggle_stage()
    panel.monitor.move("")
    app.desk.toggle_stage()
    assert opened == [(1,), (0,), (), ()]


def test_equal_monitors_are_told_apart():
    from app.display.stage import _told_apart

    names = [each.name for each in _told_apart([Monitor("DELL", (1, 1), (0, 0))] * 3 + [Monitor("LG", (1, 1), (0, 0))])]
    assert names == ["DELL", "DELL (2)", "DELL (3)", "LG"]
