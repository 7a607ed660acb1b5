"""The invariants of ARCHITECTURE.md that a program can check: who imports whom, and what stays unloaded."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "networks": {"networks"},
    "app": {"app", "networks"},
    "widgets": {
        "widgets",
        "app.request",
        "app.frame",
        "app.compare",
        "app.control",
        "app.studies",
        "app.colormaps",
        "app.timeline",
        "networks.plan",
    },
}
PROJECT = ("networks", "app", "widgets", "main", "tests")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_imports_point_one_way(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(folder)
        for name in imports(path)
        if name.split(".")[0] in PROJECT
        and not any(name == allowed or name.startswith(allowed + ".") for allowed in ALLOWED[folder])
    ]
    assert wrong == []


def test_only_display_and_the_window_side_touch_the_gui_library() -> None:
    """networks/ and the engine side of app/ do not know that a GUI exists."""
    gui = {"dearpygui", "glfw", "OpenGL"}
    allowed = {"app/display", "app/window", "app/start.py", "app/tour.py"}
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("networks", "app")
        for path in sources(folder)
        if {name.split(".")[0] for name in imports(path)} & gui
        and not any(path.relative_to(ROOT).as_posix().startswith(place) for place in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [
        ("app.engine", ("torch", "dearpygui", "scipy")),
        ("app.studies", ("torch", "dearpygui")),
        ("app.window.training", ("torch", "dearpygui")),
        ("app.bundled", ("torch", "dearpygui")),
        ("app.colormaps", ("torch", "dearpygui")),
        ("app.timeline.files", ("torch", "dearpygui", "scipy")),
        ("app.request", ("torch", "dearpygui", "numpy")),
        ("networks.registry", ("dearpygui", "triton", "numba")),
        ("main", ("torch", "dearpygui")),
    ],
)
def test_heavy_libraries_load_late(module: str, unloaded: tuple[str, ...]) -> None:
    code = f"import sys, {module}; print([name for name in {unloaded!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_runs_code_from_data() -> None:
    """No pickle.load, torch.load without weights_only, eval or exec outside the tests."""
    pattern = re.compile(r"\bpickle\.loads?\(|weights_only *= *False|(?<![\w.])(?:eval|exec)\(|except *:")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("networks", "app", "widgets")
        for path in sources(folder)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line.split("#")[0])
    ]
    assert wrong == []


def test_files_stay_small() -> None:
    large = [
        f"{path.relative_to(ROOT)} has {count} lines"
        for folder in ("networks", "app", "widgets")
        for path in sources(folder)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    ]
    assert large == []
