"""Every file of the hostile set ends in the right sentence, nothing in it runs, and memory and time stay bounded."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from networks.checkpoint import allow_list
from networks.checkpoint.handlers import HANDLERS
from networks.checkpoint.nodes import Reference
from tests.networks.checkpoint.hostile import CANARY, CASES, OPENS, verdict

ROOT = Path(__file__).parents[3]
READER = (
    "allow_list handlers machine modules nodes numpy_values reader resolve sniff torch_legacy torch_values torch_zip"
)
BOMBS = [name for name, case in CASES.items() if case.category == "bombs"]


@pytest.mark.parametrize("name", [name for name in CASES if name not in BOMBS])
def test_verdict(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    path = case.make(tmp_path)
    before = set(tmp_path.iterdir())
    said = verdict(case, path)
    assert_right_sentence(name, said)
    assert not (tmp_path / CANARY).exists()
    assert case.during or set(tmp_path.iterdir()) == before, "reading left a file behind"


def assert_right_sentence(name: str, said: str) -> None:
    assert re.search(CASES[name].said, said), said
    if said != OPENS:
        assert said.startswith(name), "it names the file"
        assert "\n" not in said
        assert len(said) < 400, "one sentence"


def test_the_set_is_large() -> None:
    assert len(CASES) >= 60
    assert {case.category for case in CASES.values()} >= {"calls", "nested calls", "dill", "bombs", "cut off"}


def test_the_canary_sings_where_code_runs(tmp_path: Path) -> None:
    """The check itself: a plain `pickle.load` of the same file creates the canary."""
    path = CASES["call-os.system.pkl"].make(tmp_path)
    program = f"import pickle; pickle.load(open({path.name!r}, 'rb'))"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / CANARY).exists()


def test_bombs_stay_within_500_mb_and_2_seconds_of_cpu(tmp_path: Path) -> None:
    """The kernel enforces both: a child process per file, RLIMIT_AS 500 MB above what the start took, RLIMIT_CPU."""
    command = [sys.executable, "-m", "tests.networks.checkpoint.measure", str(tmp_path), "--limit", *BOMBS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    outcomes = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(outcomes) == set(BOMBS)
    for name in BOMBS:
        assert_right_sentence(name, outcomes[name]["verdict"])


def test_limits_kill_what_exceeds_them(tmp_path: Path) -> None:
    """The check itself: a child that takes 600 MB, or loops, does not come back with a verdict."""
    command = [sys.executable, "-m", "tests.networks.checkpoint.measure", str(tmp_path), "--limit", "!memory", "!time"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["MemoryError", "killed by signal 24"]  # SIGXCPU


def test_the_reader_imports_nothing_that_runs_code() -> None:
    """No pickle, importlib, eval or exec anywhere in the reader, and torch.load nowhere."""
    for name in [*READER.split(), "opcodes", "unpickler", "window", "safetensors_format"]:
        tree = ast.parse((ROOT / "networks" / "checkpoint" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "importlib", "marshal", "dill", "subprocess"} & set(modules), name
            if isinstance(node, ast.Name):
                assert node.id not in ("eval", "exec", "compile", "__import__", "globals", "getattr", "setattr"), name
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("torch", "load"), name


def test_every_call_of_the_allow_list_has_our_own_code_behind_it() -> None:
    assert set(HANDLERS.calls) >= allow_list.CALLS - allow_list.RECONSTRUCTORS


def test_the_allow_list_has_no_function_that_reaches_the_machine() -> None:
    standard = sorted(f"{module}.{name}" for module, name in allow_list.CALLS if allow_list.is_standard(module))
    harmless = {
        "_codecs": {"encode"},
        "builtins": {"set", "frozenset", "list", "dict", "tuple", "bytearray", "bytes", "complex", "slice", "range"}
        | {"getattr"},
        "collections": {"OrderedDict", "Counter", "defaultdict", "deque"},
        "copyreg": {"_reconstructor", "__newobj__", "__newobj_ex__"},
        "datetime": {"datetime", "date", "time", "timedelta"},
        "functools": {"partial"},
        "itertools": {"count"},
        "random": {"Random"},
        "pathlib": {"Path", "PurePath", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"},
        "uuid": {"UUID"},
    }
    harmless |= {"__builtin__": harmless["builtins"], "copy_reg": harmless["copyreg"]}
    harmless |= {"pathlib._local": harmless["pathlib"]}
    assert standard == sorted(f"{module}.{name}" for module, names in harmless.items() for name in names)


@pytest.mark.parametrize(
    ("module", "name", "named", "called"),
    [
        ("os", "system", False, False),
        ("os.path", "join", False, False),
        ("builtins", "eval", False, False),
        ("builtins", "object", True, False),
        ("networks.generator", "Generator", True, True),
        ("torch.hub", "load", True, False),
        ("timm.layers.format", "Format", True, True),
        ("subprocess", "Popen", False, False),
        ("numpy.core.multiarray", "_reconstruct", True, True),
        ("numpy._core.multiarray", "_reconstruct", True, True),
        ("collections", "OrderedDict", True, True),
    ],
)
def test_what_may_be_named_and_what_called(module: str, name: str, named: bool, called: bool) -> None:
    reference = Reference(module, name)
    assert allow_list.may_name(reference) is named
    assert allow_list.may_call(reference) is called
