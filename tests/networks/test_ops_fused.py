"""The kernels for CUDA compute the textbook's values: `fused_kernels.py`, in Triton's interpreter.

They run in a process of their own: Triton brings an LLVM that crashes beside the one of a software OpenGL driver, which
the GUI tests of the same process use. For the same reason `make setup` puts Triton apart (requirements-kernels.txt).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from networks.ops import fused

KERNELS = Path(sys.prefix) / "kernels"
CASES = Path(__file__).with_name("fused_kernels.py")


@pytest.mark.skipif(sys.platform != "linux", reason="Triton has wheels for Linux only")
def test_the_kernels_for_cuda_equal_the_textbook() -> None:
    path = os.pathsep.join([str(KERNELS), str(CASES.parents[2])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)],
        env=os.environ | {"PYTHONPATH": path, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="Triton has wheels for Linux only")
def test_the_kernels_become_machine_code_for_a_gpu(tmp_path: Path) -> None:
    """Without a GPU: Triton brings the assembler. Programs that take more than 48 KB would not run everywhere."""
    path = os.pathsep.join([str(KERNELS), str(CASES.parents[2])])
    done = subprocess.run(
        [sys.executable, str(CASES.with_name("compiled_kernels.py"))],
        env=os.environ | {"PYTHONPATH": path, "TRITON_CACHE_DIR": str(tmp_path), "TRITON_INTERPRET": "0"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shared = [int(line.rpartition(":")[2]) for line in done.stdout.splitlines()]
    assert len(shared) == 8
    assert max(shared) <= 48 << 10


def test_triton_keeps_away_from_a_software_opengl_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "mapped_files", lambda: "7f0 r-xp /usr/lib/x86_64-linux-gnu/libLLVM.so.19.1\n")
    fused.why_not.cache_clear()
    try:
        assert "software OpenGL" in fused.why_not(torch.device("cuda"))
    finally:
        fused.why_not.cache_clear()
