"""Layout, size and place survive a restart; a damaged file, another monitor or a full disk do not end the app."""

from __future__ import annotations

import json
import logging

import pytest

from app.display.layout import Geometry, read_geometry, write_geometry
from tests.gui_support import Screen, run_script

# Two windows, the second docked by the default layout; argv: config folder, what to do.
PROGRAM = """
import json, sys
from pathlib import Path
import dearpygui.dearpygui as dpg
from app.display.window import Window

def default_layout(width, height, scale):
    return f'''[Window][###101]
DockId=0x00000001,0

[Window][###102]
DockId=0x00000002,0

[Docking][Data]
DockSpace ID=0x08BD597D Window=0x1BBC0F80 Pos=0,0 Size={width},{height} Split=X
  DockNode ID=0x00000001 Parent=0x08BD597D SizeRef=200,{height}
  DockNode ID=0x00000002 Parent=0x08BD597D SizeRef={width - 200},{height} CentralNode=1
'''

folder, step = Path(sys.argv[1]), sys.argv[2]
window = Window("layout", 800, 500, folder, default_layout=default_layout if step != "bare" else None)
for tag in (101, 102):
    with dpg.window(tag=tag, label=str(tag), pos=(100 * (tag - 100), 50), width=150, height=150):
        dpg.add_text("content")
window.show()

def frames():
    for _ in range(4):
        window.frame()
    return {tag: [*dpg.get_item_pos(tag), dpg.get_item_width(tag)] for tag in (101, 102)}

report = {"first": frames(), "size": window.size, "scale": window.scale}
if step == "move":
    moved = window.layout.file.with_name("moved.ini")
    window.save_layout(moved)
    text = moved.read_text().replace("SizeRef=200,", "SizeRef=320,").replace("SizeRef=600,", "SizeRef=480,")
    from app.display import native
    assert native.load_layout(text)
    dpg.set_viewport_width(700)
    report["moved"] = frames()
if step == "reset":
    assert window.reset_layout()
    report["reset"] = frames()
if step == "bare":
    dpg.set_item_pos(101, [333, 222])
    report["moved"] = frames()
window.close()
print(json.dumps(report))
"""


def run(screen: Screen, folder, step: str) -> dict:
    done = run_script(screen, PROGRAM, str(folder), step)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.gui
def test_docking_and_size_are_kept_between_runs_and_can_be_reset(screen: Screen, tmp_path):
    first = run(screen, tmp_path, "move")
    assert first["size"] == [800, 500]
    assert first["first"]["101"] == [0, 0, 200]
    assert first["moved"]["101"][2] > 250
    second = run(screen, tmp_path, "reset")
    assert second["size"] == [700, 500]
    assert second["first"] == first["moved"]
    assert second["reset"]["101"] == [0, 0, pytest.approx(200, abs=2)]
    assert run(screen, tmp_path, "nothing")["first"] == second["reset"]


@pytest.mark.gui
def test_without_a_default_windows_start_where_they_say_and_are_kept_too(screen: Screen, tmp_path):
    first = run(screen, tmp_path, "bare")
    assert first["first"] == {"101": [100, 50, 150], "102": [200, 50, 150]}
    assert first["moved"]["101"] == [333, 222, 150]
    assert run(screen, tmp_path, "bare")["first"] == first["moved"]


def test_geometry_survives_and_damage_is_reported(tmp_path, caplog):
    file = tmp_path / "new folder" / "window.json"
    assert read_geometry(file) is None
    write_geometry(file, Geometry(1, 2, 300, 400))
    assert read_geometry(file) == Geometry(1, 2, 300, 400)
    assert caplog.records == []
    for damage in ("", "{", "[]", '{"x": 1}', '{"x": "a", "y": 0, "width": 1, "height": 1}'):
        file.write_text(damage)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "stylescope.display"):
            assert read_geometry(file) is None
        assert [record.message.split(" (")[0] for record in caplog.records] == [
            f"The window's last place could not be read from {file}"
        ]


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING, "stylescope.display"):
        write_geometry(tmp_path / "file" / "window.json", Geometry(0, 0, 10, 10))
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Geometry(60, 40, 800, 600), Geometry(60, 40, 800, 600)),
        (Geometry(3000, 40, 800, 600), Geometry(1120, 40, 800, 600)),
        (Geometry(-500, -20, 800, 600), Geometry(0, 30, 800, 600)),
        (Geometry(60, 40, 4000, 3000), Geometry(0, 30, 1920, 1050)),
    ],
)
def test_a_window_from_a_larger_monitor_is_brought_back(before, after):
    assert before.within((0, 30, 1920, 1050)) == after
    assert before.within(None) == before
