"""What the official code computes, and how far our networks are from it.

    python -m tests.networks.reference

writes the table docs/reference.md. A new file in tests/data/reference is a new row: everything else is told by the
names of the arrays in its `NAME.io.npz` (see tests/data/README.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from networks.base import Generator
from networks.checkpoint.load import load
from networks.plan import OUTPUT, Noise
from networks.taps import Taps

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "data" / "reference"
TABLE = ROOT / "docs" / "reference.md"
TOLERANCE = 1e-4  # of the range of the official array
FILES = tuple(sorted(path.name.removesuffix(".pkl") for path in FOLDER.glob("*.pkl")))

HEAD = """# Agreement with the official code

Small networks with random weights, written and evaluated by their authors' own code (`tests/data/README.md`), against
ours on a CPU in fp32. The error is the largest absolute difference over all samples and pixels, divided by the range
(largest minus smallest value) of the official array. Written by `python -m tests.networks.reference`; the tests allow
1e-4.

| file | family | ws | pictures | layers | compared |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Difference:
    """One compared array: its group ('ws', 'img' or 'layer'), its name and its error as a share of the range."""

    group: str
    name: str
    error: float


def relative_error(ours: torch.Tensor, official: np.ndarray) -> float:
    """Largest absolute difference over the range of the official array."""
    assert tuple(ours.shape) == official.shape, f"{tuple(ours.shape)} is not {official.shape}"
    return float(np.abs(ours.numpy() - official).max() / np.ptp(official))


def truncation(key: str) -> tuple[float, int | None]:
    """'ws_psi0.7_cut4' -> (0.7, 4)."""
    psi, cut = re.search(r"psi([\d.]+)", key), re.search(r"cut(\d+)", key)
    return (float(psi[1]) if psi else 1.0), (int(cut[1]) if cut else None)


def conditions(generator: Generator, io: dict[str, np.ndarray]) -> torch.Tensor | None:
    """The conditioning vectors of a file, one-hot where it names classes."""
    if "class_idx" in io:
        return torch.eye(generator.c_dim)[torch.from_numpy(io["class_idx"])]
    return torch.from_numpy(io["c"]) if "c" in io and io["c"].shape[1] > 0 else None


def image_ws(generator: Generator, io: dict[str, np.ndarray], key: str) -> torch.Tensor:
    """The ws of a picture: truncated as its name says, else as the file's most truncated ws."""
    keys = [key] if "psi" in key else [name for name in io if name.startswith("ws_psi")]
    psi, cutoff = min(truncation(name) for name in keys)
    return generator.map(torch.from_numpy(io["z"]), conditions(generator, io), psi, cutoff)


def compare(name: str) -> tuple[Generator, list[Difference]]:
    """Every array of one reference file against our network."""
    generator, _ = load(FOLDER / f"{name}.pkl")
    io = dict(np.load(FOLDER / f"{name}.io.npz"))
    with torch.inference_mode():
        return generator, [*_latents(generator, io), *_pictures(generator, io), *_layers(generator, io, name)]


def _latents(generator: Generator, io: dict[str, np.ndarray]) -> Iterator[Difference]:
    z, c = torch.from_numpy(io["z"]), conditions(generator, io)
    for key in io:
        if key.startswith("ws"):
            yield Difference("ws", key, relative_error(generator.map(z, c, *truncation(key)), io[key]))


def _pictures(generator: Generator, io: dict[str, np.ndarray]) -> Iterator[Difference]:
    for key in io:
        if not key.startswith("img"):
            continue
        noise = Noise("none" if key == "img_none" else "const")
        transform = io["transform"].tolist() if key == "img_transform" else None
        img = generator.synthesize(image_ws(generator, io, key), noise=noise, transform=transform)
        yield Difference("img", key, relative_error(img, io[key]))


def _layers(generator: Generator, io: dict[str, np.ndarray], name: str) -> Iterator[Difference]:
    path = FOLDER / "features" / f"{name}.npz"
    if not path.exists():
        return
    official = dict(np.load(path))
    taps = Taps(capture=[(layer, OUTPUT) for layer in official])
    generator.synthesize(image_ws(generator, io, "img_const")[:1], taps)
    for layer, array in official.items():
        yield Difference("layer", layer, relative_error(taps.captured[(layer, OUTPUT)], array))


def row(name: str) -> str:
    """One line of the table."""
    generator, differences = compare(name)
    worst = [max((d.error for d in differences if d.group == group), default=None) for group in ("ws", "img", "layer")]
    cells = ["-" if error is None else f"{error:.1e}" for error in worst]
    return f"| {name}.pkl | {generator.family} | {' | '.join(cells)} | {len(differences)} arrays |\n"


def main() -> None:
    """Write docs/reference.md."""
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(HEAD + "".join(row(name) for name in FILES), encoding="utf-8")


if __name__ == "__main__":
    main()
