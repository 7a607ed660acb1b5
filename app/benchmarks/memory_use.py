"""Memory of the process after many pictures and after many models: it must stay bounded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.benchmarks.alone import alone
from app.benchmarks.machine import resident_mb
from app.benchmarks.models import write_models
from app.benchmarks.numbers import markdown, short, slope
from app.models import ModelStore
from app.renderer import Renderer
from app.request import Latent, Model, RenderRequest

RENDERS, MODELS, KEPT = 200, 10, 4
WARM = 20  # pictures until caches are full
NAME, QUICK_NAME = "stylegan2-256", "stylegan2-64-small"
SHOWN_RENDERS, SHOWN_MODELS = (1, 20, 100, RENDERS), (1, KEPT, 5, 7, MODELS)


@dataclass(frozen=True)
class MemoryUse:
    """Resident MB: with torch loaded, after each picture of one model, after each of several models in turn."""

    start: float
    renders: list[float]
    models: list[float]


def measure(paths: list[str], device: str) -> MemoryUse:
    """Draw `RENDERS` different pictures, then one of each model; runs alone in its process."""
    start = resident_mb()
    renderer = Renderer(ModelStore(count=KEPT))
    request = RenderRequest(model=Model(paths[0], device))
    renders, models = [], []
    for seed in range(RENDERS):
        renderer.render(replace(request, latent=Latent(((seed, 1.0),))))
        renders.append(resident_mb())
    for path in paths:
        renderer.render(RenderRequest(model=Model(path, device)))
        models.append(resident_mb())
    return MemoryUse(start, renders, models)


def table(quick: bool, device: str, say: Callable[[str], None]) -> list[str]:
    """Markdown lines: memory at each stage, and how it grows."""
    name = QUICK_NAME if quick else NAME
    with tempfile.TemporaryDirectory() as folder:
        say(f"memory: writing {MODELS} models")
        paths = write_models(Path(folder), MODELS, name)
        size = paths[0].stat().st_size / 1e6
        say(f"memory: {RENDERS} pictures, {MODELS} models")
        used = alone(measure, [str(path) for path in paths], device)
    return report(used, name, size)


def report(used: MemoryUse, name: str, size_mb: float) -> list[str]:
    """Markdown lines of one measurement."""
    rows = [["torch loaded", short(used.start)]]
    rows += [[counted(count, "picture"), short(used.renders[count - 1])] for count in SHOWN_RENDERS]
    rows += [[f"{counted(count, 'model')} opened in turn", short(used.models[count - 1])] for count in SHOWN_MODELS]
    late = used.renders[WARM - 1 :]
    full = used.models[KEPT:]
    return [
        f"Resident memory of a process that draws with {name} ({size_mb:.0f} MB of weights). Pictures of different"
        f" seeds; then {MODELS} files in turn, of which the app keeps the last {KEPT}.",
        "",
        *markdown(("after", "memory, MB"), rows),
        "",
        f"Growth from picture {WARM} to {len(used.renders)}: {late[-1] - late[0]:+.0f} MB, least-squares slope"
        f" {slope(late) * 1000:+.0f} KB per picture; from model"
        f" {KEPT + 1} to {MODELS}, each replacing another: {slope(full):+.1f} MB per model.",
    ]


def counted(count: int, what: str) -> str:
    """'1 picture', '20 pictures'."""
    return f"{count} {what}{'' if count == 1 else 's'}"
