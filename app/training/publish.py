"""From a run to a bundled model: weights in half precision, a card, sample grids, loss curves, measured numbers.

OUT/NAME/NAME.safetensors, card.json, card.md, samples-psi-0.7.png, samples-psi-1.0.png, losses.png, neighbours.png.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from app.errors import InputError
from app.training import metrics
from app.training.card import markdown
from app.training.curves import draw_curves
from app.training.grid import contact_sheet, sample
from app.training.run import read_log, write_generator
from networks.base import Generator
from networks.checkpoint.load import load
from networks.training.config import TrainConfig, generator_spec
from networks.training.data import PictureSet
from networks.training.lite0 import load_lite0
from networks.training.snapshot import load_state, write_whole

MOST_BYTES = 12_000_000
GRID = (6, 12)
SEED = 1000  # of grids and measurements; not that of the grids watched while training
NEIGHBOURS, QUERIES = 5, 8
Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How many pictures the measurements take."""

    pictures: int = 2048
    neighbours_from: int = 8192


def publish(run: Path, out: Path, name: str, effort: Effort, say: Say, data: PictureSet | None = None) -> Path:
    """Write OUT/NAME from a run; returns the folder. data: where the training set lies now [where the run found it]."""
    state, about = _read(run)
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}.safetensors"
    seen = state["seen"]
    say("writing the weights")
    write_generator(weights, _average(state), f"{run.name} at {seen / 1000:.1f} kimg", _notes(about, seen))
    if weights.stat().st_size > MOST_BYTES:
        raise InputError(f"{weights.name} has {weights.stat().st_size:,} bytes, at most {MOST_BYTES:,} are shipped")
    generator, _ = load(weights)  # what is shipped is what is measured
    grids = {psi: sample(generator, GRID[0] * GRID[1], SEED, psi) for psi in (0.7, 1.0)}
    for psi, pictures in grids.items():
        _save(folder / f"samples-psi-{psi}.png", contact_sheet(pictures, GRID[1]))
    log = run / "loss.csv"
    if log.exists():
        write_whole(folder / "losses.png", lambda part: draw_curves(read_log(log)).save(part, format="PNG"))
    known = data or PictureSet(Path(about["data_folder"]))
    measured = measure(generator, known, effort, say, folder / "neighbours.png")
    card = {
        "name": name,
        "family": generator.family,
        "weights": {"file": weights.name, "bytes": weights.stat().st_size, "precision": "fp16, small tensors fp32"},
        "parameters": sum(p.numel() for p in generator.parameters()),
        "resolution": list(generator.resolution),
        "licence": f"weights: MIT, as this repository; training pictures: {about['data'].get('licence', 'unknown')}",
        "data": {key: value for key, value in about["data"].items() if key != "sha512"},
        "training": {
            "configuration": about["config"],
            "changes": about.get("changes", []),
            "pictures_seen": seen,
            "hours": round(about["seconds"] / 3600, 2),
            "machine": about["machine"],
            "outside_weights": _outside(about["config"]),
        },
        "measured": measured,
    }
    write_whole(folder / "card.json", lambda part: part.write_text(json.dumps(card, indent=1) + "\n", "utf-8"))
    write_whole(folder / "card.md", lambda part: part.write_text(markdown(card), "utf-8"))
    return folder


def measure(generator: Generator, data: PictureSet, effort: Effort, say: Say, sheet: Path) -> dict[str, Any]:
    """Fréchet distance with its floor, spread of samples, nearest training neighbours (drawn into `sheet`)."""
    network = load_lite0()
    say("taking features of training pictures")
    count = min(max(effort.neighbours_from, 2 * effort.pictures), len(data))
    picked = np.random.default_rng(SEED).permutation(len(data))[:count]
    real = metrics.features(network, data.pictures[np.sort(picked)])
    shuffled = real[np.random.default_rng(SEED + 1).permutation(len(real))]
    share = min(effort.pictures, len(real) // 2)
    say("taking features of samples")
    distances = {}
    for psi in (1.0, 0.7):
        made = sample(generator, share, SEED + 1, psi)
        distances[f"psi {psi}"] = round(metrics.frechet_distance(shuffled[:share], metrics.features(network, made)), 2)
    queries = sample(generator, QUERIES, SEED, 1.0)
    asked = metrics.features(network, queries)
    order = metrics.nearest(asked, real, NEIGHBOURS)
    _draw_neighbours(sheet, queries, data.pictures[np.sort(picked)], order)
    best = metrics.similarity(asked, real[order[:, 0]])
    between = metrics.similarity(shuffled[: share // 2], shuffled[share // 2 : 2 * (share // 2)])
    return {
        "features": metrics.FEATURES,
        "frechet_distance": distances,
        "frechet_distance_floor": round(metrics.frechet_distance(shuffled[:share], shuffled[share : 2 * share]), 2),
        "pictures_each": share,
        "neighbours_searched": count,
        "neighbour_similarity": [round(float(value), 3) for value in best],
        "similarity_of_random_training_pairs": round(float(np.mean(between)), 3),
        **walk_steps(generator),
    }


@torch.no_grad()
def walk_steps(generator: Generator, steps: int = 64) -> dict[str, float]:
    """The largest and the mean RMS change per frame (of 255) on a straight walk in w between two seeds, psi 0.7."""
    z = torch.randn(2, generator.z_dim, generator=torch.Generator().manual_seed(SEED))
    first, last = generator.map(z, psi=0.7).chunk(2)
    frames = [
        (generator.synthesize(torch.lerp(first, last, i / steps), precision="fp32").clamp(-1, 1) * 127.5).numpy()
        for i in range(steps + 1)
    ]
    change = [float(np.sqrt(np.mean((b - a) ** 2))) for a, b in pairwise(frames)]
    return {"walk_step_mean": round(float(np.mean(change)), 3), "walk_step_largest": round(max(change), 3)}


def _read(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    path = run / "state.pt"
    if not path.exists() or not (run / "run.json").exists():
        raise InputError(f"{run} holds no finished snapshot (state.pt and run.json); train first")
    return load_state(path), json.loads((run / "run.json").read_text(encoding="utf-8"))


def _average(state: dict[str, Any]) -> Generator:
    from networks.registry import get

    config = TrainConfig(**state["config"])
    generator = get(config.family).build(generator_spec(config))
    generator.load_state_dict(state["average"])
    return generator


def _notes(about: dict[str, Any], seen: int) -> tuple[str, ...]:
    return (f"Trained on {about['data'].get('source', 'unknown')} for {seen / 1000:.0f} thousand pictures.",)


def _outside(config: dict[str, Any]) -> str:
    if config["critic"] == "projected":
        return "the discriminator saw through EfficientNet-Lite0, trained on ImageNet (Apache-2.0); it is not shipped"
    return "none: every weight was learnt from the training pictures alone"


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_whole(path, lambda part: Image.fromarray(pixels).save(part, format="PNG", optimize=True))


def _draw_neighbours(
    path: Path, queries: NDArray[np.uint8], known: NDArray[np.uint8], order: NDArray[np.int64]
) -> None:
    """One line per sample: the sample, a gap, its nearest training pictures."""
    gap = np.full_like(queries[0], 255)
    cells = [cell for query, row in zip(queries, order, strict=True) for cell in (query, gap, *known[row])]
    _save(path, contact_sheet(np.stack(cells), NEIGHBOURS + 2))
