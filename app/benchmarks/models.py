"""Files to measure with: presets with random weights, the official container, the optional faces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.errors import InputError
from networks.checkpoint.records import Checkpoint
from networks.checkpoint.safetensors_format import save_checkpoint
from networks.presets import build_preset

ROOT = Path(__file__).parents[2]


def write_models(folder: Path, count: int, name: str) -> list[Path]:
    """Checkpoints with random weights, each of its own seed."""
    paths = []
    for seed in range(count):
        generator = build_preset(name, seed)
        path = folder / f"{name}-{seed}.safetensors"
        save_checkpoint(Checkpoint(path, "random", generator.family, generator.spec, generator.state_dict()), path)
        paths.append(path)
    return paths


def write_official(folder: Path, resolution: int) -> Path:
    """G, D and G_ema of a StyleGAN2 in the layout of NVIDIA's files; 360 MB at 1024.

    The writer belongs to the tests; it runs as a program of its own, from the project's folder.
    """
    path = folder / f"stylegan2-{resolution}.pkl"
    command = [sys.executable, "-m", "tests.official_layout", str(path), "--resolution", str(resolution)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(
            f"tests/official_layout.py could not write {path.name}: {done.stderr.strip().splitlines()[-1]}"
        )
    return path
