"""Memory of the process after many pictures and after many models: it must stay bounded."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from app import memory
from app.models import ModelStore
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest
from networks.checkpoint.records import Checkpoint
from networks.checkpoint.safetensors_format import save_checkpoint
from networks.presets import build_preset

RENDERS, MODELS = 200, 10
NAME, QUICK_NAME = "stylegan2-256", "stylegan2-128-small"


def resident_mb() -> float:
    """Memory that the process holds now, in MB (Linux; elsewhere 0)."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if statm.exists() else 0.0


def write_models(folder: Path, count: int, name: str) -> list[Path]:
    """Checkpoints with random weights, each of its own seed."""
    paths = []
    for seed in range(count):
        generator = build_preset(name, seed)
        path = folder / f"{name}-{seed}.safetensors"
        save_checkpoint(Checkpoint(path, "random", generator.family, generator.spec, generator.state_dict()), path)
        paths.append(path)
    return paths


def table(quick: bool) -> list[str]:
    """Markdown lines: memory at each stage."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_models(Path(folder), MODELS, QUICK_NAME if quick else NAME)
        size = paths[0].stat().st_size / 1e6
        memory.give_back()
        lines = [
            f"Models: {paths[0].stem.rsplit('-', 1)[0]}, {size:.0f} MB each, CPU; the store keeps at most 4.",
            "",
            "| after | memory, MB |",
            "|---|---|",
            f"| start, torch loaded | {resident_mb():.0f} |",
        ]
        renderer = Renderer(ModelStore())
        request = RenderRequest(model=Model(str(paths[0]), "cpu"))
        for count in range(1, RENDERS + 1):
            renderer.render(replace(request, latent=Latent(((count, 1.0),))))
            if count in (1, 20, RENDERS):
                lines.append(f"| {count} pictures | {resident_mb():.0f} |")
        for count, path in enumerate(paths, 1):
            renderer.render(RenderRequest(model=Model(str(path), "cpu")))
            if count in (4, 7, MODELS):
                lines.append(f"| {count} models opened in turn | {resident_mb():.0f} |")
    return lines
