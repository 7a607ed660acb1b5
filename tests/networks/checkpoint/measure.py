"""What each hostile file costs: verdict, time, peak memory, each in a child process of its own.

python -m tests.networks.checkpoint.measure FOLDER [--limit] [NAME ...]     one JSON line for each file
python -m tests.networks.checkpoint.measure FOLDER --table                  the table of docs/hostile-files.md
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

from tests.networks.checkpoint.hostile import CANARY, CASES, OPENS, Case, verdict

MEMORY_LIMIT, CPU_LIMIT = 500 << 20, 2  # bytes above the start, seconds
SELF_CHECKS = {"!memory": lambda: str(len(bytearray(600 << 20))), "!time": lambda: _loop()}
ORDER = (
    "calls",
    "nested calls",
    "dill",
    "bombs",
    "no checkpoint",
    "another network",
    "wrong tensors",
    "changes",
    "cut off",
)
HEAD = """# Hostile and broken files

{count} files that want to run code, exhaust the machine, or are not what they seem, and what the program says of each.
Written by `tests/networks/checkpoint/hostile/`, checked by `test_hostile.py`, measured by
`python -m tests.networks.checkpoint.measure FOLDER --table`. A canary file would appear if any code in them ran:
{canary}. Time is CPU time of opening on one core; memory is the peak above the running program, of files of up to
64 MB. Files of the category "cut off" are whole checkpoints cut at every tenth of their length.

| file | category | verdict | ms | MB |
|---|---|---|---:|---:|
"""


def _loop() -> str:
    while True:
        pass


def status(field: str) -> int:
    """A memory field of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def measured(name: str, path: Path, limit: bool) -> dict[str, Any]:
    """Run in a child: open the file within the limits and say what it took."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before, started = status("VmRSS"), time.process_time()
    if limit:
        most = status("VmSize") + MEMORY_LIMIT
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT + 1))
    try:
        said = SELF_CHECKS[name]() if name in SELF_CHECKS else verdict(CASES[name], path)
    except MemoryError:
        said = "MemoryError"
    ms = (time.process_time() - started) * 1000
    return {"name": name, "verdict": said, "ms": round(ms, 1), "mb": round((status("VmHWM") - before) / 1e6, 1)}


def in_child(name: str, path: Path, limit: bool) -> dict[str, Any]:
    """Fork, measure, and read the result; a killed child gives the signal as its verdict."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, json.dumps(measured(name, path, limit)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, code = os.waitpid(child, 0)
    if os.WIFSIGNALED(code):
        return {"name": name, "verdict": f"killed by signal {os.WTERMSIG(code)}", "ms": 0, "mb": 0}
    return json.loads(data)


def run(case: Case | None, name: str, folder: Path, limit: bool) -> dict[str, Any]:
    path = case.make(folder) if case else folder
    try:
        return in_child(name, path, limit)
    finally:
        if case and not path.is_dir():
            path.unlink(missing_ok=True)


def table(folder: Path) -> str:
    """The markdown table of every case."""
    rows = []
    for case in sorted(CASES.values(), key=lambda case: ORDER.index(case.category)):
        outcome = run(case, case.name, folder, limit=False)
        said = outcome["verdict"].removeprefix(f"{case.name}: ").removeprefix(f"{case.name} ")
        said = said.replace(str(folder), "the folder").replace("|", "\\|")
        opens = "opens (harmless: nothing in it is run)" if said == OPENS else said
        rows.append(f"| {case.name} | {case.category} | {opens} | {outcome['ms']:.0f} | {outcome['mb']:.0f} |")
    canary = "it did" if Path(CANARY).exists() else "it did not"
    return HEAD.format(count=len(CASES), canary=canary) + "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--limit", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_intermixed_args()
    os.chdir(arguments.folder)
    if arguments.table:
        sys.stdout.write(table(arguments.folder))
        return
    for name in arguments.names or CASES:
        sys.stdout.write(json.dumps(run(CASES.get(name), name, arguments.folder, arguments.limit)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
